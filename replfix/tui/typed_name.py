"""The box for a name that opens a button: Enter in it goes on to the button, and presses nothing."""

from __future__ import annotations

from textual.widget import Widget
from textual.widgets import Button


def entered(dialog: Widget, button: Button, wanted: str) -> None:
    """Go on to the button; while it is disabled, the name is not ``wanted``, and a notification reports that."""
    if button.disabled:
        dialog.notify(f"That is not {wanted}.", severity="warning", timeout=4, markup=False)
    else:
        button.focus()
