"""Ctrl-C and SIGTERM: at once where nothing is half done, at the next safe point where something is."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from replfix.cli.output import narrate

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def end_on_sigterm() -> None:
    """Let SIGTERM end the command as Ctrl-C does, so that what was changed for a moment is put back."""
    signal.signal(signal.SIGTERM, _interrupt)


@contextmanager
def wait_for_a_safe_point() -> Iterator[None]:
    """Keep an interrupt that comes inside until the end; a second one comes through at once. The main thread's only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting = False

    def later(number: int, frame: FrameType | None) -> None:
        nonlocal waiting
        if waiting:
            _interrupt(number, frame)
        waiting = True
        narrate("Interrupted: the replica is brought to a safe point first. Once more stops at once.")

    before = {number: signal.signal(number, later) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if waiting:
        raise KeyboardInterrupt
