"""One connection to a PostgreSQL server, in which every question is a read-only transaction of its own.

So nothing is left behind in a pooled session, no table's lock outlasts a question, and an error ends one question only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType

import psycopg
from psycopg import pq

from replfix.core.connection.postgresql_server import PostgresqlServer
from replfix.errors import ConnectError, PostgresqlError, PrivilegeError, ReplfixError, UsageError
from replfix.postgresql.bounded import Bounded

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 5
LOCK_SECONDS = 2
ANSWER_SECONDS = 15
"""For all answers of one question, where the server does not cancel the statement itself."""

_SHOWN = 400
_REQUIRE_AUTH = 160000
"""The libpq that knows require_auth."""
_REJECTED = ("authentication failed", "no password supplied", "no pg_hba.conf entry", 'role "')
_STRONG = ("require", "verify-ca", "verify-full")

# An account's own search_path, DateStyle or row_security decide nothing here. row_security off: a query whose rows would be
# filtered fails, in place of an answer without them.
_BEGIN = f"""
BEGIN TRANSACTION READ ONLY;
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
  pg_catalog.set_config('statement_timeout', '{STATEMENT_SECONDS * 1000}', true),
  pg_catalog.set_config('lock_timeout', '{LOCK_SECONDS * 1000}', true),
  pg_catalog.set_config('row_security', 'off', true),
  pg_catalog.set_config('datestyle', 'ISO', true),
  pg_catalog.set_config('bytea_output', 'hex', true),
  pg_catalog.set_config('extra_float_digits', '1', true),
  pg_catalog.set_config('max_parallel_workers_per_gather', '0', true)
"""

AskPassword = Callable[[PostgresqlServer], str | None]
Row = tuple[str | None, ...]


class PostgresqlSession:
    """A connection. Values come back as the server's texts, None for NULL."""

    def __init__(self, server: PostgresqlServer, ask_password: AskPassword) -> None:
        """Connect; ConnectError when the server cannot be reached or rejects the login, UsageError for a URL that is wrong."""
        self._connection = _connect(server, ask_password)
        self.version_number = self._connection.info.server_version
        """As ``server_version_num``: 160014."""

    @property
    def address(self) -> str:
        """``host:port/database``."""
        info = self._connection.info
        host = f"[{info.host}]" if ":" in info.host else info.host
        return f"{host}:{info.port}/{info.dbname}"

    def rows(self, statement: str, args: Mapping[str, object] | None = None) -> list[Row]:
        """Run one query; ConnectError, PrivilegeError, PostgresqlError."""
        connection = self._connection
        try:
            connection.begin(ANSWER_SECONDS)
            with connection.cursor() as cursor:
                cursor.execute(_BEGIN)
                try:
                    cursor.execute(statement, args)
                    return _texts(cursor.pgresult)
                finally:
                    if not connection.closed:
                        with suppress(psycopg.Error):
                            connection.execute("ROLLBACK")
        except psycopg.Error as error:
            raise self._error(error) from None

    def _error(self, error: psycopg.Error) -> ReplfixError:
        state, text = error.sqlstate, _text(error)
        if state is None or (state[:2] in ("08", "57") and state != psycopg.errors.QueryCanceled.sqlstate):
            return ConnectError(
                f"The connection to {self.address} was lost: {text}",
                "Check that the server is up, then run the command again.",
            )
        if state == psycopg.errors.InsufficientPrivilege.sqlstate:
            account = self._connection.info.user
            return PrivilegeError(f"The account {account!r} on {self.address} may not do this: {text}")
        return PostgresqlError(self.address, state, text)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> PostgresqlSession:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def _texts(result: pq.abc.PGresult | None) -> list[Row]:
    if result is None:
        return []
    return [
        tuple(
            None if (value := result.get_value(row, column)) is None else value.decode("utf-8", "replace")
            for column in range(result.nfields)
        )
        for row in range(result.ntuples)
    ]


def _text(error: psycopg.Error) -> str:
    return " ".join((error.diag.message_primary or str(error)).split())[:_SHOWN]


def _connect(server: PostgresqlServer, ask_password: AskPassword) -> Bounded:
    try:
        return _connected(server, None)
    except psycopg.OperationalError as error:
        if error.pgconn is None or not error.pgconn.needs_password or server.has_password:
            raise _connect_error(server, error) from None
        password = ask_password(server)
        if password is None:
            raise _connect_error(server, error) from None
    except psycopg.ProgrammingError:
        raise _misunderstood(server) from None
    try:
        return _connected(server, password)
    except psycopg.Error as error:
        raise _connect_error(server, error) from None


def _connected(server: PostgresqlServer, password: str | None) -> Bounded:
    settings: dict[str, str | int] = {"client_encoding": "UTF8"}
    if password is not None:
        settings["password"] = password
    if "connect_timeout" not in server.options and "PGCONNECT_TIMEOUT" not in os.environ:
        settings["connect_timeout"] = CONNECT_SECONDS
    if "application_name" not in server.options and "PGAPPNAME" not in os.environ:
        settings["application_name"] = "replfix"
    if _would_show_the_password(server):
        settings["require_auth"] = "!password"
    conninfo = psycopg.conninfo.make_conninfo(server.url.reveal(), **settings)
    return Bounded.connect(conninfo, autocommit=True, prepare_threshold=None)


def _would_show_the_password(server: PostgresqlServer) -> bool:
    """Whether libpq would send the password in clear over an unencrypted connection to a server that asks for that.

    A service has its own settings, and what the user says of require_auth counts.
    """
    if {"service", "require_auth"} & server.options or {"PGSERVICE", "PGREQUIREAUTH"} & os.environ.keys():
        return False
    mode = psycopg.conninfo.conninfo_to_dict(server.url.reveal()).get("sslmode") or os.environ.get("PGSSLMODE")
    return mode not in _STRONG and pq.version() >= _REQUIRE_AUTH


def _misunderstood(server: PostgresqlServer) -> UsageError:
    """Without libpq's own words, which repeat parts of the URL."""
    return UsageError(
        f"libpq does not understand the URL of {server}, or what its environment adds to it.",
        "Check the options of the URL, PGSERVICE and its file. psql with the same URL names the mistake.",
    )


def _connect_error(server: PostgresqlServer, error: psycopg.Error) -> ConnectError:
    text = _text(error)
    if "authentication method requirement" in text and "cleartext" in text:
        return ConnectError(
            f"{server} asks for the password in clear, over a connection that need not be encrypted. It was not sent.",
            "Connect with sslmode=verify-full (or require) in the URL; require_auth=password allows it as it is.",
        )
    # libpq gives no SQLSTATE for what ends a connection attempt.
    if any(words in text for words in _REJECTED):
        hint = "Check user and password: the URL, PGUSER, PGPASSWORD, ~/.pgpass; and pg_hba.conf of the server."
        return ConnectError(f"{server} rejected the login: {text}", hint)
    return ConnectError(
        f"Cannot connect to {server}: {text}",
        "Check host, port and database, that the server is up, and that no firewall blocks the connection.",
    )
