"""Read-only: from a replica's status to a diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from replfix.core.applier_error import FOREIGN_KEY_ERRORS, ROW_ERRORS, ApplierError
from replfix.core.conclude import conclude
from replfix.core.diagnosis import Diagnosis
from replfix.core.evidence import Evidence
from replfix.core.gtid import GtidSet
from replfix.core.known_error import Kind, Thread, family_of
from replfix.core.lookup import Lookup, by_identity
from replfix.core.reconcile import Conflict, Reconciliation, final_rows, not_as_final, questions, reconcile
from replfix.core.row_event import Transaction
from replfix.core.statement import Statement
from replfix.core.status import ChannelStatus, ReceiverState, ReplicaStatus
from replfix.core.table import Table, TableName
from replfix.core.transaction_id import TransactionId
from replfix.core.values import NOT_LOGGED, RowImage
from replfix.core.words import counted
from replfix.errors import (
    ConnectError,
    LoggedAsStatement,
    PrivilegeError,
    ReplfixError,
    ReplicationError,
    StoppedByHand,
    Unreadable,
    UsageError,
)
from replfix.ports import Replica, Server
from replfix.workflow.ahead import survives
from replfix.workflow.children import families_kept
from replfix.workflow.counterparts import ChangesSince, keep_what_the_source_has, untold_without
from replfix.workflow.objects import compare_definitions, find_duplicates, find_lock_holders
from replfix.workflow.relatives import Relatives
from replfix.workflow.source_side import source_side
from replfix.workflow.surroundings import looked_around
from replfix.workflow.unnamed import doubt_missing_rows

LOCAL_WRITES_READ = 1000
"""How many of the replica's own transactions are read in search of who wrote a row; the newest ones."""

LOCAL_WRITES_TRIED = 100
"""How many of them are tried one by one, when one of them cannot be read."""

_GROUP = ("group_replication_group_name", "group_replication_view_change_uuid")

SourceOf = Callable[[ChannelStatus], Server]
Progress = Callable[[str], None]


def stopped_channel(status: ReplicaStatus, wanted: str | None = None) -> ChannelStatus | None:
    """The channel to look at: the one asked for, else the first that an error stopped, else the first that does not
    run; None when all is well. UsageError when there is no channel of that name."""
    if wanted is not None:
        channel = status.channel(wanted)
        if channel is None:
            names = ", ".join(repr(c.name) for c in status.channels)
            raise UsageError(f"The replica has no channel {wanted!r}.", f"Its channels are: {names}.")
        return None if channel.healthy else channel
    failed = [c for c in status.channels if c.failure is not None]
    unwell = failed or [c for c in status.channels if not c.healthy]
    return unwell[0] if unwell else None


def error_of(channel: ChannelStatus) -> tuple[ApplierError, Thread]:
    """The error to diagnose, and which thread it stopped; the applier's first. StoppedByHand when there is none."""
    error = channel.failure
    if error is not None:
        return error, Thread.APPLIER
    if channel.receiver_errno:
        return ApplierError(channel.receiver_errno, channel.receiver_message), Thread.RECEIVER
    stopped = "receiver and applier" if channel.receiver is ReceiverState.STOPPED else "applier"
    if channel.applier_running:
        stopped = "receiver"
    raise StoppedByHand(
        f"The {stopped} of {_called(channel)} {'are' if ' and ' in stopped else 'is'} stopped without an error: somebody "
        "stopped it.",
        "When that is no longer wanted: START REPLICA.",
        channel.name,
    )


def _called(channel: ChannelStatus) -> str:
    return f"channel {channel.name!r}" if channel.name else "the channel"


