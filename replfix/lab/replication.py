"""What is done to, and waited for on, the servers of a lab, also by its scenarios and by the tests."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from replfix.core import applier_error
from replfix.core.applier_error import ApplierError
from replfix.core.gtid import GtidSet
from replfix.core.sql import identifier, string
from replfix.errors import ReplicationError, ServerError
from replfix.lab.state import Server
from replfix.mysql.connection import Row, Session

WAIT_SECONDS = 30.0

_SYSTEM_SCHEMAS = ("mysql", "sys", "information_schema", "performance_schema")
_RESET_VARIABLES = (
    "auto_increment_increment",
    "auto_increment_offset",
    "binlog_format",
    "binlog_row_image",
    "binlog_row_metadata",
    "binlog_rows_query_log_events",
    "replica_parallel_workers",
    "sql_replica_skip_counter",
)
_WORKER_ERRORS = """
    SELECT LAST_ERROR_NUMBER AS errno, LAST_ERROR_MESSAGE AS message, APPLYING_TRANSACTION AS gtid
    FROM performance_schema.replication_applier_status_by_worker
    WHERE CHANNEL_NAME = '' AND LAST_ERROR_NUMBER NOT IN (0, 1756, 3030)
"""
# 1756 and 3030: a worker that stopped because another one did.


@dataclass(frozen=True, slots=True)
class ChannelState:
    receiver_running: bool
    applier_running: bool
    error: ApplierError | None  # of the applier; None while it runs, and when it was stopped by hand
    receiver_message: str = ""


def channel_state(session: Session) -> ChannelState | None:
    """The default channel of a replica; None when it has none."""
    rows = session.query("SHOW REPLICA STATUS FOR CHANNEL ''")
    if not rows:
        return None
    status = rows[0]
    running = status["Replica_SQL_Running"] == "Yes"
    return ChannelState(
        receiver_running=status["Replica_IO_Running"] == "Yes",
        applier_running=running,
        error=None if running else _applier_error(session, status),
        receiver_message=str(status["Last_IO_Error"] or ""),
    )


def _applier_error(session: Session, status: Row) -> ApplierError | None:
    found = [applier_error.parse(int(r["errno"]), r["message"], r["gtid"]) for r in session.query(_WORKER_ERRORS)]
    if found:
        return min(found, key=lambda e: (e.log_file or "", e.end_log_pos or 0))
    errno = int(status["Last_SQL_Errno"])
    return applier_error.parse(errno, status["Last_SQL_Error"]) if errno else None


def executed(session: Session) -> GtidSet:
    return GtidSet.parse(str(session.scalar("SELECT @@GLOBAL.gtid_executed")))


def wait_until_applied(source: Server, replica: Server, seconds: float = WAIT_SECONDS) -> None:
    """Wait until the replica has executed everything that the source has; ReplicationError when it stops or is late."""
    with source.session() as session:
        wanted = executed(session)
    deadline = time.monotonic() + seconds
    with replica.session() as session:
        while True:
            # The server waits a second, then we look whether there is anything to wait for.
            if session.scalar(f"SELECT WAIT_FOR_EXECUTED_GTID_SET({string(str(wanted))}, 1)") == "0":
                return
            state = channel_state(session)
            if state is None or not state.applier_running or state.receiver_message:
                raise ReplicationError(f"The channel of {replica} does not run: {_why(state)}", STOPPED_HINT)
            if time.monotonic() > deadline:
                raise ReplicationError(f"{replica} has not caught up after {seconds:.0f} s.", STOPPED_HINT)


def _why(state: ChannelState | None) -> str:
    if state is None:
        return "it has no channel"
    return (state.error.message if state.error else state.receiver_message) or "it was stopped"


STOPPED_HINT = (
    "'replfix lab status' shows how it stands. 'replfix resolve' repairs it; 'replfix lab break SCENARIO --reset' "
    "starts from a fresh pair."
)


def wait_until_received(source: Server, replica: Server, seconds: float = WAIT_SECONDS) -> None:
    """Wait until all that the source has executed is in the replica's relay log, applied or not."""
    with source.session() as session:
        wanted = executed(session)
    deadline = time.monotonic() + seconds
    with replica.session() as session:
        while True:
            status = session.query("SHOW REPLICA STATUS FOR CHANNEL ''")[0]
            have = GtidSet.parse(status["Retrieved_Gtid_Set"]) | GtidSet.parse(status["Executed_Gtid_Set"])
            if wanted <= have:
                return
            if time.monotonic() > deadline:
                raise ReplicationError(
                    f"{replica} has not received everything after {seconds:.0f} s: {status['Last_IO_Error'] or 'late'}"
                )
            time.sleep(0.02)


