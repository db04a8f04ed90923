"""The keys that ``[audit]`` names, by file or by command: read once, when the first is needed, and shown to nobody."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from replfix import own_files
from replfix.core.trail.audit_key import Key, KeyRing, Unusable, key_of
from replfix.core.words import help_on
from replfix.errors import AuditError

COMMAND_SECONDS = 30.0
LARGEST = 1 << 16
"""Bytes of a key."""

_HINT = (
    "Nothing was changed. A key is what 'openssl genpkey -algorithm ed25519' or 'openssl rand -hex 32' writes; see "
    f"{help_on('configuration')}."
)


@dataclass(frozen=True)
class Keys:
    """``file`` or ``command``: of the key that signs. ``verifying``: files of further keys whose records are valid."""

    file: Path | None = None
    command: str | None = None
    verifying: tuple[Path, ...] = ()
    signed_from: int | None = None

    @cached_property
    def signing(self) -> Key | None:
        """None where none is configured. AuditError where it cannot be read, or does not sign."""
        key = self._own
        if key is not None and not key.secret:
            raise AuditError(
                f"{self._origin} has the public half of a key, which verifies records and does not sign them.",
                "Nothing was changed. Name it in audit.verify_keys, and the private half in audit.key_file where records are written.",
            )
        return key

    @cached_property
    def ring(self) -> KeyRing:
        """All that verify. AuditError where one cannot be read."""
        own = [self._own] if self._own is not None else []
        return KeyRing.of([*own, *(_of_file(path) for path in self.verifying)], self.signed_from)

    @cached_property
    def _own(self) -> Key | None:
        if self.file is not None:
            return _of_file(self.file)
        return _of_command(self.command) if self.command is not None else None

    @property
    def _origin(self) -> str:
        return str(self.file) if self.file is not None else "What audit.key_command prints"


NO_KEYS = Keys()


def _of_file(path: Path) -> Key:
    try:
        key = key_of(own_files.read(path, largest=LARGEST))
        if key.secret:
            own_files.judge_secret(path)
    except own_files.Distrusted as why:
        raise AuditError(f"The audit key {path} is not used. {why}", f"Nothing was changed. {why.remedy}") from None
    except OSError as error:
        raise AuditError(f"The audit key {path} cannot be read: {error.strerror or error}.", _HINT) from None
    except Unusable as why:
        raise AuditError(f"The audit key {path} cannot be used: {why}.", _HINT) from None
    return key


def _of_command(command: str) -> Key:
    """Without a shell; what it prints is never repeated."""
    try:
        words = shlex.split(command)
        done = subprocess.run(  # noqa: S603 (no shell; the words are those of the user's own configuration)
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS, check=False
        )
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        why = (
            f"it did not end within {COMMAND_SECONDS:.0f} s"
            if isinstance(error, subprocess.TimeoutExpired)
            else str(error)
        )
        raise AuditError(f"audit.key_command cannot be run: {why}.", _HINT) from None
    if done.returncode != 0:
        raise AuditError(f"audit.key_command ended with {done.returncode}, and gave no key.", _HINT)
    if len(done.stdout) > LARGEST:
        raise AuditError(f"audit.key_command printed more than {LARGEST:,} bytes, which is no key.", _HINT)
    try:
        return key_of(done.stdout)
    except Unusable as why:
        raise AuditError(f"What audit.key_command prints cannot be used as a key: {why}.", _HINT) from None
