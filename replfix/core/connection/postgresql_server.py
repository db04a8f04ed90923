"""A PostgreSQL server, as its URL names it: libpq reads the URL, and takes what is missing from its environment and files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from replfix.core.connection.endpoint import Secret
from replfix.errors import UsageError

SCHEMES = ("postgresql", "postgres")
_HINT = (
    "Write it as postgresql://user@host:port/database?sslmode=verify-full (reserved characters percent-encoded). What is left "
    "out comes from PGHOST, PGUSER, PGSERVICE and the like, a password from ~/.pgpass."
)
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\s@:\[\]]*)(?::([0-9]{1,5}))?\Z")


def is_postgresql(url: str) -> bool:
    """Return whether the URL is of a PostgreSQL server."""
    return url.partition("://")[0].lower() in SCHEMES and "://" in url


@dataclass(frozen=True, slots=True)
class PostgresqlServer:
    """A server to connect to. ``str()`` gives hosts and database, never the account's password."""

    url: Secret  # as it was given
    name: str  # hosts and database, for people
    options: frozenset[str]  # of the URL, by name
    user: str | None
    has_password: bool

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(cls, url: str) -> PostgresqlServer:
        """Check a URL; UsageError never repeats it, because a password can be in any part of one that is wrong."""
        if not is_postgresql(url):
            raise UsageError("This is not the URL of a PostgreSQL server.", _HINT)
        try:
            parts = urlsplit(url)
            options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError:
            raise UsageError("The URL of the PostgreSQL server cannot be read.", _HINT) from None
        account, _, hosts = parts.netloc.rpartition("@")
        if "@" in account or parts.fragment or "/" in parts.path[1:]:
            raise UsageError("The URL of the PostgreSQL server cannot be read.", _HINT)
        for host in hosts.split(","):
            named = _HOST.match(host)
            if named is None or (named[1] is not None and not 0 < int(named[1]) < 65536):
                raise UsageError("The host or port in the URL of the PostgreSQL server cannot be read.", _HINT)
        user, colon, _ = account.partition(":")
        given = dict(options)
        where = unquote(hosts) or given.get("host") or given.get("service") or "PostgreSQL"
        database = unquote(parts.path[1:]) or given.get("dbname", "")
        return cls(
            url=Secret(url),
            name=f"{where}/{database}" if database else where,
            options=frozenset(given),
            user=unquote(user) or given.get("user"),
            has_password=bool(colon) or "password" in given,
        )