def errant(
    replica: Replica, status: ReplicaStatus, channel: ChannelStatus, source: Server, source_of: SourceOf
) -> GtidSet:
    """The replica's transactions that none of its sources has, nor the group that it is a member of.

    The replica's set has to be read before the sources': the other way round, a transaction that came in between would
    look errant. Of another channel's source that cannot be asked, what it wrote itself and what the channel received
    counts.
    """
    left = status.executed - source.executed()
    for other in status.channels:
        if left and other.name != channel.name:
            left = left - status.executed.of_uuid(other.source_uuid) - other.retrieved
            if left - status.executed.of_uuid(status.server_uuid):  # what the replica wrote itself is no source's
                with suppress(ReplfixError):
                    left = left - source_of(other).executed()
    if status.product == "MySQL" and left - status.executed.of_uuid(status.server_uuid):
        for group in replica.variables(_GROUP).values():  # its members write under its UUID, not their own (9.7.4)
            left = left - status.executed.of_uuid(group or "")
    return left


def investigate(
    replica: Replica, source_of: SourceOf, channel_name: str | None, progress: Progress = lambda _: None
) -> Diagnosis | None:
    """The whole diagnosis of the channel that stands, None when every channel runs."""
    status = replica.status()
    channel = stopped_channel(status, channel_name)
    if channel is None:
        return None
    error, thread = error_of(channel)
    bare = _without_source(replica, status, channel, error, thread)
    try:
        source = source_of(channel)
    except ConnectError as reason:
        return conclude(_writable(replica, _unreached(replica, bare, reason, progress)))
    if thread is Thread.RECEIVER:
        return conclude(replace(bare, lost=_lost(source, bare)))
    evidence = _gather(replica, source, source_of, bare, progress)
    evidence = source_side(replica, source, evidence)
    return conclude(_writable(replica, looked_around(replica, source, evidence)))


def _writable(replica: Replica, evidence: Evidence) -> Evidence:
    """How rows of the tables at hand can be written."""
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
    """What the replica alone tells."""
    also: tuple[str, ...] = ()
    if thread is Thread.APPLIER and channel.receiver_errno:
        also = (f"The receiver stands too, by error {channel.receiver_errno}: {channel.receiver_message}",)
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
        errant=GtidSet(),
        local_writes=(),
        replica_auto_increment=replica.auto_increment(),
        source_auto_increment=None,
        blind_spots=replica.granted().blind_spots,
        unknowns=also,
        thread=thread,
    )


def _unreached(replica: Replica, bare: Evidence, reason: ConnectError, progress: Progress) -> Evidence:
    """As far as the replica and its relay log tell. What is the source's to say is not planned for."""
    said = " ".join(filter(None, (reason.message, reason.hint)))
    unknowns = [*bare.unknowns, said]
    if bare.thread is not Thread.APPLIER:
        return replace(bare, unknowns=tuple(unknowns), unreachable=reason)
    progress("Reading the failing transaction from the replica's relay log")
    transaction, statement = _from_relay_log(replica, bare.channel, bare.error, unknowns)
    if transaction is None:
        unknowns.append("Without the source the failing transaction, its rows and errant transactions are not known.")
        return replace(bare, statement=statement, unknowns=tuple(unknowns), unreachable=reason)
    unknowns.append("Without the source its rows of now and errant transactions are not known.")
    tables = _definitions(replica, transaction, unknowns)
    found, applied = _compare(replica, transaction, tables)
    _doubt(bare.error, transaction, found, tables, unknowns)
    why = "it cannot be reached"

    def settle(found: Reconciliation) -> Reconciliation:
        return replace(
            found,
            untold=tuple(dict.fromkeys((*found.untold, *untold_without(transaction, tables, found.repairs, why)))),
        )

    found = families_kept(replica, tables, transaction.changes, found, settle, lambda found, _: found)
    mark = bare.channel.committed_behind(transaction.id)
    if mark is not None:
        unknowns.append(f"Workers have committed up to {mark}: which transactions, only the source's binlog tells.")
    untold = (*found.untold, *([unknowns[-1]] if mark else []))
    return replace(
        bare,
        transaction=transaction,
        tables=tables,
        reconciliation=replace(found, untold=tuple(dict.fromkeys(untold))),
        applied=applied,
        source_rows=(None,) * len(found.conflicts),
        below=replica.replicas_below(),
        unknowns=tuple(unknowns),
        unreachable=reason,
    )


