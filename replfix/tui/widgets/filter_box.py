"""A line above a list, to type what its rows are to have. Keys may come in a burst: each reaches whom it is meant for."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.widget import Widget
from textual.widgets import Input


def _nothing() -> None:
    return


class FilterBox(Input):
    """Hidden until ``open``; ``close`` takes the text away too.

    Enter hands the keyboard to ``rows`` before the next key is looked at, and has ``settle`` do first what typing has put
    off.

    ``Widget.focus`` waits for its turn (Textual 8): a key that comes in between would go to the wrong place, and be lost.
    """

    def __init__(
        self, placeholder: str, rows: Callable[[], Widget], settle: Callable[[], None] = _nothing, *, id: str
    ) -> None:
        super().__init__(placeholder=placeholder, id=id)
        self._rows = rows
        self._settle = settle
        self.display = False

    def open(self) -> None:
        """Show the box, and give it the keyboard before the next key."""
        self.display = True
        self.screen.set_focus(self)

    def close(self) -> None:
        """Hide the box without its text, and give the keyboard to the rows."""
        self.value = ""
        self.display = False
        self.screen.set_focus(self._rows())

    async def action_submit(self) -> None:
        self._settle()
        self.screen.set_focus(self._rows())

    def on_key(self, event: events.Key) -> None:
        if (
            self.screen.focused is not self
        ):  # it was on its way here when Enter was pressed: the list's bindings have it
            event.prevent_default()

    def late(self, event: events.Key) -> bool:
        """Take a key that was on its way to the list when the box was opened; whether it is text."""
        if event.character is None or not event.is_printable:
            return False
        self.insert_text_at_cursor(event.character)
        return True
