"""What the command palette offers: every action of the screen at hand, and the themes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from textual.app import App, SystemCommand
from textual.binding import ActiveBinding
from textual.screen import Screen

from replfix.tui.themes import THEMES

ANSI_THEMES = ("ansi-dark", "ansi-light")  # Textual's own: the sixteen colours that the terminal has
THEME_NAMES = (*(theme.name for theme in THEMES), *ANSI_THEMES)


def system_commands(app: App[Any], screen: Screen[Any]) -> Iterable[SystemCommand]:
    """Yield one command for each action that is enabled now and has a name; widgets' own keys (arrows) are left out."""
    seen: set[str] = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.id is None or not active.enabled or binding.id in seen or not binding.description:
            continue
        seen.add(binding.id)
        keys = app.get_key_display(binding)
        does = binding.tooltip or binding.description
        yield SystemCommand(binding.description, f"{does} (key: {keys})", _run(app, active))
    for name in THEME_NAMES:
        yield SystemCommand(f"Theme: {name}", _theme_help(app, name), partial(set_theme, app, name))


def _run(app: App[Any], active: ActiveBinding) -> Callable[[], Awaitable[bool]]:
    return partial(app.run_action, active.binding.action, active.node)


def _theme_help(app: App[Any], name: str) -> str:
    if name == app.theme:
        return "The present one"
    return "For terminals with 16 colours" if name in ANSI_THEMES else "Change the colours"


def set_theme(app: App[Any], name: str) -> None:
    """Change the theme; the palette calls it."""
    app.theme = name


def next_theme(app: App[Any]) -> str:
    """Return the theme after the present one."""
    at = THEME_NAMES.index(app.theme) if app.theme in THEME_NAMES else -1
    return THEME_NAMES[(at + 1) % len(THEME_NAMES)]