def _statement(reason: LoggedAsStatement) -> Statement:
    gtid, log_file, start, end = reason.place
    of = TransactionId(gtid, log_file, start, end or start)
    return Statement(reason.schema, reason.statement, of, whole=end is not None)


def _from_relay_log(
    replica: Replica, channel: ChannelStatus, error: ApplierError, unknowns: list[str]
) -> tuple[Transaction | None, Statement | None]:
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


def _lost(source: Server, bare: Evidence) -> GtidSet:
    """What the replica has not applied and the source has purged. For the receiver, what it has received is not lost."""
    lost = source.purged() - bare.status.executed
    return lost - bare.channel.retrieved if bare.thread is Thread.RECEIVER else lost


def _gather(replica: Replica, source: Server, source_of: SourceOf, bare: Evidence, progress: Progress) -> Evidence:
    status, channel, error = bare.status, bare.channel, bare.error
    unknowns = list(bare.unknowns)
    source_uuid = source.uuid()
    if channel.source_uuid and source_uuid != channel.source_uuid:
        unknowns.append(
            f"{source.address} is server {source_uuid}, while the replica reads from {channel.source_uuid}: the rows of "
            "the transaction are taken from a server that is not the replica's source."
        )
    strays = errant(replica, status, channel, source, source_of)
    progress(f"Reading transaction {error.transaction or 'in question'} from {source.address}")
    # Positions are one server's own; of another one, only GTIDs tell.
    by_gtid = channel.auto_position or source_uuid != channel.source_uuid
    transaction, statement = _transaction(source, channel, error, by_gtid, unknowns)
    if transaction is None and statement is None:
        transaction, statement = _from_relay_log(replica, channel, error, unknowns)
    tables: dict[TableName, Table] = {}
    found: Reconciliation | None = None
    applied: tuple[bool, ...] = ()
    source_rows: tuple[RowImage | None, ...] = ()
    local: tuple[Transaction, ...] = ()
    if transaction is not None:
        tables = _definitions(replica, transaction, unknowns)
        progress(f"Comparing {counted(len(transaction.changes), 'row')} of the transaction with the replica")
        found, applied = _compare(replica, transaction, tables)
        since = partial(ChangesSince, source, transaction, status.executed, by_gtid, unknowns)
        relatives = Relatives(replica, source, channel.filters, transaction, error.errno, tables, since)
        found = relatives.added_to(found)
        _doubt(error, transaction, found, tables, unknowns)
        theirs = _same_tables(source, tables, found, unknowns)
        source_rows = _source_rows(source, found, theirs)
        if found.repairs:
            found = doubt_missing_rows(replica, source, since, tables, theirs, found)
            only_here: set[TableName] = set()

            def settle(found: Reconciliation) -> Reconciliation:
                _compare_tables(source, tables, found, theirs, only_here, unknowns)
                return keep_what_the_source_has(
                    replica,
                    source,
                    transaction,
                    status.executed,
                    by_gtid,
                    tables,
                    theirs,
                    found,
                    unknowns,
                    only_here,
                )

            kept = families_kept(replica, tables, transaction.changes, found, settle, relatives.with_parents)
        else:
            kept = found

        def conflicts(other: Transaction) -> int:
            theirs = _definitions(replica, other, [])
            return len(_compare(replica, other, theirs)[0].conflicts)

        found = survives(source, channel, transaction, found, kept, conflicts)
        if strays and found.conflicts:
            progress(f"Looking for the author in {counted(len(strays), 'transaction')} that only the replica has")
            local = _local_writes(replica, strays, unknowns)
        elif transaction.gtid is None and found.conflicts:
            progress("Looking for the author in the newest part of the replica's own binlog")
            local = _written_here(replica, status.server_id, unknowns)
    return replace(
        bare,
        source_uuid=source_uuid,
        transaction=transaction,
        tables=tables,
        reconciliation=found,
        applied=applied,
        source_rows=source_rows,
        errant=strays,
        below=replica.replicas_below(),
        local_writes=local,
        source_auto_increment=source.auto_increment(),
        statement=statement,
        definitions=compare_definitions(replica, source, error, transaction, statement, unknowns),
        duplicates=find_duplicates(replica, source, error, statement, unknowns),
        lock_holders=find_lock_holders(replica, error, transaction, statement, unknowns),
        lost=_lost(source, bare),
        unknowns=tuple(dict.fromkeys(unknowns)),
    )


