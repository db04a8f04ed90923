"""``replfix.audit-list/1``, ``replfix.audit-record/1`` and ``replfix.audit-verify/1``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from replfix.cli.documents.base import Document, Part
from replfix.core.trail.audit_record import AuditRecord, Break, Verification
from replfix.core.trail.record_summary import summarize
from replfix.core.trail.trail_anchor import Anchor


class RecordPart(Part):
    id: str
    seq: int
    recorded_at: str  # UTC, ISO 8601
    kind: str
    incident: str
    replica: str
    channel: str
    author: str
    version: str
    strategy: str | None  # of a plan on record; null in other records
    errno: int | None  # of the error that it was made for
    tables: list[str]  # whose rows it is about, as schema.table
    displaced_rows: int | None  # rows of the replica that it deletes or changes
    result: str | None  # of an outcome; of an intent that of its last outcome in the list's selection

    @classmethod
    def of(cls, record: AuditRecord, result: str | None = None) -> RecordPart:
        about = summarize(record)
        return cls(
            **{name: getattr(record, name) for name in _OF_THE_RECORD},
            strategy=about.strategy,
            errno=about.errno,
            tables=list(about.tables),
            displaced_rows=about.displaced,
            result=about.result or result,
        )


_OF_THE_RECORD = ("id", "seq", "recorded_at", "kind", "incident", "replica", "channel", "author", "version")


class AuditList(Document):
    schema_name: Literal["replfix.audit-list/1"] = "replfix.audit-list/1"
    trail: str  # the file, or the shared database
    records: list[RecordPart]


class AuditExport(Document):
    """What `audit export --output FILE --json` wrote; the records themselves are lines of the file."""

    schema_name: Literal["replfix.audit-export/1"] = "replfix.audit-export/1"
    trail: str  # the file, or the shared database
    output: str
    records: int
    last_id: str | None


class AnchorPart(Part):
    seq: int
    hash: str
    anchored_at: str  # UTC, ISO 8601

    @classmethod
    def of(cls, anchor: Anchor) -> AnchorPart:
        return cls(seq=anchor.seq, hash=anchor.hash, anchored_at=anchor.anchored_at)


class BrokenPlacePart(Part):
    place: str
    message: str
    hint: str


class AuditAnchor(Document):
    schema_name: Literal["replfix.audit-anchor/1"] = "replfix.audit-anchor/1"
    trail: str  # the file, or the shared database
    anchor: AnchorPart | None  # null: the trail is empty
    kept: list[str]  # places
    failed: list[BrokenPlacePart]


class AuditPrune(Document):
    schema_name: Literal["replfix.audit-prune/1"] = "replfix.audit-prune/1"
    trail: str
    output: str | None  # the file that they went to; null: nothing went
    records: int
    through: str | None  # the id of the last one that went


class AuditRecordDocument(Document):
    schema_name: Literal["replfix.audit-record/1"] = "replfix.audit-record/1"
    id: str
    seq: int
    recorded_at: str
    kind: str
    incident: str
    replica: str
    channel: str
    author: str
    version: str
    payload: dict[str, Any]
    previous_hash: str
    hash: str
    key_id: str  # of the key that signed it; empty: it is not signed
    signature: str
    sound: bool  # its own hash fits; `audit verify` judges the chain

    @classmethod
    def of(cls, record: AuditRecord) -> AuditRecordDocument:
        names = cls.model_fields.keys() - {"schema_name", "payload"}
        return cls(payload=record.content, **{name: getattr(record, name) for name in names})


class BreakPart(Part):
    kind: Literal[
        "changed", "removed", "reordered", "repeated", "added", "illegible", "unsigned", "forged", "unknown-key"
    ]
    seq: int
    id: str | None
    message: str

    @classmethod
    def of(cls, found: Break) -> BreakPart:
        return cls(kind=found.kind.value, seq=found.seq, id=found.record_id, message=found.message)


class AuditVerify(Document):
    schema_name: Literal["replfix.audit-verify/1"] = "replfix.audit-verify/1"
    trail: str  # the file that was checked
    whole: bool
    records: int
    head_seq: int
    head_hash: str
    signed: int  # how many records have a signature
    anchors: int  # how many it was compared with
    anchors_read: list[str]  # the places that they were read from
    signatures_checked: bool  # false: no key is configured to check them with
    first_broken: BreakPart | None
    breaks: list[BreakPart]  # at most 100

    @classmethod
    def of(
        cls, trail: str, verification: Verification, *, anchors: int = 0, anchors_read: Sequence[str] = ()
    ) -> AuditVerify:
        first = verification.first
        return cls(
            trail=trail,
            whole=verification.whole,
            records=verification.records,
            head_seq=verification.head.seq,
            head_hash=verification.head.hash,
            signed=verification.signed,
            anchors=anchors,
            anchors_read=list(anchors_read),
            signatures_checked=verification.checked,
            first_broken=BreakPart.of(first) if first else None,
            breaks=[BreakPart.of(found) for found in verification.breaks[:100]],
        )
