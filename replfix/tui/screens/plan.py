"""One plan: what it would do exactly, its rehearsal, and its apply."""

from __future__ import annotations

import enum
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Button, Footer, Header, Static

from replfix.core.diagnosis.diagnosis import Diagnosis, Proposal
from replfix.core.plan.outcome import Outcome, Result
from replfix.core.words import Advance
from replfix.errors import ReplfixError, Stale
from replfix.present.page.outcome_page import hint_points, outcome_blocks
from replfix.present.safe_text import visible
from replfix.tui.keys import key_of
from replfix.tui.messages import Polled
from replfix.tui.on_record import audit_id, show_record, show_undo
from replfix.tui.plan_staleness import Fit
from replfix.tui.screen import ReplfixScreen
from replfix.tui.screens.confirm import ConfirmDialog
from replfix.tui.thread_work import (
    AFTER_A_BUG,
    CANNOT_BE_CANCELLED,
    ONE_AT_A_TIME,
    WRITING,
    paced,
    run_and_report,
)
from replfix.tui.widgets.plan_view import PlanView
from replfix.tui.widgets.points import blocks_text, point, together
from replfix.tui.widgets.steps import Steps
from replfix.tui.widgets.value_dialog import copy_text


class Phase(enum.Enum):
    """Symbol, sentence, and style."""

    NEW = ("·", "Not rehearsed yet: {} lets the replica rehearse it, everything is rolled back.", "")
    REHEARSING = ("▶", "The replica rehearses the plan…", "bold cyan")
    REHEARSED = ("✔", "", "bold green")  # what that has shown is in the plan
    REFUSED = ("✗", "Not rehearsed: nothing was changed.", "bold red")
    MISFIT = ("✗", "This plan does not fit any more and cannot be applied.", "bold red")
    APPLYING = ("▶", f"Applying… {CANNOT_BE_CANCELLED}", "bold cyan")
    NOT_DONE = ("✗", "Not applied.", "bold red")
    DONE = ("✔", "Done.", "bold green")


