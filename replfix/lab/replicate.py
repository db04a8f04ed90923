"""What is done to, and waited for on, the servers of a lab, also by its scenarios and by the tests."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack

from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.sql import identifier
from replfix.errors import ReplicationError, ServerError
from replfix.lab.flavours import ChannelState, speaking
from replfix.lab.lab_state import LabServer
from replfix.mysql.connection.session import Session

WAIT_SECONDS = 60.0

SYSTEM_SCHEMAS = ("mysql", "sys", "information_schema", "performance_schema")


def channel_state(session: Session, channel: str = "") -> ChannelState | None:
    """Return that channel of a replica; None when it has none."""
    return speaking(session).channel_state(session, channel)


def executed(session: Session) -> GtidSet:
    """Return what the server has in its binlog or has applied."""
    return speaking(session).executed(session)


def wait_until_applied(source: LabServer, replica: LabServer, seconds: float = WAIT_SECONDS) -> None:
    """Wait until the replica has executed everything that the source has; ReplicationError when it stops or is late."""
    with source.session() as session:
        wanted = speaking(session).written(session)
    with replica.session() as session:
        _wait_until_applied(replica, session, wanted, seconds)


def _wait_until_applied(replica: LabServer, session: Session, wanted: GtidSet | LogPosition, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        # The server waits a second, then we look whether there is anything to wait for.
        if speaking(session).wait_until_applied(session, wanted, 1):
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
    "'replfix lab status' shows its state. 'replfix resolve' repairs it; 'replfix lab break SCENARIO --reset' "
    "starts from a fresh pair."
)


def wait_until_received(source: LabServer, replica: LabServer, seconds: float = WAIT_SECONDS) -> None:
    """Wait until all that the source has executed is in the replica's relay log, applied or not."""
    with source.session() as session, replica.session() as receiving:
        wanted = speaking(session).sent(session, receiving)
    deadline = time.monotonic() + seconds
    with replica.session() as session:
        while True:
            if speaking(session).received(session, wanted):
                return
            if time.monotonic() > deadline:
                state = channel_state(session)
                why = state.receiver_message if state else "it has no channel"
                raise ReplicationError(f"{replica} has not received everything after {seconds:.0f} s: {why or 'late'}")
            time.sleep(0.02)


def wait_until_stopped(replica: LabServer, seconds: float = WAIT_SECONDS) -> ApplierError:
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


def write_locally(replica: LabServer, *statements: str, logged: bool = True) -> None:
    """Write on a replica as somebody who makes it writable and read-only again, each statement a transaction.

    ``logged``: the writes go to the replica's own binlog and make errant GTIDs; without it (``sql_log_bin = 0``) they
    leave no trace.
    """
    with replica.session() as session, speaking(session).writable(session):
        session.execute("SET sql_log_bin = 1" if logged else "SET sql_log_bin = 0")
        for statement in statements:
            session.execute(statement)


def reset(source: LabServer, replicas: Iterable[LabServer], keep_accounts: Iterable[str]) -> None:
    """Make a pair as good as new: no schema of anybody, no GTID, channels running, variables at their defaults.

    Much quicker than new servers: tests use it between them. Accounts other than ``keep_accounts`` are dropped.
    """
    kept = frozenset(keep_accounts)
    with ExitStack() as stack:  # one session each: a connection costs as much as all that is asked in it
        following = [(replica, stack.enter_context(replica.session())) for replica in replicas]
        for replica, session in following:
            end_other_sessions(session)
            session.execute("STOP REPLICA")
            speaking(session).forget_received(session)
            with speaking(session).writable(session):
                as_new(replica, session, kept)
        with source.session() as session:
            end_other_sessions(session)
            session.execute("SET GLOBAL read_only = OFF")
            as_new(source, session, kept)
            wanted = speaking(session).written(session)
        for replica, session in following:
            session.execute("START REPLICA")
            _wait_until_applied(replica, session, wanted, WAIT_SECONDS)


def as_new(server: LabServer, session: Session, kept: frozenset[str]) -> None:
    """Remove prepared transactions, schemas, GTIDs and other accounts; reset variables to their values at start.

    Its channels are stopped; the accounts kept are those named.
    """
    flavour = speaking(session)
    session.execute("SET sql_log_bin = 0")
    _roll_back_prepared(session)  # they hold locks that DROP would wait for
    for (schema,) in session.rows("SHOW DATABASES"):
        if schema not in SYSTEM_SCHEMAS:
            session.execute(f"DROP DATABASE {identifier(schema)}")
    for user, host in session.rows("SELECT User, Host FROM mysql.user"):
        if user not in kept and not user.startswith(("mysql.", "mariadb.")) and user != "root":
            what = "USER" if host else "ROLE"  # MariaDB's roles have no host, MySQL's are accounts
            session.execute(f"DROP {what} {identifier(user)}" + (f"@{identifier(host)}" if host else ""))
    flavour.forget(session)  # first: MariaDB refuses to set the skip counter while it knows several domains (1966)
    chosen = flavour.chosen(server.server_id)
    if server.as_shipped:
        chosen = dict.fromkeys(chosen, "DEFAULT")
    variables = {**flavour.reset_variables, **chosen}
    session.execute("SET " + ", ".join(f"GLOBAL {variable} = {value}" for variable, value in variables.items()))


def _roll_back_prepared(session: Session) -> None:
    """Roll them back; those of sessions that have just been ended are released within a moment."""
    deadline = time.monotonic() + WAIT_SECONDS
    while left := speaking(session).prepared(session):
        for transaction in left:
            try:
                session.execute(f"XA ROLLBACK {transaction}")
            except ServerError:  # 1397: its session is not gone yet; 1402: the server has rolled it back by itself
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


_THREADS = (
    ("SELECT ID FROM information_schema.PROCESSLIST", 0.01),
    # InnoDB answers from what it kept until it was not asked for 0.1 s: who asks more often, waits for ever.
    ("SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX", 0.12),
)


def end_other_sessions(session: Session) -> None:
    """End sessions that somebody has left open, under any account: they may hold locks that STOP REPLICA or DROP waits for.

    What is locked nevertheless is reported by the server (1205), within the time that an answer may take.

    They are waited for, and so is InnoDB, which releases their transactions after the server has: MariaDB forgets a
    prepared one for good, locks and all, where XA ROLLBACK comes between the two (10.11).
    """
    session.execute("SET SESSION lock_wait_timeout = 30, innodb_lock_wait_timeout = 30")
    ended = {
        int(thread)
        for (thread,) in session.rows(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND USER NOT IN "
            "('repl', 'system user', 'event_scheduler', 'unauthenticated user')"
        )
    }
    for thread in ended:
        _ignoring_gone(session, f"KILL {thread}")
    deadline = time.monotonic() + WAIT_SECONDS
    for threads, pause in _THREADS:
        while ended and time.monotonic() < deadline:
            if ended.isdisjoint(int(thread) for (thread,) in session.rows(threads)):
                break
            time.sleep(pause)


def _ignoring_gone(session: Session, statement: str) -> None:
    try:
        session.execute(statement)
    except ServerError as error:
        if error.errno != 1094:  # ER_NO_SUCH_THREAD
            raise
