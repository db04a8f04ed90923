"""``replfix.recover/1``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from replfix.cli.documents.base import Document, Part
from replfix.errors import ReplfixError
from replfix.present.page.recover_page import RecoverAttempt
from replfix.workflow.recover.recovery import Recovered


class RecoveredPart(Part):
    left_by: str  # the record of the run that was interrupted
    recorded_at: str  # that record: UTC, ISO 8601
    author: str  # of that record
    audit_id: str  # the record that ends its story
    channel: str
    message: str
    next: str


class RecoverErrorPart(Part):
    message: str
    hint: str
    exit_code: int


class RecoverReplicaPart(Part):
    name: str
    recovered: list[RecoveredPart]  # empty: nothing had been left unfinished
    error: RecoverErrorPart | None


class RecoverDocument(Document):
    schema_name: Literal["replfix.recover/1"] = "replfix.recover/1"
    replicas: list[RecoverReplicaPart]
    elsewhere: list[str]  # records of interrupted runs on servers that are none of these replicas


def recover_document(attempts: Iterable[RecoverAttempt], elsewhere: list[str]) -> RecoverDocument:
    """Return what became of every interrupted run; ``elsewhere``: records on servers that are none of these replicas."""
    return RecoverDocument(
        replicas=[
            RecoverReplicaPart(
                name=attempt.replica,
                recovered=[_recovered(each) for each in attempt.done],
                error=None if attempt.error is None else _error(attempt.error),
            )
            for attempt in attempts
        ],
        elsewhere=elsewhere,
    )


def _recovered(each: Recovered) -> RecoveredPart:
    return RecoveredPart(
        left_by=each.told_by.id,
        recorded_at=each.told_by.recorded_at,
        author=each.told_by.author,
        audit_id=each.audit_id,
        channel=each.channel,
        message=each.message,
        next=each.next,
    )


def _error(error: ReplfixError) -> RecoverErrorPart:
    return RecoverErrorPart(message=error.message, hint=error.hint, exit_code=error.exit_code)
