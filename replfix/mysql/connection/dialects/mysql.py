"""MySQL: GTID sets, workers' errors in performance_schema, gtid_next."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from replfix.core import sql
from replfix.core.binlog.row_event import Transaction
from replfix.core.binlog.secrets import masked
from replfix.core.connection.privileges import NEEDS
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ReplicaStatus, WorkerError
from replfix.core.replication.start_threads import Threads
from replfix.core.replication.transaction_id import LogPosition, TransactionId
from replfix.core.replication.worker_gaps import WorkerProgress
from replfix.errors import PrivilegeError
from replfix.mysql.connection.session import Session
from replfix.mysql.connection.terms import STATUS_STATEMENTS, WORKERS_PROGRESS, WORKERS_VARIABLE
from replfix.mysql.read.status_rows import channel, channel_rows

_WORKERS = """
SELECT *, UNIX_TIMESTAMP(LAST_ERROR_TIMESTAMP) AS ERROR_AT
  FROM performance_schema.replication_applier_status_by_worker
 WHERE LAST_ERROR_NUMBER <> 0
 ORDER BY WORKER_ID"""

# A source's incident stops the coordinator (9.7.4). Which transaction that was is only in this table.
_INCIDENTS = """
SELECT CHANNEL_NAME, 0 AS WORKER_ID, LAST_ERROR_NUMBER, LAST_ERROR_MESSAGE, PROCESSING_TRANSACTION AS APPLYING_TRANSACTION,
       UNIX_TIMESTAMP(LAST_ERROR_TIMESTAMP) AS ERROR_AT
  FROM performance_schema.replication_applier_status_by_coordinator
 WHERE LAST_ERROR_NUMBER = %s"""
_INCIDENT = 13119

# A worker's THREAD_ID is NULL once it stopped (9.7), so the table is read alone: a join would lose the failed row.

_VARIABLES = """
SELECT @@global.server_uuid AS server_uuid, @@global.server_id AS server_id, @@global.version AS version,
       @@global.gtid_mode AS gtid_mode, @@global.read_only AS read_only, @@global.super_read_only AS super_read_only,
       @@global.gtid_executed AS gtid_executed"""


def _time(seconds: str | None) -> datetime | None:
    """Return the time of UNIX_TIMESTAMP; None for a zero date and NULL."""
    return datetime.fromtimestamp(float(seconds), UTC) if seconds is not None and float(seconds) > 0 else None


_CONFIGURATION = "SELECT * FROM performance_schema.replication_applier_configuration"
_UUID = "SELECT @@global.server_uuid"
_EXECUTED = "SELECT @@global.gtid_executed"
_PURGED = "SELECT @@global.gtid_purged"


class MysqlDialect:
    """Implements ``Dialect``."""

    needs = NEEDS
    changeable = ("super_read_only",)
    """read_only stays: the account needs CONNECTION_ADMIN."""

    own = (_UUID, _EXECUTED, _PURGED)
    channels = STATUS_STATEMENTS[:1]
    of_channels = (_WORKERS, _VARIABLES, _CONFIGURATION)

    def identity(self, session: Session) -> str:
        return str(session.scalar(_UUID))

    def executed(self, session: Session) -> GtidSet:
        return GtidSet.parse(str(session.scalar(_EXECUTED)))

    def purged(self, session: Session) -> GtidSet:
        return GtidSet.parse(str(session.scalar(_PURGED)))

    def status(self, session: Session) -> ReplicaStatus:
        with session.at_once(*self.of_channels, lossy=self.channels):
            return self._status(session)

    def _status(self, session: Session) -> ReplicaStatus:
        rows = channel_rows(session, STATUS_STATEMENTS)
        errors: dict[str, list[WorkerError]] = {}
        incident = any(row["Last_SQL_Errno"] == str(_INCIDENT) for row in rows)
        for row in (*session.query(_WORKERS), *(session.query(_INCIDENTS, (_INCIDENT,)) if incident else ())):
            applying = row.get("APPLYING_TRANSACTION") or row.get("LAST_SEEN_TRANSACTION")  # 5.7 has the second only
            said = int(row["LAST_ERROR_NUMBER"]), masked(row["LAST_ERROR_MESSAGE"])
            errors.setdefault(row["CHANNEL_NAME"], []).append(
                WorkerError(int(row["WORKER_ID"]), *said, applying or None, at=_time(row["ERROR_AT"]))
            )
        variables = session.query(_VARIABLES)[0]
        failed = any(row["Replica_SQL_Running"] != "Yes" and row["Last_SQL_Errno"] != "0" for row in rows)
        workers = _progress(session) if failed and variables["gtid_mode"] != "ON" else {}
        applying_as = _applying_as(session) if failed else {}
        return ReplicaStatus(
            server_uuid=variables["server_uuid"],
            server_id=int(variables["server_id"]),
            version=variables["version"],
            gtid_mode=variables["gtid_mode"],
            read_only=variables["read_only"] == "1",
            super_read_only=variables["super_read_only"] == "1",
            executed=GtidSet.parse(variables["gtid_executed"]),
            channels=tuple(
                channel(
                    row,
                    tuple(errors.get(row["Channel_Name"], ())),
                    name=row["Channel_Name"],
                    source_uuid=row["Source_UUID"],
                    retrieved=GtidSet.parse(row["Retrieved_Gtid_Set"]),
                    auto_position=row["Auto_Position"] == "1",
                    workers=workers.get(row["Channel_Name"], ()),
                    applies_as=applying_as.get(row["Channel_Name"], ""),
                )
                for row in rows
            ),
        )

    def workers(self, session: Session) -> int:
        return int(session.query(f"SHOW GLOBAL VARIABLES LIKE '%{WORKERS_VARIABLE}'")[0]["Value"])

    def start(
        self,
        channel: str,
        threads: Threads,
        *,
        until: TransactionId | None = None,
        before: TransactionId | None = None,
        gaps: bool = False,
    ) -> tuple[str, ...]:
        if threads is Threads.RECEIVER:
            return (sql.start_receiver(sql.Channel(channel)),)
        return (
            sql.start_replica(
                sql.Channel(channel), receiver=threads is Threads.BOTH, until=until, before=before, gaps=gaps
            ),
        )

    def stop(self, channel: str, threads: Threads) -> str:
        return sql.stop_replica(
            sql.Channel(channel), {Threads.RECEIVER: "IO_THREAD", Threads.APPLIER: "SQL_THREAD"}.get(threads, "")
        )

    def as_transaction(self, transaction: Transaction) -> tuple[str, ...]:
        # BINLOG of the Format_description event leaves gtid_next undetermined (error 1782 on the next statement).
        return (sql.set_gtid_next(transaction.gtid or "ANONYMOUS"),)

    def aim_skip_counter(self, channel: str) -> tuple[str, ...]:  # noqa: ARG002
        return ()  # there is one for all channels: the first applier that is started takes it

    def fires_triggers(self, session: Session) -> bool:  # noqa: ARG002
        return False

    def as_itself(self) -> str:
        return f"{sql.set_gtid_next('AUTOMATIC')}, {sql.OWN_TIME}"

    def reset_gtid_next(self) -> tuple[str, ...]:
        return (sql.set_gtid_next("AUTOMATIC"),)


def _progress(session: Session) -> dict[str, tuple[WorkerProgress, ...]]:
    """By channel: what each worker has committed. Without SELECT on it, nothing: nothing is repaired then either."""
    found: dict[str, tuple[WorkerProgress, ...]] = {}
    rows = []
    with suppress(PrivilegeError):
        rows = session.query(WORKERS_PROGRESS)
    for row in rows:
        worker = WorkerProgress(
            LogPosition(row["log_file"], int(row["pos"])),
            LogPosition(row["checkpoint_file"], int(row["checkpoint_pos"])),
            bytes.fromhex(row["bitmap"]),
        )
        found[row["channel"]] = (*found.get(row["channel"], ()), worker)
    return found


def _applying_as(session: Session) -> dict[str, str]:
    """PRIVILEGE_CHECKS_USER of each channel that has one, as statements write it."""
    found: dict[str, str] = {}
    for row in session.query(_CONFIGURATION):
        if shown := row.get("PRIVILEGE_CHECKS_USER"):  # 'user'@'host', quotes in it not doubled (9.7.4)
            user, _, host = str(shown).strip("'").rpartition("'@'")
            found[row["CHANNEL_NAME"]] = sql.account(user, host)
    return found
