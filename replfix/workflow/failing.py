"""The failing transaction, out of the source's binlog or the replica's relay log."""

from __future__ import annotations

from collections.abc import Mapping

from replfix.core.applier_error import ApplierError
from replfix.core.explains_error import unlike
from replfix.core.known_error import Kind, family_of
from replfix.core.row_event import Transaction
from replfix.core.statement import Statement
from replfix.core.status import ChannelStatus
from replfix.core.table import Table, TableName
from replfix.core.transaction_id import TransactionId
from replfix.errors import LoggedAsStatement, ReplicationError
from replfix.ports import Replica, Server


def failing_transaction(
    source: Server, channel: ChannelStatus, error: ApplierError, by_gtid: bool, unknowns: list[str]
) -> tuple[Transaction | None, Statement | None]:
    """Its rows, or the statement as which it was logged, out of the source's binlog; neither, and what is unknown, when it is
    not there."""
    try:
        if error.gtid is not None and (by_gtid or error.end_log_pos is None):
            transaction = source.transaction(error.gtid)
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
            return None, None
    except LoggedAsStatement as reason:
        unknowns.append(
            "The failing transaction was logged as a statement: which rows it changes is not in the binlog."
        )
        return None, _statement(reason)
    except ReplicationError as reason:
        unknowns.append(" ".join(filter(None, (reason.message, reason.hint))))
        return None, None
    if error.gtid not in (None, transaction.gtid):
        unknowns.append(
            f"At the place that the replica names, {source.address} has {transaction.id}, and not {error.gtid}."
        )
        return None, None
    unknowns.extend(transaction.notes)
    return transaction, None


def another_one(
    transaction: Transaction, error: ApplierError, tables: Mapping[TableName, Table], *, its_source: bool
) -> str:
    """Why nothing is planned for a transaction: it does not fit the replica's own words."""
    if reason := unlike(error, transaction, tables, here=its_source):
        return f"{transaction.id} was read, and it is not the transaction that the replica stopped on: {reason}."
    return ""


def from_relay_log(
    replica: Replica, channel: ChannelStatus, error: ApplierError, unknowns: list[str]
) -> tuple[Transaction | None, Statement | None]:
    """The same out of what the replica has received."""
    if error.gtid is None and error.end_log_pos is None:
        return None, None
    try:
        transaction = replica.relayed(channel.name, error.gtid, error.end_log_pos)
    except LoggedAsStatement as reason:
        unknowns.append("The failing transaction was logged as a statement: no rows of it are in the binlog.")
        return None, _statement(reason)
    except ReplicationError as reason:
        unknowns.append(" ".join(filter(None, (reason.message, reason.hint))))
        return None, None
    unknowns.extend(transaction.notes)
    return transaction, None


def _statement(reason: LoggedAsStatement) -> Statement:
    gtid, log_file, start, end = reason.place
    of = TransactionId(gtid, log_file, start, end or start)
    return Statement(reason.schema, reason.statement, of, whole=end is not None)
