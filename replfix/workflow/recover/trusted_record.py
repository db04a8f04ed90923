"""Records of the trail, believed as far as its chain is whole and the servers' own state confirms them.

Anyone who can write to the trail could otherwise have any row written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from replfix.core.binlog.column_mapping import as_far_as_it_fits, unfit
from replfix.core.binlog.row_event import LoggedAsStatement, PassedOver, Transaction
from replfix.core.plan.accounted_steps import are_logged, unaccounted
from replfix.core.plan.plan import Plan
from replfix.core.plan.recorded_plan import Document, read_steps, tables_named
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.schema.table import Table, TableName
from replfix.core.trail.audit_record import AuditRecord
from replfix.core.words import counted
from replfix.errors import AuditError, ConnectError, Refused, ReplicationError
from replfix.ports import Server, Trail
from replfix.workflow.investigate.ahead.read_run import read_run
from replfix.workflow.investigate.compare_rows import definitions_of
from replfix.workflow.operation import Operation

LOG_READ = 100_000
"""How many transactions of the source's log are read in search of what a repair wrote there, as its record says."""

_BY_HAND = (
    "Nothing was changed. 'replfix audit show {}' prints the rows, and the SQL that takes the repair back by hand."
)


def check_whole(trail: Trail) -> None:
    """Raise AuditError where the trail was altered: then nothing is done because of its records."""
    found = trail.verify().first
    if found is not None:
        raise AuditError(
            f"The audit trail is not whole, so nothing is done on its word: {found.message}.",
            "'replfix audit verify' names every break. Move the trail aside and keep it; 'replfix audit show' still prints its records, and "
            "super_read_only is put back by hand: SET GLOBAL super_read_only = ON.",
        )


def confirm_repair(
    operation: Operation,
    intent: AuditRecord,
    plan: Plan,
    known: Mapping[TableName, Table],
    written: Document | None,
) -> None:
    """Raise Refused where the servers do not confirm the repair that ``intent`` records.

    ``plan``: its own steps, about the replica's tables ``known``; ``written``: what it wrote on the source, as its
    record says.
    """
    if not plan.steps and written is None:
        return
    status = operation.replica.status()
    channel = status.channel(plan.channel)
    if channel is None or not _met(status, channel, plan):
        raise _unconfirmed(intent, f"the replica has neither applied {plan.transaction} nor stopped on it")
    transaction = _transaction(operation, intent, plan, channel, of_source=written is not None)
    if plan.steps:
        defined = definitions_of(operation.replica, transaction)
        tables = {**known, **defined.tables}
        if left := unaccounted(plan.steps, defined.transaction.changes, tables):
            rows = counted(len(left), "row")
            raise _unconfirmed(
                intent,
                f"{rows} of it ({left[0].table}) {'have' if len(left) > 1 else 'has'} nothing to do with {plan.covers}",
            )
    if written is not None:
        _confirm_on_source(operation.source_of(channel), intent, transaction, written)


def _met(status: ReplicaStatus, channel: ChannelStatus, plan: Plan) -> bool:
    failure = channel.failure
    return status.has_applied(channel, plan.transaction) or (
        failure is not None and plan.transaction.failed_with(failure)
    )


def _transaction(
    operation: Operation, intent: AuditRecord, plan: Plan, channel: ChannelStatus, *, of_source: bool
) -> Transaction:
    """Read it from whichever log still has it.

    That is the source's, and if not only that will do, the replica's own, and what it has received.
    """
    why = []
    for read in islice(_logs(operation, plan, channel), 1 if of_source else None):
        try:
            return read()
        except LoggedAsStatement as logged:
            return logged.transaction
        except (ReplicationError, ConnectError) as error:
            why.append(error.message)
    raise _unconfirmed(intent, f"no log has {plan.covers} any more, which the repair was made for. {' '.join(why)}")


def _logs(operation: Operation, plan: Plan, channel: ChannelStatus) -> Iterator[Callable[[], Transaction]]:
    replica, its, run = operation.replica, plan.transaction, plan.run
    gtid = its.gtid

    def whole(server: Server, first: Transaction) -> Transaction:
        return first if run is None else read_run(server, first, run)

    def of_source() -> Transaction:
        source = operation.source_of(channel)
        first = source.transaction(gtid) if gtid else source.transaction_at(its.start, its.end_pos, its.log_file)
        return whole(source, first)

    yield of_source
    if gtid is not None:
        yield lambda: whole(replica, replica.transaction(gtid))
    if run is None:
        yield lambda: replica.relayed(channel.name, gtid, its.end_pos)


def _confirm_on_source(source: Server, intent: AuditRecord, transaction: Transaction, written: Document) -> None:
    """Look in the source's log, after ``transaction``, for what was written there. Refused where it is not found."""
    tables = {name: table for name in tables_named(written) if (table := source.table(name)) is not None}
    steps = read_steps(written, dict(tables))
    try:
        for logged in islice(source.readable_from(transaction.id.end), LOG_READ):
            if isinstance(logged, PassedOver) or unfit(logged, tables):
                continue
            if are_logged(steps, as_far_as_it_fits(logged, tables).changes, tables):
                return
    except ReplicationError as error:
        raise _unconfirmed(
            intent, f"the source's log does not show whether it was written there: {error.message}"
        ) from None
    raise _unconfirmed(
        intent, f"the source's log does not have, after {transaction.id}, what is said to be written there"
    )


def _unconfirmed(intent: AuditRecord, why: str) -> Refused:
    return Refused(f"The servers do not confirm the {intent.named}: {why}.", _BY_HAND.format(intent.id))
