"""Rows locked and compared before any step of a plan is run, many with one statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from replfix.core import sql
from replfix.core.plan.plan import Plan, Step, StepKind
from replfix.core.rows.lookup import Lookup, by_own_identity
from replfix.core.rows.row_diff import differing
from replfix.core.rows.row_values import RowImage, Value
from replfix.core.schema.table import Table, TableName
from replfix.errors import Stale
from replfix.mysql.connection.session import Session
from replfix.mysql.read.find_rows import batches, find_now, image
from replfix.mysql.write.check_parents import MADE_ANEW

Tables = Mapping[TableName, Table]
LOCKED_AT_ONCE = 200


def lock_and_compare(session: Session, plan: Plan, tables: Tables) -> None:
    """Lock the rows that the steps are about, and require that they are as in the plan; Stale otherwise.

    As many as it has steps for, where no key names them. Keys that an insert needs are free of rows but those which earlier
    steps delete: the insert itself would fail on others.
    """
    alike = Counter((step.table, step.current) for step in plan.steps)
    asked = [(step, _lookup(step, tables[step.table])) for step in plan.steps]
    answers = dict(_locked(session, tuple(dict.fromkeys(lookup for _, lookup in asked)), tables))
    for step, lookup in asked:
        _compare(step, tables[step.table], lookup, answers[lookup], alike[step.table, step.current])


def _lookup(step: Step, table: Table) -> Lookup:
    image = step.current if step.current is not None else step.target
    assert image is not None
    lookup = by_own_identity(table, image)
    assert lookup is not None  # an identity key has no NULL, and what is not logged is in no plan
    return lookup


def _locked(
    session: Session, lookups: Sequence[Lookup], tables: Tables
) -> Iterator[tuple[Lookup, tuple[RowImage, ...]]]:
    """Yield the rows of each look-up, as they are now: a consistent read would begin the transaction's snapshot too early."""
    for (name, together), alike in groupby(sorted(lookups, key=_sort), key=_sort):
        table = tables[name]
        for batch in batches(list(alike), LOCKED_AT_ONCE if together else 1, _values):
            found = _told_apart(session, table, batch) if len(batch) > 1 else None
            for lookup in batch:
                if found is not None:
                    yield lookup, found.get(lookup, ())
                else:
                    yield lookup, find_now(session, table, lookup, locking=True)


def _told_apart(session: Session, table: Table, lookups: Sequence[Lookup]) -> dict[Lookup, tuple[RowImage, ...]] | None:
    """Lock and return the rows of several look-ups by the key that names rows; None where a row does not show by which it was found."""
    rows = [image(table, each) for each in session.rows(f"{sql.select_any(table, lookups)} FOR UPDATE")]
    found: dict[Lookup, tuple[RowImage, ...]] = {
        lookup: (row,) for row in rows if (lookup := by_own_identity(table, row)) is not None
    }
    return found if len(found) == len(rows) and found.keys() <= set(lookups) else None


def _sort(lookup: Lookup) -> tuple[TableName, bool]:
    """Look-ups that are asked together: by a key whose values are the same only where they are equal, as texts need not be."""
    return lookup.table, lookup.key is not None and all(_exact(value) for value in _values(lookup))


def _exact(value: Value) -> bool:
    return isinstance(value, int | bytes)


def _values(lookup: Lookup) -> Iterator[Value]:
    return (value for of_part in lookup.values for value in of_part)


def _compare(step: Step, table: Table, lookup: Lookup, rows: Sequence[RowImage], alike: int) -> None:
    if step.kind is StepKind.INSERT:
        if lookup.key is None and len(rows) != step.alike:
            raise _changed(table, f"is there {len(rows)} times, not {step.alike}")
        return
    if len(rows) != alike:
        raise _changed(table, f"is there {len(rows)} times, not {'once' if alike == 1 else f'{alike} times'}")
    assert step.current is not None
    if columns := differing(table, step.current, rows[0]):
        raise _changed(table, f"is no longer what was diagnosed: {', '.join(columns)} changed")


def _changed(table: Table, what: str) -> Stale:
    return Stale(f"A row of {table.name} {what}.", MADE_ANEW)
