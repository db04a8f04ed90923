"""Which steps of a recorded repair the transaction accounts for.

A repair displaces and restores only what the transaction's rows meet.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.foreign_keys.child_rows import held_by, references_of
from replfix.core.plan.plan import Step
from replfix.core.rows.lookup import Lookup, by_identity, by_key
from replfix.core.rows.row_diff import same
from replfix.core.rows.row_values import RowImage, Value
from replfix.core.schema.table import Table, TableName

Tables = Mapping[TableName, Table]


def unaccounted(steps: Sequence[Step], changes: Iterable[RowChange], tables: Tables) -> tuple[Step, ...]:
    """Return the steps that have nothing to do with the transaction.

    Their rows share no key with a row of the transaction, nor reference one or are referenced by one, directly or by
    the rows of other steps.
    """
    met: set[Hashable] = set()
    for change in changes:
        if change.table in tables:
            met.update(_names(tables[change.table], change.before, change.after))
    left = [(step, set(_names(tables[step.table], step.current, step.target))) for step in steps]
    while reached := [each for each in left if each[1] & met]:
        left = [each for each in left if not each[1] & met]
        for _, names in reached:
            met |= names
    return tuple(step for step, _ in left)


def are_logged(steps: Sequence[Step], changes: Sequence[RowChange], tables: Tables) -> bool:
    """Return whether one transaction of the log made each of those steps, and nothing else of their tables."""
    concerned = [change for change in changes if change.table in {step.table for step in steps}]
    return len(concerned) == len(steps) and all(
        any(
            change.table == step.table
            and _alike(tables[step.table], step.current, change.before)
            and _alike(tables[step.table], step.target, change.after)
            for change in concerned
        )
        for step in steps
    )


def _alike(table: Table, one: RowImage | None, other: RowImage | None) -> bool:
    return one is other if one is None or other is None else same(table, one, other)


def _names(table: Table, *images: RowImage | None) -> Iterator[Hashable]:
    """Yield what another row may have in common with one of them.

    These are the values of its keys, of those that it references, and of those by which it is referenced.
    """
    for image in images:
        if image is None:
            continue
        found = [by_key(table, key, image) for key in table.unique_keys] or [by_identity(table, image)]
        yield from (_folded(lookup) for lookup in found if lookup is not None)
        yield from ((held.foreign_key, _folded(held.holders).values) for held in held_by(table, image))
        yield from ((key, _folded(lookup).values) for key, lookup in references_of(table, image))


def _folded(lookup: Lookup) -> Lookup:
    """Return the lookup with texts that a collation may take for the same made the same.

    Only the server compares them as the key does.
    """
    folded = tuple(tuple(map(_fold, part)) for part in lookup.values)
    return Lookup(lookup.table, lookup.key, (), folded, lookup.least)


def _fold(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    plain = unicodedata.normalize("NFKD", value.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c)).rstrip()
