"""Read-only: from a replica's status to a diagnosis."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from replfix.core import sql
from replfix.core.binlog.column_mapping import OtherType
from replfix.core.binlog.object_statement import missing_definers
from replfix.core.binlog.row_event import Transaction
from replfix.core.conclude import conclude
from replfix.core.conflicts.apart_by_key import KeptApart
from replfix.core.conflicts.reconcile import Reconciliation
from replfix.core.conflicts.swapped_rows import Swap
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Thread, family_of
from replfix.core.incident.stopped_channel import error_of, stopped_channel
from replfix.core.remedies.errant_transactions import in_words
from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.readers import REPORTED, Shared, shared
from replfix.core.replication.replica_status import ChannelStatus, RelayLog, ReplicaStatus
from replfix.core.replication.start_threads import Receiver, Source, receiver_of
from replfix.core.replication.transaction_id import TransactionRun
from replfix.core.rows.row_values import NotRead, RowImage
from replfix.core.schema.table import Table, TableName
from replfix.core.schema.tested_versions import too_old
from replfix.core.words import counted
from replfix.deadline import within
from replfix.errors import ConnectError, ServerError, TooOld
from replfix.one_look import one_look
from replfix.ports import Progress, Replica, Server, SourceOf, TrailToRead
from replfix.workflow.investigate.ahead.read_run import read_run
from replfix.workflow.investigate.commit_order import check_out_of_order_commits
from replfix.workflow.investigate.compare_keys import find_apart
from replfix.workflow.investigate.compare_rows import compare, definitions_of, note_mismatches
from replfix.workflow.investigate.errant.find_errant import errant
from replfix.workflow.investigate.errant.follow_errant import circle, stopped_above
from replfix.workflow.investigate.failing_transaction import failing_transaction, from_relay_log, in_question
from replfix.workflow.investigate.find_copied_rows import copied
from replfix.workflow.investigate.find_local_writes import local_writes, local_writes_by_server_id
from replfix.workflow.investigate.find_prepared_xa import find_prepared
from replfix.workflow.investigate.foreign_keys.find_counterparts import untold_without
from replfix.workflow.investigate.foreign_keys.plan_children import plan_children
from replfix.workflow.investigate.gather_context import gather_context
from replfix.workflow.investigate.look_up_objects import (
    compare_definitions,
    find_altered,
    find_blocking_row,
    find_blocking_row_of_event,
    find_definers,
    find_duplicates,
    find_library,
    find_lock_holders,
    find_missing,
    find_nulls,
    find_orphans,
    find_references_only_here,
    read_backlog,
    read_settings,
)
from replfix.workflow.investigate.read_earlier_repairs import earlier_steps
from replfix.workflow.investigate.source.check_relay_source import source_holds
from replfix.workflow.investigate.source.check_source import source_side
from replfix.workflow.investigate.source.compare_with_source import compare_with_source

DAMAGED = "damaged-table"
"""The page of the errors of a table that cannot be read."""


def investigate(
    replica: Replica,
    source_of: SourceOf,
    channel_name: str | None,
    progress: Progress = lambda _: None,
    trail: TrailToRead | None = None,
    *,
    run: TransactionRun | None = None,
) -> Diagnosis | None:
    """Return the whole diagnosis of the stopped channel, None when every channel runs.

    With ``run``, of all of its transactions as if they were one: the first is the failing one. ReplicationError where the
    source's log does not have that run. A trail that cannot be read counts as empty. ConnectError when servers take longer, all in all, than the replica's
    limits allow.
    """
    with one_look(whole=True), within(replica.limits.diagnose_seconds, "to diagnose the channel", "diagnose_seconds"):
        return _investigate(replica, source_of, channel_name, progress, trail, run)


def _investigate(
    replica: Replica,
    source_of: SourceOf,
    channel_name: str | None,
    progress: Progress,
    trail: TrailToRead | None,
    run: TransactionRun | None,
) -> Diagnosis | None:
    status = replica.status()
    channel = stopped_channel(status, channel_name)
    if channel is None:
        return None
    if old := too_old(status.product, status.version):
        raise TooOld(old, "Upgrade the replica first, then its source.")
    error, thread = error_of(channel)
    bare = _without_source(replica, status, channel, error, thread)
    try:
        source = source_of(channel)
        if thread is Thread.RECEIVER:
            return conclude(
                replace(
                    bare,
                    lost=_lost(source, bare),
                    settings=read_settings(replica, source, bare.family),
                    free_server_id=_free_server_id(replica, source),
                    shared=_shared(replica, source, status),
                )
            )
    except ConnectError as reason:
        unreached = _unreached(replica, bare, reason, progress)
        return conclude(_writable(replica, replace(unreached, earlier=earlier_steps(trail, unreached))))
    error = in_question(replica, source, channel, error, _by_gtid(channel, source.uuid()))
    evidence = _gather(replica, source, source_of, replace(bare, error=error), progress, run)
    evidence = source_side(replica, source, evidence)
    unknowns = list(evidence.unknowns)
    evidence = replace(evidence, prepared=find_prepared(replica, source, evidence, unknowns), unknowns=tuple(unknowns))
    evidence = replace(evidence, copied=copied(replica, source, evidence))
    evidence = replace(evidence, source_has=_source_has(source_of, evidence), earlier=earlier_steps(trail, evidence))
    return conclude(_writable(replica, gather_context(replica, source, evidence)))


def _source_has(source_of: SourceOf, evidence: Evidence) -> tuple[Source, str]:
    """Return what the source has, asked where the receiver is down or the relay log does not survive a restart."""
    channel = evidence.channel
    if receiver_of(channel) is Receiver.RUNNING and channel.relay_log is not RelayLog.REPLACED:
        return evidence.source_has
    return source_holds(source_of, evidence.status, channel, evidence.failing)


def _writable(replica: Replica, evidence: Evidence) -> Evidence:
    """Return the evidence with how rows of its tables can be written."""
    reasons = (replica.not_as_events(table) for table in evidence.tables.values())
    repairs = evidence.reconciliation.repairs if evidence.reconciliation is not None else ()
    counters = {
        name: replica.counter(evidence.tables[name]) for name in dict.fromkeys(r.table for r in repairs if r.target)
    }
    return replace(
        evidence,
        not_as_events=tuple(filter(None, reasons)),
        counters={name: counter for name, counter in counters.items() if counter is not None},
    )


def _without_source(
    replica: Replica, status: ReplicaStatus, channel: ChannelStatus, error: ApplierError, thread: Thread
) -> Evidence:
    """Return the evidence that the replica alone has."""
    also: tuple[str, ...] = ()
    if thread is Thread.APPLIER and receiver_of(channel) is Receiver.STOPPED:
        also = ("The receiver is stopped too, without an error: somebody stopped it.",)
    if thread is Thread.APPLIER and channel.receiver_errno:
        also = (f"The receiver has stopped too, with error {channel.receiver_errno}: {channel.receiver_message}",)
    return Evidence(
        status=status,
        channel=channel,
        error=error,
        source_uuid=channel.source_uuid,
        transaction=None,
        tables={},
        reconciliation=None,
        applied=(),
        source_rows=(),
        only_here=OnlyHere(GtidSet()),
        local_writes=(),
        replica_auto_increment=replica.auto_increment(),
        source_auto_increment=None,
        blind_spots=replica.granted().blind_spots,
        unknowns=also,
        thread=thread,
    )


def _unreached(replica: Replica, bare: Evidence, reason: ConnectError, progress: Progress) -> Evidence:
    """Return the evidence from the replica and its relay log. Nothing is planned that depends on the source."""
    said = " ".join(filter(None, (reason.message, reason.hint)))
    unknowns = [*bare.unknowns, said]
    if bare.thread is not Thread.APPLIER:
        return replace(bare, unknowns=tuple(unknowns), unreachable=reason)
    progress("Reading the failing transaction from the replica's relay log")
    bare = replace(bare, error=in_question(replica, None, bare.channel, bare.error, bare.channel.auto_position))
    failing = from_relay_log(replica, bare.channel, bare.error, unknowns)
    transaction = failing.transaction
    if transaction is None:
        unknowns.append("Without the source the failing transaction, its rows and errant transactions are unknown.")
        bare = replace(bare, logged=failing.logged, statement=failing.statement)
        return replace(
            bare, doubted=failing.doubted(bare.error, {}, its_source=True), unknowns=tuple(unknowns), unreachable=reason
        )
    unknowns.append("Without the source its rows now and errant transactions are unknown.")
    defined = definitions_of(replica, transaction)
    unknowns.extend(defined.mismatches.values())
    tables, transaction = defined.tables, defined.transaction
    found, applied = compare(replica, transaction, tables)
    note_mismatches(bare.status.product, bare.error, transaction, found, tables, unknowns)
    why = "it cannot be reached"

    def settle(found: Reconciliation) -> Reconciliation:
        return replace(
            found,
            blockers=tuple(dict.fromkeys((*found.blockers, *untold_without(transaction, tables, found.repairs, why)))),
        )

    found = plan_children(replica, tables, transaction.changes, found, settle, lambda found, _: found)
    mark = bare.channel.committed_behind(transaction.id)
    if mark is not None:
        unknowns.append(
            f"Workers have committed up to {mark}: which transactions these are is only in the source's binlog."
        )
    blockers = (*found.blockers, *([unknowns[-1]] if mark else []))
    return replace(
        bare,
        transaction=transaction,
        tables=tables,
        mismatches=defined.mismatches,
        reconciliation=replace(found, blockers=tuple(dict.fromkeys(blockers))),
        applied=applied,
        source_rows=(NotRead("the source cannot be reached"),) * len(found.conflicts),
        below=replica.replicas_below(),
        doubted=failing.doubted(bare.error, tables, its_source=True),
        unknowns=tuple(unknowns),
        unreachable=reason,
    )


def _free_server_id(replica: Replica, source: Server) -> int:
    return max(replica.server_ids() | source.server_ids()) + 1


def _shared(replica: Replica, source: Server, status: ReplicaStatus) -> Shared:
    reported = replica.variables(REPORTED)
    host, port = (reported[name] for name in REPORTED)
    return shared(
        source.readers() or (),
        status.server_uuid.lower(),
        status.server_id,
        host,
        int(port) if port and port.isdigit() else None,
    )


def _lost(source: Server, bare: Evidence) -> GtidSet:
    """Return what the replica has not applied and the source has purged; for the receiver, only what it has not received."""
    lost = source.purged() - bare.status.executed
    return lost - bare.channel.retrieved if bare.thread is Thread.RECEIVER else lost


def _behind(source: Server, status: ReplicaStatus, error: ApplierError) -> GtidSet | None:
    """Return the backlog without the failing transaction; None without GTIDs."""
    if error.gtid is None:
        return None
    return source.executed() - status.executed - status.executed.single(error.gtid)


def _converts(replica: Replica) -> bool:
    """Return whether the applier converts some types, and may so take columns of others than the events'."""
    return any(replica.variables(sql.TYPE_CONVERSIONS).values())


