"""What replfix itself did to the rows in question, from its audit trail: its repairs are not in any binlog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from replfix.core import sql
from replfix.core.conflicts.reconcile import Conflict, Identity
from replfix.core.incident.evidence import EarlierStep, Evidence
from replfix.core.incident.provenance import rows_in_question, stands
from replfix.core.plan.plan import StepKind
from replfix.core.rows.row_diff import same
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table


@dataclass(frozen=True, slots=True)
class ByReplfix:
    """``explains``: the row on that server is still as the step left it."""

    conflict: Conflict
    table: Table
    row: Identity
    earlier: EarlierStep
    explains: bool

    @property
    def in_words(self) -> str:
        """The finding for people, with the record's id."""
        step, record = self.earlier.step, self.earlier.record
        where = "source" if self.earlier.on_source else "replica"
        what = _DONE[step.kind].format(f"the {self.table.name} row{_key(self.table, self.row)}")
        return (
            f"replfix {what} on the {where} at {record.recorded_at[:19].replace('T', ' ')} UTC, without logging it: record "
            f"{record.id} ({self.earlier.strategy}), see 'replfix audit show {record.id}'."
        )


_DONE = {StepKind.DELETE: "took {} out", StepKind.UPDATE: "changed {}", StepKind.INSERT: "put {} there"}


def by_replfix(evidence: Evidence) -> Iterator[ByReplfix]:
    """Yield, for each conflict, the newest step on each server that explains the row's state there.

    On the replica it does while the row is as the step left it; on the source where its transaction continues from
    that, or where the step deleted what the transaction writes.
    """
    newest: dict[tuple[bool, Identity], EarlierStep] = {}
    for earlier in evidence.earlier:
        for row in earlier.rows:
            newest.setdefault((earlier.on_source, row), earlier)
    for conflict, table, row, state in rows_in_question(evidence) if newest else ():
        here, there = newest.get((False, row)), newest.get((True, row))
        if here is not None and stands(table, here.step.target, row, state):
            yield ByReplfix(conflict, table, row, here, explains=True)
        if there is not None:
            goes_on = conflict.expected is not None and stands(table, there.step.target, row, conflict.expected)
            if goes_on or _is(table, there.step.current, conflict.incoming):
                yield ByReplfix(conflict, table, row, there, explains=goes_on)


def explained(evidence: Evidence, *, on_source: bool) -> frozenset[Identity]:
    """Return the rows whose state a repair of replfix on that server explains."""
    return frozenset(one.row for one in by_replfix(evidence) if one.explains and one.earlier.on_source == on_source)


def _is(table: Table, one: RowImage | None, other: RowImage | None) -> bool:
    return one is not None and other is not None and same(table, one, other)


def _key(table: Table, row: Identity) -> str:
    if table.identity is None:
        return ""
    columns = (table.columns[ordinal] for ordinal in table.ordinals(table.identity))
    return " " + ", ".join(
        f"{column.name} = {sql.literal(column, value)}" for column, value in zip(columns, row[1], strict=True)
    )
