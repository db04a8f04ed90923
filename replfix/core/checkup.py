"""The result of looking whether replfix can work with a replica and its source."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    OK = "ok"
    WARNING = "warning"  # replfix works, with less to see or to do
    FAILED = "failed"  # something replfix does will not work


@dataclass(frozen=True, slots=True)
class Check:
    """``code`` is stable for scripts; ``fix`` says what to do, as SQL where that is possible."""

    code: str
    verdict: Verdict
    message: str
    fix: str = ""
