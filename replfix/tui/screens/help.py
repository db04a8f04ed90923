"""The keys of the screen at hand, and what the screen is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.table import Table
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from replfix.tui.screen import ReplfixDialog

if TYPE_CHECKING:
    from replfix.tui.app import ReplfixApp


@dataclass(slots=True)
class Key:
    """One action with every key that it is bound to."""

    name: str
    does: str
    keys: list[str] = field(default_factory=list)


class HelpScreen(ReplfixDialog[None]):
    """Keys and purpose of the screen that was on top when it opened."""

    HELP_TEXT: ClassVar[str] = ""
    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,question_mark,f1,q", "close", "Close", key_display="esc", id="help.close", tooltip="Close the help"
        ),
    ]

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._heading = screen.title or type(screen).__name__.removesuffix("Screen").removesuffix("Dialog")
        self._purpose = str(getattr(type(screen), "HELP_TEXT", "") or "")
        # What is active depends on the focus, so it is looked at before this screen takes it.
        self._groups = dict(_groups(screen, cast("ReplfixApp", screen.app).read_only))

    def compose(self) -> ComposeResult:
        with Vertical(id="help"), VerticalScroll(id="help-body"):
            yield Static(Text(f"Help: {self._heading}", style="bold"))
            if self._purpose:
                yield Static(Text(self._purpose), classes="section")
            for title, keys in self._groups.items():
                yield Static(Text(title, style="bold"), classes="title")
                yield Static(_table(keys))
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#help-body").focus()

    def action_close(self) -> None:
        self.dismiss()


def _table(keys: list[Key]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, min_width=10)
    table.add_column(no_wrap=True, min_width=12)
    table.add_column(overflow="fold")
    for key in keys:
        table.add_row(Text(" ".join(key.keys), style="bold"), Text(key.name), Text(key.does))
    return table


def _groups(screen: Screen[Any], read_only: str) -> Iterator[tuple[str, list[Key]]]:
    """Return every key that works now, by where it belongs: an action once, with all of its keys."""
    found: dict[str, dict[tuple[str, int], Key]] = {"This screen": {}, "Moving and editing": {}, "Everywhere": {}}
    # replfix's own bindings have an id: their words win where Textual has the same action on another key.
    for active in sorted(screen.active_bindings.values(), key=lambda active: active.binding.id is None):
        binding = active.binding
        if not (binding.description or binding.tooltip):
            continue
        keys = found[_where(active)]
        key = keys.setdefault((binding.action, id(active.node)), Key(binding.description, _does(active, read_only)))
        shown = screen.app.get_key_display(binding)
        if shown not in key.keys:
            key.keys.append(shown)
    for title, by_action in found.items():
        if by_action:
            yield title, list(by_action.values())


def _does(active: ActiveBinding, read_only: str) -> str:
    if active.enabled:
        return active.binding.tooltip
    return f"{active.binding.tooltip} (not now{f': {read_only}' if read_only else ''})".strip()


def _where(active: ActiveBinding) -> str:
    if isinstance(active.node, App):
        return "Everywhere"
    return "This screen" if active.binding.id is not None else "Moving and editing"
