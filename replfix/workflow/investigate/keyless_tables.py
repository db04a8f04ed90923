"""Missing rows of tables without a key: whether the row is really missing, or there with other values.

Nothing names such a row, so nothing can decide that. Where the replica has a row that is like the missing one and that
the source did not have then, a human has to decide: writing the missing row would leave the other one beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace

from replfix.core.binlog.column_mapping import there
from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.reconcile import Reconciliation, RowRepair
from replfix.core.rows.lookup import Lookup, by_identity, by_likeness
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName
from replfix.ports import Replica, Server

EXAMINED = 20
"""For how many missing rows one like them is looked for: each look reads the whole table."""


def doubt_missing_rows(
    replica: Replica,
    source: Server,
    changes_since: Callable[[], Iterable[RowChange]],
    tables: Mapping[TableName, Table],
    asked: Container[TableName],
    found: Reconciliation,
) -> Reconciliation:
    """Return the reconciliation with what is uncertain about its missing rows.

    ``changes_since`` gives the changes of the failing transaction and of the backlog: what they delete was the
    source's. Only the tables in ``asked`` can be asked of it.
    """
    missing = [r for r in found.repairs if r.current is None and tables[r.table].identity is None]
    if not missing:
        return found
    like = _like(replica, tables, list(dict.fromkeys(missing))[:EXAMINED])
    theirs = source.find(there(tables), [lookup for lookup in like if lookup.table in asked])
    strangers = {lookup: row for lookup, row in like.items() if not theirs.get(lookup)}
    if strangers:
        for change in changes_since():
            if change.before is not None and change.table in tables:
                taken = by_identity(tables[change.table], change.before)
                if taken is not None:
                    strangers.pop(taken, None)
    blockers = (
        f"A row of {lookup.table} that the transaction changes is not on the replica, and {lookup.table} has no key that names "
        f"its rows. The replica has a row like it that the source did not have then: {str(row)[:200]}. It may be that row, "
        "changed on the replica, or another: correct it by hand, or give the table a primary key."
        for lookup, row in strangers.items()
    )
    return replace(found, blockers=(*found.blockers, *blockers))


def _like(replica: Replica, tables: Mapping[TableName, Table], missing: list[RowRepair]) -> dict[Lookup, RowImage]:
    """Return rows of the replica that are like a missing one, and are not another missing one's equal of the same values."""
    questions = [by_likeness(tables[r.table], r.target) for r in missing if r.target is not None]
    answers = replica.find(tables, [question for question in questions if question is not None])
    found: dict[Lookup, RowImage] = {}
    for question, rows in answers.items():
        for row in rows:
            lookup = by_identity(tables[question.table], row)
            if lookup is not None and lookup.values != question.values:
                found[lookup] = row
    return found
