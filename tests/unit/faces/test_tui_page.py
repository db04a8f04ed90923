"""docs/tui.md names every key that a footer shows, and every theme."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

from replfix.tui import app, screens
from replfix.tui.palette import THEME_NAMES
from tests.places import DOCS

PAGE = (DOCS / "tui.md").read_text()
SPELT = {"escape": "Esc", "slash": "/", "question_mark": "?", "enter": "Enter", "end": "End", "home": "Home"}
DIALOGS = ("confirm", "help", "recover", "undo", "writing")  # their keys are on the buttons


def modules() -> Iterator[ModuleType]:
    yield app
    for found in pkgutil.iter_modules(screens.__path__):
        if found.name not in DIALOGS:
            yield importlib.import_module(f"{screens.__name__}.{found.name}")


def bindings() -> Iterator[tuple[str, Binding]]:
    for module in modules():
        for name, node in vars(module).items():
            if isinstance(node, type) and issubclass(node, DOMNode) and node.__module__ == module.__name__:
                for binding in node.BINDINGS:
                    assert isinstance(binding, Binding)
                    yield name, binding


@pytest.mark.parametrize(("where", "binding"), [pytest.param(w, b, id=str(b.id)) for w, b in bindings()])
def test_every_key_is_on_the_page_and_has_a_name_and_a_tooltip(where: str, binding: Binding) -> None:
    first = binding.key.split(",")[0]
    shown = SPELT.get(first, first.replace("ctrl+", "Ctrl+").replace("+t", "+T").replace("+l", "+L"))
    assert f"`{shown}`" in PAGE
    assert binding.id, where
    assert binding.description
    assert binding.tooltip or not binding.show


@pytest.mark.parametrize("name", THEME_NAMES)
def test_every_theme_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE
