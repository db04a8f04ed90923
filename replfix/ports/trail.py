"""The audit trail: records in a hash chain, appended only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from replfix.core.trail.audit_record import AuditRecord, RecordKind, Verification


class Trail(Protocol):
    """The audit trail: records in a hash chain, appended only."""

    def append(
        self, kind: RecordKind, *, incident: str, replica: str, channel: str, payload: Mapping[str, object]
    ) -> AuditRecord:
        """Durable when it returns; AuditError otherwise."""
        ...

    def check_room(self, *payloads: Mapping[str, object]) -> None:
        """AuditError where there is no room for records of those."""
        ...

    def open_settings(self) -> list[AuditRecord]:
        """Return the records of settings that were changed on some server and not reported as put back."""
        ...

    def open_intents(self) -> list[AuditRecord]:
        """Return the intents without an outcome, oldest first."""
        ...

    def get(self, id_prefix: str) -> AuditRecord:
        """Return the record whose id begins so; UsageError when there is none, or more than one."""
        ...

    def records(
        self, *, incident: str | None = None, limit: int | None = None, newest_first: bool = False
    ) -> Iterator[AuditRecord]:
        """Return the records of one incident, or of all, oldest first by default."""
        ...

    def verify(self) -> Verification:
        """Check the whole trail as it is now, and return the verdict."""
        ...


TrailToRead = Callable[[], AbstractContextManager[Trail]]
"""The trail, opened where it is needed. AuditError or ConfigError when it cannot be."""
