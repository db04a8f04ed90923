"""Time for the workflow, so that tests need not wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Time for the workflow, so that tests need not wait."""

    def now(self) -> float:
        """Seconds, monotonic."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""


Progress = Callable[[str], None]
"""Called with each step that is done, in words for people."""
