"""A whole backlog in one transaction that is rolled back: BINLOG statements with the events of many transactions at once.

Seen on 9.7.4 and MariaDB 11.8.9: an error in such a statement leaves what it has executed before in the transaction; a
savepoint takes that back, and the transaction goes on. The GTIDs of the backlog are not needed: nothing is committed,
and nothing logged.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from replfix.core import sql
from replfix.core.binlog.row_event import Transaction
from replfix.core.plan.plan import Plan
from replfix.core.replication.applier_error import ApplierError, parse
from replfix.core.rows.lookup import Answers, Lookup
from replfix.core.schema.table import Table, TableName
from replfix.errors import Busy, RehearsalFailed, ReplfixError, ServerError
from replfix.mysql.binlog import pieces
from replfix.mysql.binlog.events.checked_events import read_format
from replfix.mysql.connection.dialects import dialect_of
from replfix.mysql.connection.session import Session
from replfix.mysql.read.find_rows import count_all, find_all
from replfix.mysql.write.check_parents import NOTHING_CHANGED

_STATEMENT_BYTES = 1 << 20  # of events: a larger statement is no faster, and Ctrl-C waits for it
_AROUND_EVENTS = 64  # bytes of a BINLOG statement beside its base64
_SAVEPOINT = "replfix"
_NO_SUCH_SAVEPOINT = 1305  # ER_SP_DOES_NOT_EXIST
_LOCKED = (1205, 1213)  # lock wait timeout, deadlock: the server may have rolled back all of the transaction

Step = Callable[[Session, Plan, Transaction, Mapping[TableName, Table]], None]


class BacklogSession:
    """Implements ``ports.BacklogRehearsal`` in a session of its own. ``end`` rolls back."""

    def __init__(self, session: Session, carry_out: Step, run_transaction: Step) -> None:
        """``carry_out`` executes a plan's steps, ``run_transaction`` its transaction, as in the rehearsal of one repair."""
        self._session = session
        self._carry_out = carry_out
        self._run_transaction = run_transaction
        self._format = b""
        packet = int(session.scalar("SELECT @@max_allowed_packet"))
        self._packet = packet
        self._most = min((packet - _AROUND_EVENTS) * 3 // 4, _STATEMENT_BYTES)

    def fits(self, transaction: Transaction) -> bool:
        form = transaction.raw.format_description
        if not self._format:
            self._begin(form)
        if form == self._format:
            return True
        ours, theirs = read_format(self._format), read_format(form)
        # Each file of a log has an event of its own, with its time: what events look like is in the rest.
        return (ours.server_version, ours.checksums) == (theirs.server_version, theirs.checksums)

    def _begin(self, format_description: bytes) -> None:
        session = self._session
        session.execute(statement_of((format_description,)))
        # The event above leaves gtid_next undetermined, and a transaction does not let it be set.
        for statement in dialect_of(session).reset_gtid_next():
            session.execute(statement)
        session.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")  # no lock on a gap, and rows of now
        session.execute("BEGIN")
        self._format = format_description

    def run(self, transactions: Sequence[Transaction]) -> ApplierError | None:
        self._mark()
        try:
            for events in self._statements(transactions):
                statement = statement_of(events)
                if len(statement) >= self._packet:
                    self._undo()
                    return ApplierError(0, f"A statement of {len(statement):,} bytes is more than max_allowed_packet.")
                self._session.execute(statement)
        except ServerError as error:
            if error.errno in _LOCKED:
                raise _locked() from None
            self._undo()
            return parse(error.errno, error.text, transactions[0].gtid if len(transactions) == 1 else None)
        return None

    def _statements(self, transactions: Sequence[Transaction]) -> Iterator[list[bytes]]:
        batch: list[bytes] = []
        size = 0
        for raw in (transaction.raw for transaction in transactions):
            for statement in raw.statements:
                for piece in pieces(statement, raw.format_description, self._most):
                    more = sum(map(len, piece))
                    if batch and size + more > self._most:
                        yield batch
                        batch, size = [], 0
                    batch.extend(piece)
                    size += more
        if batch:
            yield batch

    def rehearse(self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table]) -> None:
        self._mark()
        try:
            self._carry_out(self._session, plan, transaction, tables)
            self._run_transaction(self._session, plan, transaction, tables)
        except ReplfixError as error:
            self._undo()
            if isinstance(error, ServerError):
                raise RehearsalFailed(f"The rehearsal failed: {error.message}.", NOTHING_CHANGED) from None
            raise

    def find(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        return find_all(self._session, tables, lookups)

    def count(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> dict[Lookup, int]:
        return count_all(self._session, tables, lookups)

    def _mark(self) -> None:
        self._session.execute(f"SAVEPOINT {_SAVEPOINT}")

    def _undo(self) -> None:
        try:
            self._session.execute(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        except ServerError as error:
            if error.errno != _NO_SUCH_SAVEPOINT:
                raise
            raise _locked() from None

    def end(self) -> None:
        """Roll back, whatever was executed."""
        with suppress(ReplfixError):  # a lost session has been rolled back by the server
            self._session.execute("ROLLBACK")


def _locked() -> Busy:
    return Busy(
        "Another session of the replica had locks on its rows, and the rehearsal did not get them.",
        "Nothing was changed. Run the command again when nobody else writes on the replica.",
    )


def statement_of(events: Sequence[bytes]) -> str:
    """Return the BINLOG statement that executes those events."""
    return sql.binlog_statement(base64.b64encode(b"".join(events)).decode("ascii"))