def _transaction(
    source: Server, channel: ChannelStatus, error: ApplierError, by_gtid: bool, unknowns: list[str]
) -> tuple[Transaction | None, Statement | None]:
    """The failing transaction: its rows, or the statement as which it was logged."""
    try:
        if error.gtid is not None and by_gtid:
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


def _definitions(replica: Replica, transaction: Transaction, unknowns: list[str]) -> dict[TableName, Table]:
    tables: dict[TableName, Table] = {}
    for name in dict.fromkeys(change.table for change in transaction.changes):
        table = replica.table(name)
        if table is None:
            unknowns.append(
                f"The replica has no table {name}; a view or a system-versioned table is none that can be compared."
            )
        elif len(table.columns) != len(transaction.column_names[name]):
            unknowns.append(
                f"{name} has {len(table.columns)} columns on the replica and {len(transaction.column_names[name])} in the "
                "event: its rows were not compared."
            )
        else:
            tables[name] = table
    return tables


def _compare(
    replica: Replica, transaction: Transaction, tables: Mapping[TableName, Table]
) -> tuple[Reconciliation, tuple[bool, ...]]:
    final = final_rows(transaction.changes, tables)
    lookups = (*(row.lookup for row in final), *questions(transaction.changes, tables))
    answers = replica.find(tables, tuple(dict.fromkeys(lookups)))
    del lookups  # most are there twice
    applied = tuple(not not_as_final((row,), tables, answers, {}) for row in final)
    found = reconcile(transaction.changes, tables, answers)
    while found.unasked:
        answers = {**answers, **replica.find(tables, found.unasked)}
        found = reconcile(transaction.changes, tables, answers)
    return found, applied


def _doubt(
    error: ApplierError,
    transaction: Transaction,
    found: Reconciliation,
    tables: Mapping[TableName, Table],
    unknowns: list[str],
) -> None:
    """What does not fit between the replica's words and what was found."""
    for name in found.unidentified:
        unknowns.append(
            f"The events do not hold what names a row of {name} on the replica (binlog_row_image is not FULL on the source): "
            "such rows were not compared."
        )
    told = found.untold or found.replaced or any(c.foreign_key for c in found.conflicts)
    if error.errno in FOREIGN_KEY_ERRORS and not told:
        unknowns.append("No parent is missing and no child is too many now: somebody changed them since.")
    elif error.table is not None and error.errno in ROW_ERRORS and error.errno not in FOREIGN_KEY_ERRORS:
        named = [name for name in tables if str(name) == error.table]
        if named and not any(c.table == named[0] for c in found.conflicts) and named[0] not in found.unidentified:
            unknowns.append(
                f"The replica stopped on a row of {error.table}, and no row of it is in conflict now: somebody changed it "
                "since, or rows of the transaction collide with each other under a key that the source lacks or compares otherwise."
            )
    if any(NOT_LOGGED in image for c in transaction.changes for image in (c.before, c.after) if image is not None):
        unknowns.append(
            f"The events of {transaction.id} do not hold every column (binlog_row_image is not FULL on the source): "
            "differences in the others are not seen."
        )
    # The position in the message is a hint that is checked, never what the transaction is found by.
    if error.end_log_pos is not None and error.log_file == transaction.log_file:
        ends = {change.event_end_pos for change in transaction.changes}
        if error.event in ("Write_rows", "Update_rows", "Delete_rows") and error.end_log_pos not in ends:
            unknowns.append(
                f"The replica names end_log_pos {error.end_log_pos}, where no rows event of {transaction.id} ends."
            )


