"""From what is known about an error to its likely reasons."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Confidence
from replfix.core.explain.explanation import Case, Explanation
from replfix.core.explain.guide.guidance import guidance
from replfix.core.explain.reasons import REASONS

_ORDER = {confidence: number for number, confidence in enumerate((Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW))}


def explain(case: Case) -> Explanation:
    """Return every reason that the case supports: by confidence, then in the order of their list."""
    found = [reason for rule in REASONS if (reason := rule.examine(case)) is not None]
    reasons = tuple(sorted(found, key=lambda reason: _ORDER[reason.confidence]))
    return Explanation(case, reasons, guidance(case, reasons))
