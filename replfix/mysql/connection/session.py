"""One connection to one server: PyMySQL with its errors as replfix's, and values as the server sent them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, cast

import pymysql
from pymysql.constants import CLIENT, CR, ER
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
from replfix.core.sql import limits
from replfix.errors import ConnectError, PrivilegeError, ReplfixError, ServerError, TooSlow
from replfix.wire import MISSING_PACKAGE, connect

READ_SECONDS = 60
_BEFORE_WE_DO = 0.9

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

    def __init__(self, endpoint: Endpoint, *, read_seconds: float | None = None, limited: bool = True) -> None:
        """Connect; ConnectError when the server cannot be reached or rejects the login.

        ``read_seconds``: how long one answer may take, READ_SECONDS by default; the server gives up a little earlier,
        so that it is the one who reports it. Not ``limited``: it may take as long as it takes.
        """
        self.endpoint = endpoint
        seconds = READ_SECONDS if read_seconds is None else read_seconds
        try:
            self.connection = connect(
                endpoint,
                answer_seconds=seconds,
                charset="utf8mb4",
                autocommit=True,
                conv=_ENCODERS,
                client_flag=CLIENT.FOUND_ROWS,
                init_command=limits(seconds * _BEFORE_WE_DO) if limited else None,
                program_name="replfix",
            )
        except pymysql.err.MySQLError as error:
            raise _connect_error(endpoint, error) from None
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
        with self._ran(sql, args, pymysql.cursors.DictCursor) as cursor:
            return cast("list[Row]", list(cursor.fetchall()))

    def query_lossy(self, sql: str) -> list[Row]:
        r"""Do as ``query``, all values as ``str``, for answers with statements of others in them; no UTF-8 becomes ``\xe9``.

        SHOW RELAYLOG EVENTS of MariaDB has the bytes of whoever wrote them (10.11, 11.8), and so has the applier's
        error (10.11).
        """
        self.connection.use_unicode = False
        try:
            rows = self.query(sql)
        finally:
            self.connection.use_unicode = True
        return [
            {name: v.decode("utf-8", "backslashreplace") if isinstance(v, bytes) else v for name, v in row.items()}
            for row in rows
        ]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of one statement, as tuples."""
        with self._ran(sql) as cursor:
            return list(cursor.fetchall())

    def results(self, sql: str) -> list[list[tuple[Any, ...]]]:
        """Return the rows of each result of one compound statement."""
        with self._ran(sql) as cursor:
            found = []
            while cursor.description is not None:
                found.append(list(cursor.fetchall()))
                cursor.nextset()
            return found

    def execute(self, sql: str) -> int:
        """Run one statement; the number of rows found (CLIENT_FOUND_ROWS: matched, not only changed)."""
        with self._ran(sql) as cursor:
            return cursor.rowcount

    def scalar(self, sql: str, args: Sequence[Any] | None = None) -> Any:
        """Return the first value of the first row, None without rows."""
        rows = self.query(sql, args)
        return next(iter(rows[0].values())) if rows else None

    @contextmanager
    def _ran(
        self, sql: str, args: Sequence[Any] | Mapping[str, Any] | None = None, kind: type[Cursor] = Cursor
    ) -> Iterator[Cursor]:
        """Execute a statement and give its cursor; until it is closed, the driver's errors come as replfix's own."""
        try:
            with self.connection.cursor(kind) as cursor:
                cursor.execute(sql, args)
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
