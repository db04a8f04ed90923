"""The terminal UI on servers that say what real ones said, with one answer bent: it goes on, and shows text."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from replfix.config import load
from replfix.lab.topology import Lab
from replfix.tui import app as tui
from replfix.tui.app import ReplfixApp
from replfix.tui.backend import WiredBackend
from tests.lying.bending import bend
from tests.lying.fuzz import ACCOUNT, config_for, impatient, staged
from tests.lying.recording import Recorder, Replayer, as_it_is
from tests.tui.driving import Driver
from tests.tui.quicker import quicken
from tests.tui.test_hostile import assert_only_text

CASES = int(os.environ.get("REPLFIX_LIES_ON_SCREEN", "3"))
FIRST = int(os.environ.get("REPLFIX_LIES_FROM", "0"))
LOOKED_AT = ("p", "escape", "t", "escape", "e", "escape", "r")
SETTLED, LONGEST = 0.2, 10.0
pytestmark = pytest.mark.timeout(0 if CASES > 100 else 300)


async def settled(d: Driver) -> str:
    """The screen, when nothing is at work and nothing on it has changed for a while."""
    end, last, since = time.monotonic() + LONGEST, d.text, time.monotonic()
    while time.monotonic() < min(end, since + SETTLED):
        await d.pilot.pause(0.02)
        if d.text != last or not all(worker.is_finished for worker in d.app.workers):
            last, since = d.text, time.monotonic()
    return last


async def looked_at(config: Path) -> list[str]:
    """What stood on the screens, one after the other; whatever the app raises is raised here."""
    loaded = load(str(config))
    backend = WiredBackend(loaded, [loaded.target("it")], lambda _: None)
    seen = []
    try:
        app = ReplfixApp(backend, animate=False)
        async with app.run_test(size=(120, 40)) as pilot:
            d = Driver(app, pilot, backend)
            await d.until(lambda: d.app.watch_.seen("it") is not None, "that it was polled")
            for key in ("", *LOOKED_AT):
                if key:
                    await d.press(key)
                seen.append(await settled(d))
                assert_only_text(d)
                assert ACCOUNT.password not in seen[-1]
    finally:
        backend.close()
    return seen


async def test_it_goes_on(any_pair: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(tui, "DRAW_SECONDS", 0.05)
    quicken(monkeypatch)
    staged(any_pair)
    for _ in range(2):  # the first signs in in full
        with Recorder(any_pair.replica.port) as replica, Recorder(any_pair.source.port) as source:
            seen = await looked_at(config_for(tmp_path, replica.port, source.port))
    assert any("Options" in text for text in seen)
    assert any("source-wins" in text and "DELETE" in text for text in seen), "its plan was on a screen"

    several = {}
    for seed in range(FIRST, FIRST + CASES):
        one = replica.recorded if seed % 2 else source.recorded
        words, bent = bend(seed, one.count)
        with ExitStack() as stack:
            stack.enter_context(impatient(0.3))
            first = stack.enter_context(Replayer(replica.recorded, bent if one is replica.recorded else as_it_is))
            second = stack.enter_context(Replayer(source.recorded, bent if one is source.recorded else as_it_is))
            try:
                several[seed] = await looked_at(config_for(tmp_path, first.port, second.port))
            except Exception as error:
                raise AssertionError(f"seed {seed}: {words}") from error
    assert len({text for seen in several.values() for text in seen}) > CASES, "nothing was reached that could be bent"
