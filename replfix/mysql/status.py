"""A replica's status: SHOW REPLICA STATUS for every channel, with the workers' errors behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replfix.core.filters import Filters
from replfix.core.gtid import GtidSet
from replfix.core.status import ChannelStatus, ReceiverState, ReplicaStatus, WorkerError
from replfix.core.transaction_id import LogPosition
from replfix.errors import PrivilegeError, ReplicationError, ServerError
from replfix.mysql.connection import Session
from replfix.mysql.terms import REPLICAS_STATEMENTS, STATUS_STATEMENTS, WORKERS_COMMITTED, current_names

PARSE_ERROR = 1064  # the server does not know this form of the statement

_WORKERS = """
SELECT CHANNEL_NAME AS channel, WORKER_ID AS worker, LAST_ERROR_NUMBER AS errno, LAST_ERROR_MESSAGE AS message,
       APPLYING_TRANSACTION AS applying
  FROM performance_schema.replication_applier_status_by_worker
 WHERE LAST_ERROR_NUMBER <> 0
 ORDER BY WORKER_ID"""

# A worker's THREAD_ID is NULL once it stopped (9.7), so the table is read alone: a join would lose the failed row.

_VARIABLES = """
SELECT @@global.server_uuid AS server_uuid, @@global.server_id AS server_id, @@global.version AS version,
       @@global.gtid_mode AS gtid_mode, @@global.read_only AS read_only, @@global.super_read_only AS super_read_only,
       @@global.gtid_executed AS gtid_executed"""


def read_status(session: Session) -> ReplicaStatus:
    """Every channel of the replica. ReplicationError when the server has none."""
    channels = _channel_rows(session)
    if not channels:
        raise ReplicationError(
            f"{session.endpoint} is not a replica: it has no replication channel.",
            "Give the replica, not its source; 'SHOW REPLICA STATUS' there has to return a row.",
        )
    errors: dict[str, list[WorkerError]] = {}
    for row in session.query(_WORKERS):
        errors.setdefault(row["channel"], []).append(
            WorkerError(int(row["worker"]), int(row["errno"]), row["message"], row["applying"] or None)
        )
    variables = session.query(_VARIABLES)[0]
    committed = _committed(session) if errors and variables["gtid_mode"] != "ON" else {}
    return ReplicaStatus(
        server_uuid=variables["server_uuid"],
        server_id=int(variables["server_id"]),
        version=variables["version"],
        gtid_mode=variables["gtid_mode"],
        read_only=variables["read_only"] == "1",
        super_read_only=variables["super_read_only"] == "1",
        executed=GtidSet.parse(variables["gtid_executed"]),
        channels=tuple(
            _channel(row, tuple(errors.get(row["Channel_Name"], ())), committed.get(row["Channel_Name"]))
            for row in channels
        ),
    )


def _committed(session: Session) -> dict[str, LogPosition]:
    """By channel: the furthest position of the source's binlog that a worker has committed."""
    found: dict[str, LogPosition] = {}
    for row in session.query(WORKERS_COMMITTED):
        at = LogPosition(row["log_file"], int(row["pos"]))
        if row["channel"] not in found or found[row["channel"]] < at:
            found[row["channel"]] = at
    return found


def read_replicas(session: Session) -> tuple[str, ...]:
    """Who reads this server's binlog. One without report_host does not say where it is: its server_id stands for it."""
    for statement in REPLICAS_STATEMENTS:
        try:
            rows = [current_names(row) for row in session.query(statement)]
        except PrivilegeError:  # REPLICATION SLAVE: doctor tells
            return ()
        except ServerError as error:
            if error.errno != PARSE_ERROR:
                raise
        else:
            return tuple(
                f"{row['Host']}:{row['Port']}" if row["Host"] else f"the server with server_id {row['Server_Id']}"
                for row in rows
            )
    return ()


def _channel_rows(session: Session) -> list[dict[str, Any]]:
    for statement in STATUS_STATEMENTS:
        try:
            return [current_names(row) for row in session.query(statement)]
        except ServerError as error:
            if error.errno != PARSE_ERROR:
                raise
        except PrivilegeError as error:
            raise PrivilegeError(
                error.message, f"GRANT REPLICATION CLIENT ON *.* TO the account {session.endpoint.user!r}."
            ) from None
    raise ReplicationError(
        f"{session.endpoint} knows no form of SHOW REPLICA STATUS.",
        "replfix works with MySQL 8.0.22 and later in this version.",
    )


def _channel(
    row: Mapping[str, Any], worker_errors: tuple[WorkerError, ...], committed: LogPosition | None
) -> ChannelStatus:
    lag = row["Seconds_Behind_Source"]
    return ChannelStatus(
        name=row["Channel_Name"],
        source_host=row["Source_Host"],
        source_port=int(row["Source_Port"]),
        source_uuid=row["Source_UUID"],
        receiver={"Yes": ReceiverState.RUNNING, "Connecting": ReceiverState.CONNECTING}.get(
            row["Replica_IO_Running"], ReceiverState.STOPPED
        ),
        applier_running=row["Replica_SQL_Running"] == "Yes",
        lag_seconds=None if lag is None else int(lag),
        receiver_errno=int(row["Last_IO_Errno"]),
        receiver_message=row["Last_IO_Error"],
        applier_errno=int(row["Last_SQL_Errno"]),
        applier_message=row["Last_SQL_Error"],
        worker_errors=worker_errors,
        retrieved=GtidSet.parse(row["Retrieved_Gtid_Set"]),
        auto_position=row["Auto_Position"] == "1",
        delay_seconds=int(row["SQL_Delay"] or 0),
        group_replication=row["Channel_Name"].startswith("group_replication_"),
        filters=_filters(row),
        applied_to=LogPosition(row["Relay_Source_Log_File"], int(row["Exec_Source_Log_Pos"])),
        received_to=LogPosition(row["Source_Log_File"], int(row["Read_Source_Log_Pos"])),
        committed_to=committed if worker_errors else None,
    )


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
        rewrite_db=row.get("Replicate_Rewrite_DB") or "",  # not in MariaDB's
    )
