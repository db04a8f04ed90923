"""In which exchanges a password may be shown to a server, in the words of the MySQL clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

_NO = ("0", "off", "false")


@dataclass(frozen=True, slots=True)
class SignIn:
    """Options of one server; None: not given.

    Without any, no password goes over the wire in a form that can be read, unless the connection is encrypted or does
    not leave the machine (MySQL manual, "Caching SHA-2 Pluggable Authentication", "Client-Side Cleartext Pluggable
    Authentication").
    """

    enable_cleartext_plugin: bool | None = None
    """The server may ask for the password itself (``mysql_clear_password`` of MySQL, ``dialog`` of MariaDB's PAM)."""
    get_server_public_key: bool | None = None
    """Without encryption, the password may be encrypted with a key that the server sends."""
    server_public_key_path: str | None = None
    """… with the key in this file, and with no other."""

    def over(self, other: SignIn) -> SignIn:
        """Return each option from here, else from ``other``."""
        mine = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(other, **{name: value for name, value in mine.items() if value is not None})


CLIENTS_RULES = SignIn()
OPTIONS = tuple(f.name.replace("_", "-") for f in fields(SignIn))


def sign_in_of(options: Mapping[str, str | None]) -> SignIn:
    """Read options by their names with ``-``; others are ignored."""
    return SignIn(
        enable_cleartext_plugin=_switch(options, "enable-cleartext-plugin"),
        get_server_public_key=_switch(options, "get-server-public-key"),
        server_public_key_path=options.get("server-public-key-path") or None,
    )


def _switch(options: Mapping[str, str | None], name: str) -> bool | None:
    if f"skip-{name}" in options:
        return False
    return (options[name] or "1").lower() not in _NO if name in options else None
