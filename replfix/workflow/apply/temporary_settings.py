"""Settings of the server that are changed for the time of a write, and put back whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from replfix.core.trail.audit_record import RecordKind
from replfix.errors import AuditError, NotVerified, ReplfixError
from replfix.ports import Repair
from replfix.workflow.operation import IncidentLog


@contextmanager
def writable(log: IncidentLog, server_uuid: str, channel: str, repair: Repair) -> Iterator[None]:
    """Move super_read_only and the like out of the way: on record before it is done, put back and on record after."""
    with repair.alone():
        settings = repair.settings()
        if not settings:
            yield
            return
        payload: dict[str, object] = {
            "server_uuid": server_uuid,
            "server_time": repair.server_time().isoformat(),
            "variables": dict(settings),
        }
        log.append(RecordKind.SETTINGS, channel, payload)
        inside: BaseException | None = None
        try:
            with repair.writable(settings):
                try:
                    yield
                except BaseException as error:
                    inside = error
                    raise
        except BaseException as error:
            # The error from inside came through, or the change itself was refused: they are as they were, and a later run
            # must not put them back when they may have been changed on purpose. Any other error leaves that open, and
            # the record with it.
            refused = isinstance(error, ReplfixError) and not isinstance(error, NotVerified)
            if error is inside or refused:
                with suppress(AuditError):
                    log.append(RecordKind.SETTINGS_RESTORED, channel, payload)
            raise
        log.append(RecordKind.SETTINGS_RESTORED, channel, payload)
        log.switched.extend(settings)
