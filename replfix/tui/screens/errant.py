"""Transactions that only this replica has: what they contain, and the two ways out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Footer, Header, Static
from textual.worker import get_current_worker

from replfix.core.remedies.errant_transactions import Errant
from replfix.errors import ReplfixError
from replfix.present.errant_text import errant_points, option_points
from replfix.present.page.errant_page import NONE, WITHOUT_GTIDS
from replfix.present.page.outcome_page import hint_points
from replfix.present.page.page_model import Block, Point, Symbol, words
from replfix.present.safe_text import visible
from replfix.tui.screen import ReplfixScreen
from replfix.tui.widgets.points import blocks_text


class ErrantScreen(ReplfixScreen[None]):
    """Read when it opens: the polling does not ask the source."""

    CSS_PATH = "errant.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "Again", id="errant.again", tooltip="Look again"),
        Binding("escape,e", "back", "Back", key_display="esc", id="errant.back", tooltip="Back to the incident"),
    ]

    class Found(Message):
        """The errant transactions, None where that is unknown; or the error."""

        def __init__(self, errant: Errant | None, error: ReplfixError | None) -> None:
            super().__init__()
            self.errant = errant
            self.error = error

    def __init__(self, name: str, channel: str) -> None:
        super().__init__()
        self._name_ = name
        self._channel = channel

    def compose(self) -> ComposeResult:
        yield Header()
        with VerticalScroll(id="errant-page"):
            yield Static(id="errant", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.sub_title = f"{visible(self._name_, keep_newlines=False)}: errant transactions"
        self.query_one("#errant-page").focus()
        self.action_again()

    def action_again(self) -> None:
        name, channel = self._name_, self._channel
        self._show([Point(Symbol.MORE, words("Reading the transactions that only the replica has"))])

        def work() -> None:
            worker = get_current_worker()
            found, error = None, None
            try:
                found = self.replfix.backend.errant(name, channel)
            except ReplfixError as reason:
                error = reason
            if not worker.is_cancelled:
                self.post_message(self.Found(found, error))

        self.app.run_worker(
            work, name=f"errant {name}", group=f"errant {id(self)}", thread=True, exclusive=True, exit_on_error=False
        )

    def on_errant_screen_found(self, message: Found) -> None:
        message.stop()
        self._show(_found(message.errant, message.error))

    def _show(self, blocks: Iterable[Block]) -> None:
        self.query_one("#errant", Static).update(blocks_text(blocks))

    def action_back(self) -> None:
        self.dismiss(None)


def _found(errant: Errant | None, error: ReplfixError | None) -> Iterator[Block]:
    if error is not None:
        yield Point(Symbol.QUESTION, words(f"Unknown: {error.message}"))
        yield from hint_points(error.hint)
    elif errant is None:
        yield Point(Symbol.QUESTION, words(WITHOUT_GTIDS))
    elif not errant:
        yield Point(Symbol.OK, words(NONE))
    else:
        yield from errant_points(errant)
        yield from option_points(errant.ways, "the source")
