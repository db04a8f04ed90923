"""Keys from the configuration: checked at the start, in words that help."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

from replfix import tui
from replfix.config.model import Tui
from replfix.errors import ConfigError
from replfix.tui.app import WITH_KEYS, ReplfixApp, checked
from replfix.tui.keys import bindings_of
from tests.places import DOCS


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({}, {}),
        ({"fleet.sort": "S"}, {"fleet.sort": "S"}),
        ({"fleet.sort": "ctrl+s, f5"}, {"fleet.sort": "ctrl+s,f5"}),
        ({"fleet.sort": "g", "fleet.group": "s"}, {"fleet.sort": "g", "fleet.group": "s"}),  # they trade places
        ({"plan.apply": "s"}, {"plan.apply": "s"}),  # of another screen
    ],
)
def test_keys_that_can_be(given: dict[str, str], taken: dict[str, str]) -> None:
    assert checked(Tui(keys=given)).keys == taken


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"fleet.srot": "S"}, ("names no action: fleet.srot", "Did you mean fleet.sort?")),
        ({"nothing at all": "S"}, ("names no action", "replfix help tui")),
        ({"fleet.sort": "hyperspace"}, ("there is no key 'hyperspace'", "pageup")),
        ({"fleet.sort": "ctrl+"}, ("there is no key 'ctrl+'",)),
        ({"fleet.sort": "a,"}, ("there is no key ''",)),
        ({"fleet.sort": "g"}, ("'g' to fleet.sort", "fleet.group has it", "Give fleet.group another")),
        ({"fleet.sort": "A"}, ("'A' to fleet.sort", "app.audit has it")),
        ({"fleet.sort": "x", "fleet.group": "x"}, ("the key 'x'",)),
        ({"app.audit": "/"}, ("'/' to app.audit", "fleet.filter has it")),
    ],
)
def test_keys_that_cannot_be(given: dict[str, str], words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as found:
        checked(Tui(keys=given))
    assert all(each in f"{found.value.message} {found.value.hint}" for each in words), found.value.message


def test_a_theme_that_nobody_knows_ends_the_start() -> None:
    with pytest.raises(ConfigError, match="no theme 'drak'"):
        checked(Tui(theme="drak"))


def test_every_action_with_a_name_can_be_given_a_key() -> None:
    found: set[str] = set()
    for module in pkgutil.walk_packages(tui.__path__, "replfix.tui."):
        for each in vars(importlib.import_module(module.name)).values():
            if isinstance(each, type) and issubclass(each, DOMNode) and each.__module__ == module.name:
                found |= {str(b.id) for b in each.__dict__.get("BINDINGS", ()) if isinstance(b, Binding) and b.id}
    page = (DOCS / "tui.md").read_text("utf-8")
    for name in found:
        screen, _, action = name.partition(".")
        line = next((line for line in page.splitlines() if line.startswith(f"| `{screen}.` |")), "")
        assert f"`{action}`" in line, f"docs/tui.md does not list {name}"
    assert found == {str(b.id) for each in (*WITH_KEYS, ReplfixApp) for b in bindings_of(each)}
