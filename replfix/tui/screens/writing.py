"""A dialog that shows what there is to do, does it in a thread when it is wanted, and shows how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Generic, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Button, Footer, Input, Static

from replfix.errors import ReplfixError
from replfix.ports import Progress
from replfix.present.page.outcome_page import hint_points
from replfix.present.page.page_model import Block, Point, Sentence, Symbol, words
from replfix.present.progress_text import LISTED
from replfix.present.safe_text import visible
from replfix.tui.backend import Backend
from replfix.tui.screen import ReplfixDialog
from replfix.tui.thread_work import AFTER_A_BUG, CANNOT_BE_CANCELLED, ONE_AT_A_TIME, WRITING, paced, run_and_report
from replfix.tui.typed_name import entered
from replfix.tui.widgets.choice import Choice
from replfix.tui.widgets.points import blocks_text

T = TypeVar("T")


class WritingDialog(ReplfixDialog[None], Generic[T]):
    """Cancel has the focus first. What is under way is not left: the app waits for its end."""

    CSS_PATH = "writing.tcss"
    AUTO_FOCUS = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="writing.cancel", tooltip="Change nothing, or leave what was done"),
        Binding("up", "scroll_text(-1)", "Scroll", id="writing.up", show=False),
        Binding("down", "scroll_text(1)", "Scroll", id="writing.down", show=False),
        Binding(
            "left,right", "other", "Other button", key_display="←→", id="writing.other", tooltip="Cancel, or do it"
        ),
    ]

    class Ended(Message):
        """``done`` is what the job gave."""

        def __init__(self, done: Any, error: ReplfixError | None) -> None:
            super().__init__()
            self.done = done
            self.error = error

    def __init__(self, replica: str, question: str, verb: str, first: str = "") -> None:
        super().__init__()
        self.replica = replica
        self._question = question
        self._verb = verb
        self._first = first
        self._busy = False
        self._wanted = ""  # to be typed before the button can be pressed

    # --- what a dialog of this kind shows and does ---

    def named_by(self, _done: T) -> str:
        """Return what has to be typed before what there is to do is done; empty for nothing."""
        return ""

    def ended(self, done: T) -> tuple[bool, Iterable[Block]]:
        """Return whether there is something to be done now, and what to show."""
        raise NotImplementedError

    def wanted(self) -> None:
        """Begin what there is to do: the button was pressed."""
        raise NotImplementedError

    # --- the rest ---

    def compose(self) -> ComposeResult:
        with Vertical(id="writing-box"):
            yield Static(Text(visible(self._question, keep_newlines=False), style="bold"), markup=False)
            with VerticalScroll(id="writing-text", can_focus=False):
                yield Static(Text(self._first), id="writing-said", markup=False)
            yield Static(id="writing-ask", markup=False)
            yield Input(id="writing-name", placeholder="schema.table", compact=True, select_on_focus=False)
            with Horizontal(id="writing-buttons"):
                yield Choice("Cancel", id="cancel", compact=True)
                yield Choice(self._verb, id="do", compact=True, variant="error", disabled=True)
            yield Footer(show_command_palette=False)

    def work(self, what: str, job: Callable[[Backend, Progress], T]) -> None:
        """Do it in a thread, one at a time in all of the app; ``ended`` gets what came of it."""
        if any(w.group == WRITING and not w.is_finished for w in self.app.workers):
            self.say([Point(Symbol.ERROR, words(ONE_AT_A_TIME))])
            return
        backend, replica, journal = self.replfix.backend, self.replica, self.replfix.journal
        self.replfix.begin_applying(what, replica)
        self._busy = True

        def run() -> None:
            run_and_report(
                lambda: job(backend, paced(lambda text: journal.add(f"{replica}: {text}"), LISTED, LISTED)),
                lambda done, error: self.post_message(self.Ended(done, error)),
                AFTER_A_BUG,
            )

        self.app.run_worker(run, name=f"{what} {replica}", group=WRITING, thread=True, exit_on_error=False)

    def on_writing_dialog_ended(self, message: Ended) -> None:
        message.stop()
        self._busy = False
        error = message.error
        if error is None:
            possible, said = self.ended(message.done)
        else:
            possible, said = False, (Point(Symbol.ERROR, words(error.message)), *hint_points(error.hint))
        self.say(said)
        self._ask_for(visible(self.named_by(message.done), keep_newlines=False) if possible else "")
        self.query_one("#do", Button).disabled = not possible or bool(self._wanted)
        self.query_one("#cancel", Button).focus()
        self.replfix.end_applying()

    def _ask_for(self, name: str) -> None:
        self._wanted = name
        ask, box = self.query_one("#writing-ask", Static), self.query_one("#writing-name", Input)
        ask.display = box.display = bool(name)
        ask.update(Text.assemble(f"{self._verb}: type ", (name, "bold reverse")))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._wanted and not self._busy:
            self.query_one("#do", Button).disabled = event.value.strip() != self._wanted

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        entered(self, self.query_one("#do", Button), self._wanted)

    def say(self, blocks: Iterable[Block]) -> None:
        """Show this in place of what was shown before."""
        self.query_one("#writing-said", Static).update(blocks_text(blocks))

    def say_busy(self, what: str) -> None:
        """Show that it is under way and cannot be cancelled."""
        self.say([Sentence(words(f"{what}… {CANNOT_BE_CANCELLED}"))])

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "cancel":
            self.action_cancel()
        elif not self._busy:
            event.button.disabled = True
            self._ask_for("")
            self.wanted()

    def action_scroll_text(self, by: int) -> None:
        self.query_one("#writing-text").scroll_relative(y=by, animate=False)

    def action_other(self) -> None:
        do = self.query_one("#do", Button)
        (self.query_one("#cancel") if do.has_focus or do.disabled else do).focus()

    def action_cancel(self) -> None:
        if self._busy:
            self.notify("Wait until it has come to its end.", severity="warning")
        else:
            self.dismiss(None)
