"""A text in full: an error, an id, all that is known of a channel."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Static

from replfix.present.safe_text import visible
from replfix.tui.pager import page
from replfix.tui.screen import ReplfixDialog
from replfix.tui.widgets.long_text import LongText, Wrapped
from replfix.tui.widgets.value_dialog import copy_text


class TextDialog(ReplfixDialog[None]):
    """Text that can be scrolled, copied and read in a pager. It may come from a server: control characters are spelt out."""

    CSS_PATH = "value_dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,v", "close", "Close", key_display="esc", id="text.close", tooltip="Back"),
        Binding("y", "copy", "Copy", id="text.copy", tooltip="Copy all of it to the clipboard"),
        Binding("P", "pager", "Pager", id="text.pager", tooltip="Read it in $PAGER"),
    ]

    def __init__(self, heading: str, text: str) -> None:
        super().__init__()
        self._heading = heading
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(id="value-box"):
            yield Static(Text(visible(self._heading, keep_newlines=False), style="bold"), markup=False)
            yield LongText(Wrapped(self._text), id="value-text")
            yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(LongText).focus()

    def action_copy(self) -> None:
        copy_text(self.app, self._text, "Text")

    def action_pager(self) -> None:
        page(self.app, self._text)

    def action_close(self) -> None:
        self.dismiss(None)
