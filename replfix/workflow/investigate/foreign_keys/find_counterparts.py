"""Asks source, binlog and replica what has to become of rows that a plan would delete.

See ``core/conflicts/foreign_keys/counterparts.py``.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice

from replfix.core.binlog.column_mapping import as_far_as_it_fits, is_elsewhere, replaced_by, there, unfit
from replfix.core.binlog.row_event import PassedOver, RowChange, Transaction
from replfix.core.conflicts.apart_by_key import KeptApart, enforces, kept_apart
from replfix.core.conflicts.foreign_keys.counterparts import (
    Counterpart,
    ahead,
    first_touches,
    further,
    identity_lookup,
    of_other_tables,
    questions,
    restored,
)
from replfix.core.conflicts.reconcile import Reconciliation, RowRepair, identity_values
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows.row_diff import logged_in_part
from replfix.core.schema.table import Table, TableName
from replfix.core.words import counted
from replfix.errors import ReplicationError, Unreadable
from replfix.one_look import anew
from replfix.ports import Replica, Server

BACKLOG_READ = 5000
"""How many transactions after the failing one are read to learn how a row was then."""
GENERATIONS = 20
"""How often a restored row may be in the way of another one before a human has to look."""


def keep_what_the_source_has(
    replica: Replica,
    source: Server,
    transaction: Transaction,
    executed: GtidSet,
    by_gtid: bool,
    tables: Mapping[TableName, Table],
    asked: Container[TableName],
    found: Reconciliation,
    unknowns: list[str],
    local: Container[TableName] = (),
) -> Reconciliation:
    """Return the reconciliation with repairs that also leave right the rows that the transaction itself does not touch.

    ``executed`` is the replica's set: what the source has beyond it is the backlog; without ``by_gtid``, what follows
    the transaction in its log. Only the tables in ``asked`` can be asked of the source; those in ``local`` it does not
    have.
    """
    repairs = list(found.repairs)
    examined: set[RowRepair] = set()
    blockers = dict.fromkeys(found.blockers)
    whole = True
    for _ in range(GENERATIONS):
        fresh = [r for r in repairs if r not in examined and r.table not in local]
        examined.update(fresh)
        unasked = (r for r in fresh if r.table not in asked)
        why = "its table is no longer the replica's"
        blockers.update(dict.fromkeys(untold_without(transaction, tables, unasked, why)))
        counterparts = _counterparts(source, tables, [r for r in fresh if r.table in asked])
        if counterparts:
            changes = ChangesSince(source, transaction, executed, by_gtid, tables, unknowns)
            touched = first_touches(changes, counterparts, tables)
            strangers = of_other_tables(counterparts, touched, changes.replaced, tables)
            why = "its table is another one there now"
            blockers.update(dict.fromkeys(untold_without(transaction, tables, (c.repair for c in strangers), why)))
            counterparts = [c for c in counterparts if c not in strangers]
            changed = restored(counterparts, touched, tables)
            whole &= changes.whole
            if not changes.whole:
                names = ahead(counterparts, touched, transaction.changes, tables)
                blockers.update(dict.fromkeys(map(_ahead, names)))
            blockers.update(dict.fromkeys(_incomplete(changed.values(), tables)))
            repairs = [changed.get(r, r) for r in repairs]
        added = further(repairs, tables, replica.find(tables, questions(repairs, tables)))
        if not added:
            planned = replace(found, repairs=tuple(repairs))
            if not whole:
                both = (pair for pair, enforced in _apart(source, planned, tables) if enforced)
                blockers.update(dict.fromkeys(_ahead(pair.table.name) for pair in both))
            return replace(planned, blockers=tuple(blockers))
        repairs.extend(added)
    unknowns.append(
        f"Rows of the replica conflict with each other in {GENERATIONS} generations; not all of them are in the plan."
    )
    return replace(found, repairs=tuple(repairs), blockers=tuple(blockers))


def untold_without(
    transaction: Transaction, tables: Mapping[TableName, Table], repairs: Iterable[RowRepair], why: str
) -> Iterator[str]:
    """Yield for each row that would be deleted that the source may have it, unless the transaction writes it itself."""
    going = {
        (repair.table, identity_values(tables[repair.table], repair.current)): repair
        for repair in repairs
        if repair.current is not None and repair.target is None
    }
    if not going:
        return
    written = {
        (c.table, identity_values(tables[c.table], left))
        for c in transaction.changes
        if c.table in tables and (left := c.left) is not None
    }
    for named, repair in going.items():
        if named not in written:
            yield (
                f"A conflicting row of {repair.table} may be one of the source's too, and the source cannot be asked: "
                f"{why}."
            )


def _incomplete(restored: Iterable[RowRepair], tables: Mapping[TableName, Table]) -> Iterator[str]:
    for repair in restored:
        if logged_in_part(tables[repair.table], repair.target):
            yield (
                f"The source had the conflicting row of {repair.table} too, and its state there at that time is "
                "unknown: the event that changes it next does not have all of its columns (binlog_row_image is not FULL on the "
                "source)."
            )


def _ahead(name: TableName) -> str:
    return f"The source has the conflicting row of {name} too. As it is now it collides with a row of the transaction, or with another row of the source, so it was different then: how is unknown, because the backlog could not be read that far."


def find_kept_apart(source: Server, found: Reconciliation, tables: Mapping[TableName, Table]) -> tuple[KeptApart, ...]:
    """By keys that the source does not enforce."""
    return tuple(pair for pair, enforced in _apart(source, found, tables) if not enforced)


def _apart(
    source: Server, found: Reconciliation, tables: Mapping[TableName, Table]
) -> Iterator[tuple[KeptApart, bool]]:
    """Yield the rows kept apart of tables that the source has, and whether it enforces the key too.

    Where it does, it never had both at once.
    """
    for pair in kept_apart(found, tables):
        theirs = source.table(pair.table.name)
        if theirs is not None:
            yield pair, enforces(theirs, pair.key)


def _counterparts(source: Server, tables: Mapping[TableName, Table], repairs: list[RowRepair]) -> list[Counterpart]:
    asked = [(r, lookup) for r in repairs if (lookup := identity_lookup(tables[r.table], r)) is not None]
    answers = source.find(there(tables), tuple(dict.fromkeys(lookup for _, lookup in asked)))
    return [Counterpart(repair, next(iter(answers[lookup]), None)) for repair, lookup in asked]


class ChangesSince:
    """The failing transaction's changes, then those that follow in the source's binlog; to be iterated once.

    ``whole``: that was done, to the end of the log; else ``replaced`` are tables that are others under these names now,
    as far as was read. The source's set is read at the beginning: whatever touched a row that was read on the source
    before is among them.
    """

    def __init__(
        self,
        source: Server,
        transaction: Transaction,
        executed: GtidSet,
        by_gtid: bool,
        tables: Mapping[TableName, Table],
        unknowns: list[str],
    ) -> None:
        self._source = source
        self._transaction = transaction
        self._executed = executed
        self._by_gtid = by_gtid and transaction.gtid is not None
        self._tables = tables
        self._unknowns = unknowns
        self.whole = False
        self.replaced: set[TableName] = set()

    def __iter__(self) -> Iterator[RowChange]:
        yield from self._transaction.changes
        yield from self.behind()

    def behind(self) -> Iterator[RowChange]:
        """Without the failing transaction's own."""
        for transaction in self._readable(*self._transactions()):
            yield from transaction.changes

    def logged_behind(self) -> Iterator[tuple[RowChange, bool]]:
        """Yield those that the replica has executed too, in the log's order, and whether it has."""
        for transaction in self._readable(self._log(), None):
            executed = transaction.gtid is not None and transaction.gtid in self._executed
            yield from ((change, executed) for change in transaction.changes)

    def _log(self) -> Iterator[Transaction]:
        """Return the transactions after the failing one, one more than is wanted: it shows that the log continues."""
        return self._source.transactions_from(self._transaction.last.end, BACKLOG_READ + 1)

    def _readable(self, behind: Iterator[Transaction | PassedOver], there_are: int | None) -> Iterator[Transaction]:
        """Yield the transactions in the form of the tables, until one cannot be read.

        Of what follows that one, only which tables it replaces is noted.
        """
        read = 0
        try:
            for transaction in behind:
                if isinstance(transaction, PassedOver):
                    if not is_elsewhere(transaction, self._tables):
                        rest = (each for each in chain((transaction,), behind) if isinstance(each, PassedOver))
                        self.replaced.update(name for each in rest for name in replaced_by(each, self._tables))
                        raise Unreadable(transaction.why)
                    read += 1
                    continue
                if mismatch := unfit(transaction, self._tables):
                    raise Unreadable(mismatch)
                read += 1
                yield as_far_as_it_fits(transaction, self._tables)
        except ReplicationError as error:
            self._unknowns.append(f"The backlog could be read for {counted(read, 'transaction')} only: {error.message}")
            return
        self.whole = read <= BACKLOG_READ and (there_are is None or read >= there_are)
        if not self.whole:
            of = "" if there_are is None else f" of {counted(there_are, 'transaction')}"
            self._unknowns.append(
                f"The backlog{of} was read for {counted(read, 'transaction')}: of rows that none of these touches, only the source's state now is known, which can be ahead of the replica."
            )

    def _transactions(self) -> tuple[Iterator[Transaction | PassedOver], int | None]:
        """And how many there are; None when nobody counts them."""
        source, transaction = self._source, self._transaction
        with anew():  # after the rows were read
            theirs = source.executed() if self._by_gtid else GtidSet()
        if not self._by_gtid or not self._executed.orders(theirs):
            # The end of the log is the end of the backlog.
            return (each for each in self._log() if each.gtid is None or each.gtid not in self._executed), None
        assert transaction.gtid is not None
        backlog = theirs - self._executed - self._executed.exactly(transaction.gtids)
        return islice(source.readable(backlog), BACKLOG_READ), len(backlog)
