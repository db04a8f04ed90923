"""From the cause of an incident to what the advisor says about it."""

from __future__ import annotations

from collections.abc import Iterable

from replfix.core.advisor.findings import counter_behind, same_numbers, stray_write
from replfix.core.diagnosis.causes import auto_increment_behind, two_writers

_FINDINGS = {
    two_writers.CODE: (same_numbers.CODE, stray_write.CODE),  # of a second writer that is read-only by now
    auto_increment_behind.CODE: (counter_behind.CODE,),
}


def keep_apart(causes: Iterable[str]) -> str:
    """Return where to read how to prevent it from now on; empty where the advisor has nothing on these causes."""
    findings = dict.fromkeys(code for cause in causes if cause in _FINDINGS for code in _FINDINGS[cause])
    if not findings:
        return ""
    return f"To keep it from happening again: 'replfix advise', finding {' or '.join(findings)}."
