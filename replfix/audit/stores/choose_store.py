"""From an ``audit.url`` to the store that it names."""

from __future__ import annotations

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from replfix.audit.stores import sqlite_file
from replfix.audit.stores.mysql_server import MysqlStore
from replfix.audit.stores.postgresql import PostgresqlStore
from replfix.audit.stores.sqlite_file import SqliteFile
from replfix.audit.stores.store import Store
from replfix.core.connection.endpoint import Account
from replfix.core.connection.tls import NO_TLS_OPTIONS, Tls
from replfix.errors import ConfigError

NO_ACCOUNT = Account()

_URL_HINT = (
    "Write audit.url as sqlite:////absolute/path/audit.db (four slashes), mysql://user@host:port/database, "
    "mariadb://… or postgresql://user@host:port/database, or leave it out for a file of your own."
)


def store_of(url: str | None, account: Account = NO_ACCOUNT, tls: Tls = NO_TLS_OPTIONS) -> Store:
    """Return the store for a URL; ConfigError for one that names none. Connects to nothing.

    Never repeats the URL: a password can be in it.
    """
    if url is None:
        return SqliteFile(sqlite_file.default_path())
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError("audit.url is no database URL.", _URL_HINT) from None
    kind = parsed.drivername
    if kind in ("sqlite", "sqlite+pysqlite"):
        return SqliteFile(sqlite_file.path_of(parsed))
    if kind not in ("mysql", "mariadb", "postgresql", "postgres"):
        raise ConfigError(f"audit.url: the scheme {kind[:40]!r} is not supported.", _URL_HINT)
    if not parsed.database or not (parsed.host or parsed.query.get("host")):
        raise ConfigError("audit.url names no " + ("host." if parsed.database else "database."), _URL_HINT)
    if kind in ("postgresql", "postgres"):
        return PostgresqlStore(parsed)
    return MysqlStore(parsed, account, tls)
