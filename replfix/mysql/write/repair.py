"""Where rows are written: rehearsed with the transaction's own events, then applied as compare and swap.

Source of the rehearsal: the BINLOG statement applies row events in a session, inside a transaction that can be rolled
back; seen on 9.7.4, MariaDB 10.11.19 and 11.8.6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime

from replfix.core import sql
from replfix.core.binlog.row_event import Transaction
from replfix.core.conflicts.reconcile import final_rows, not_as_final, questions, spare_rows
from replfix.core.connection.endpoint import Endpoint
from replfix.core.incident.applied_together import changed_twice, taken_over
from replfix.core.plan.left_changed import LastSet, SettingNow
from replfix.core.plan.plan import ApplyMode, Plan, Step
from replfix.core.replication.applier_error import ER_DUP_ENTRY, ER_KEY_NOT_FOUND, ER_UNKNOWN_ERROR
from replfix.core.rows.lookup import Answers
from replfix.core.rows.row_diff import without_own
from replfix.core.schema.table import Table, TableName
from replfix.errors import (
    Busy,
    NotDone,
    NotVerified,
    PrivilegeError,
    RehearsalFailed,
    ReplfixError,
    ServerError,
    Stale,
    Unreadable,
)
from replfix.mysql.binlog import pieces
from replfix.mysql.binlog.events.crafted import Crafted
from replfix.mysql.connection.commit import commit
from replfix.mysql.connection.dialects import dialect_of
from replfix.mysql.connection.session import Session
from replfix.mysql.read.find_rows import find_all
from replfix.mysql.write import check_parents, leave_out
from replfix.mysql.write.check_parents import MADE_ANEW, NOTHING_CHANGED
from replfix.mysql.write.locked_rows import lock_and_compare
from replfix.mysql.write.rehearse_backlog import BacklogSession, statement_of
from replfix.wire.understood import understood

WORK_SECONDS = 900.0
"""How long one statement may take: a BINLOG statement applies all rows of a statement of the transaction."""

_LOCK_HOLDER = "SELECT IS_USED_LOCK(%s)"
_PACKET = "SELECT @@max_allowed_packet"
_SETTINGS_LOCK = "replfix"
_TURN_SECONDS = 30
_ON = "1"

_LAST_SET = """
SELECT VARIABLE_SOURCE AS `source`, UNIX_TIMESTAMP(SET_TIME) AS `at`,
       COALESCE(SET_USER, '') AS `user`, COALESCE(NULLIF(SET_HOST, ''), 'localhost') AS `host`
  FROM performance_schema.variables_info WHERE VARIABLE_NAME = %s"""
_NAME = re.compile(r"[a-z_]+\Z")
_SHOWN_KEY = 80  # characters
TOGETHER_STEPS = 100
"""Rows in one BINLOG statement: one a statement is 5 times slower (9.7.4)."""
TOGETHER_BYTES = 1 << 18
_AROUND_EVENTS = 64  # bytes of a BINLOG statement beside its base64


@understood
class HeldChannel:
    """Implements ``ports.Repair``.

    Holds a named lock on the replica for as long as its session lives: the server releases it when the session ends,
    however it ends.
    """

    def __init__(self, endpoint: Endpoint, channel: str) -> None:
        self._endpoint = endpoint
        self._lock = f"replfix:{channel}"[:64]
        self._channel = channel
        self._found_alone: tuple[dict[str, str], float] = {}, 0.0
        self._described: tuple[Session, bytes] | None = None
        self._met: Answers | None = None  # in the rehearsal: what the transaction meets on the replica

    def __enter__(self) -> HeldChannel:
        self._session = self._open()
        try:
            locked = self._session.query(f"SELECT GET_LOCK(%s, 0) AS locked, ({_PACKET}) AS packet", (self._lock,))[0]
            self._session.know(_PACKET, locked["packet"])
            if locked["locked"] != "1":
                raise Busy(
                    f"Another replfix is working on this channel of {self._endpoint} ({self._holder()}).",
                    "Wait until it is done, or look at it with SHOW PROCESSLIST.",
                )
        except BaseException:
            self._session.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def address(self) -> str:
        return str(self._endpoint)

    @property
    def session(self) -> Session:
        return self._session

    def _holder(self) -> str:
        """Return the lock holder's connection, and whose that is as far as the account may see it."""
        holder = self._session.scalar(_LOCK_HOLDER, (self._lock,))
        shown = next((row for row in self._session.query("SHOW PROCESSLIST") if row["Id"] == holder), None)
        account = f", {shown['User']}@{shown['Host']}" if shown else ""
        return f"its connection there is {holder}{account}" if holder else "its connection there has just ended"

    def _open(self) -> Session:
        try:
            values = (*sql.SESSION_VALUES, sql.NOT_LOGGED)
            return Session(self._endpoint, read_seconds=WORK_SECONDS, values=values)
        except PrivilegeError:
            with Session(self._endpoint) as session:  # in which the account is asked for, to name the GRANT
                session.execute(sql.NOT_LOGGED_SESSION)
            raise

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Do as ``Repair.alone``: settings belong to the server, so resolutions on two channels take turns."""
        names = dialect_of(self._session).changeable
        values = "".join(f", @@global.{name} AS {name}" for name in names)
        # The time and the settings as they are once it has the lock.
        asked = f"SELECT GET_LOCK(%s, %s) AS locked{values}, UNIX_TIMESTAMP(SYSDATE(6)) AS now"
        found = self._session.query(asked, (_SETTINGS_LOCK, _TURN_SECONDS))[0]
        if found["locked"] != "1":
            raise Busy(
                f"Another replfix is rehearsing or repairing on another channel of {self._endpoint}.",
                "Nothing was changed. Run the command again in a moment.",
            )
        self._found_alone = {name: str(found[name]) for name in names}, float(found["now"])
        try:
            yield
        finally:
            with suppress(ReplfixError):  # a lost session has lost its locks
                self._session.scalar("SELECT RELEASE_LOCK(%s)", (_SETTINGS_LOCK,))

    def settings(self) -> dict[str, str]:
        now, _ = self._found_alone
        return {name: value for name, value in now.items() if value == _ON}

    def server_time(self) -> datetime:
        _, now = self._found_alone
        return datetime.fromtimestamp(now, UTC)

    def setting(self, name: str) -> SettingNow | None:
        if name not in dialect_of(self._session).changeable:
            return None
        now = self._session.query(f"SELECT @@global.{name} AS value, @@global.read_only AS shut")[0]
        found = self._session.query(_LAST_SET, (name,))
        last = found[0] if found and found[0]["source"] == "DYNAMIC" and found[0]["at"] is not None else None
        return SettingNow(
            protects=now["value"] == _ON,
            shut=now["shut"] == _ON,
            last_set=None
            if last is None
            else LastSet(datetime.fromtimestamp(float(last["at"]), UTC), f"{last['user']}@{last['host']}"),
        )

    @contextmanager
    def writable(self, settings: Mapping[str, str]) -> Iterator[None]:
        changed: dict[str, str] = {}
        try:
            for name, value in settings.items():
                changed[name] = value  # before it is: an interrupt does not say how far the server came
                try:
                    self._session.execute(_set_global(name, "0"))
                except (ServerError, PrivilegeError):
                    del changed[name]
                    raise
            yield
        finally:
            self._put_back(changed, are_changed=True)

    def put_back(self, settings: Mapping[str, str]) -> tuple[str, ...]:
        return self._put_back(settings, are_changed=False)

    def _put_back(self, settings: Mapping[str, str], *, are_changed: bool) -> tuple[str, ...]:
        """``are_changed``: by this run, just now; else they are looked at first."""
        if not settings:
            return ()
        try:
            return self._put_back_in(self._session, settings, are_changed=are_changed)
        except ReplfixError:
            # The session may be what was lost, or be in the middle of something that an interrupt left (switching
            # super_read_only on waits for open transactions): end it, and do it in a new one.
            self._session.close()
            try:
                with self._open() as session:
                    # Until the server has noticed, and the statement that was under way is through: its lock goes then.
                    session.scalar("SELECT GET_LOCK(%s, %s)", (self._lock, sql.LOCK_SECONDS))
                    return self._put_back_in(session, settings, are_changed=False)
            except ReplfixError as error:
                raise NotVerified(
                    f"{', '.join(settings)} could not be put back on {self._endpoint}: {error.message}",
                    "Run 'replfix recover' when the server can be reached: it restores settings. By hand: "
                    + "; ".join(_set_global(name, value) for name, value in settings.items()),
                ) from None

    def _put_back_in(self, session: Session, settings: Mapping[str, str], *, are_changed: bool) -> tuple[str, ...]:
        done = []
        for name, value in settings.items():
            if name in dialect_of(session).changeable:
                if value == _ON and (are_changed or str(session.scalar(f"SELECT @@global.{name}")) != _ON):
                    session.execute(_set_global(name, value))
                    done.append(name)
            elif name == leave_out.counter_of(session) and leave_out.clear_counter(session, self._channel):
                done.append(name)
        return tuple(done)

    def rehearse(self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table]) -> None:
        session = self._session
        try:
            self._rehearse_in(session, plan, transaction, tables)
        except ServerError as error:
            raise RehearsalFailed(f"The rehearsal failed: {error.message}.", NOTHING_CHANGED) from None
        finally:
            # It also ends the ownership of the failing GTID.
            with suppress(ReplfixError):
                session.execute("ROLLBACK")
                session.execute(dialect_of(session).as_itself())

    def _rehearse_in(
        self, session: Session, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table]
    ) -> None:
        self._describe_format(session, transaction)
        _say(session, dialect_of(session).as_transaction(transaction))
        session.execute("BEGIN")
        self._carry_out(session, plan, transaction, tables)
        self._met = find_all(session, tables, questions(transaction.changes, tables))
        self._run_transaction(session, plan, transaction, tables)

    def _describe_format(self, session: Session, transaction: Transaction) -> bool:
        """Execute the Format_description event, which the session needs once; return whether it was executed now."""
        described = transaction.raw.format_description
        if self._described == (session, described):
            return False
        _binlog(session, (described,), _packet(session), "the Format_description event")
        self._described = (session, described)
        return True

    def _run_transaction(
        self, session: Session, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table]
    ) -> None:
        """Run its own events, and read the rows that they leave."""
        packet = _packet(session)
        final = final_rows(transaction.changes, tables)
        asked = [row.lookup for row in final]
        held = find_all(session, tables, [lookup for lookup in asked if lookup.key is None])
        spare = spare_rows(transaction.changes, tables, {lookup: len(rows) for lookup, rows in held.items()})
        most = (packet - _AROUND_EVENTS) * 3 // 4  # of base64
        for step in plan.net_rows:
            statement = _as_events(step, tables[step.table], transaction)
            _must_fit(statement, packet, f"The {step.kind} of a row of {step.table}")
            self._run_step(session, step, statement)
        for what, events in () if plan.way is ApplyMode.NET_ROWS else _own_events(transaction, most):
            _binlog(session, events, packet, what, lambda errno: _why(errno, transaction, tables))
        check_parents.check_children(session, plan, transaction.changes, tables)
        wrong = not_as_final(final, tables, find_all(session, tables, asked), spare)
        if wrong:
            raise RehearsalFailed(
                f"In the rehearsal the transaction was applied, but left rows as it should not: {'; '.join(wrong[:3])}.",
                NOTHING_CHANGED,
            )

    @contextmanager
    def rehearse_backlog(self) -> Iterator[BacklogSession]:
        with self._open() as session:
            rehearsal = BacklogSession(session, self._carry_out, self._run_transaction)
            try:
                yield rehearsal
            finally:
                rehearsal.end()

    def apply(
        self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table], guard: Callable[[], None]
    ) -> None:
        session = self._session
        session.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        if plan.row_events and plan.steps and self._describe_format(session, transaction):
            _say(session, dialect_of(session).reset_gtid_next())
        session.execute("BEGIN")
        try:
            self._carry_out(session, plan, transaction, tables)
            guard()
            self._meets_the_same(session, tables)
        except BaseException as error:
            with suppress(ReplfixError):  # a lost session has been rolled back by the server
                session.execute("ROLLBACK")
            if isinstance(error, ServerError):
                raise NotDone(f"The repair was rolled back: {error.message}.", NOTHING_CHANGED) from None
            raise
        commit(
            session,
            meanwhile="the repair was being committed: it is either done in full or not at all",
            find_out="Run 'replfix diagnose' when the server can be reached again: it shows which.",
            refused="The server did not commit the repair",
            unchanged=NOTHING_CHANGED,
        )

    def commit_transaction(
        self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table], guard: Callable[[], None]
    ) -> None:
        session = self._session
        try:
            session.execute(sql.LOGGED_SESSION)  # as its applier would, for the replicas below
            self._describe_format(session, transaction)
            _say(session, dialect_of(session).as_transaction(transaction))
            session.execute("BEGIN")
            self._meets_the_same(session, tables)
            self._run_transaction(session, plan, transaction, tables)
            guard()
        except BaseException as error:
            self._log_nothing("ROLLBACK")
            if isinstance(error, ServerError):
                raise NotDone(f"The transaction was rolled back: {error.message}.", NOTHING_CHANGED) from None
            raise
        try:
            commit(
                session,
                meanwhile="the transaction was being committed: it is either done in full or not at all",
                find_out="Run 'replfix diagnose' when the server can be reached again: it shows which.",
                refused="The server did not commit the transaction",
                unchanged=NOTHING_CHANGED,
            )
        finally:
            self._log_nothing()

    def _log_nothing(self, *first: str) -> None:
        with suppress(ReplfixError):  # a lost session has been rolled back by the server
            _say(self._session, (*first, *dialect_of(self._session).reset_gtid_next(), sql.NOT_LOGGED_SESSION))

    def rehearse_leaving_out(self, plan: Plan) -> None:
        leave_out.rehearse(self._session, plan, self._channel)

    def commit_empty(self, plan: Plan, guard: Callable[[], None]) -> None:
        leave_out.commit_empty(self._session, plan, guard)

    def check_skip_counter(self) -> None:
        leave_out.check_counter(self._session, self._channel)

    def skip_counter(self) -> str:
        return leave_out.counter_of(self._session)

    def set_skip_counter(self) -> None:
        leave_out.set_counter(self._session, self._channel)

    def _carry_out(
        self, session: Session, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table]
    ) -> None:
        """Lock and compare every row first, then run every step, and check that each written row has its parents.

        Foreign keys are not checked meanwhile. The rehearsal does the same.
        """
        packet = _packet(session)
        if plan.row_events:
            statements = list(_together(plan, tables, transaction, packet))
        else:
            statements = [((step,), step.sql) for step in plan.steps]
        for steps, statement in statements:
            _must_fit(statement, packet, f"The {steps[0].kind} of a row of {steps[0].table}")
        lock_and_compare(session, plan, tables)
        check_parents.compare(session, plan, tables)
        with nullcontext() if plan.row_events else _without_foreign_keys(session):
            self._run(session, plan, statements)
        check_parents.check_parents(session, plan, tables)

    def _run(self, session: Session, plan: Plan, statements: Iterable[tuple[Sequence[Step], str]]) -> None:
        for steps, statement in statements:
            step = steps[0]
            found = self._run_step(session, step, statement, len(steps))
            if found != 1 and not plan.row_events:  # an event that does not find its row is an error
                raise Stale(
                    f"A step of the plan met {found} rows instead of one: {step.sql[:300]}.",
                    MADE_ANEW,
                )

    def _run_step(self, session: Session, step: Step, statement: str, steps: int = 1) -> int:
        """Return how many rows it matched, as far as a statement shows that. ``steps``: how many there are in it from this on."""
        try:
            return session.execute(statement)
        except ServerError as error:
            which = f"one of {steps:,} steps of the plan, from" if steps > 1 else "a step of the plan:"
            raise RehearsalFailed(
                f"The replica rejects {which} {error.text} (error {error.errno}, on: {step.sql[:300]}).",
                NOTHING_CHANGED,
            ) from None

    def _meets_the_same(self, session: Session, tables: Mapping[TableName, Table]) -> None:
        """Compare rows that no step is about too: a key that the transaction needs may be taken since the rehearsal."""
        if self._met is None:
            return
        now = find_all(session, tables, tuple(self._met))
        for lookup, rows in self._met.items():
            # Of rows that were put back, the replica's own columns have the default of that moment.
            rows, found = (
                tuple(without_own(tables[lookup.table], row) for row in each) for each in (rows, now[lookup])
            )
            if rows != found and sorted(map(repr, rows)) != sorted(map(repr, found)):
                what = "came" if len(found) > len(rows) else "went" if len(found) < len(rows) else "changed"
                named = f"{lookup.key or 'all columns'}: {str(lookup)[:_SHOWN_KEY]}"
                raise Stale(f"A row of {lookup.table} {what} since the rehearsal ({named}).", MADE_ANEW)


def _together(
    plan: Plan, tables: Mapping[TableName, Table], transaction: Transaction, packet: int
) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Yield BINLOG statements that do what the steps' SQL does, each with its steps: many rows in one, as the applier would."""
    most = min(TOGETHER_BYTES, (packet - _AROUND_EVENTS) * 3 // 4)  # of base64
    steps: list[Step] = []
    events: list[bytes] = []
    size = 0
    for step in plan.steps:
        of_step = _events(step, tables[step.table], transaction)
        if steps and (len(steps) == TOGETHER_STEPS or size + sum(map(len, of_step)) > most):
            yield tuple(steps), statement_of(events)
            steps, events, size = [], [], 0
        steps.append(step)
        events += of_step
        size += sum(map(len, of_step))
    if steps:
        yield tuple(steps), statement_of(events)


def _own_events(transaction: Transaction, most: int) -> Iterator[tuple[str, tuple[bytes, ...]]]:
    """Yield the transaction's events as BINLOG takes them, and which statements they are of: of a run many small ones in one."""
    number_of, together = len(transaction.raw.statements), TOGETHER_STEPS if transaction.run is not None else 1
    begun, events, size = 1, list[bytes](), 0
    for number, statement in enumerate(transaction.raw.statements, 1):
        more = sum(map(len, statement))
        if events and (number - begun == together or size + more > min(most, TOGETHER_BYTES)):
            yield _numbered(begun, number - 1, number_of), tuple(events)
            begun, events, size = number, [], 0
        if more > most:
            for piece in pieces(statement, transaction.raw.format_description, most):
                yield _numbered(number, number, number_of), piece
            begun = number + 1
            continue
        events += statement
        size += more
    if events:
        yield _numbered(begun, number_of, number_of), tuple(events)


def _numbered(first: int, last: int, of: int) -> str:
    return f"statement {first} of {of}" if first == last else f"statements {first} to {last} of {of}"


def _as_events(step: Step, table: Table, transaction: Transaction) -> str:
    """Return the BINLOG statement that does what the step's SQL does, as the applier would."""
    return statement_of(_events(step, table, transaction))


def _events(step: Step, table: Table, transaction: Transaction) -> Sequence[bytes]:
    crafted = Crafted(
        transaction.raw.format_description, transaction.server_id, int(transaction.committed_at.timestamp())
    )
    try:
        return crafted.change(table, step.current, step.target)
    except Unreadable as error:
        raise RehearsalFailed(error.message, NOTHING_CHANGED) from None


def _say(session: Session, statements: Iterable[str]) -> None:
    for statement in statements:
        session.execute(statement)


@contextmanager
def _without_foreign_keys(session: Session) -> Iterator[None]:
    session.execute(sql.WITHOUT_FOREIGN_KEYS)
    try:
        yield
    finally:
        with suppress(ReplfixError):  # a lost session; on any other the next statement fails
            session.execute(sql.WITH_FOREIGN_KEYS)


def _packet(session: Session) -> int:
    """Return the session's max_allowed_packet, which stays as it was at its beginning."""
    return int(session.scalar_once(_PACKET))


def _must_fit(statement: str, packet: int, what: str) -> None:
    """Refuse a statement that is too long: the server ends the connection on it, without a message."""
    # No character takes more than 4 bytes: only where that could be too much are the bytes counted.
    if len(statement) * 4 >= packet and (size := len(statement.encode()) + 1) > packet:
        raise RehearsalFailed(
            f"{what} needs a statement of {size:,} bytes, and max_allowed_packet is {packet:,} on the replica.",
            f"Nothing was changed. Run the command again after SET GLOBAL max_allowed_packet = {-(-size // 1024) * 1024} "
            "on the replica.",
        )


def _set_global(name: str, value: str) -> str:
    if not _NAME.match(name) or value not in ("0", "1"):
        raise ValueError(f"not a setting that replfix changes: {name}={value}")
    return f"SET GLOBAL {name} = {value}"


def _why(errno: int, transaction: Transaction, tables: Mapping[TableName, Table]) -> str:
    if errno == ER_UNKNOWN_ERROR:
        return " Servers say no more of it where a column has another type than in the event: compare the definitions."
    without = "and the table has no key that names its rows"
    if errno == ER_KEY_NOT_FOUND and (twice := next(changed_twice(transaction.changes, tables), None)):
        return (
            f" One event changes a row of {twice.name} twice, {without}: MySQL can miss such a row although it exists."
        )
    if errno == ER_DUP_ENTRY and (taken := next(taken_over(transaction.changes, tables), None)):
        return (
            f" In one event rows of {taken[0].name} exchange values of {taken[1].name}, {without}: MySQL changes them in "
            f"another order than the source did."
        )
    return ""


def _nothing_known(errno: int) -> str:  # noqa: ARG001 - of any error
    return ""


def _binlog(
    session: Session, events: Sequence[bytes], packet: int, what: str, why: Callable[[int], str] = _nothing_known
) -> None:
    statement = statement_of(events)
    _must_fit(statement, packet, f"A row of the transaction ({what})")
    try:
        session.execute(statement)
    except ServerError as error:
        raise RehearsalFailed(
            f"In the rehearsal the replica rejected the transaction's own events ({what}): {error.text} "
            f"(error {error.errno}).{why(error.errno)}",
            NOTHING_CHANGED,
        ) from None
