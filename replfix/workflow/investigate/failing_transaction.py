"""The failing transaction, out of the source's binlog or the replica's relay log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from replfix.core.binlog.explains_error import failing_statement, fails_on_rows, unlike
from replfix.core.binlog.row_event import LoggedAsStatement, Transaction
from replfix.core.binlog.statement import Statement
from replfix.core.incident.known_error import Kind, family_of
from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.replica_status import ChannelStatus
from replfix.core.schema.table import Table, TableName
from replfix.core.words import counted
from replfix.errors import ReplicationError
from replfix.ports import Replica, Server
from replfix.workflow.investigate.compare_rows import compare, definitions_of


@dataclass(frozen=True, slots=True)
class Failing:
    """``transaction`` where a row event failed, or may have; ``logged`` where a statement did.

    ``statement``: which statement, where that is known.
    """

    transaction: Transaction | None = None
    logged: Transaction | None = None
    statement: Statement | None = None
    received: bool = False  # out of the replica's own relay log

    @property
    def found(self) -> bool:
        """Whether the failing transaction was read."""
        return self.transaction is not None or self.logged is not None

    def doubted(self, error: ApplierError, tables: Mapping[TableName, Table], *, its_source: bool) -> str:
        """Return why nothing is planned for it: it does not fit the replica's own error message."""
        read = self.transaction or self.logged
        if read is None or not (reason := unlike(error, read, tables, here=its_source)):
            return ""
        return f"{read.id} was read, and it is not the transaction that the replica stopped on: {reason}."

    def unproven(self, replica: Replica, source: Server, channel: ChannelStatus, *, stands_in: bool) -> str:
        """Return why the source's transaction may not be the one that the replica received."""
        if self.transaction is None or self.received:
            return ""
        same = replica.received(channel, self.transaction)
        if same is False:
            return f"Under {self.transaction.id} the replica has received other rows than {source.address} has: one of the two was rebuilt."
        if same is None and stands_in:
            return (
                f"{source.address} is not the replica's source, and the relay log cannot be read from here: nothing proves that its "
                f"{self.transaction.id} is what the replica received. Give the source, or run replfix on the replica's host."
            )
        return ""


NOT_FOUND = Failing()


def failing_transaction(
    source: Server, channel: ChannelStatus, error: ApplierError, by_gtid: bool, unknowns: list[str]
) -> Failing:
    """Out of the source's binlog; what is unknown, when it is not there."""
    try:
        if error.gtid is not None and (by_gtid or error.end_log_pos is None):
            at_its_source = source.uuid() == channel.source_uuid  # positions are of its log
            transaction = source.transaction(error.gtid, channel.applied_to if at_its_source else None)
        elif error.end_log_pos is not None and channel.applied_to is not None:
            transaction = source.transaction_at(channel.applied_to, error.end_log_pos, error.log_file or "")
        else:
            if (family := family_of(error.errno)) is None or family.kind not in (
                Kind.RELAY_LOG,
                Kind.HOST,
                Kind.FOLLOW_UP,
            ):
                unknowns.append(
                    "The replica's error names neither a GTID nor a position: the transaction cannot be found."
                )
            return NOT_FOUND
    except LoggedAsStatement as logged:
        found = _of_statements(logged.transaction, error, unknowns)
        transaction = logged.transaction
    except ReplicationError as reason:
        unknowns.append(" ".join(filter(None, (reason.message, reason.hint))))
        return NOT_FOUND
    else:
        found = Failing(transaction)
    if error.gtid not in (None, transaction.gtid):
        unknowns.append(
            f"At the place that the replica names, {source.address} has {transaction.id}, and not {error.gtid}."
        )
        return NOT_FOUND
    unknowns.extend(transaction.notes)
    return found


def in_question(
    replica: Replica, source: Server | None, channel: ChannelStatus, error: ApplierError, by_gtid: bool
) -> ApplierError:
    """Return the error for the one of its candidates that something blocks; for the first where that decides nothing.

    Parallel threads of MariaDB apply several domains at once, and 11.8.9 reports for an event neither its transaction
    nor where it ends.
    """
    first, *others = error.candidates
    if not others:
        return error
    for candidate in (first, *others):
        unknowns: list[str] = []
        failing = NOT_FOUND if source is None else failing_transaction(source, channel, candidate, by_gtid, unknowns)
        if not failing.found:
            failing = from_relay_log(replica, channel, candidate, unknowns)
        if failing.transaction is None:
            continue
        defined = definitions_of(replica, failing.transaction)
        found, _ = compare(replica, defined.transaction, defined.tables)
        doubted = failing.doubted(candidate, defined.tables, its_source=True)
        if not doubted and (found.conflicts or found.again or found.blockers):
            return candidate
    return first


def from_relay_log(replica: Replica, channel: ChannelStatus, error: ApplierError, unknowns: list[str]) -> Failing:
    """Find the failing transaction in what the replica has received."""
    if error.gtid is None and error.end_log_pos is None:
        return NOT_FOUND
    try:
        transaction = replica.relayed(channel.name, error.gtid, error.end_log_pos)
    except LoggedAsStatement as logged:
        unknowns.extend(logged.transaction.notes)
        return replace(_of_statements(logged.transaction, error, unknowns), received=True)
    except ReplicationError as reason:
        unknowns.append(" ".join(filter(None, (reason.message, reason.hint))))
        return NOT_FOUND
    unknowns.extend(transaction.notes)
    return Failing(transaction, received=True)


def _of_statements(transaction: Transaction, error: ApplierError, unknowns: list[str]) -> Failing:
    statements = counted(len(transaction.statements), "statement")
    if fails_on_rows(transaction, error):
        unknowns.append(
            f"The failing transaction also has {statements}, logged as text: what they change is not in the binlog."
        )
        return Failing(transaction)
    statement = failing_statement(transaction, error)
    if statement is not None and statement.ends_xa:
        unknowns.append("The failing transaction ends an XA transaction: the rows are in the one that prepared it.")
        return Failing(logged=transaction, statement=statement)
    if len(transaction.statements) == 1 and not transaction.changes:
        what = "The failing transaction was logged as a statement: which rows it changes is not in the binlog."
    else:
        beside = f" and {counted(len(transaction.changes), 'row')}" if transaction.changes else ""
        what = f"The failing transaction has {statements}{beside}: what the statements change is not in the binlog."
    unknowns.append(what if statement else f"{what} Which of them failed, the replica's error does not say.")
    return Failing(logged=transaction, statement=statement)
