"""``replfix.doctor/1``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from replfix.cli.documents.base import Document, Part
from replfix.core.diagnosis.finding import Finding, Severity

Verdict = Literal["ok", "warning", "failed"]
_VERDICTS: dict[Severity, Verdict] = {
    Severity.INFO: "ok",
    Severity.WARNING: "warning",  # replfix works, with less to see or to do
    Severity.CRITICAL: "failed",  # something replfix does will not work
}


class CheckPart(Part):
    replica: str
    code: str
    verdict: Verdict
    message: str
    fix: str


class DoctorDocument(Document):
    schema_name: Literal["replfix.doctor/1"] = "replfix.doctor/1"
    replica: str | None  # null: several were asked for, and each check names its own
    checks: list[CheckPart]


def doctor_document(checked: Iterable[tuple[str, Finding]]) -> DoctorDocument:
    """Of each check, the replica that it is about and the check."""
    listed = list(checked)
    names = {name for name, _ in listed}
    return DoctorDocument(
        replica=names.pop() if len(names) == 1 else None,
        checks=[
            CheckPart(
                replica=name,
                code=c.code,
                verdict=_VERDICTS[c.severity],
                message=c.message,
                fix="\n".join(fix.text for fix in c.fixes),
            )
            for name, c in listed
        ],
    )
