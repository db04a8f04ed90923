"""One value in full: text as it is, JSON over several lines, bytes as a hex dump."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Static

from replfix.core.rows.row_values import NOT_LOGGED, Json, Value
from replfix.present.row_values_text import shown
from replfix.present.safe_text import visible
from replfix.tui.pager import page
from replfix.tui.screen import ReplfixDialog
from replfix.tui.widgets.long_text import Content, HexDump, LongText, Wrapped, pretty_json

PAGE_WIDTH = 1_000  # cells of a line in a pager, which breaks it as it likes


@dataclass(frozen=True, slots=True)
class Cell:
    """A column's value in one of several images."""

    title: str
    absent: str  # the words for a row that does not exist, or was not read; empty for one that was
    value: Value
    why: str = ""  # it was not read


def whole(cell: Cell) -> Content:
    """Return the value as it is shown in full; for one that is absent, why."""
    value = cell.value
    if cell.absent:
        return Wrapped(cell.why or cell.absent)
    if value in ("", b""):
        return Wrapped("(empty)")
    if isinstance(value, bytes):
        return HexDump(value)
    if isinstance(value, Json):
        return Wrapped(pretty_json(value.text))
    if isinstance(value, str):
        return Wrapped(value.replace("\n", "↵\n"))
    return Wrapped(shown(value))


def length(cell: Cell) -> str:
    """Return how long the value is, in words; empty for values that have no length."""
    value = cell.value
    match value:
        case _ if cell.absent:
            return ""
        case bytes():
            return f"{len(value):,} byte{'' if len(value) == 1 else 's'}"
        case str():
            size = len(value.encode("utf-8", "surrogatepass"))
            return f"{len(value):,} character{'' if len(value) == 1 else 's'}, {size:,} in UTF-8"
        case Json():
            return f"JSON, {len(value.text):,} characters"
        case None:
            return "no value"
        case _:
            return ""


def copy_text(app: App[object], text: str, what: str) -> None:
    """Copy the text, and notify how long it is; ``what`` names it."""
    # A clipboard takes UTF-8; what a server sends need not be.
    app.copy_to_clipboard(text.encode("utf-8", "replace").decode())
    app.notify(f"{what}: {len(text):,} characters copied.", timeout=3, markup=False)


def copy_value(app: App[object], cell: Cell) -> None:
    """Copy the whole value: bytes as hexadecimal digits, text without quotes. Warns where there is none."""
    value = cell.value
    if cell.absent or value is NOT_LOGGED:
        app.notify("There is no value to copy.", severity="warning", timeout=3)
        return
    if isinstance(value, bytes):
        text = f"0x{value.hex().upper()}"
    elif isinstance(value, Json):
        text = value.text
    else:
        text = value if isinstance(value, str) else shown(value)
    copy_text(app, text, f"Value ({cell.title})")


class ValueDialog(ReplfixDialog[None]):
    """``cells`` are the same column in every image; left and right go from one to the other."""

    CSS_PATH = "value_dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,v", "close", "Close", key_display="esc", id="value.close", tooltip="Back to the rows"),
        Binding(
            "left",
            "turn(-1)",
            "Other row",
            id="value.left",
            show=False,
            priority=True,
            tooltip="The same column in the image before",
        ),
        Binding(
            "right",
            "turn(1)",
            "Other row",
            key_display="←→",
            id="value.right",
            priority=True,
            tooltip="The same column in the next image",
        ),
        Binding("y", "copy", "Copy", id="value.copy", tooltip="Copy the whole value to the clipboard"),
        Binding("P", "pager", "Pager", id="value.pager", tooltip="Read the whole value in $PAGER"),
    ]

    def __init__(self, heading: str, cells: list[Cell], at: int = 0) -> None:
        super().__init__()
        self._heading = heading
        self._cells = cells
        self._at = min(at, len(cells) - 1)

    def compose(self) -> ComposeResult:
        with Vertical(id="value-box"):
            yield Static(Text(visible(self._heading, keep_newlines=False), style="bold"), markup=False)
            yield Static(id="value-which", markup=False)
            yield LongText(whole(self._cells[self._at]), id="value-text")
            yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._which()
        self.query_one(LongText).focus()

    def _which(self) -> None:
        cell = self._cells[self._at]
        others = f" ({self._at + 1} of {len(self._cells)})" if len(self._cells) > 1 else ""
        size = length(cell)
        self.query_one("#value-which", Static).update(
            Text.assemble((cell.title, "bold"), others, f"   {size}" if size else "")
        )

    def action_turn(self, by: int) -> None:
        self._at = (self._at + by) % len(self._cells)
        self._which()
        self.query_one(LongText).show(whole(self._cells[self._at]))

    def action_copy(self) -> None:
        copy_value(self.app, self._cells[self._at])

    def action_pager(self) -> None:
        content = whole(self._cells[self._at])
        page(self.app, "\n".join(content.line(n) for n in range(content.fit(PAGE_WIDTH))))

    def action_close(self) -> None:
        self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return action != "turn" or len(self._cells) > 1
