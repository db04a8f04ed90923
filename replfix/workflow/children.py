"""Asks the replica for the rows that reference other rows: see ``core/children.py``."""

from __future__ import annotations

from collections.abc import Iterable

from replfix.core.children import Child, held_by
from replfix.core.table import Table, TableName
from replfix.core.values import RowImage
from replfix.errors import Refused
from replfix.ports import Replica

CHILDREN = 1000
"""How many children of rows that go are planned for."""


def children_on(
    replica: Replica, tables: dict[TableName, Table], rows: Iterable[tuple[TableName, RowImage]]
) -> tuple[Child, ...]:
    """The replica's rows that reference any of ``rows``, one for each foreign key by which they do; each generation is asked
    for apart. ``tables`` gains the tables of the children. Refused, with their number, when they are more than CHILDREN.
    """
    asked = {held.children: held for name, row in rows for held in held_by(tables[name], row)}
    for lookup in asked:
        if lookup.table not in tables:
            tables[lookup.table] = _definition(replica, lookup.table)
    counted = replica.count(tables, tuple(asked))
    if (number := sum(counted.values())) > CHILDREN:
        most = max(counted, key=lambda lookup: counted[lookup])
        key = asked[most].foreign_key
        raise Refused(
            f"{number:,} rows of {replica.address} reference rows that would go or get another key, {counted[most]:,} of them "
            f"by {key.name} of {key.child}; at most {CHILDREN:,} are planned for."
        )
    answers = replica.find(tables, tuple(lookup for lookup in asked if counted[lookup]))
    return tuple(
        Child(asked[lookup].foreign_key, row, asked[lookup].row) for lookup, found in answers.items() for row in found
    )


def _definition(replica: Replica, name: TableName) -> Table:
    table = replica.table(name)
    if table is None:
        raise Refused(
            f"{name} references a row that would go or get another key, and may not be seen on {replica.address}."
        )
    return table