class PlanScreen(ReplfixScreen[Outcome | None]):
    """One plan. The result is the outcome of an apply, None when nothing was applied."""

    CSS_PATH = "plan.tcss"
    AUTO_FOCUS = ""  # the top stays in view
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (130, "-wide")]  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "rehearse", "Rehearse", id="plan.rehearse", tooltip="Let the replica try it; all is rolled back"),
        Binding("a", "apply", "Apply…", id="plan.apply", tooltip="Carry it out; asks before it does"),
        Binding("y", "copy(False)", "Copy", id="plan.copy", tooltip="Copy the SQL of the step at the cursor"),
        Binding("Y", "copy(True)", "Copy all", id="plan.copy_all", tooltip="Copy the SQL of every step"),
        Binding("i", "record", "Record", id="plan.record", tooltip="The record of what was done"),
        Binding("U", "undo", "Undo…", id="plan.undo", tooltip="Take back what was done"),
        Binding("escape", "back", "Back", id="plan.back", tooltip="Back to the incident"),
    ]

    class Began(Message):
        """A step of the rehearsal or the apply that has begun, or how far it has come (``advance``)."""

        def __init__(self, text: str, *, advance: bool = False) -> None:
            super().__init__()
            self.text = text
            self.advance = advance

    class Ended(Message):
        """The end of the rehearsal or the apply: its outcome, or the error."""

        def __init__(self, outcome: Outcome | None, error: ReplfixError | None) -> None:
            super().__init__()
            self.outcome = outcome
            self.error = error

    def __init__(self, name: str, diagnosis: Diagnosis, proposal: Proposal) -> None:
        super().__init__()
        assert proposal.plan is not None
        self._name_ = name
        self._diagnosis = diagnosis
        self._plan = proposal.plan
        self._digest = proposal.plan.digest
        self._phase = Phase.NEW
        self._outcome: Outcome | None = None
        self._fit: Fit | None = None

    @property
    def staleness(self) -> str:
        """Why the plan cannot be applied any more; empty as long as it can."""
        return self._fit.staleness if self._fit else ""

    def compose(self) -> ComposeResult:
        yield Header()
        yield Static(id="banner", markup=False)
        yield Steps(id="progress")
        with VerticalScroll(id="plan-page", can_focus=False), Container(id="plan-holder"):
            yield PlanView(self._plan, self._digest, self._diagnosis.evidence.tables)
        with Horizontal(id="buttons"):
            yield Button("Rehearse", id="rehearse", compact=True)
            yield Button("Apply…", id="apply", compact=True, variant="warning")
            yield Button("Back", id="back", compact=True)
        yield Footer()

    def on_mount(self) -> None:
        self.sub_title = f"{visible(self._name_, keep_newlines=False)}: plan {self._digest[:12]}"
        seen = self.replfix.watch_.seen(self._name_)
        self._fit = Fit(self._name_, self._plan, seen.sequence if seen else 0)
        self._enter(Phase.NEW)
        self.query_one(PlanView).focus_steps()

    # --- its phase ---

    def _enter(self, phase: Phase, error: ReplfixError | None = None) -> None:
        self._phase = phase
        mark, words, style = phase.value
        words = words.format(key_of(self.app, "plan.rehearse", "h"))
        if phase is Phase.REHEARSED:
            words = f"Rehearsed: {self._plan.rehearsal}. {key_of(self.app, 'plan.apply', 'a')} applies it."
        silence = self._fit.silence if self._fit else ""
        if silence and phase is Phase.REHEARSED:
            mark, words, style = "?", "It was rehearsed, and cannot be applied now.", "bold yellow"
        lines = [point(mark, Text(words, style="bold"), style)]
        if silence:
            lines.append(point(" ", silence))
        if self.replfix.read_only:
            lines.append(point("!", f"Neither rehearsed nor applied: {self.replfix.read_only}.", "bold yellow"))
        if phase is Phase.MISFIT and error is None:
            lines.append(point(" ", f"Since it was made: {self.staleness}."))
        if error is not None:
            lines.append(point(" ", error.message))
            lines.append(blocks_text(hint_points(error.hint)))
        if phase is Phase.MISFIT:
            lines.append(point("→", "Go back: the incident is then diagnosed again.", "bold"))
        if phase is Phase.DONE and self._outcome is not None:
            lines = [blocks_text(outcome_blocks(self._outcome))]
        self.query_one("#banner", Static).update(together(lines))
        self.query_one("#rehearse", Button).disabled = not self._can("rehearse")
        self.query_one("#apply", Button).disabled = not self._can("apply")
        self.query_one("#back", Button).disabled = not self._can("back")
        self.refresh_bindings()

    def _can(self, action: str) -> bool:
        at = self._phase
        match action:
            case "rehearse" | "apply" if self.replfix.read_only or (self._fit is not None and self._fit.silence):
                return False
            case "record" | "undo":
                return at is Phase.DONE and self._outcome is not None and bool(audit_id(self._outcome))
            case "rehearse":
                return at in (Phase.NEW, Phase.REHEARSED, Phase.REFUSED, Phase.NOT_DONE) and not self.staleness
            case "apply":
                return at is Phase.REHEARSED and not self.staleness
            case "back":
                return at not in (Phase.REHEARSING, Phase.APPLYING)
            case _:
                return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        if action == "undo":
            return self.replfix.unless_read_only(self._can(action))
        if action in ("rehearse", "apply") and (
            self.replfix.read_only or (self._fit is not None and self._fit.silence)
        ):
            return None
        if action == "apply" and self._phase in (Phase.NEW, Phase.REFUSED, Phase.NOT_DONE):
            return None  # there, but not yet
        return True if action == "back" else self._can(action)  # back notifies why not

    def polled(self, message: Polled) -> None:
        """Look for a stale plan, but not while it writes: then the channel changes because of that, and the workflow looks itself."""
        if self._fit is None or self._phase in (Phase.REHEARSING, Phase.APPLYING, Phase.DONE):
            return
        if self._fit.look(message):
            self._enter(Phase.MISFIT if self._fit.staleness else self._phase)

    # --- rehearse and apply ---

    def action_rehearse(self) -> None:
        if self._can("rehearse"):
            self._work(Phase.REHEARSING)

    def action_apply(self) -> None:
        if not self._can("apply"):
            return

        def decided(yes: bool | None) -> None:
            if yes and self._can("apply"):
                self._work(Phase.APPLYING)

        assert self._fit is not None
        self.app.push_screen(ConfirmDialog(self._plan, self._name_, self._fit.staleness), decided)

    def _work(self, phase: Phase) -> None:
        if any(w.group == WRITING and not w.is_finished for w in self.app.workers):
            self.notify(ONE_AT_A_TIME, severity="warning")
            return
        applying = phase is Phase.APPLYING
        backend, name, plan = self.replfix.backend, self._name_, self._plan
        # A rehearsal changes settings for its time, so it is not left half-way either.
        self.replfix.begin_applying("Applying on" if applying else "Rehearsing on", name)
        self.query_one(Steps).start_anew()
        self._enter(phase)

        begun = paced(lambda text: self.post_message(self.Began(text)))
        advanced = paced(lambda text: self.post_message(self.Began(text, advance=True)))

        def progress(step: str | Advance) -> None:
            (advanced if isinstance(step, Advance) else begun)(step)

        def work() -> None:
            # Its end is reported whatever happens, also when the worker was cancelled: something may have been written.
            run_and_report(
                lambda: (backend.carry_out if applying else backend.rehearse)(name, plan, progress),
                lambda outcome, error: self.post_message(self.Ended(outcome, error)),
                AFTER_A_BUG,
            )

        self.app.run_worker(work, name=f"{phase.name} {name}", group=WRITING, thread=True, exit_on_error=False)

    def on_plan_screen_began(self, message: Began) -> None:
        message.stop()
        if message.advance:
            self.query_one(Steps).advance(message.text)
            return
        self.query_one(Steps).begin(message.text)
        self.replfix.journal.add(f"{self._name_}: {message.text}")

    def on_plan_screen_ended(self, message: Ended) -> None:
        message.stop()
        applying = self._phase is Phase.APPLYING
        outcome, error = message.outcome, message.error
        self.query_one(Steps).end(
            failed=error is not None or (applying and outcome is not None and outcome.result is Result.FAILED)
        )
        if error is not None:
            self._failed(applying, error)
        elif applying:
            self._outcome = outcome
            self._enter(Phase.DONE)
            self.query_one("#back", Button).focus()
            self._note_outcome()
        else:
            self._enter(Phase.REHEARSED)
            self.replfix.note_action(self._name_, "rehearsed")
        self.replfix.end_applying()

    def _failed(self, applying: bool, error: ReplfixError) -> None:
        if isinstance(error, Stale) and self._fit is not None:
            self._fit.staleness = "it was found to fit no more"
            self._enter(Phase.MISFIT, error)
            self.query_one("#back", Button).focus()
        else:
            self._enter(Phase.NOT_DONE if applying else Phase.REFUSED, error)
        self.replfix.note_action(self._name_, f"failed: {error.message}")

    def _note_outcome(self) -> None:
        outcome = self._outcome
        assert outcome is not None
        if outcome.result is Result.FAILED:
            self.replfix.note_action(self._name_, f"failed: {outcome.message}")
        else:
            self.replfix.note_action(self._name_, "resolved 1 transaction")

    # --- other keys ---

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        match event.button.id:
            case "rehearse":
                self.action_rehearse()
            case "apply":
                self.action_apply()
            case _:
                self.action_back()

    def action_copy(self, everything: bool) -> None:
        view = self.query_one(PlanView)
        text, what = view.all_sql if everything else view.step_sql
        copy_text(self.app, text, what)

    def action_record(self) -> None:
        if self._outcome is not None:
            show_record(self.replfix, audit_id(self._outcome))

    def action_undo(self) -> None:
        if self._outcome is not None:
            show_undo(self.replfix, audit_id(self._outcome))

    def action_back(self) -> None:
        if self._phase is Phase.APPLYING:
            self.notify("The plan is being applied: wait until it has come to its end.", severity="warning")
        elif self._phase is Phase.REHEARSING:
            self.notify("The replica rehearses the plan: wait until it has rolled back.", severity="warning")
        else:
            self.dismiss(self._outcome)
