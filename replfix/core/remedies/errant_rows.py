"""The rows that errant transactions changed, as the replica and its source have them now."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from replfix.core.remedies.errant_transactions import ErrantTransaction
from replfix.core.rows.lookup import Lookup
from replfix.core.rows.row_diff import differing
from replfix.core.rows.row_values import NotRead, RowImage
from replfix.core.schema.table import Table, TableName


class Verdict(enum.StrEnum):
    """Whether rows are the same on the replica and on its source."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class ErrantRow:
    """One row, named by the key of the replica's table. A row of None: there is none. ``why``: reason of UNDETERMINED."""

    table: Table  # as the replica defines it
    lookup: Lookup
    gtids: tuple[str, ...]  # of the transactions that changed it, in the log's order
    replica_row: RowImage | None
    source_row: RowImage | NotRead | None
    why: str = ""

    @property
    def verdict(self) -> Verdict:
        """Whether both servers have the same row."""
        if self.why:
            return Verdict.UNDETERMINED
        return Verdict.DIFFERENT if self.differs else Verdict.EQUAL

    @property
    def differs(self) -> bool:
        """Whether the rows that were read are not the same."""
        if isinstance(self.source_row, NotRead):
            return self.replica_row is not None
        if self.replica_row is None or self.source_row is None:
            return self.replica_row is not self.source_row
        return bool(self.differences)

    @property
    def differences(self) -> tuple[str, ...]:
        """Names of the columns that differ; empty where one of the rows does not exist or was not read."""
        if isinstance(self.source_row, NotRead) or self.replica_row is None or self.source_row is None:
            return ()
        return differing(self.table, self.replica_row, self.source_row)

    @property
    def key(self) -> dict[str, str]:
        """The columns that name the row, and their values as text."""
        named = zip(self.lookup.parts, self.lookup.values, strict=True)
        return {part.column or part.expression or "": str(values[0]) for part, values in named}


@dataclass(frozen=True, slots=True)
class RowComparison:
    """What became of the rows of errant transactions."""

    rows: tuple[ErrantRow, ...] = ()
    not_compared: Mapping[TableName, str] = field(default_factory=dict)  # tables, with the reason
    left_out: frozenset[str] = frozenset()  # transactions with rows beyond the limit, which were not looked up
    by_cascade: tuple[TableName, ...] = ()  # tables whose rows foreign keys may have changed: that is in no binlog
    backlog: str = ""  # what the replica still has to apply, in words; empty where that is nothing
    notes: tuple[str, ...] = ()

    @property
    def tables_left_out(self) -> dict[TableName, str]:
        """Tables with rows that were not compared, and why."""
        said = "Foreign keys may have changed or deleted rows of {} with these transactions: that is not in the binlog, and was not compared."
        return {**{table: said.format(table) for table in self.by_cascade}, **self.not_compared}

    @property
    def different(self) -> tuple[ErrantRow, ...]:
        """Rows that are known to differ."""
        return tuple(row for row in self.rows if row.verdict is Verdict.DIFFERENT)

    @property
    def undetermined(self) -> tuple[ErrantRow, ...]:
        """Rows that differ now, for which it is unknown whether they will."""
        return tuple(row for row in self.rows if row.verdict is Verdict.UNDETERMINED)

    def verdict_of(self, transaction: ErrantTransaction) -> Verdict:
        """Return whether all rows of that transaction are equal, or one differs."""
        if not transaction.is_known:
            return Verdict.UNDETERMINED
        return worst(
            [
                *(row.verdict for row in self.rows if transaction.gtid in row.gtids),
                *(
                    Verdict.UNDETERMINED
                    for table in dict.fromkeys(change.table for change in transaction.changes)
                    if table in self.not_compared
                ),
                *([Verdict.UNDETERMINED] if transaction.gtid in self.left_out else []),
            ]
        )


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return DIFFERENT where one is, else UNDETERMINED where one is."""
    found = set(verdicts)
    return next((v for v in (Verdict.DIFFERENT, Verdict.UNDETERMINED) if v in found), Verdict.EQUAL)
