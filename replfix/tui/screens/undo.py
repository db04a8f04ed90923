"""A repair on record, to be taken back: what stands in the way, or what would change, and the question."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Button, Footer, Static

from replfix.core.audit_record import AuditRecord
from replfix.errors import ReplfixError
from replfix.present.shown import shown
from replfix.present.text import visible
from replfix.tui.screen import ReplfixDialog
from replfix.tui.screens.plan import WRITING
from replfix.tui.widgets.points import plural, point, title, together
from replfix.workflow.undo import Undoing, UndoResult

VALUE_WIDTH = 60
ROWS_SHOWN = 20


class UndoDialog(ReplfixDialog[None]):
    """Looks first, in a thread; what is carried out is the very plan that was shown."""

    HELP_TEXT: ClassVar[str] = (
        "A repair is taken back on the replica, all of its rows or none: displaced rows return. It is refused where a key "
        "is taken by another row, or a row is not as the repair left it. The failing transaction itself stays applied."
    )
    CSS_PATH = "undo.tcss"
    AUTO_FOCUS = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="undo.cancel", tooltip="Change nothing, or leave what was done"),
        Binding("up", "scroll_text(-1)", "Scroll", id="undo.up", show=False),
        Binding("down", "scroll_text(1)", "Scroll", id="undo.down", show=False),
        Binding("left,right", "other", "Other button", key_display="←→", id="undo.other", tooltip="Cancel or Undo"),
    ]

    class Ended(Message):
        def __init__(self, undoing: Undoing | None, error: ReplfixError | None) -> None:
            super().__init__()
            self.undoing = undoing
            self.error = error

    def __init__(self, record: AuditRecord) -> None:
        super().__init__()
        self._record = record
        self._looked: Undoing | None = None  # and nothing stood in the way
        self._busy = False

    def compose(self) -> ComposeResult:
        with Vertical(id="undo-box"):
            name = visible(self._record.replica, keep_newlines=False)
            yield Static(Text(f"Undo the repair {self._record.id} on {name}?", style="bold"), markup=False)
            with VerticalScroll(id="undo-text", can_focus=False):
                yield Static(Text("Looking whether it can be undone…"), id="undo-said", markup=False)
            with Horizontal(id="undo-buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Undo", id="undo", compact=True, variant="error", disabled=True)
            yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._work(None)

    # --- looking and writing ---

    def _work(self, approved: str | None) -> None:
        if any(w.group == WRITING and not w.is_finished for w in self.app.workers):
            self._say([point("✗", "Another rehearsal or apply is under way: one at a time.", "bold red")])
            return
        backend, record, journal = self.replfix.backend, self._record, self.replfix.journal
        self.replfix.begin_applying(f"Undoing on {record.replica}")
        self._busy = True

        def work() -> None:
            try:
                undoing = backend.undo(record, approved, lambda text: journal.add(f"{record.replica}: {text}"))
            except ReplfixError as error:
                self.post_message(self.Ended(None, error))
            except BaseException as bug:
                words = f"This is a bug in replfix: {type(bug).__name__}: {bug}"
                self.post_message(self.Ended(None, ReplfixError(words, "The audit trail says what was done.")))
                raise  # the app shows it
            else:
                self.post_message(self.Ended(undoing, None))

        self.app.run_worker(work, name=f"undo {record.id}", group=WRITING, thread=True, exit_on_error=False)

    def on_undo_dialog_ended(self, message: Ended) -> None:
        message.stop()
        self._busy = False
        undoing, error = message.undoing, message.error
        possible = undoing is not None and undoing.dry_run and undoing.result is UndoResult.NEEDS_HUMAN
        self._looked = undoing if possible else None
        self.query_one("#undo", Button).disabled = not possible
        if error is not None:
            self._say([point("✗", error.message, "bold red"), *([point("→", error.hint)] if error.hint else [])])
        elif undoing is not None:
            self._say(_question(undoing) if possible else _end(undoing))
            if not undoing.dry_run:
                self.replfix.note_action(self._record.replica, f"undo: {undoing.result.value}")
        self.query_one("#cancel", Button).focus()
        self.replfix.end_applying()

    def _say(self, parts: Iterator[RenderableType] | list[RenderableType]) -> None:
        self.query_one("#undo-said", Static).update(together(parts))

    # --- keys ---

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "cancel":
            self.action_cancel()
        elif self._looked is not None and not self._busy:
            approved = self._looked.plan.digest
            self.query_one("#undo", Button).disabled = True
            self._say([Text("Undoing: this is not interrupted…")])
            self._work(approved)

    def action_scroll_text(self, by: int) -> None:
        self.query_one("#undo-text").scroll_relative(y=by, animate=False)

    def action_other(self) -> None:
        undo = self.query_one("#undo", Button)
        (self.query_one("#cancel") if undo.has_focus or undo.disabled else undo).focus()

    def action_cancel(self) -> None:
        if self._busy:
            self.notify("Wait until it has come to its end.", severity="warning")
        else:
            self.dismiss(None)


def _question(undoing: Undoing) -> Iterator[RenderableType]:
    steps = undoing.plan.steps
    for step in steps[:ROWS_SHOWN]:
        yield title(visible(f"{step.kind} in {step.table}", keep_newlines=False))
        for number, column in enumerate(step.columns):
            now, then = (
                "(no row)" if i is None else shown(i[number], VALUE_WIDTH) for i in (step.current, step.target)
            )
            if now != then:
                yield point(" ", f"{column}: {now} → {then}")
    if len(steps) > ROWS_SHOWN:
        yield point("…", f"and {plural(len(steps) - ROWS_SHOWN, 'more row')}")
    for risk in undoing.plan.risks:
        yield point("!", risk, "yellow")


def _end(undoing: Undoing) -> Iterator[RenderableType]:
    done = undoing.result in (UndoResult.UNDONE, UndoResult.NOTHING_TO_DO)
    mark, style = ("✔", "bold green") if done else ("✗", "bold red")
    yield point(mark, f"{undoing.result.value.replace('_', ' ')}: {undoing.message}", style)
    for reason in undoing.in_the_way[3:]:  # the message has the first ones
        yield point("·", reason)
    if undoing.hint:
        yield point("→", undoing.hint)
