"""What makes a replica pass over one transaction: an empty one with its GTID, or the skip counter.

Seen on 9.7.4: an empty transaction is committed also with super_read_only=ON, and gtid_next alone needs REPLICATION_APPLIER
and SESSION_VARIABLES_ADMIN. On MariaDB 11.8 the skip counter counts for channels with GTIDs too, and needs SUPER.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from replfix.core import sql
from replfix.core.plan.plan import ApplyMode, Plan
from replfix.errors import NotDone, RehearsalFailed, ReplfixError, ServerError, Stale
from replfix.mysql.connection.commit import commit
from replfix.mysql.connection.dialects import dialect_of
from replfix.mysql.connection.session import Session
from replfix.mysql.connection.terms import SKIP_COUNTER_VARIABLE

_SHOW_COUNTER = f"SHOW GLOBAL VARIABLES LIKE '%{SKIP_COUNTER_VARIABLE}'"
_NOTHING_CHANGED = "Nothing was changed: the transaction is still to be applied."


def rehearse(session: Session, plan: Plan, channel: str) -> None:
    """Do everything up to the statement that would count. RehearsalFailed with the server's message."""
    try:
        if plan.way is ApplyMode.EMPTY:
            begin, end = _begin_and_end(plan)
            try:
                for statement in begin:
                    session.execute(statement)
            finally:
                _take_back(session, end)
        else:
            _set_counter(session, channel, 0)
    except ServerError as error:
        raise RehearsalFailed(
            f"The replica rejected skipping {plan.transaction}: {error.message}.", _NOTHING_CHANGED
        ) from None


def commit_empty(session: Session, plan: Plan, guard: Callable[[], None]) -> None:
    """Do as ``Repair.commit_empty``. From SET gtid_next on, nobody else can apply the transaction."""
    begin, end = _begin_and_end(plan)
    try:
        for statement in begin:
            session.execute(statement)
        guard()
    except BaseException as error:
        _take_back(session, end)
        if isinstance(error, ServerError):
            raise NotDone(f"{plan.transaction} was not left out: {error.message}.", _NOTHING_CHANGED) from None
        raise
    try:
        commit(
            session,
            meanwhile="the empty transaction was being committed: it is done or it is not",
            find_out="Run 'replfix diagnose' when the server can be reached again: it shows which.",
            refused="The server did not commit the empty transaction",
            unchanged=_NOTHING_CHANGED,
        )
    finally:
        with suppress(ReplfixError):
            session.execute(end)
            session.execute(sql.NOT_LOGGED_SESSION)


def counter_of(session: Session) -> str:
    """Return the variable's name on this server."""
    return str(session.scalar_once(_SHOW_COUNTER))


def check_counter(session: Session, channel: str) -> None:
    """Stale when the next start of the applier would pass over something."""
    _aim(session, channel)
    found = session.query(_SHOW_COUNTER)[0]
    counter = str(found["Variable_name"])
    if (now := str(found["Value"])) != "0":
        raise Stale(
            f"{counter} is {now}: somebody else is about to skip a transaction, with the next START REPLICA.",
            f"{_NOTHING_CHANGED} Find out who set it; SET GLOBAL {counter} = 0 resets it.",
        )


def set_counter(session: Session, channel: str) -> None:
    """To 1."""
    check_counter(session, channel)
    try:
        _set_counter(session, channel, 1)
    except ServerError as error:
        raise NotDone(
            f"The replica does not let {counter_of(session)} be set: {error.message}.", _NOTHING_CHANGED
        ) from None


def clear_counter(session: Session, channel: str) -> bool:
    """Set the counter to 0 unless it was used up; return whether it was to be cleared.

    A channel that runs prevents setting it. A run sets it to 1, and to nothing else.
    """
    if _counter(session, channel, counter_of(session)) != "1":
        return False
    _set_counter(session, channel, 0)
    return True


def _begin_and_end(plan: Plan) -> tuple[tuple[str, ...], str]:
    assert plan.transaction.gtid is not None
    gtid_next, begin, _, automatic = sql.empty_transaction(plan.transaction.gtid)
    # Logged: a replica of this one needs something under that GTID as well.
    return (sql.LOGGED_SESSION, gtid_next, begin), automatic


def _take_back(session: Session, end: str) -> None:
    with suppress(ReplfixError):  # a lost session has been rolled back by the server
        for statement in ("ROLLBACK", end, sql.NOT_LOGGED_SESSION):
            session.execute(statement)


def _aim(session: Session, channel: str) -> None:
    """Have the counter be that of the channel; once, because a session is about one channel."""
    for statement in dialect_of(session).aim_skip_counter(channel):
        session.execute_once(statement)


def _counter(session: Session, channel: str, counter: str) -> str:
    _aim(session, channel)
    return str(session.scalar(sql.global_variable(counter)))


def _set_counter(session: Session, channel: str, to: int) -> None:
    _aim(session, channel)
    session.execute(sql.set_global_number(counter_of(session), to))
