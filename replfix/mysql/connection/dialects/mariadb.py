"""MariaDB 10.11 and later: positions for each domain, named connections, the relay log for the name of what failed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from replfix.core.binlog.explains_error import Contents, Group, RowsEvent, failing_groups
from replfix.core.binlog.row_event import Transaction
from replfix.core.binlog.secrets import masked
from replfix.core.connection.privileges import NEEDS_OF_MARIADB
from replfix.core.replication import applier_error
from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.mariadb_gtid import IDENTITY, MariadbGtidSet
from replfix.core.replication.replica_status import RelayLog, ReplicaStatus, WorkerError
from replfix.core.replication.start_threads import Threads
from replfix.core.replication.transaction_id import LogPosition, TransactionId
from replfix.core.sql import OWN_TIME, string
from replfix.errors import PrivilegeError, ServerError
from replfix.mysql.connection import terms
from replfix.mysql.connection.session import Row, Session
from replfix.mysql.read.status_rows import channel, channel_rows

_VARIABLES = f"""
SELECT @@global.server_id AS server_id, @@global.version AS version, @@global.read_only AS read_only,
       @@global.gtid_binlog_state AS state, @@global.{terms.APPLIED_POSITION} AS position,
       @@global.gtid_current_pos AS current, @@global.{terms.PARALLEL_THREADS} AS threads,
       @@global.gtid_strict_mode AS strict"""

_CHANNELS = "SHOW ALL REPLICAS STATUS"
_LOGS = "SHOW BINARY LOGS"
_SERVER_ID = "SELECT @@global.server_id"

_OF_FAILURE = (
    *("Connection_name", "Relay_Log_File", "Relay_Log_Pos", "Relay_Source_Log_File", "Exec_Source_Log_Pos"),
    *("Replica_SQL_Running", "Last_SQL_Errno", "Last_SQL_Error", "Gtid_IO_Pos", "Read_Source_Log_Pos"),
)
"""What decides which transaction failed: where the applier is, its error, and how much was received."""

_GTID = re.compile(r"GTID ([0-9]+-[0-9]+-[0-9]+)")
_TABLE_NUMBER = re.compile(r"table_id: ([0-9]+)")
_TABLE = re.compile(r"table_id: [0-9]+ \((.*)\)\Z", re.DOTALL)
_ROWS = re.compile(r"(?:Write|Update|Delete)_rows")
_SESSION_OF_STATEMENT = re.compile(r"(?:use `(?:[^`]|``)*`; )?(?:set (?:@*\w+=\w+(?:, )?)+; )?")
"""What SHOW RELAYLOG EVENTS puts before a statement: its schema, and settings that are not the default (11.8.9: ``foreign_key_checks``,
``sql_auto_is_null``, ``unique_checks``, ``check_constraint_checks``, ``@@sql_if_exists``, ``@@system_versioning_insert_history``)."""
_GTID_LIST = re.compile(r"\[(.*)\]\Z", re.DOTALL)
_EVENTS_READ_OF_ONE_DOMAIN = 500  # of the relay log, from where the applier is
_EVENTS_READ = 20_000  # with several, that is the start of a file
_FILES_READ = 10  # the applier's position is the end of one until it has applied something of the next
_FIRST_POSITION = 4
_NOT_FROM_THERE = 1220  # ER_ERROR_WHEN_EXECUTING_COMMAND: source and replica differ in binlog_checksum (11.8.6)
_EVENTS_PASSED = 5000  # of such a file, read from its beginning


class MariadbDialect:
    """Implements ``Dialect``."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, ...], tuple[WorkerError, ...]] = {}

    needs = NEEDS_OF_MARIADB
    changeable: tuple[str, ...] = ()
    """There is no super_read_only, and read_only stays: the account needs READ_ONLY ADMIN."""

    own = (_SERVER_ID, _VARIABLES, _LOGS)
    channels = (_CHANNELS,)
    of_channels = (_VARIABLES,)

    def identity(self, session: Session) -> str:
        return f"{IDENTITY}{session.scalar(_SERVER_ID)}"

    def executed(self, session: Session) -> GtidSet:
        row = session.query(_VARIABLES)[0]
        return MariadbGtidSet.parse(row["state"]) | MariadbGtidSet.parse(row["position"])

    def purged(self, session: Session) -> GtidSet:
        """Return what the first binary log that is left begins with: its Gtid_list event."""
        logs = session.query(_LOGS)
        for row in session.query_lossy(f"SHOW BINLOG EVENTS IN {string(logs[0]['Log_name'])} LIMIT 5") if logs else ():
            if row["Event_type"] == "Gtid_list" and (found := _GTID_LIST.search(row["Info"])):
                return MariadbGtidSet.parse(found[1])
        return MariadbGtidSet()

    def status(self, session: Session) -> ReplicaStatus:
        with session.at_once(*self.of_channels, lossy=self.channels):
            return self._status(session)

    def _status(self, session: Session) -> ReplicaStatus:
        rows = channel_rows(session, (_CHANNELS,))
        variables = session.query(_VARIABLES)[0]
        executed = MariadbGtidSet.of_replica(variables["state"], variables["position"], str(variables["server_id"]))
        return ReplicaStatus(
            server_uuid=f"{IDENTITY}{variables['server_id']}",
            server_id=int(variables["server_id"]),
            version=variables["version"],
            gtid_mode="ON",  # every transaction has a GTID, however the channel is positioned
            read_only=variables["read_only"] == "1",
            super_read_only=False,
            executed=executed,
            channels=tuple(
                channel(
                    {**row, "Replica_SQL_Running": _running(row)},
                    self._failure_of(session, row, variables, executed),
                    name=row["Connection_name"],
                    # 0 before the receiver was connected for the first time
                    source_uuid=f"{IDENTITY}{row['Source_Server_Id']}" if row["Source_Server_Id"] != "0" else "",
                    retrieved=MariadbGtidSet.parse(row["Gtid_IO_Pos"] or ""),
                    auto_position=row["Using_Gtid"] != "No",
                    relay_log=_relay_log(row, variables),
                    read_by_position=self._read_by_position(row),
                    asks_from=variables.get(terms.ASKED_FROM.get(row["Using_Gtid"], "")),
                )
                for row in rows
            ),
            strict=variables["strict"] == "1",
        )

    def _failure_of(
        self, session: Session, row: Row, variables: Row, executed: MariadbGtidSet
    ) -> tuple[WorkerError, ...]:
        """Read the relay log once for an error that has a transaction: as long as the applier is where it was."""
        at = tuple(str(row[name]) for name in _OF_FAILURE)
        if at not in self._failures:
            found = failure_of(session, row, variables, executed)
            if not found or found[0].gtid is None:
                return found
            self._failures.clear()
            self._failures[at] = found
        return self._failures[at]

    def _read_by_position(self, row: Row) -> tuple[str, ...]:
        name = string(row["Connection_name"])
        place = terms.relay_log_by_position(
            name,
            string(row["Relay_Log_File"] or ""),
            int(row["Relay_Log_Pos"] or 0),
            string(row["Relay_Source_Log_File"]),
            int(row["Exec_Source_Log_Pos"]),
        )
        return (place, f"START REPLICA {name} SQL_THREAD")

    def workers(self, session: Session) -> int:
        return int(session.scalar(f"SELECT @@global.{terms.PARALLEL_THREADS}"))

    def start(
        self,
        channel: str,
        threads: Threads,
        *,
        until: TransactionId | None = None,
        before: TransactionId | None = None,
        gaps: bool = False,  # noqa: ARG002
    ) -> tuple[str, ...]:
        """Start by position: UNTIL a GTID is for both threads at once only, and deletes the relay log (10.11, 11.8).

        There are no gaps: parallel threads commit each domain in its order.
        """
        name = string(channel)
        if threads is Threads.RECEIVER:
            return (f"START REPLICA {name} IO_THREAD",)
        thread = "" if threads is Threads.BOTH else " SQL_THREAD"
        position = until.end if until is not None else before.start if before is not None else None
        end = "" if position is None else terms.until_position(string(position.log_file), position.pos)
        # An applier that has come to the end of an UNTIL is still there and keeps that end.
        return (self.stop(channel, Threads.APPLIER), f"START REPLICA {name}{thread}{end}")

    def stop(self, channel: str, threads: Threads) -> str:
        thread = {Threads.RECEIVER: " IO_THREAD", Threads.APPLIER: " SQL_THREAD"}.get(threads, "")
        return f"STOP REPLICA {string(channel)}{thread}"

    def as_transaction(self, transaction: Transaction) -> tuple[str, ...]:  # noqa: ARG002
        return ()  # nothing is logged in the session, so no GTID is needed and none is made

    def aim_skip_counter(self, channel: str) -> tuple[str, ...]:
        return (terms.mean_connection(string(channel)),)

    def fires_triggers(self, session: Session) -> bool:
        return str(session.scalar(f"SELECT @@global.{terms.TRIGGERS_FOR_ROWS}")) != "NO"

    def as_itself(self) -> str:
        return f"SET {OWN_TIME}"

    def reset_gtid_next(self) -> tuple[str, ...]:
        return ()