def wait_until_stopped(replica: Server, seconds: float = WAIT_SECONDS) -> ApplierError:
    """Wait until the replica's applier has stopped with an error; that error. ReplicationError when it does not."""
    deadline = time.monotonic() + seconds
    with replica.session() as session:
        while True:
            state = channel_state(session)
            if state is not None and state.error is not None:
                return state.error
            if time.monotonic() > deadline:
                raise ReplicationError(f"The applier of {replica} did not stop within {seconds:.0f} s.")
            time.sleep(0.02)


def transaction(session: Session, *statements: str) -> None:
    """Run the statements as one transaction."""
    session.execute("BEGIN")
    try:
        for statement in statements:
            session.execute(statement)
    except BaseException:
        session.execute("ROLLBACK")
        raise
    session.execute("COMMIT")


def write_locally(replica: Server, *statements: str, logged: bool = True) -> None:
    """Write on a replica as somebody who turns super_read_only off and on again, each statement a transaction.

    ``logged``: the writes go to the replica's own binlog and make errant GTIDs; without it (``sql_log_bin = 0``) they
    leave no trace.
    """
    with replica.session() as session:
        # Turning super_read_only off leaves read_only on: an account with CONNECTION_ADMIN writes nevertheless.
        session.execute("SET GLOBAL super_read_only = OFF")
        try:
            session.execute("SET sql_log_bin = 1" if logged else "SET sql_log_bin = 0")
            for statement in statements:
                session.execute(statement)
        finally:
            session.execute("SET GLOBAL super_read_only = ON")


def reset(source: Server, replicas: Iterable[Server], keep_accounts: Iterable[str]) -> None:
    """Make a pair as good as new: no schema of anybody, no GTID, channels running, variables at their defaults.

    Much quicker than new servers: tests use it between them. Accounts other than ``keep_accounts`` are dropped.
    """
    replicas = tuple(replicas)
    kept = frozenset(keep_accounts)
    for replica in replicas:
        with replica.session() as session:
            end_other_sessions(session)
            session.execute("STOP REPLICA")
            session.execute("RESET REPLICA")
            session.execute("SET GLOBAL super_read_only = OFF")
            as_new(session, kept)
            session.execute("SET GLOBAL super_read_only = ON")
    with source.session() as session:
        end_other_sessions(session)
        session.execute("SET GLOBAL read_only = OFF")
        as_new(session, kept)
    for replica in replicas:
        with replica.session() as session:
            session.execute("START REPLICA")
        wait_until_applied(source, replica)


def as_new(session: Session, kept: frozenset[str]) -> None:
    """No schemas and no GTIDs, variables at their defaults, accounts other than those kept dropped."""
    session.execute("SET sql_log_bin = 0")
    for (schema,) in session.rows("SHOW DATABASES"):
        if schema not in _SYSTEM_SCHEMAS:
            session.execute(f"DROP DATABASE {identifier(schema)}")
    for user, host in session.rows("SELECT User, Host FROM mysql.user"):
        if user not in kept and not user.startswith("mysql.") and user != "root":
            session.execute(f"DROP USER {identifier(user)}@{identifier(host)}")
    for variable in _RESET_VARIABLES:
        session.execute(f"SET GLOBAL {variable} = DEFAULT")
    session.execute(reset_binary_logs(session))


def end_other_sessions(session: Session) -> None:
    """A session that a test has left open may hold locks that STOP REPLICA or DROP would wait for."""
    for (thread,) in session.rows(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND USER IN ('admin', 'replfix')"
    ):
        _ignoring_gone(session, f"KILL {int(thread)}")


def _ignoring_gone(session: Session, statement: str) -> None:
    try:
        session.execute(statement)
    except ServerError as error:
        if error.errno != 1094:  # ER_NO_SUCH_THREAD
            raise


def reset_binary_logs(session: Session) -> str:
    """The statement that empties binlogs and GTID sets: MySQL 8.2 renamed it (and 8.4 forgot the old name)."""
    major, minor = str(session.scalar("SELECT VERSION()")).split(".")[:2]
    return "RESET BINARY LOGS AND GTIDS" if (int(major), int(minor)) >= (8, 2) else "RESET MASTER"
