"""What all screens of replfix have: the app by its own type, and a look at what was polled."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.worker import Worker

from replfix.tui.messages import Polled

if TYPE_CHECKING:
    from replfix.tui.app import ReplfixApp

T = TypeVar("T")


class ReplfixScreen(Screen[T], Generic[T]):
    """A screen of replfix."""

    @property
    def replfix(self) -> ReplfixApp:
        """The app by its own type."""
        return cast("ReplfixApp", self.app)

    def polled(self, message: Polled) -> None:
        """Take what was polled; called for every screen on the stack, also for those under a dialog."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Hand these messages to the app, where every failed worker shows: they do not bubble."""
        self.replfix.on_worker_state_changed(event)


class ReplfixDialog(ModalScreen[T], Generic[T]):
    """A dialog of replfix, with the keys of the app that it needs."""

    # A modal screen hides the app's own keys.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f1,question_mark", "app.help", "Help", key_display="F1", id="dialog.help", tooltip="Keys of this dialog"
        ),
    ]

    @property
    def replfix(self) -> ReplfixApp:
        """The app by its own type."""
        return cast("ReplfixApp", self.app)

    def polled(self, message: Polled) -> None:
        """Take what was polled; called for every screen on the stack, also for those under a dialog."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Hand these messages to the app, where every failed worker shows: they do not bubble."""
        self.replfix.on_worker_state_changed(event)
