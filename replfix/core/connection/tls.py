"""What is to be encrypted and checked on the way to a server, in the words of the MySQL clients."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, fields

VERSIONS = ("TLSv1.2", "TLSv1.3")

_NO = ("0", "off", "false")
_OFF = ("skip-", "disable-")


class TlsMode(enum.StrEnum):
    """``--ssl-mode`` (MySQL manual, "Command Options for Encrypted Connections")."""

    DISABLED = "DISABLED"
    PREFERRED = "PREFERRED"  # where the server can, and nothing is checked
    REQUIRED = "REQUIRED"
    VERIFY_CA = "VERIFY_CA"
    VERIFY_IDENTITY = "VERIFY_IDENTITY"

    @property
    def verifies(self) -> bool:
        """Whether the server's certificate is verified."""
        return self in (TlsMode.VERIFY_CA, TlsMode.VERIFY_IDENTITY)


@dataclass(frozen=True, slots=True)
class Tls:
    """The options as they were given; None: not given. Files are paths as they were written."""

    ssl_mode: TlsMode | None = None
    ssl_ca: str | None = None
    ssl_capath: str | None = None
    ssl_cert: str | None = None
    ssl_key: str | None = None
    ssl_cipher: str | None = None
    tls_version: str | None = None

    @property
    def mode(self) -> TlsMode:
        """The mode in effect. A CA without a mode means that it is checked, unlike in the clients of MySQL 9.7."""
        if self.ssl_mode is not None:
            return self.ssl_mode
        return TlsMode.VERIFY_CA if self.ssl_ca or self.ssl_capath else TlsMode.PREFERRED

    @property
    def versions(self) -> tuple[str, ...]:
        """The TLS versions that are allowed."""
        return tuple(known for known in VERSIONS if self.tls_version is None or known in _versions(self.tls_version))

    def over(self, other: Tls) -> Tls:
        """Return each option from here, else from ``other``. A certificate and its key belong together."""
        mine = {f.name: getattr(self, f.name) for f in fields(self)}
        theirs = {f.name: getattr(other, f.name) for f in fields(other)}
        if self.ssl_cert is not None or self.ssl_key is not None:
            theirs |= {"ssl_cert": None, "ssl_key": None}
        return Tls(**{name: theirs[name] if value is None else value for name, value in mine.items()})


NO_TLS_OPTIONS = Tls()
OPTIONS = tuple(f.name.replace("_", "-") for f in fields(Tls))


def tls_of(options: Mapping[str, str | None]) -> Tls:
    """Read options by their names with ``-``; others are ignored. ValueError, for people, for an impossible value.

    MariaDB's ``ssl`` and ``ssl-verify-server-cert``, with ``skip-`` and ``disable-``, count where there is no
    ``ssl-mode``.
    """
    given = {name.replace("-", "_"): options[name] or None for name in OPTIONS if name in options}
    mode = given.pop("ssl_mode", None)
    version = given.get("tls_version")
    if version is not None:
        checked_versions(version)
    return Tls(ssl_mode=_of_switches(options) if mode is None else mode_of(mode), **given)


def mode_of(text: str) -> TlsMode:
    """Return the mode of that name; ValueError lists the modes."""
    try:
        return TlsMode(text.upper())
    except ValueError:
        raise ValueError(f"ssl-mode is one of {', '.join(TlsMode)}") from None


def checked_versions(text: str) -> str:
    """Return the text when it names only known TLS versions; ValueError otherwise."""
    if not _versions(text) or not _versions(text) <= set(VERSIONS):
        raise ValueError(f"tls-version is {' or '.join(VERSIONS)}, or both with a comma between")
    return text


def _versions(text: str) -> set[str]:
    spelled = {known.lower(): known for known in VERSIONS}
    return {spelled.get(one.strip().lower(), one) for one in text.split(",") if one.strip()}


def _of_switches(options: Mapping[str, str | None]) -> TlsMode | None:
    wanted, verified = _switch(options, "ssl"), _switch(options, "ssl-verify-server-cert")
    if wanted is False:
        return TlsMode.DISABLED
    if verified:
        return TlsMode.VERIFY_IDENTITY
    return TlsMode.REQUIRED if wanted or verified is False else None


def _switch(options: Mapping[str, str | None], name: str) -> bool | None:
    """Return on, off or not given; the last one in the file counts."""
    said = None
    for option, value in options.items():
        if option in (name, *(prefix + name for prefix in _OFF)):
            on = (value or "1").lower() not in _NO
            said = on if option == name else not on
    return said
