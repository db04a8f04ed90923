"""A replica's status, as far as all servers say it alike: the rows of SHOW REPLICA STATUS with today's names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from replfix.core.binlog.secrets import masked
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.readers import Reader
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState, RelayLog, WorkerError
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.replication.worker_gaps import WorkerProgress
from replfix.core.schema.filters import Filters
from replfix.errors import NoReplica, PrivilegeError, ReplicationError, ServerError
from replfix.mysql.connection.session import Session
from replfix.mysql.connection.terms import REPLICAS_STATEMENTS, current_names

PARSE_ERROR = 1064  # the server does not know this form of the statement
_RECEIVER = {
    "Yes": ReceiverState.RUNNING,
    "Connecting": ReceiverState.CONNECTING,
    "Preparing": ReceiverState.CONNECTING,  # MariaDB, for a moment after its start (10.11.19, 11.8.9)
}
_NO_END = "None"  # Until_Condition
_ALL_READ = "has read all relay log"  # after "Replica" or the older word (9.7.4, 10.11.19, 11.8.9)


def readers_statements(session: Session) -> tuple[str, ...]:
    """Return the questions for the readers of the binlog: the one that the server knows first."""
    return REPLICAS_STATEMENTS if not session.is_mariadb else REPLICAS_STATEMENTS[::-1]


def read_readers(session: Session) -> tuple[Reader, ...] | None:
    """Return who reads this server's binlog; None where the account may not see it: privileges.SEES_READERS on MariaDB."""
    for statement in readers_statements(session):
        try:
            return tuple(_reader(current_names(row)) for row in session.query(statement))
        except PrivilegeError:
            return None
        except ServerError as error:
            if error.errno != PARSE_ERROR:
                raise
    return None


def _reader(row: Mapping[str, Any]) -> Reader:
    told = {name.lower(): value for name, value in row.items()}  # Server_Id; on MariaDB Server_id
    uuid = str(told.get("replica_uuid") or "").lower()
    return Reader(int(told["server_id"]), told["host"] or "", int(told["port"]), uuid)


def read_server_ids(session: Session) -> frozenset[int]:
    """Return its own server_id, and those of its replicas that the account may see."""
    own = int(session.scalar("SELECT @@global.server_id"))
    return frozenset((own, *(reader.server_id for reader in read_readers(session) or ())))


def channel_rows(session: Session, statements: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row for each channel, by the first statement that the server knows. NoReplica when there is none."""
    rows = _first_known(session, statements)
    if not rows:
        raise NoReplica(
            f"{session.endpoint} is not a replica: it has no replication channel.",
            "Give the replica, not its source; 'SHOW REPLICA STATUS' there has to return a row.",
        )
    return rows


def _first_known(session: Session, statements: Sequence[str]) -> list[dict[str, Any]]:
    for statement in statements:
        try:
            return [current_names(row) for row in session.query_lossy(statement)]
        except ServerError as error:
            if error.errno != PARSE_ERROR:
                raise
    raise ReplicationError(
        f"{session.endpoint} knows no form of SHOW REPLICA STATUS.",
        "replfix works with MySQL 8.0.22 and later in this version.",
    )


def channel(
    row: Mapping[str, Any],
    worker_errors: tuple[WorkerError, ...],
    *,
    name: str,
    source_uuid: str,
    retrieved: GtidSet,
    auto_position: bool,
    workers: tuple[WorkerProgress, ...] = (),
    applies_as: str = "",
    relay_log: RelayLog = RelayLog.KEPT,
    asks_from: str | None = None,
    read_by_position: tuple[str, ...] = (),
) -> ChannelStatus:
    """Return one channel from a row with today's names, and from what each family reports in its own way."""
    lag = row["Seconds_Behind_Source"]
    return ChannelStatus(
        name=name,
        source_host=row["Source_Host"],
        source_port=int(row["Source_Port"]),
        source_uuid=source_uuid,
        receiver=_RECEIVER.get(row["Replica_IO_Running"], ReceiverState.STOPPED),
        applier_running=row["Replica_SQL_Running"] == "Yes",
        lag_seconds=None if lag is None else int(lag),
        receiver_errno=int(row["Last_IO_Errno"]),
        receiver_message=masked(row["Last_IO_Error"]),
        applier_errno=int(row["Last_SQL_Errno"]),
        applier_message=masked(row["Last_SQL_Error"]),
        worker_errors=worker_errors,
        retrieved=retrieved,
        auto_position=auto_position,
        delay_seconds=int(row["SQL_Delay"] or 0),
        group_replication=name.startswith("group_replication_"),
        filters=_filters(row),
        applied_to=LogPosition(row["Relay_Source_Log_File"], int(row["Exec_Source_Log_Pos"])),
        received_to=LogPosition(row["Source_Log_File"], int(row["Read_Source_Log_Pos"])),
        workers=workers,
        has_end=(row.get("Until_Condition") or _NO_END) != _NO_END,
        source_user=row["Source_User"] or "",
        applies_as=applies_as,
        relay_log_file=row["Relay_Log_File"] or "",
        relay_log_pos=int(row["Relay_Log_Pos"] or 0),
        ignored_server_ids=tuple(int(number) for number in _numbers(row, "Ignore_Server_Ids")),
        ignored_domains=_numbers(row, "Ignore_Domain_Ids"),
        only_domains=_numbers(row, "Do_Domain_Ids"),
        relay_log=relay_log,
        asks_from=asks_from,
        read_by_position=read_by_position,
        all_read=_ALL_READ in (row["Replica_SQL_Running_State"] or ""),
    )


def _numbers(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Parse a list of ids, in which MariaDB puts a space after each comma; a server without the rule has no column."""
    return tuple(filter(None, (part.strip() for part in (row.get(f"Replicate_{name}") or "").split(","))))


def _filters(row: Mapping[str, Any]) -> Filters:
    def listed(name: str) -> tuple[str, ...]:
        return tuple(part for part in (row[f"Replicate_{name}"] or "").split(",") if part)

    return Filters(
        do_db=listed("Do_DB"),
        ignore_db=listed("Ignore_DB"),
        do_table=listed("Do_Table"),
        ignore_table=listed("Ignore_Table"),
        wild_do_table=listed("Wild_Do_Table"),
        wild_ignore_table=listed("Wild_Ignore_Table"),
        rewrite_db=row.get("Replicate_Rewrite_DB") or "",  # not in MariaDB 10.11's
    )
