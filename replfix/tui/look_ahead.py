"""A forecast that is read in a thread, and can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from replfix.core.conflicts.ahead.forecast import Forecast
from replfix.core.words import Advance
from replfix.errors import ReplfixError
from replfix.tui.thread_work import IN_THE_LOG, paced, run_and_report

if TYPE_CHECKING:
    from replfix.tui.app import ReplfixApp


class _Stopped(Exception):
    """Nobody waits for it any more."""


class LookAhead:
    """One reading of a channel's backlog. ``say`` and ``end`` are called in its thread, and not after ``stop``."""

    def __init__(self, say: Callable[[LookAhead, str], object]) -> None:
        self._stopped = threading.Event()
        self._paced = paced(lambda text: say(self, text))

    def stop(self) -> None:
        """Let the reading end at its next step, with its connections closed."""
        self._stopped.set()

    def start(
        self,
        app: ReplfixApp,
        name: str,
        channel: str,
        end: Callable[[LookAhead, Forecast | None, ReplfixError | None], object],
        *,
        brief: bool,
        values: bool = False,
    ) -> None:
        """Begin to read; ``brief``: as much as takes a few seconds."""

        def read() -> Forecast | None:
            try:
                return app.backend.forecast(name, channel, self._progress, brief=brief, values=values)
            except _Stopped:
                return None

        def ended(found: Forecast | None, error: ReplfixError | None) -> None:
            if not self._stopped.is_set():
                end(self, found, error)

        # A worker of the app: only there do failures show, and a screen that closes does not wait for it.
        app.run_worker(
            lambda: run_and_report(read, ended, IN_THE_LOG),
            name=f"forecast {name}", group="forecast", thread=True, exit_on_error=False,
        )  # fmt: skip

    def _progress(self, step: str | Advance) -> None:
        if self._stopped.is_set():
            raise _Stopped
        self._paced(step)
