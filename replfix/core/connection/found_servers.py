"""Servers that nobody named, found in what another server reports: what must be known before they see an account."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from replfix.errors import ConnectError

Meets = Callable[[bytes | None], None]
"""Called with the certificate (DER) of a server before any account is sent to it, None where it does not encrypt; ConnectError where none may be."""


def fingerprint(certificate: bytes) -> str:
    """Return the fingerprint as ``openssl x509 -fingerprint -sha256`` has it, without the colons."""
    return hashlib.sha256(certificate).hexdigest()


@dataclass(frozen=True, slots=True)
class Found:
    """A server that was found in ``where``. ``uuid`` is empty where that does not say it (MariaDB)."""

    address: str
    uuid: str
    where: str
    user: str

    @property
    def how(self) -> str:
        """How it was found, for people."""
        return f"{self.address} was found in {self.where}, and nobody named it"

    def question(self, shown: str) -> str:
        """Return the question whether the certificate is trusted; ``shown`` is its fingerprint."""
        whose = f" (server_uuid {self.uuid})" if self.uuid else ""
        return (
            f"{self.how}. Its certificate{whose} has the SHA-256 fingerprint\n  {shown}\nand is not verified. "
            f"Send it the account {self.user!r}, now and from now on?"
        )

    def not_encrypted(self) -> ConnectError:
        """Return the error for a server without TLS."""
        return ConnectError(
            f"{self.how}. It does not encrypt, so it is unknown which server it is: it is sent no account.",
            self._name_it,
        )

    def not_agreed(self, shown: str) -> ConnectError:
        """Return the error for a certificate that nobody has agreed to."""
        return ConnectError(
            f"{self.how}. Its certificate (SHA-256 {shown[:16]}…) is not verified, and nobody has agreed to it: it is sent no account.",
            f"{self._name_it} Or run 'replfix doctor' at a terminal once, and agree to its certificate.",
        )

    def changed(self, shown: str, known: str, file: str) -> ConnectError:
        """Return the error for a certificate that differs from the one agreed to."""
        return ConnectError(
            f"{self.how}. Its certificate is another one than was agreed to (SHA-256 {shown[:16]}…, it was {known[:16]}…): it is sent no "
            "account.",
            f"Where the server has a new one, remove its line from {file} and agree again. MariaDB without a certificate in a file makes a new one at "
            f"each start. {self._name_it}",
        )

    @property
    def _name_it(self) -> str:
        return "Name it: --source URL, or a section [sources.NAME] in replfix.toml; ssl_mode VERIFY_CA with its ssl_ca verifies it."
