"""Where a server is, who connects and how: parsed from ``mysql://user:password@host:port?ssl-mode=…``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from replfix.core.connection.found_servers import Meets
from replfix.core.connection.limits import LIMITS, Limits
from replfix.core.connection.sign_in import CLIENTS_RULES, SignIn, sign_in_of
from replfix.core.connection.sign_in import OPTIONS as SIGN_IN_OPTIONS
from replfix.core.connection.tls import NO_TLS_OPTIONS, Tls, tls_of
from replfix.core.connection.tls import OPTIONS as TLS_OPTIONS
from replfix.errors import UsageError

SCHEMES = ("mysql", "mariadb")
DEFAULT_PORT = 3306


class Secret:
    """A password that no ``repr``, log line or traceback shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the password; nothing else shows it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Account:
    """Who connects. None: not given."""

    user: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server's address and the account to use. ``str()`` gives ``host:port``, never the account's password.

    With ``socket``, the path of a Unix socket, that is connected to, and the port is not.
    """

    host: str
    port: int = DEFAULT_PORT
    user: str | None = None
    password: Secret | None = None
    socket: str | None = None
    tls: Tls = NO_TLS_OPTIONS
    sign_in: SignIn = CLIENTS_RULES
    limits: Limits = field(default=LIMITS, compare=False, repr=False)
    found_in: str = field(default="", compare=False)
    """Where the address was found; empty for one that somebody named."""
    meets: Meets | None = field(default=None, compare=False, repr=False)

    @property
    def local(self) -> bool:
        """Whether the connection stays on this machine."""
        return self.socket is not None or self.host == "localhost" or _is_loopback(self.host)

    def __str__(self) -> str:
        if self.socket is not None:
            return f"{self.host}:{self.socket}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """Parse a URL; UsageError names the part that is wrong, and never repeats the URL (a password can be in it)."""
        hint = "Write it as mysql://user:password@host:port (reserved characters in user and password percent-encoded)."
        scheme, separator, _ = url.partition("://")
        if not separator:
            raise UsageError("This is not a server URL: it has no scheme.", hint)
        if scheme.lower() not in SCHEMES:
            raise UsageError(f"Unknown scheme {scheme[:20]!r} in a server URL.", hint)
        try:
            parts = urlsplit(url)
            port = parts.port
            host = parts.hostname
        except ValueError:
            raise UsageError("The host or port in a server URL cannot be read.", hint) from None
        if not host:
            raise UsageError("The server URL names no host.", hint)
        if port == 0:
            raise UsageError("The port in a server URL cannot be 0.", hint)
        if parts.path not in ("", "/") or parts.fragment:
            raise UsageError("A server URL ends after the port and its options: no database, no fragment.", hint)
        options = url_options(_split(parts.query))
        return cls(
            host=host,
            port=port or DEFAULT_PORT,
            user=unquote(parts.username) if parts.username else None,
            password=Secret(unquote(parts.password)) if parts.password is not None else None,
            socket=options.socket,
            tls=options.tls,
            sign_in=options.sign_in,
        )

    def visited_as(self, other: Endpoint) -> Endpoint:
        """Return this address with the other's account and TLS options, where this one has none.

        What the other may ask for at login (plugins, a readable password), this one may not.
        """
        with_tls = replace(self, tls=self.tls.over(other.tls), limits=other.limits)
        return with_tls if self.user is not None else replace(with_tls, user=other.user, password=other.password)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class UrlOptions:
    """How to connect, as a URL says it."""

    socket: str | None
    tls: Tls
    sign_in: SignIn


def url_options(options: Iterable[tuple[str, str]]) -> UrlOptions:
    """Return the options of a URL, by their names.

    UsageError for an unknown one, without repeating it: it may be a part of a password with a ``?`` in it.
    """
    known = (*TLS_OPTIONS, *SIGN_IN_OPTIONS, "socket")
    hint = f"Known are {', '.join(known)}. A ? in a password is written %3F."
    given = {}
    for name, value in options:
        name = name.replace("_", "-")
        if name not in known:
            raise UsageError("The URL has an option that is not known.", hint)
        if not value:
            raise UsageError(f"The option {name} of the URL has no value.", hint)
        given[name] = value
    try:
        return UrlOptions(given.get("socket"), tls_of(given), sign_in_of(given))
    except ValueError as error:
        raise UsageError(f"In the URL, {error}.", hint) from None


def _split(query: str) -> Iterator[tuple[str, str]]:
    for option in filter(None, query.split("&")):
        name, _, value = option.partition("=")
        yield name, unquote(value)
