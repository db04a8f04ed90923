"""The certificates that the user has agreed to, in ``$XDG_STATE_HOME/replfix/known_servers``, as ssh's ``known_hosts``.

One server a line: its address, its server_uuid or ``-``, the SHA-256 fingerprint of its certificate.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from replfix import own_files
from replfix.core.connection.endpoint import Endpoint
from replfix.core.connection.found_servers import Found, fingerprint
from replfix.errors import ConfigError

Agree = Callable[[str], bool]
"""Asks the user; False where nobody can be asked."""

_NO_UUID = "-"


class KnownServers:
    """The file of agreed certificates; ``agree`` asks the user."""

    def __init__(self, agree: Agree) -> None:
        self.file = own_files.state_directory() / "known_servers"
        self._agree = agree

    def introduced(self, endpoint: Endpoint, uuid: str = "") -> Endpoint:
        """Return the server as it may be connected to: with an account where it was named or its certificate is verified."""
        if not endpoint.found_in or endpoint.tls.mode.verifies:
            return endpoint
        found = Found(str(endpoint), uuid, endpoint.found_in, endpoint.user or "")
        return replace(endpoint, meets=partial(self.meet, found))

    def meet(self, found: Found, certificate: bytes | None) -> None:
        """Do as ``found_servers.Meets``. ConfigError where the file cannot be trusted, read or written."""
        if certificate is None:
            raise found.not_encrypted()
        shown = fingerprint(certificate)
        known = self._known(found)
        if known is None:
            if not self._agree(found.question(shown)):
                raise found.not_agreed(shown)
            self._remember(found, shown)
        elif known != shown:
            raise found.changed(shown, known, str(self.file))

    def _known(self, found: Found) -> str | None:
        """By address, or by server_uuid where the server has moved."""
        agreed = None
        for address, uuid, print_ in self._lines():
            if address == found.address or (uuid == found.uuid != ""):
                agreed = print_
        return agreed

    def _lines(self) -> list[tuple[str, str, str]]:
        try:
            text = own_files.read(self.file).decode("utf-8", "replace")
        except FileNotFoundError:
            return []
        except own_files.Distrusted as why:
            raise ConfigError(f"{self.file} is not trusted. {why}", why.remedy) from None
        except OSError as error:
            raise ConfigError(f"Cannot read {self.file}: {error.strerror or error}.", "Make it readable.") from None
        words = (line.split() for line in text.splitlines())
        return [(each[0], each[1], each[2]) for each in words if len(each) == 3]

    def _remember(self, found: Found, shown: str) -> None:
        line = f"{found.address} {found.uuid or _NO_UUID} {shown}\n"
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            with os.fdopen(os.open(self.file, flags, 0o600), "w") as file:
                file.write(line)
        except OSError as error:
            raise ConfigError(
                f"Cannot write {self.file}: {error.strerror}.", "Make room for it, or name the source."
            ) from None
