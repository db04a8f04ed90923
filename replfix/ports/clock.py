"""Time for the workflow, so that tests need not wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from replfix.core.words import Advance


class Clock(Protocol):
    """Time for the workflow, so that tests need not wait."""

    def now(self) -> float:
        """Seconds, monotonic."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""


Progress = Callable[["str | Advance"], None]
"""Called with each step that is done, in words for people, and again and again with how far a long one has come."""
