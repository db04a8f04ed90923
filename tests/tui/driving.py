"""Running the app headless, waiting for what is on the screen, and reading it as a terminal would get it."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.screen import Screen

from replfix.config.model import Tui
from replfix.tui.app import DEFAULTS, ReplfixApp
from replfix.tui.backend import Backend
from tests.tui.backend import FakeBackend

LIMIT = 20.0  # seconds until a test gives up waiting
SIZE = (120, 40)
BORDERS = re.compile(r"[█▊▎▏│┃▐▌]")


class Driver:
    """The app under a pilot. Nothing here sleeps for a guess: ``until`` looks until it is so."""

    def __init__(self, app: ReplfixApp, pilot: Pilot[None], backend: Backend) -> None:
        self.app = app
        self.pilot = pilot
        self._backend = backend

    @property
    def backend(self) -> FakeBackend:
        """The scripted one, in the tests that are driven by it."""
        assert isinstance(self._backend, FakeBackend)
        return self._backend

    @property
    def screen(self) -> Screen[Any]:
        return self.app.screen

    @property
    def text(self) -> str:
        """What the terminal shows: every line of the compositor, toasts and dialogs with it."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        deadline = time.monotonic() + LIMIT
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"It never came to be {what or 'so'}. The screen:\n{self.text}")
            await self.pilot.pause(0.005)
        await self.pilot.pause()

    def shows(self, *words: str) -> bool:
        """Whether all of them are on the screen, also where a line was broken within one."""
        text = self.text
        flat = " ".join(BORDERS.sub(" ", text).split())
        return all(w in text or " ".join(w.split()) in flat for w in words)

    async def see(self, *words: str) -> None:
        """Wait until all of them are on the screen."""
        await self.until(lambda: self.shows(*words), f"that {words} is on the screen")

    async def gone(self, words: str) -> None:
        await self.until(lambda: words not in self.text, f"that {words!r} is gone")

    async def on(self, screen: type[Screen[Any]]) -> None:
        await self.until(lambda: isinstance(self.app.screen, screen), f"{screen.__name__}, not {self.app.screen}")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    def burst(self, *keys: str) -> None:
        """All of them at once, as a terminal hands over what was typed faster than it is read."""
        for key in keys:
            character = "/" if key == "slash" else key if len(key) == 1 else None
            self.app.post_message(events.Key(key, character))

    async def type(self, text: str) -> None:
        await self.pilot.press(*(("space" if c == " " else c) for c in text))

    async def polled(self, name: str = "db2", times: int = 3) -> None:
        """Wait until that replica was polled again and the screen has taken it over.

        Two polls that began after now have surely seen what the test changed before.
        """
        seen = self.app.watch_.seen(name)
        goal = (seen.sequence if seen else 0) + times
        await self.until(lambda: (s := self.app.watch_.seen(name)) is not None and s.sequence >= goal)
        self.app._draw()
        await self.pilot.pause()

    @property
    def footer(self) -> str:
        return self.text.splitlines()[-1]

    @property
    def notifications(self) -> list[str]:
        return [f"{n.title} {n.message}" for n in self.app._notifications]


@asynccontextmanager
async def driving(
    backend: FakeBackend,
    *,
    size: tuple[int, int] = SIZE,
    open_incident: bool = True,
    animate: bool = False,
    settings: Tui = DEFAULTS,
) -> AsyncIterator[Driver]:
    app = ReplfixApp(backend, open_incident=open_incident, animate=animate, settings=settings)
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            try:
                await pilot.pause()
                yield Driver(app, pilot, backend)
            finally:
                backend.release()  # the loop waits for every thread at its end
    finally:
        backend.release()
