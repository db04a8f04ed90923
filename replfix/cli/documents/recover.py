"""``replfix.recover/1``."""

from __future__ import annotations

from typing import Literal

from replfix.cli.documents.base import Document, Part


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
    recovered: list[RecoveredPart]  # empty: nothing had been left behind
    error: RecoverErrorPart | None


class RecoverDocument(Document):
    schema_name: Literal["replfix.recover/1"] = "replfix.recover/1"
    replicas: list[RecoverReplicaPart]
    elsewhere: list[str]  # records of interrupted runs on servers that are none of these replicas
