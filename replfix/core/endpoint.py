"""Where a server is and who connects: parsed from ``mysql://user:password@host:port``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from replfix.errors import UsageError

SCHEMES = ("mysql", "mariadb")
DEFAULT_PORT = 3306


class Secret:
    """A password that no ``repr``, log line or traceback shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Account:
    """Who connects. None: not said."""

    user: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server's address and the account to use. ``str()`` gives ``host:port``, never the account's password."""

    host: str
    port: int = DEFAULT_PORT
    user: str | None = None
    password: Secret | None = None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """Parse a URL; UsageError says which part is wrong, and never repeats the URL (it may hold a password)."""
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
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise UsageError("A server URL ends after the port: no database, options or fragment.", hint)
        return cls(
            host=host,
            port=port or DEFAULT_PORT,
            user=unquote(parts.username) if parts.username else None,
            password=Secret(unquote(parts.password)) if parts.password is not None else None,
        )

    def with_account_of(self, other: Endpoint) -> Endpoint:
        """This address, with the other's account where this one names none."""
        if self.user is not None:
            return self
        return replace(self, user=other.user, password=other.password)
