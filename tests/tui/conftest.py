"""What all tests of the terminal UI have in common: the same terminal everywhere, and no waiting for its clocks."""

from __future__ import annotations

import gc

import pytest
from textual.widgets._footer import FooterKey

from replfix.tui import app, watch


@pytest.fixture(autouse=True, scope="session")
def _imported_objects_are_not_collected() -> None:
    """A quarter of the time went into looking at all that was imported, again and again."""
    gc.collect()
    gc.freeze()


def _watch_compact(key: FooterKey, compact: bool) -> None:
    """Do as Textual does, where there is something to do: it applies all styles anew for each key of each footer (8.2)."""
    if compact != key.has_class("-compact"):
        key.set_class(compact, "-compact")


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "REPLFIX_THEME", "TEXTUAL_THEME", "TEXTUAL_ANIMATIONS", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setattr(FooterKey, "_watch_compact", _watch_compact)
    monkeypatch.setattr(app, "DRAW_SECONDS", 0.05)
    monkeypatch.setattr(watch, "BACKOFF_SECONDS", 0.1)