def _relay_log(row: Row, variables: Row) -> RelayLog:
    """Return what happens to the relay log when only the applier is started.

    With several domains, parallel mode ``minimal`` is no safer than the others; ``none`` is safe.
    """
    if row["Using_Gtid"] == "No":
        return RelayLog.KEPT
    domains = {gtid.partition("-")[0] for gtid in f"{variables['position']},{row['Gtid_IO_Pos']}".split(",") if gtid}
    parallel = variables["threads"] != "0" and row["Parallel_Mode"] != "none"
    return RelayLog.REPLACED if parallel and len(domains) > 1 else RelayLog.KEPT_WHILE_RUNNING


def _running(row: Row) -> str:
    """Return whether the applier applies anything.

    At the end of an UNTIL it only stops when the next transaction comes, before it applies that (10.11, 11.8).
    """
    here = LogPosition(row["Relay_Source_Log_File"], int(row["Exec_Source_Log_Pos"]))
    there = LogPosition(row["Until_Log_File"], int(row["Until_Log_Pos"]))
    at_the_end = row["Until_Condition"] == terms.UNTIL_A_POSITION and there <= here
    return "No" if at_the_end else str(row["Replica_SQL_Running"])


def failure_of(session: Session, row: Row, variables: Row, executed: MariadbGtidSet) -> tuple[WorkerError, ...]:
    """Return the error of a stopped applier, with the transaction's name from the relay log: the message lacks it.

    With several domains and parallel threads the applier's position can be after the failing transaction, where another
    domain's was committed (11.8.9): then the file is read from its beginning.
    """
    errno, message = int(row["Last_SQL_Errno"]), masked(row["Last_SQL_Error"])
    if not errno or row["Replica_SQL_Running"] != "No":
        return ()
    most = _EVENTS_READ if len(executed.positions) > 1 else _EVENTS_READ_OF_ONE_DOMAIN
    groups = tuple(relayed_groups(_relayed(session, row, most)))
    found = failing_groups(groups, executed, applier_error.parse(errno, message))
    if not found and _relay_log(row, variables) is RelayLog.REPLACED:
        found = _in_whole_file(session, row, executed, applier_error.parse(errno, message))
    gtid, *others = found or (None,)
    return (WorkerError(0, errno, message, gtid, tuple(others), is_next=bool(groups) and groups[0].gtid == gtid),)


