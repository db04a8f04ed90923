"""From what is known about an error to its likely reasons."""

from __future__ import annotations

from functools import cache
from types import ModuleType

from replfix.core.diagnosis import Confidence
from replfix.core.discover import modules_of
from replfix.core.explain import reasons
from replfix.core.explain.explanation import Case, Explanation, Reason

_ORDER = {confidence: number for number, confidence in enumerate((Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW))}


@cache
def every_reason() -> tuple[ModuleType, ...]:
    return tuple(sorted(modules_of(reasons), key=lambda module: module.RANK))


def explain(case: Case) -> Explanation:
    """Every reason that the case supports: by confidence, then by rank."""
    found: list[Reason] = [r for module in every_reason() if (r := module.examine(case)) is not None]
    return Explanation(case, tuple(sorted(found, key=lambda reason: _ORDER[reason.confidence])))
