"""``replfix.doctor/1``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from replfix.cli.documents.base import Document, Part
from replfix.core.doctor.checkup import Check


class CheckPart(Part):
    replica: str
    code: str
    verdict: Literal["ok", "warning", "failed"]
    message: str
    fix: str


class DoctorDocument(Document):
    schema_name: Literal["replfix.doctor/1"] = "replfix.doctor/1"
    replica: str | None  # null: several were asked for, and each check names its own
    checks: list[CheckPart]


def doctor_document(checked: Iterable[tuple[str, Check]]) -> DoctorDocument:
    """Of each check, the replica that it is about and the check."""
    listed = list(checked)
    names = {name for name, _ in listed}
    return DoctorDocument(
        replica=names.pop() if len(names) == 1 else None,
        checks=[
            CheckPart(replica=name, code=c.code, verdict=c.verdict.value, message=c.message, fix=c.fix)
            for name, c in listed
        ],
    )