_LOOKED_THROUGH: WeakKeyDictionary[Session, dict[str, tuple[object, ...]]] = WeakKeyDictionary()
"""Of a session's channels, what was read of the relay log in vain: a poll asks again and again."""


def _in_whole_file(session: Session, row: Row, executed: MariadbGtidSet, failed: ApplierError) -> tuple[str, ...]:
    """Return the transactions of the whole file that fit, as ``failing_groups`` does.

    Where none does, the file is not read again until it has grown, or something is applied or fails.
    """
    looked = _LOOKED_THROUGH.setdefault(session, {})
    state = (row["Relay_Log_File"], row.get("Relay_Log_Space"), str(executed), failed)
    if looked.get(row["Connection_name"]) == state:
        return ()
    groups = tuple(relayed_groups(_relayed(session, {**row, "Relay_Log_Pos": _FIRST_POSITION}, _EVENTS_READ)))
    found = failing_groups(groups, executed, failed)
    if groups and not found:  # none at all: the account may not read it now
        looked[row["Connection_name"]] = state
    return found


def _relayed(session: Session, row: Row, most: int) -> Iterator[Row]:
    """Yield the events of the relay log from the applier's position on; nothing where they may not be read."""
    file, position = row["Relay_Log_File"], int(row["Relay_Log_Pos"])
    own = file.rpartition(".")[0]
    for _ in range(_FILES_READ):
        show = f"SHOW RELAYLOG {string(row['Connection_name'])} EVENTS IN {string(file)}"
        try:
            events = session.query_lossy(f"{show} FROM {position} LIMIT {most}")
        except PrivilegeError:
            return
        except ServerError as error:
            if error.errno != _NOT_FROM_THERE:
                return  # the last file has no next
            behind = session.query_lossy(f"{show} LIMIT {most + _EVENTS_PASSED}")
            events = [event for event in behind if int(event["Pos"]) >= position]
        yield from events
        most -= len(events)
        if most <= 0:
            return
        # The source's Rotate events are there too: they name the source's files.
        following = [e["Info"].partition(";")[0] for e in events if e["Event_type"] == "Rotate"]
        following = [name for name in following if name.rpartition(".")[0] == own]
        if not following:
            return
        file, position = following[-1], _FIRST_POSITION


def relayed_groups(events: Iterable[Mapping[str, Any]]) -> Iterator[Group]:
    """Yield the transactions in rows of SHOW RELAYLOG EVENTS."""
    gtid = ""
    of_group: list[Mapping[str, Any]] = []
    for event in events:
        if event["Event_type"] == "Gtid" and (found := _GTID.search(event["Info"])):
            if gtid:
                yield Group(gtid, _contents(of_group))
            gtid, of_group = found[1], []
        else:
            of_group.append(event)
    if gtid:
        yield Group(gtid, _contents(of_group))


def _contents(events: Iterable[Mapping[str, Any]]) -> Contents:
    tables: dict[str, str] = {}  # by the number under which the rows events name them
    rows: list[RowsEvent] = []
    statements: list[str] = []
    ends: set[int] = set()
    for event in events:
        kind, info, end = event["Event_type"], event["Info"], int(event["End_log_pos"])
        ends.add(end)
        number = _TABLE_NUMBER.match(info)
        if kind == "Table_map" and number is not None and (table := _TABLE.search(info)):
            tables[number[1]] = table[1]
        elif (written := _ROWS.match(kind)) and number is not None:
            rows.append(RowsEvent(written[0], tables.get(number[1], ""), end))
        elif kind.startswith("Query") and (text := _SESSION_OF_STATEMENT.sub("", info, count=1)) not in (
            "BEGIN",
            "COMMIT",
        ):
            statements.append(masked(text))  # as the message is
    return Contents(tuple(rows), frozenset(tables.values()), tuple(statements), frozenset(ends))
