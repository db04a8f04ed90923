"""One connection to one server: PyMySQL with its errors as replfix's, and values as the server sent them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import pymysql
from pymysql.constants import CLIENT, CR, ER, SERVER_STATUS
from pymysql.converters import encoders
from pymysql.cursors import Cursor

from replfix.core.connection.endpoint import Endpoint
from replfix.core.connection.privileges import (
    TAG_PRIVILEGE,
    WHETHER_MORE,
    Need,
    Role,
    for_an_administrator,
    privilege_in,
)
from replfix.core.sql import begin_session
from replfix.errors import ConnectError, PrivilegeError, ReplfixError, ServerError, TooSlow
from replfix.one_look import Answer, Look, Question, is_anew, look
from replfix.wire import MISSING_PACKAGE, connect

READ_SECONDS = 60
_BEFORE_WE_DO = 0.9

_REMEMBERED_ROWS = 1000
"""Of an answer that is kept for the rest of a look."""
_REPEATED_TEXT = 4000
"""Characters of a statement that is kept, or asked again with others."""

_REPEATED = 200
"""Statements that are asked again at once."""

_DENIED_LOGIN = {ER.ACCESS_DENIED_ERROR, 1698, 3118}  # wrong account; auth_socket; locked account
_UNKNOWN_PLUGIN = 2059  # CR_AUTH_PLUGIN_CANNOT_LOAD
_DENIED_ACTION = {ER.SPECIFIC_ACCESS_DENIED_ERROR, ER.TABLEACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR, 1143, 1370}
_DENIED_TAG = 6038  # the tag of a GTID takes a privilege of its own (8.3+)
_ENDED = {1053, 3169, 4031}  # the server's last words: it is shutting down, the session was killed or idle for too long
_TOO_LONG = {3024, 1969}  # max_execution_time of MySQL, max_statement_time of MariaDB
_GONE = {
    CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, CR.CR_CONN_HOST_ERROR, CR.CR_CONNECTION_ERROR, CR.CR_MALFORMED_PACKET, 0
} | _ENDED  # fmt: skip

_ENCODERS: dict[Any, Any] = dict(encoders)
"""How PyMySQL writes arguments; without decoders beside them, values come back as the server sent them."""

Row = dict[str, Any]


class Session:
    """A connection in which one caller works. Values come back as ``str``, ``bytes`` or None, never converted.

    ``query`` and ``execute`` take finished SQL: texts with values in them are built by ``replfix.core.sql`` only.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        read_seconds: float | None = None,
        limited: bool = True,
        values: Sequence[str] = (),
        reads: bool = False,
    ) -> None:
        """Connect; ConnectError when the server cannot be reached or rejects the login.

        ``read_seconds``: how long one answer may take, READ_SECONDS by default; the server gives up a little earlier,
        so that it is the one who reports it. Not ``limited``: it may take as long as it takes. ``values``: what else
        the session is set to at its beginning. ``reads``: it only reads, so that inside of ``one_look`` the same
        statement has the same answer, and ``at_once`` sends several.
        """
        self.endpoint = endpoint
        self._reads = reads
        self._foreseen: dict[Question, Answer | ReplfixError] = {}
        self._asked_last: dict[Question, None] = {}  # in the last look, in that order
        self._asked: dict[Question, None] = {}
        self._look: Look | None = None
        self._once: dict[str, Any] = {}
        seconds = READ_SECONDS if read_seconds is None else read_seconds
        try:
            self.connection = connect(
                endpoint,
                answer_seconds=seconds,
                charset="utf8mb4",
                autocommit=True,
                conv=_ENCODERS,
                client_flag=CLIENT.FOUND_ROWS | (CLIENT.MULTI_STATEMENTS if reads else 0),
                init_command=begin_session(seconds * _BEFORE_WE_DO if limited else None, values, snapshots=reads),
                program_name="replfix",
            )
        except pymysql.err.MySQLError as error:
            denied = _errno_and_text(error)[0] in _DENIED_ACTION  # one of ``values``
            raise statement_error(endpoint, error) if denied else _connect_error(endpoint, error) from None
        except RuntimeError as error:
            if MISSING_PACKAGE not in str(error):
                raise
            raise ConnectError(
                f"{endpoint} asks the account {endpoint.user or '(none)'!r} for an ed25519 signature, which requires a package that is not installed.",
                "Install it with: pip install 'replfix[ed25519]'. Or give replfix an account that logs in with mysql_native_password.",
            ) from None
        except OSError as error:
            raise ConnectError(f"Cannot connect to {endpoint}: {error}", _UNREACHED_HINT) from None

    @property
    def server_version(self) -> str:
        """The version that the server sent at connect: ``9.7.4``, ``11.8.6-MariaDB-…``."""
        # MariaDB before 11.0 puts a number in front that old clients of a replica wanted to see.
        version: str = self.connection.get_server_info()  # type: ignore[no-untyped-call]
        return version.removeprefix("5.5.5-")

    @property
    def is_mariadb(self) -> bool:
        """Whether the server is a MariaDB."""
        return "mariadb" in self.server_version.lower()

    def query(self, sql: str, args: Sequence[Any] | Mapping[str, Any] | None = None) -> list[Row]:
        """Return the rows of one statement, as dicts by column label.

        ``args`` are for settings and names in WHERE of the server's own tables; row data goes through
        ``replfix.core.sql``.
        """
        answer = self._answer(self.written(sql, args))
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]

    def query_lossy(self, sql: str) -> list[Row]:
        r"""Do as ``query``, all values as ``str``, for answers with statements of others in them; no UTF-8 becomes ``\xe9``.

        SHOW RELAYLOG EVENTS of MariaDB has the bytes of whoever wrote them (10.11, 11.8), and so has the applier's
        error (10.11).
        """
        answer = self._answer(sql, lossy=True)
        return [
            {
                name: v.decode("utf-8", "backslashreplace") if isinstance(v, bytes) else v
                for name, v in zip(answer.columns, row, strict=True)
            }
            for row in answer.rows
        ]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of one statement, as tuples."""
        return list(self._answer(sql).rows)

    def results(self, sql: str) -> list[list[tuple[Any, ...]]]:
        """Return the rows of each result of one compound statement."""
        with self._ran(sql) as cursor:
            found = []
            while cursor.description is not None:
                found.append(list(cursor.fetchall()))
                cursor.nextset()
            return found

    def written(self, sql: str, args: Sequence[Any] | Mapping[str, Any] | None = None) -> str:
        """Return the statement with its arguments in it."""
        if args is None:
            return sql
        with self.connection.cursor() as cursor:
            return cursor.mogrify(sql, args)

    @contextmanager
    def at_once(self, *statements: str, lossy: Sequence[str] = ()) -> Iterator[None]:
        """Send those statements in one go; inside, each that is asked has its answer already.

        ``lossy`` are those that ``query_lossy`` asks, and come first. After one that the server rejects, the others are
        sent again: that one's error comes when it is asked. In a look, answers are good until its end. A session that
        writes sends each alone: it does not allow several statements in one request.
        """
        questions = [(self, text, True) for text in lossy] + [(self, text, False) for text in statements]
        kept = self._kept()
        self._repeat(kept)
        self._send(kept, [each for each in questions if is_anew() or each not in kept])
        try:
            yield
        finally:
            self._foreseen.clear()

    def _kept(self) -> dict[Question, Answer | ReplfixError]:
        """Return where answers are kept: for the look that is taken now, or until the end of ``at_once``."""
        now = look()
        if now is None or not self._reads:
            return self._foreseen
        if now is not self._look:
            self._look, self._asked_last, self._asked = now, self._asked, {}
        return now.answers

    def asks_again(self) -> bool:
        """Return whether a look that is taken now asks what the last one asked in this session."""
        self._kept()
        now = look()
        return now is not None and now.again and bool(self._asked_last)

    def _repeat(self, kept: dict[Question, Answer | ReplfixError]) -> None:
        """In a look that asks what the last one asked, ask for all of it when anything is asked."""
        now = look()
        if now is None or not now.again or not self._reads or self in now.begun:
            return
        now.begun.add(self)
        self._send(kept, [each for each in self._asked_last if each not in kept])

    def _send(self, kept: dict[Question, Answer | ReplfixError], questions: Sequence[Question]) -> None:
        """Send several statements as one, and keep their answers. One alone is sent when it is asked."""
        left = list(questions)
        while len(left) > 1 and self._reads:
            try:
                with self._ran(";\n".join(text for _, text, _ in left), use_unicode=not left[0][2]) as cursor:
                    while True:
                        kept[left[0]] = _answer_of(cursor)
                        self._note(kept, left.pop(0))
                        self.connection.use_unicode = not left or not left[0][2]
                        if not cursor.nextset():
                            break
            except (ServerError, PrivilegeError, TooSlow) as error:
                if left:
                    kept[left.pop(0)] = error
            else:
                return

    def _answer(self, sql: str, *, lossy: bool = False) -> Answer:
        kept, question = self._kept(), (self, sql, lossy)
        of_a_look = kept is not self._foreseen
        if of_a_look and (self.in_transaction or len(sql) > _REPEATED_TEXT):  # a snapshot has answers of its own
            return self._ask(sql, lossy=lossy)
        self._repeat(kept)
        answer = kept.get(question) if not is_anew() else None
        if answer is None:
            try:
                answer = self._ask(sql, lossy=lossy)
            except (ServerError, PrivilegeError) as error:
                answer = error
            if of_a_look and (isinstance(answer, ReplfixError) or len(answer.rows) <= _REMEMBERED_ROWS):
                kept[question] = answer
        if isinstance(answer, ReplfixError):
            raise answer
        self._note(kept, question)
        return answer

    def _note(self, kept: dict[Question, Answer | ReplfixError], question: Question) -> None:
        """Note what was answered in a look, for one that asks it again."""
        if kept is not self._foreseen and len(self._asked) < _REPEATED:
            self._asked[question] = None

    def _ask(self, sql: str, *, lossy: bool) -> Answer:
        with self._ran(sql, use_unicode=not lossy) as cursor:
            return _answer_of(cursor)

    @property
    def in_transaction(self) -> bool:
        """Whether the server has said that a transaction is open in this session."""
        return bool(self.connection.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)

    def execute(self, sql: str) -> int:
        """Run one statement; the number of rows found (CLIENT_FOUND_ROWS: matched, not only changed)."""
        with self._ran(sql) as cursor:
            return cursor.rowcount

    def scalar(self, sql: str, args: Sequence[Any] | None = None) -> Any:
        """Return the first value of the first row, None without rows."""
        rows = self.query(sql, args)
        return next(iter(rows[0].values())) if rows else None

    def execute_once(self, sql: str) -> None:
        """Run a statement that sets what stays so as long as the session lives; once."""
        if sql not in self._once:
            self.execute(sql)
            self._once[sql] = None

    def know(self, sql: str, value: Any) -> None:
        """Note the answer for ``scalar_once``, where it came with something else."""
        self._once[sql] = value

    def scalar_once(self, sql: str) -> Any:
        """Do as ``scalar``, for what stays the same as long as the session lives: it is asked once."""
        if sql not in self._once:
            self._once[sql] = self.scalar(sql)
        return self._once[sql]

    @contextmanager
    def _ran(self, sql: str, *, use_unicode: bool = True) -> Iterator[Cursor]:
        """Execute a statement and give its cursor; until it is closed, the driver's errors come as replfix's own."""
        self.connection.use_unicode = use_unicode
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql)
                yield cursor
        except pymysql.err.MySQLError as error:
            told = statement_error(self.endpoint, error)
            if isinstance(told, PrivilegeError) and (grant := self._grant(told.message)):
                told = PrivilegeError(told.message, grant)
            raise told from None
        except OSError as error:
            raise ConnectError(f"The connection to {self.endpoint} was lost: {error}", LOST_HINT) from None
        except BaseException:  # Ctrl-C: the answer that is on its way would be taken for that of the next statement
            self.close()
            raise
        finally:
            self.connection.use_unicode = True

    def _grant(self, message: str) -> str:
        """Return the GRANT of the privilege that the server asks for; empty where that is unknown."""
        privilege = privilege_in(message)
        self.connection.use_unicode = True  # an answer to ``told`` was expected as bytes
        try:
            with self.connection.cursor() as cursor:
                shut = "0" if self.is_mariadb else "@@global.super_read_only"
                cursor.execute(f"SELECT CURRENT_USER(), {shut}")
                ((account, super_read_only),) = cursor.fetchall()
        except (pymysql.err.Error, OSError, ValueError):
            return ""
        if not privilege:
            return ""
        needs = (Need(Role.REPLICA, "", (privilege,)),)
        is_shut = str(super_read_only) == "1"
        return (
            f"{for_an_administrator(str(self.endpoint), str(account), needs, super_read_only=is_shut)} {WHETHER_MORE}"
        )

    def close(self) -> None:
        """Close the connection; one that is lost is closed already."""
        try:
            self.connection.close()
        except (pymysql.err.Error, OSError):  # already gone: that is what was wanted
            return

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def _answer_of(cursor: Cursor) -> Answer:
    return Answer(tuple(column[0] for column in cursor.description or ()), tuple(cursor.fetchall()))


_UNREACHED_HINT = "Check the host and port, that the server is up, and that no firewall blocks the connection."
LOST_HINT = "Check that the server is up, then run the command again."


def _errno_and_text(error: pymysql.err.MySQLError) -> tuple[int, str]:
    errno = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    return errno, text


def _connect_error(endpoint: Endpoint, error: pymysql.err.MySQLError) -> ConnectError:
    errno, text = _errno_and_text(error)
    if errno in _DENIED_LOGIN:
        return ConnectError(
            f"{endpoint} rejected the login of {endpoint.user or '(none)'!r}: {text}",
            "Check the user and password in the URL, the option file or the environment, and what the account asks for: REQUIRE "
            "SSL takes ssl-mode=REQUIRED, REQUIRE X509 a certificate with ssl-cert and ssl-key.",
        )
    if errno == _UNKNOWN_PLUGIN:
        named = re.search(r"plugin 'b?'?([\w-]+)", text)
        how = named[1] if named else text
        return ConnectError(
            f"{endpoint} asks the account {endpoint.user or '(none)'!r} to log in by {how}, which replfix does not know.",
            "Give replfix an account that signs in otherwise: by caching_sha2_password on MySQL, on MariaDB by "
            "mysql_native_password or ed25519.",
        )
    return ConnectError(
        f"Cannot connect to {endpoint}: {text}",
        _UNREACHED_HINT,
    )


def statement_error(endpoint: Endpoint, error: pymysql.err.MySQLError) -> ReplfixError:
    """Return what a failed statement means: a lost connection, a missing privilege, or the server's own error."""
    errno, text = _errno_and_text(error)
    if errno in _GONE:  # without words where it had ended before the statement
        return ConnectError(f"The connection to {endpoint} was lost: {text or 'it had ended already'}", LOST_HINT)
    if errno in _TOO_LONG:
        return TooSlow(
            f"{endpoint} was too busy for a statement, and cancelled it: {text}",
            "Look at SHOW PROCESSLIST for the reason, then run the command again.",
        )
    if errno == _DENIED_TAG:
        return PrivilegeError(
            f"The account {endpoint.user!r} on {endpoint} may not use a GTID that has a tag, which requires {TAG_PRIVILEGE}: {text}",
            f"The privilege is {TAG_PRIVILEGE} ON *.*.",
        )
    if errno in _DENIED_ACTION:
        return PrivilegeError(
            f"The account {endpoint.user!r} on {endpoint} may not do this: {text}",
            "Run 'replfix doctor': it names the missing privileges and the GRANT that gives them.",
        )
    return ServerError(str(endpoint), errno, text)
