"""One channel of one replica: what happened, why, the rows side by side, what can be done."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Footer, Header, Static
from textual.worker import get_current_worker

from replfix.core.conflicts.ahead.forecast import Forecast
from replfix.core.diagnosis.diagnosis import Diagnosis, Proposal
from replfix.core.plan.outcome import Outcome
from replfix.core.replication.replica_status import ChannelStatus
from replfix.core.trail.audit_record import AuditRecord
from replfix.errors import ReplfixError
from replfix.present.channel_state import called
from replfix.present.page.forecast_page import more_ahead
from replfix.present.safe_text import visible
from replfix.tui.channel_changes import Change, ShownChannel
from replfix.tui.keys import key_of
from replfix.tui.look_ahead import LookAhead
from replfix.tui.messages import Polled
from replfix.tui.on_record import audit_id, show_record, show_undo
from replfix.tui.saved_reports import save
from replfix.tui.screen import ReplfixScreen
from replfix.tui.screens.errant import ErrantScreen
from replfix.tui.screens.forecast import ForecastScreen
from replfix.tui.screens.plan import PlanScreen
from replfix.tui.screens.recover import RecoverDialog
from replfix.tui.screens.transaction import TransactionScreen
from replfix.tui.thread_work import IN_THE_LOG, paced, run_and_report
from replfix.tui.widgets.diagnosis_view import DiagnosisView
from replfix.tui.widgets.line_list import LineList
from replfix.tui.widgets.situation import Healthy, Problem
from replfix.tui.widgets.steps import SAY_SECONDS
from replfix.tui.widgets.strategies import Strategies

LEFT = "! A run was interrupted on this replica, or is still at work: {} shows what it left, and puts it right"
LOOKING_AHEAD = "Looking for more conflicts in the backlog"
NOT_KNOWN_AHEAD = "Whether more conflicts wait in the backlog is unknown: {}"
CHANGED = "! The channel has changed since this diagnosis: press {}"


class IncidentScreen(ReplfixScreen[None]):
    """One channel, diagnosed when the screen opens, and again when it is running or fails on another transaction."""

    CSS_PATH = "incident.tcss"
    AUTO_FOCUS = ""  # the top stays in view
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (130, "-wide")]  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "p,enter",
            "plan",
            "Plan",
            key_display="p",
            id="incident.plan",
            tooltip="What the highlighted option would do, before it is done",
        ),
        Binding("t", "transaction", "All rows", id="incident.transaction", tooltip="Every row of the transaction"),
        Binding(
            "f",
            "forecast",
            "Ahead",
            id="incident.forecast",
            tooltip="The conflicts that wait in the backlog, before they stop the replica",
        ),
        Binding(
            "e",
            "errant",
            "Errant",
            id="incident.errant",
            tooltip="Transactions that only this replica has, and what to do about them",
            show=False,
        ),
        Binding(
            "R", "recover", "Recover", id="incident.recover", tooltip="Put right what an interrupted run left behind"
        ),
        Binding("r", "diagnose", "Again", id="incident.diagnose", tooltip="Diagnose again"),
        Binding("i", "record", "Record", id="incident.record", tooltip="The record of what was done here"),
        Binding("U", "undo", "Undo…", id="incident.undo", tooltip="Take back what was done here"),
        Binding("m", "report", "Report", id="incident.report", tooltip="Save this incident as a Markdown file"),
        Binding("escape", "back", "Back", id="incident.back", tooltip="All replicas"),
    ]

    class Progressed(Message):
        """The step that the investigation has reached."""

        def __init__(self, sequence: int, text: str) -> None:
            super().__init__()
            self.sequence = sequence
            self.text = text

    class LookedAhead(Message):
        """The end of a forecast in the background."""

        def __init__(self, reading: LookAhead, found: Forecast | None, error: ReplfixError | None) -> None:
            super().__init__()
            self.reading = reading
            self.found = found
            self.error = error

    class Concluded(Message):
        """``diagnosis`` None and no error: the channel is running. ``left``: what interrupted runs left unfinished there."""

        def __init__(
            self,
            sequence: int,
            diagnosis: Diagnosis | None,
            error: ReplfixError | None,
            left: tuple[AuditRecord, ...] = (),
        ) -> None:
            super().__init__()
            self.sequence = sequence
            self.diagnosis = diagnosis
            self.error = error
            self.left = left

    def __init__(self, name: str, channel: str) -> None:
        super().__init__()
        self._name_ = name
        self._channel = channel
        self._sequence = 0  # of the investigation; what an earlier one posts is not looked at
        self._busy = False
        self._began = 0.0
        self._step = ""  # of the investigation that is under way
        self._diagnosis: Diagnosis | None = None
        self._highlighted: Proposal | None = None  # what p opens
        self._told: tuple[Diagnosis, Outcome | None] | None = None  # for the report: also after it was resolved
        self._standing = ShownChannel(name, channel)
        self._look_again = False
        self._left: tuple[AuditRecord, ...] = ()
        self._reading: LookAhead | None = None  # of the backlog, in the background
        self._ahead: Forecast | None = None

    def compose(self) -> ComposeResult:
        yield Header()
        yield Static(id="notice", markup=False)
        yield Static(Text(LEFT.format(key_of(self.app, "incident.recover", "R"))), id="left", markup=False)
        yield Static(id="ahead", markup=False)
        yield VerticalScroll(id="page")
        yield Footer()

    def on_mount(self) -> None:
        self.sub_title = visible(f"{self._name_}: {called(self._channel)}", keep_newlines=False)
        self.query_one("#page").focus()
        self.set_interval(1.0, self._show_step)
        self._investigate()

    def on_unmount(self) -> None:
        if self._reading is not None:
            self._reading.stop()

    # --- the investigation ---

    def _investigate(self) -> None:
        self._sequence += 1
        self._stop_looking_ahead()
        self._busy = True
        self._look_again = False
        sequence, name, channel = self._sequence, self._name_, self._channel
        self._began = time.monotonic()
        self._step = "Diagnosing"
        self._show_step()
        self.refresh_bindings()

        progress = paced(lambda text: self.post_message(self.Progressed(sequence, text)))

        def work() -> None:
            worker = get_current_worker()
            left: list[AuditRecord] = []

            def investigated() -> Diagnosis | None:
                with suppress(ReplfixError):  # a trail that cannot be read is reported where it is needed
                    left.extend(self.replfix.backend.left_behind(name))
                return self.replfix.backend.investigate(name, channel, progress)

            def end(diagnosis: Diagnosis | None, error: ReplfixError | None) -> None:
                if not worker.is_cancelled:
                    self.post_message(self.Concluded(sequence, diagnosis, error, tuple(left)))

            run_and_report(investigated, end, IN_THE_LOG)

        # A worker of the app: only there do failures show, and a screen that closes does not wait for it.
        self.app.run_worker(
            work, name=f"investigate {name}", group=f"investigate {id(self)}", thread=True, exclusive=True,
            exit_on_error=False,
        )  # fmt: skip

    def on_incident_screen_progressed(self, message: Progressed) -> None:
        message.stop()
        if message.sequence == self._sequence and self._busy:
            self._step = message.text
            self._show_step()

    def _show_step(self) -> None:
        """Show the step that is under way; after two seconds with the time that the diagnosis takes."""
        if self._busy:
            seconds = time.monotonic() - self._began
            self._notice(f"… {self._step}{f'  {seconds:.0f} s' if seconds >= SAY_SECONDS else ''}")

    async def on_incident_screen_concluded(self, message: Concluded) -> None:
        message.stop()
        if message.sequence != self._sequence:
            return
        self._busy = False
        self._notice("")
        self._diagnosis = message.diagnosis
        self._highlighted = message.diagnosis.recommended if message.diagnosis is not None else None
        self._left = message.left
        self.query_one("#left").display = bool(message.left)
        seen = self.replfix.watch_.seen(self._name_)
        self._standing.concluded(message.diagnosis, seen.sequence if seen else 0, healthy=message.error is None)
        if message.diagnosis is not None:
            before = self._told[0].evidence.error.transaction if self._told else None
            same = before is not None and before == message.diagnosis.evidence.error.transaction
            self._told = (message.diagnosis, self._last_outcome if same else None)
            await self._show(DiagnosisView(self._name_, message.diagnosis))
        elif message.error is not None:
            await self._show(
                Problem(self._name_, self._channel, message.error, self._polled_channel, self._last_outcome)
            )
        else:
            keep = key_of(self.app, "incident.report", "m")
            await self._show(Healthy(self._name_, self._channel, self._polled_channel, self._last_outcome, keep))
        self.refresh_bindings()
        if message.diagnosis is not None and seen is not None and seen.error is None:
            self._look_ahead()

    # --- what waits in the backlog ---

    def _look_ahead(self) -> None:
        """Read the backlog in the background: nothing waits for it, and it is shown once it is ready."""
        self._reading = LookAhead(lambda *_: None)
        self._say_ahead("…", LOOKING_AHEAD)
        self._reading.start(
            self.replfix,
            self._name_,
            self._channel,
            lambda reading, found, error: self.post_message(self.LookedAhead(reading, found, error)),
            brief=True,
        )

    def _stop_looking_ahead(self) -> None:
        if self._reading is not None:
            self._reading.stop()
        self._reading = self._ahead = None
        self.query_one("#ahead").display = False

    def on_incident_screen_looked_ahead(self, message: LookedAhead) -> None:
        message.stop()
        if message.reading is not self._reading or self._diagnosis is None:
            return
        self._reading, self._ahead = None, message.found
        transaction = self._diagnosis.evidence.transaction
        if message.found is not None:
            said = more_ahead(message.found, str(transaction.id) if transaction is not None else None)
            self._say_ahead("→", said, key_of(self.app, "incident.forecast", "f"))
        elif message.error is not None:
            self._say_ahead("?", NOT_KNOWN_AHEAD.format(message.error.message))

    def _say_ahead(self, mark: str, text: str, key: str = "") -> None:
        line = self.query_one("#ahead", Static)
        line.display = True
        said = visible(text, keep_newlines=False)
        line.update(Text.assemble((f"{mark} ", "bold"), (key, "bold reverse"), f"  {said}" if key else said))

    @property
    def _polled_channel(self) -> ChannelStatus | None:
        seen = self.replfix.watch_.seen(self._name_)
        return seen.status.channel(self._channel) if seen and seen.status else None

    @property
    def _on_record(self) -> str:
        """The id of what was done last from this screen, and is on it; empty for nothing."""
        return audit_id(self._last_outcome) if self._last_outcome is not None and self._diagnosis is None else ""

    @property
    def _last_outcome(self) -> Outcome | None:
        return self._told[1] if self._told else None

    async def _show(self, view: Widget) -> None:
        page = self.query_one("#page", VerticalScroll)
        await page.remove_children()
        await page.mount(view)
        page.scroll_home(animate=False)
        conflicts = self.query("#conflict-list").results(LineList)
        wide = self.has_class("-wide")
        self.set_focus(next(conflicts, page) if wide else page, scroll_visible=False)

    def _notice(self, text: str) -> None:
        notice = self.query_one("#notice", Static)
        notice.update(Text(visible(text, keep_newlines=False)))
        notice.display = bool(text)

    # --- what was polled ---

    def polled(self, message: Polled) -> None:
        if self._busy:
            return
        change = self._standing.look(message)
        if change is Change.NONE:
            return
        if change is Change.SILENT:
            if self._reading is not None:  # nothing is read of a server that is gone
                self._stop_looking_ahead()
            self._notice(f"? {self._standing.silence}")
            return
        # Where there is only a sentence on the screen, nothing that somebody reads is lost by looking again.
        self._look_again = change is Change.ANOTHER or self._diagnosis is None
        self._notice("" if change is Change.AS_BEFORE else CHANGED.format(key_of(self.app, "incident.diagnose", "r")))
        if self._look_again and self.app.screen is self:
            self._investigate()

    def on_screen_resume(self) -> None:
        if self._look_again and not self._busy:
            self._investigate()

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        match action:
            case "plan":
                # Not of a diagnosis that is being made anew.
                return not self._busy and self._highlighted is not None
            case "record":
                return bool(self._on_record)
            case "undo":
                return self.replfix.unless_read_only(bool(self._on_record))
            case "transaction":
                return self._diagnosis is not None and self._diagnosis.evidence.transaction is not None
            case "report":
                return self._told is not None
            case "recover":
                return self.replfix.unless_read_only(bool(self._left) and not self._busy)
            case _:
                return True

    def action_plan(self) -> None:
        if self._highlighted is not None:
            self._open(self._highlighted)

    def on_strategies_highlighted(self, message: Strategies.Highlighted) -> None:
        message.stop()
        self._highlighted = message.proposal
        self.refresh_bindings()

    def on_strategies_chosen(self, message: Strategies.Chosen) -> None:
        message.stop()
        self._open(message.proposal)

    def _open(self, proposal: Proposal) -> None:
        diagnosis = self._diagnosis
        if diagnosis is None or self._busy:
            return
        if proposal.plan is None:
            self.notify(
                visible(proposal.reason), title=f"{proposal.strategy} is not possible here", severity="warning",
                markup=False,
            )  # fmt: skip
            return
        plan = PlanScreen(self._name_, diagnosis, proposal)

        def back(outcome: Outcome | None) -> None:
            if outcome is not None:
                self._told = (diagnosis, outcome)
            if outcome is not None or plan.staleness:
                self._investigate()

        self.app.push_screen(plan, back)

    def action_transaction(self) -> None:
        if self._diagnosis is not None:
            self.app.push_screen(TransactionScreen(self._diagnosis.evidence))

    def action_forecast(self) -> None:
        found = self._ahead
        if found is None:
            self._stop_looking_ahead()  # the screen reads all of it
        self.app.push_screen(ForecastScreen(self._name_, self._channel, found))

    def action_errant(self) -> None:
        self.app.push_screen(ErrantScreen(self._name_, self._channel))

    def action_recover(self) -> None:
        def back(_: None) -> None:
            self._investigate()

        self.app.push_screen(RecoverDialog(self._name_, self._left), back)

    def action_record(self) -> None:
        show_record(self.replfix, self._on_record)

    def action_undo(self) -> None:
        show_undo(self.replfix, self._on_record)

    def action_diagnose(self) -> None:
        self._investigate()

    def action_back(self) -> None:
        self.dismiss(None)

    def action_report(self) -> None:
        if self._told is None:
            return
        from replfix.present.report import incident_report

        try:
            path = save("incident", self._name_, incident_report(self._name_, *self._told), "md")
        except ReplfixError as error:
            self.replfix.say_error(error)
            return
        self.replfix.journal.add(f"{self._name_}: report saved to {path}")
        self.notify(visible(str(path)), title="Report saved", markup=False)
