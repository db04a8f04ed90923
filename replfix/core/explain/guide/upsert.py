"""When an upsert can be recommended, and what it would overwrite."""

from __future__ import annotations

from replfix.core.remedies.remedy import Fix
from replfix.core.schema.table import Table, UniqueKey


def upsert_advice(table: Table, key: UniqueKey, *, generated: bool) -> tuple[Fix, ...]:
    """Return the advice for a key of a server's table; ``generated``: the server numbers it."""
    if generated:
        return (
            Fix(
                f"No upsert here: {key.columns[0]} is generated, so the row that has the value is another one, and INSERT … ON DUPLICATE KEY UPDATE "
                "or REPLACE would overwrite it without an error."
            ),
        )
    others = [other.name for other in table.unique_keys if other.name != key.name]
    if others:
        return (
            Fix(
                "INSERT … ON DUPLICATE KEY UPDATE changes the first row that has the new row's value in any unique key, which can be a stranger's: "
                f"{table.name} also has {', '.join(others)}. UPDATE … WHERE on {', '.join(key.columns)} only changes the row that is meant."
            ),
        )
    return (
        Fix(
            f"Where the newer values should win: INSERT … ON DUPLICATE KEY UPDATE. It overwrites the columns that its UPDATE part names, in the row that has the same {', '.join(key.columns)}; "
            "REPLACE deletes that row, with what references it by ON DELETE CASCADE, and the columns that are not given are lost."
        ),
    )
