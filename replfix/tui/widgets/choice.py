"""A button of a dialog that may want a name typed."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import Button, Input


class Choice(Button):
    """Letters and pasted text go to the dialog's field, where one is shown, also while a button has the focus.

    They are handed on right where they arrive: any later, and those typed fast would pass each other on two ways.
    """

    def post_message(self, message: Message) -> bool:
        typed = isinstance(message, events.Paste) or (isinstance(message, events.Key) and message.is_printable)
        box = next((box for box in self.screen.query(Input) if box.display), None) if typed else None
        if box is None:
            return super().post_message(message)
        self.screen.set_focus(box)
        return box.post_message(message)
