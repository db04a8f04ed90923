"""``replfix.doctor/1``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from replfix.cli.documents.base import Document, Part
from replfix.core.checkup import Check


class CheckPart(Part):
    code: str
    verdict: Literal["ok", "warning", "failed"]
    message: str
    fix: str


class DoctorDocument(Document):
    schema_name: Literal["replfix.doctor/1"] = "replfix.doctor/1"
    replica: str
    checks: list[CheckPart]


def doctor_document(name: str, checks: Iterable[Check]) -> DoctorDocument:
    return DoctorDocument(
        replica=name,
        checks=[CheckPart(code=c.code, verdict=c.verdict.value, message=c.message, fix=c.fix) for c in checks],
    )
