"""What Textual does again and again (8.2), done once for each test process, or where there is something to do: half of the
processor time of the tests of the terminal UI. What is on the screen is the same."""

from __future__ import annotations

from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation
from textual.screen import Screen
from textual.widgets import Footer
from textual.widgets._footer import FooterKey


def quicken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Stylesheet, "_parse_rules", _parsed_once)
    patch.setattr(FooterKey, "__init__", _not_compact)
    patch.setattr(Footer, "bindings_changed", _where_they_changed)


_parse_rules = Stylesheet._parse_rules
_parsed: dict[object, list[RuleSet]] = {}


def _parsed_once(
    sheet: Stylesheet,
    css: str,
    read_from: CSSLocation,
    is_default_rules: bool = False,
    tie_breaker: int = 0,
    scope: str = "",
) -> list[RuleSet]:
    """Textual parses all styles anew for each screen that has some of its own, each theme and each app."""
    key = (css, read_from, is_default_rules, tie_breaker, scope, tuple(sheet._variables.items()))
    if key not in _parsed:
        _parsed[key] = _parse_rules(sheet, css, read_from, is_default_rules, tie_breaker, scope)
    return _parsed[key]


_footer_key = FooterKey.__init__


def _not_compact(key: FooterKey, *args: Any, **more: Any) -> None:
    """A key begins compact and then is made otherwise by its footer: its styles were applied three times for it."""
    _footer_key(key, *args, **more)
    if "-command-palette" not in more.get("classes", ""):  # this one stays compact
        key.set_reactive(FooterKey.compact, False)


_bindings_changed = Footer.bindings_changed


def _where_they_changed(footer: Footer, screen: Screen[Any]) -> None:
    """A footer makes all its keys anew whenever the focus moves."""
    shown = [
        (key, binding.key, binding.key_display, binding.description, binding.action, enabled, tooltip)
        for key, (_, binding, enabled, tooltip) in screen.active_bindings.items()
        if binding.show or key == footer.app.COMMAND_PALETTE_BINDING
    ]
    if shown != getattr(footer, "_shown_before", None):
        if screen.app.app_focus and footer.is_attached and screen is footer.screen:
            footer._shown_before = shown  # type: ignore[attr-defined]
        _bindings_changed(footer, screen)
