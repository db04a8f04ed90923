"""Settings of the server that are changed for the time of a write, and put back whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from replfix.core.audit_record import AuditRecord, RecordKind
from replfix.core.plan import Plan
from replfix.errors import AuditError, NotVerified, ReplfixError
from replfix.ports import Repair, Trail
from replfix.workflow.operation import Operation, Story


@contextmanager
def writable(story: Story, plan: Plan, repair: Repair) -> Iterator[None]:
    """super_read_only and the like out of the way, on record before it is done, put back and on record after."""
    with repair.alone():
        settings = repair.settings()
        if not settings:
            yield
            return
        payload: dict[str, object] = {"server_uuid": plan.server_uuid, "variables": dict(settings)}
        story.tell(RecordKind.SETTINGS, plan.channel, payload)
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
                    story.tell(RecordKind.SETTINGS_RESTORED, plan.channel, payload)
            raise
        story.tell(RecordKind.SETTINGS_RESTORED, plan.channel, payload)


def leftovers(trail: Trail, server_uuid: str) -> list[AuditRecord]:
    """Settings of that server which an interrupted run changed and did not put back."""
    return [r for r in trail.open_settings() if r.content.get("server_uuid") == server_uuid]


def put_back_leftovers(operation: Operation) -> None:
    """What a run that was killed left changed on this server, put back before anything else is done.

    Busy when a run that is still at work holds those settings.
    """
    server_uuid = operation.replica.uuid()
    for found in leftovers(operation.trail, server_uuid):
        with operation.replica.repair(found.channel) as repair, repair.alone():
            # Looked up again: the run that held the channel until now may have put them back itself.
            for record in leftovers(operation.trail, server_uuid):
                if record.id == found.id:
                    _put_back(operation, record, repair)


def _put_back(operation: Operation, record: AuditRecord, repair: Repair) -> None:
    variables = record.content.get("variables")
    if isinstance(variables, dict):
        operation.progress(f"Putting back what an interrupted run left changed: {', '.join(variables)}")
        repair.put_back({str(name): str(value) for name, value in variables.items()})
        operation.trail.append(
            RecordKind.SETTINGS_RESTORED,
            incident=record.incident,
            replica=record.replica,
            channel=record.channel,
            payload=record.content,
        )
