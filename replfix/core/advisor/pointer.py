"""From the cause of an incident to what the advisor says about it."""

from __future__ import annotations

from collections.abc import Iterable

from replfix.core.advisor.findings import counter_behind, same_numbers
from replfix.core.diagnosis.causes import auto_increment_behind, two_writers

_FINDINGS = {two_writers.CODE: same_numbers.CODE, auto_increment_behind.CODE: counter_behind.CODE}


def keep_apart(causes: Iterable[str]) -> str:
    """Return where to read how to prevent it from now on; empty where the advisor has nothing on these causes."""
    findings = dict.fromkeys(_FINDINGS[cause] for cause in causes if cause in _FINDINGS)
    if not findings:
        return ""
    return f"To keep it from happening again: 'replfix advise', finding {', '.join(findings)}."
