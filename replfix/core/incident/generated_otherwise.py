"""Generated columns with other values on the replica: the applier computes them by the replica's expression."""

from __future__ import annotations

import re

from replfix.core.incident.evidence import Evidence
from replfix.core.schema.table import Column, TableName

_INTRODUCER = re.compile(r"\b_(?:utf8mb[34]|utf8|latin1|binary)(?=\s*\\?')")


def written(column: Column) -> str:
    """Return the expression in one form for both servers: a string has the character set of the session that made it."""
    return _INTRODUCER.sub("", column.expression).lower()


def generated_otherwise(evidence: Evidence, name: TableName) -> Column | None:
    """Return the replica's column of that kind; one in a unique key first.

    Found by the failing transaction's values where it has them all, else by both servers' definitions of now.
    """
    if name in evidence.around.otherwise:
        return evidence.around.otherwise[name]
    ours = evidence.tables.get(name) or evidence.around.replica.tables.get(name)
    theirs = evidence.around.source.tables.get(name)
    if ours is None or theirs is None:
        return None
    in_keys = {column.lower() for key in ours.unique_keys for column in key.columns}
    found = [
        column
        for column in ours.columns
        if (other := theirs.by_name.get(column.name.lower())) is not None
        and (column.generated or other.generated)
        and written(column) != written(other)
    ]
    return min(found, key=lambda column: column.name.lower() not in in_keys, default=None)
