"""What all tests of the terminal UI have in common: the same terminal everywhere, and no waiting for its clocks."""

from __future__ import annotations

import gc

import pytest

from replfix.tui import app, watch
from tests.tui.quicker import quicken


@pytest.fixture(autouse=True, scope="session")
def _imported_objects_are_not_collected() -> None:
    """A quarter of the time went into looking at all that was imported, again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "REPLFIX_THEME", "TEXTUAL_THEME", "TEXTUAL_ANIMATIONS", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    quicken(monkeypatch)
    monkeypatch.setattr(app, "DRAW_SECONDS", 0.05)
    monkeypatch.setattr(watch, "BACKOFF_SECONDS", 0.1)
