"""Waiting for what has to come, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST = 90.0
"""Seconds: what has not come by then never will."""


def until(condition: Callable[[], object], what: str = "it never came", seconds: float = LONGEST) -> None:
    """Wait until the condition holds; AssertionError with ``what`` when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