def _by_gtid(channel: ChannelStatus, source_uuid: str) -> bool:
    """Return whether to go by GTID: positions are one server's own, so for another one only GTIDs serve."""
    return channel.auto_position or source_uuid != channel.source_uuid


def _gather(
    replica: Replica,
    source: Server,
    source_of: SourceOf,
    bare: Evidence,
    progress: Progress,
    run: TransactionRun | None,
) -> Evidence:
    status, channel, error = bare.status, bare.channel, bare.error
    unknowns = list(bare.unknowns)
    source_uuid = source.uuid()
    if channel.source_uuid and source_uuid != channel.source_uuid:
        unknowns.append(
            f"{source.address} is server {source_uuid}, while the replica reads from {channel.source_uuid}: the rows of "
            "the transaction are taken from a server that is not the replica's source."
        )
    strays = errant(replica, status, channel, source, source_of)
    other: tuple[OtherType, ...] = ()
    progress(f"Reading transaction {error.transaction or 'in question'} from {source.address}")
    its_source = source_uuid == channel.source_uuid
    by_gtid = _by_gtid(channel, source_uuid)
    failing = failing_transaction(source, channel, error, by_gtid, unknowns)
    if not failing.found:
        failing = from_relay_log(replica, channel, error, unknowns)
    transaction, statement = failing.transaction, failing.statement
    if run is not None:
        transaction = read_run(source, transaction, run)
    tables: dict[TableName, Table] = {}
    described, damaged = tables, ""
    mismatches: dict[TableName, str] = {}
    found: Reconciliation | None = None
    applied: tuple[bool, ...] = ()
    source_rows: tuple[RowImage | NotRead | None, ...] = ()
    around: tuple[Server, ...] = ()
    swapping: tuple[Swap, ...] = ()
    held_apart: tuple[KeptApart, ...] = ()
    local: tuple[Transaction, ...] = ()
    own = cache(lambda: local_writes(replica, strays.every, unknowns))
    if transaction is not None:
        defined = definitions_of(replica, transaction)
        unknowns.extend(defined.mismatches.values())
        tables, transaction, mismatches = defined.tables, defined.transaction, defined.mismatches
        other = defined.other_types if defined.other_types and not _converts(replica) else ()
        progress(f"Comparing {counted(len(transaction.changes), 'row')} of the transaction with the replica")
        described = tables
        try:
            found, applied = compare(replica, transaction, tables)
        except ServerError as reason:
            family = family_of(reason.errno, Thread.APPLIER, status.product)
            if family is None or family.page != DAMAGED:
                raise
            damaged = reason.message
            mismatches = dict.fromkeys(tables, f"Its rows cannot be read on the replica: {damaged}") | mismatches
            tables = {}
            found, applied = compare(replica, transaction, tables)
        around = circle(source, status, unknowns)
        unknowns.extend(() if around else stopped_above(source))
        settled = compare_with_source(
            replica, source, around, status, channel, error, transaction, tables, found, own, unknowns, by_gtid=by_gtid
        )
        source_rows, swapping, held_apart = settled.source_rows, settled.swaps, settled.apart

        def conflicts(other: Transaction) -> int:
            theirs = definitions_of(replica, other)
            return len(compare(replica, theirs.transaction, theirs.tables)[0].conflicts)

        found = check_out_of_order_commits(source, channel, transaction, settled.found, settled.kept, conflicts)
        if strays.every and found.conflicts:
            progress(f"Looking for the author in {in_words(strays.every)} that only the replica has")
            local = own()
        elif transaction.gtid is None and found.conflicts:
            progress("Looking for the author in the newest part of the replica's own binlog")
            local = local_writes_by_server_id(replica, status.server_id, unknowns)
    behind = _behind(source, status, error)
    backlog = cache(lambda: read_backlog(source, behind, unknowns))
    doubted = failing.doubted(error, tables, its_source=its_source) or failing.unproven(
        replica, source, channel, stands_in=bool(channel.source_uuid) and not its_source
    )
    return replace(
        bare,
        source_uuid=source_uuid,
        transaction=transaction,
        tables=described,
        damaged=damaged,
        mismatches=mismatches,
        other_types=other,
        reconciliation=found,
        applied=applied,
        source_rows=source_rows,
        only_here=strays,
        swaps=swapping,
        circle=tuple(server.address for server in around),
        below=replica.replicas_below(),
        local_writes=local,
        source_auto_increment=source.auto_increment(),
        statement=statement,
        logged=failing.logged,
        definitions=compare_definitions(replica, source, error, transaction, statement, bare.family, backlog, unknowns),
        duplicates=find_duplicates(replica, source, error, statement, unknowns),
        blocking=find_blocking_row(replica, source, error, statement, unknowns)
        or find_blocking_row_of_event(replica, source, error, transaction, found, tables),
        lock_holders=find_lock_holders(replica, error, transaction, statement, bare.family, unknowns),
        settings=read_settings(replica, source, bare.family),
        references_only_here=find_references_only_here(replica, source, error, statement, bare.family),
        altered=find_altered(replica, error, statement),
        kept_apart=held_apart,
        apart=find_apart(replica, source, transaction, found, tables, behind, backlog),
        library=find_library(source, error, unknowns),
        definers=find_definers(replica, source, missing_definers(error), unknowns),
        missing=find_missing(replica, source, error, statement, backlog, unknowns),
        nulls=find_nulls(replica, source, error, statement, unknowns),
        orphans=find_orphans(replica, error, statement, unknowns),
        lost=_lost(source, bare),
        doubted=doubted,
        unknowns=tuple(dict.fromkeys(unknowns)),
    )
