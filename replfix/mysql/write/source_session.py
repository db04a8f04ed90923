"""Writes on a source: rehearsed and rolled back, later done as compare and swap, logged like any client's work.

By statements, and with the source's triggers and foreign keys at work: a plan lists the triggers that its steps can
fire, and has no step that would cascade.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace

from replfix.core import sql
from replfix.core.connection.endpoint import Endpoint
from replfix.core.connection.privileges import Need, Role
from replfix.core.plan.plan import SourceWrite, Step
from replfix.core.rows.lookup import by_identity
from replfix.core.rows.row_diff import differing
from replfix.core.rows.row_values import RowImage, laid_over
from replfix.core.schema.table import Table, TableName
from replfix.errors import Busy, NotDone, PrivilegeError, RehearsalFailed, ReplfixError, ServerError, Stale
from replfix.mysql.connection.commit import commit
from replfix.mysql.connection.grants import give_everything
from replfix.mysql.connection.session import Session
from replfix.mysql.read.find_rows import find_now
from replfix.mysql.read.trigger_targets import read_reach
from replfix.wire.understood import understood

_NOTHING_WRITTEN = "Nothing was written on the source."
_ROW_FORMAT = "ROW"
_LOCK = "replfix:source"
_TURN_SECONDS = 30


@understood
class SourceSession:
    """Implements ``ports.Writing``.

    Sessions of one source take turns: the server keeps the lock of a client that was killed until its COMMIT is done,
    so the next one sees the outcome.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __enter__(self) -> SourceSession:
        self._session = Session(self._endpoint)
        try:
            for statement in (*sql.SESSION_SETTINGS, *sql.CHECKED_SESSION):
                self._session.execute(statement)
            self._log_rows()
            if self._session.scalar("SELECT GET_LOCK(%s, %s)", (_LOCK, _TURN_SECONDS)) != "1":
                raise Busy(f"Another replfix is writing on the source {self._endpoint}.", _NOTHING_WRITTEN)
        except BaseException:
            self._session.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def address(self) -> str:
        return str(self._endpoint)

    def _log_rows(self) -> None:
        """Log the rows: as a statement, it would fire triggers on the replicas, and cascade there on its own."""
        if str(self._session.scalar("SELECT @@session.binlog_format")).upper() == _ROW_FORMAT:
            return
        try:
            self._session.execute(sql.ROWS_LOGGED_SESSION)
        except PrivilegeError as error:
            raise PrivilegeError(
                f"The source {self._endpoint} does not log rows (binlog_format), and its account may not change that: "
                f"{error.message}",
                f"{error.hint} Or SET GLOBAL binlog_format = 'ROW' there.",
            ) from None

    def rehearse(self, part: SourceWrite, tables: Mapping[TableName, Table]) -> None:
        try:
            self._carry_out(part, tables)
        except ServerError as error:
            raise RehearsalFailed(
                f"The source rejects its part of the plan: {error.message}.", _NOTHING_WRITTEN
            ) from None
        finally:
            self._roll_back()

    def write(
        self, part: SourceWrite, tables: Mapping[TableName, Table], tell: Callable[[tuple[Step, ...]], None]
    ) -> None:
        try:
            tell(self._carry_out(part, tables))
        except BaseException as error:
            self._roll_back()
            if isinstance(error, ServerError):
                raise NotDone(f"The source rejected its part: {error.message}.", _NOTHING_WRITTEN) from None
            raise
        commit(
            self._session,
            meanwhile="the source committed: it is either done in full or not at all",
            find_out="'replfix recover' finds out which when the source can be reached again.",
            refused="The source did not commit",
            unchanged=_NOTHING_WRITTEN,
        )

    def _roll_back(self) -> None:
        with suppress(ReplfixError):  # a lost session has been rolled back by the server
            self._session.execute("ROLLBACK")

    def _carry_out(self, part: SourceWrite, tables: Mapping[TableName, Table]) -> tuple[Step, ...]:
        """Lock and compare every row first, then run every step, then read the rows that are there now."""
        self._session.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")  # no lock on a gap
        self._session.execute("BEGIN")
        self._hold_triggers(part)
        for step in part.steps:
            if step.current is not None:
                self._compare(tables[step.table], step.current)
        done: list[Step] = []
        for number, step in enumerate(part.steps, 1):
            done.append(self._run(step, tables[step.table], done))
            if step.new_key:
                self._session.execute(sql.keep_key(number))
        # At the end: a trigger of one step may change what another wrote.
        return tuple(self._read_back(step, part, tables[step.table]) for step in done)

    def _hold_triggers(self, part: SourceWrite) -> None:
        """Keep everybody from creating or dropping a trigger of those tables until the transaction ends."""
        for name in dict.fromkeys((*(step.table for step in part.steps), *(fired.table for fired in part.fires))):
            self._session.execute(sql.hold_definition(name))
        now = read_reach(self._session, part.writes)
        if set(now.fires) != set(part.fires) or now.obstacles:
            others = sorted(str(fired) for fired in set(now.fires) ^ set(part.fires))
            said = f": {', '.join(others)}" if others else f". {' '.join(now.obstacles)}"
            raise Stale(
                f"What fires on the source is not what was diagnosed any more{said}.".replace("..", "."),
                _NOTHING_WRITTEN,
            )

    def _compare(self, table: Table, current: RowImage) -> None:
        lookup = by_identity(table, current)
        assert lookup is not None
        with self._needing("SELECT, UPDATE", table):
            rows = find_now(self._session, table, lookup, locking=True)
        if len(rows) != 1:
            raise Stale(f"On the source a row of {table.name} is gone.", _NOTHING_WRITTEN)
        if columns := differing(table, current, rows[0]):
            raise Stale(
                f"On the source a row of {table.name} is no longer what was diagnosed: {', '.join(columns)} changed.",
                _NOTHING_WRITTEN,
            )

    @contextmanager
    def _needing(self, privileges: str, table: Table) -> Iterator[None]:
        try:
            yield
        except PrivilegeError as error:
            raise PrivilegeError(
                error.message,
                f"{_NOTHING_WRITTEN} keep-both and replica-wins write on the source. "
                + give_everything(
                    self._session,
                    Role.SOURCE,
                    *(
                        Need(Role.SOURCE, "write", (name,), sql.table_name(table.name))
                        for name in privileges.split(", ")
                    ),
                ),
            ) from None

    def _run(self, step: Step, table: Table, before: list[Step]) -> Step:
        """Return the step with the values that it got."""
        session = self._session
        with self._needing(step.kind.value.upper(), table):
            found = session.execute(step.sql)
        if found != 1:
            raise Stale(f"On the source a step met {found} rows instead of one: {step.sql[:300]}.", _NOTHING_WRITTEN)
        if step.target is None:
            return step
        values = list(step.target)
        if step.new_key:
            values[table.column(step.new_key).ordinal] = int(session.scalar(sql.LAST_INSERTED))
        for column, number in step.takes:
            parent = before[number - 1]
            assert parent.target is not None
            values[table.column(column).ordinal] = parent.target[parent.columns.index(parent.new_key)]
        target = tuple(values)
        if target != step.target:
            text, undo = sql.insert_row(table, target), sql.delete_row(table, target)
            step = replace(step, target=target, sql=text, undo_sql=undo)
        return step

    def _read_back(self, step: Step, part: SourceWrite, table: Table) -> Step:
        """Return the step with what the source generated."""
        if step.target is None:
            return step
        lookup = by_identity(table, step.target)
        rows = find_now(self._session, table, lookup) if lookup is not None else ()
        if len(rows) != 1 or (columns := differing(table, step.target, rows[0])):
            what = f"differs in {', '.join(columns)}" if len(rows) == 1 else f"is there {len(rows)} times"
            fired = f" What changes it can be {', '.join(map(str, part.fires))}." if part.fires else ""
            raise RehearsalFailed(
                f"On the source a row of {table.name} would not be stored as it is to be written: it {what}.{fired}",
                _NOTHING_WRITTEN,
            )
        written = laid_over(rows[0], step.target)
        return replace(step, target=written)
