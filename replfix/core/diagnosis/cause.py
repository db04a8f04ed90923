"""Why something came about: what a diagnosis concludes of a stopped channel, and ``explain`` of an error message."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from replfix.core.remedies.remedy import Fix


class Confidence(enum.StrEnum):
    """How well the evidence supports a cause."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Cause:
    """One explanation that the evidence supports.

    It is concluded, so it can be wrong: it has a confidence. What was read itself, and can only be grave or not, is a
    ``Finding``: two types, because no scale serves both.
    """

    code: str  # stable for scripts
    confidence: Confidence
    summary: str
    evidence: tuple[str, ...]  # sentences, each a fact that was read
    fixes: tuple[Fix, ...] = ()  # empty in a diagnosis: its remedies are for the incident, not for one of its causes