def row_in_question(conflict: Conflict) -> RowImage:
    """The transaction's own image of the row: what it writes, else what it expects; the replica's row for neither."""
    image = conflict.incoming if conflict.incoming is not None else conflict.expected
    image = image if image is not None else conflict.replica_row
    assert image is not None
    return image


def _same_tables(
    source: Server, tables: Mapping[TableName, Table], found: Reconciliation, unknowns: list[str]
) -> dict[TableName, Table]:
    """The replica's definitions of those tables in conflict that have the same columns on the source."""
    same: dict[TableName, Table] = {}
    for name in dict.fromkeys(conflict.table for conflict in found.conflicts):
        theirs, ours = source.table(name), tables[name]
        if theirs is not None and [c.name for c in theirs.columns] == [c.name for c in ours.columns]:
            same[name] = ours
        else:
            unknowns.append(f"The source's table {name} is not the replica's: its rows are not shown.")
    return same


def _compare_tables(
    source: Server,
    tables: Mapping[TableName, Table],
    found: Reconciliation,
    theirs: dict[TableName, Table],
    only_here: set[TableName],
    unknowns: list[str],
) -> None:
    """Tables of repairs that are in no conflict: those with the same columns on the source, and those it does not have."""
    for name in dict.fromkeys(repair.table for repair in found.repairs):
        if name in theirs or name in only_here or any(conflict.table == name for conflict in found.conflicts):
            continue
        table = source.table(name)
        if table is None:
            only_here.add(name)
        elif [c.name for c in table.columns] == [c.name for c in tables[name].columns]:
            theirs[name] = tables[name]
        else:
            unknowns.append(f"The source's table {name} is not the replica's.")


def _source_rows(
    source: Server, found: Reconciliation, tables: Mapping[TableName, Table]
) -> tuple[RowImage | None, ...]:
    """The source's row now for each conflict, by the identity of the transaction's row."""
    lookups: list[Lookup | None] = []
    for conflict in found.conflicts:
        table = tables.get(conflict.table)
        lookups.append(by_identity(table, row_in_question(conflict)) if table else None)
    answers = source.find(tables, tuple(dict.fromkeys(x for x in lookups if x is not None)))
    return tuple(next(iter(answers[x]), None) if x is not None else None for x in lookups)


def _local_writes(replica: Replica, strays: GtidSet, unknowns: list[str]) -> tuple[Transaction, ...]:
    newest = strays.newest(LOCAL_WRITES_READ)
    if len(newest) < len(strays):
        unknowns.append(f"Of {len(strays)} transactions that only the replica has, the newest {len(newest)} were read.")
    try:
        return tuple(replica.transactions(newest, LOCAL_WRITES_READ))
    except Unreadable as reason:
        unknowns.append(f"Not every transaction of the replica's own can be read: {reason.message}")
        return _readable(replica, newest)
    except ReplicationError as reason:
        unknowns.append(f"The replica's own binlog could not be read: {reason.message}")
        return ()


def _written_here(replica: Replica, server_id: int, unknowns: list[str]) -> tuple[Transaction, ...]:
    """Without GTIDs: what has the replica's own server_id."""
    try:
        return replica.written_here(server_id, LOCAL_WRITES_READ)
    except (ReplicationError, PrivilegeError) as reason:
        unknowns.append(f"The replica's own binlog could not be read: {reason.message}")
        return ()


def _readable(replica: Replica, gtids: GtidSet) -> tuple[Transaction, ...]:
    """One by one, newest first, leaving out what cannot be read (a statement, DDL); in the log's order."""
    read: list[Transaction] = []
    for _, gtid in zip(range(LOCAL_WRITES_TRIED), gtids.newest_first(), strict=False):
        with suppress(ReplicationError):
            read.append(replica.transaction(gtid))
    return tuple(reversed(read))
