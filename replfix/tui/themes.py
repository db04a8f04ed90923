"""Themes. Colour is never the only sign of anything, so every theme may be as plain as its terminal."""

from __future__ import annotations

from textual.theme import Theme

THEMES = (
    Theme(name="replfix-dark", primary="#5fafff", secondary="#87afd7", accent="#ffd75f", success="#87d787",
          warning="#ffaf5f", error="#ff6f6f", background="#14171c", surface="#1b1f26", panel="#252a33", dark=True),
    Theme(name="replfix-light", primary="#005f9e", secondary="#3a6ea5", accent="#8a5a00", success="#1e7a1e",
          warning="#8a5a00", error="#b00020", background="#fbfbf8", surface="#f1f1ec", panel="#e4e4de", dark=False),
    Theme(name="replfix-high-contrast", primary="#00ffff", secondary="#ffffff", accent="#ffff00", success="#00ff00",
          warning="#ffff00", error="#ff5555", foreground="#ffffff", background="#000000", surface="#000000",
          panel="#222222", dark=True),
)  # fmt: skip
"""For a terminal with 16 colours there are Textual's own ``ansi-dark`` and ``ansi-light``: the terminal's palette."""
