"""How the servers keep their keys apart: the report of the advisor."""

from __future__ import annotations

from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Footer, Header, Static

from replfix.core.advisor.rollout import rollout
from replfix.core.advisor.survey import Report
from replfix.errors import ReplfixError
from replfix.present.page.advice_page import Advice, advice_page
from replfix.present.page.html_page import html
from replfix.present.page.markdown_page import markdown
from replfix.present.page.rich_page import point_text, section_text
from replfix.present.safe_text import visible
from replfix.tui.saved_reports import save
from replfix.tui.screen import ReplfixScreen
from replfix.tui.thread_work import IN_THE_LOG, paced, run_and_report
from replfix.tui.widgets.points import together


class AdvisorScreen(ReplfixScreen[None]):
    """The report of the advisor. All servers are read in a thread when it opens, and again when asked."""

    HELP_TEXT: ClassVar[str] = (
        "Who writes among these servers, and whether their AUTO_INCREMENT settings, counters and keys keep apart what they "
        "write: each finding with its evidence and the SQL that helps, and a plan where two servers write. Servers that the "
        "shown ones read from are read too. Nothing is changed; the report can be saved as Markdown or as a web page."
    )
    CSS_PATH = "advisor.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "Again", id="advisor.again", tooltip="Read the servers again"),
        Binding("m", "save('md')", "Markdown", id="advisor.markdown", tooltip="Save the report as a Markdown file"),
        Binding("h", "save('html')", "HTML", id="advisor.html", tooltip="Save the report as one HTML file"),
        Binding("escape", "back", "Back", id="advisor.back", tooltip="Leave the report"),
    ]

    class Progressed(Message):
        """The step that the reading has reached."""

        def __init__(self, sequence: int, text: str) -> None:
            super().__init__()
            self.sequence = sequence
            self.text = text

    class Concluded(Message):
        """The end of the reading: its page, or the error."""

        def __init__(self, sequence: int, page: Advice | None, error: ReplfixError | None) -> None:
            super().__init__()
            self.sequence = sequence
            self.page = page
            self.error = error

    def __init__(self) -> None:
        super().__init__()
        self._sequence = 0  # of the reading; what an earlier one posts is not looked at
        self._busy = False
        self._report: Advice | None = None

    def compose(self) -> ComposeResult:
        yield Header()
        yield Static(id="advisor-notice", markup=False)
        with VerticalScroll(id="advisor-page"):
            yield Static(id="advisor-report", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.title = "Advisor"
        self.query_one("#advisor-page").focus()
        self._read()

    def _read(self) -> None:
        self._sequence += 1
        self._busy = True
        sequence = self._sequence
        self._notice("… Reading the servers")
        self.refresh_bindings()

        progress = paced(lambda text: self.post_message(self.Progressed(sequence, text)))

        def work() -> None:
            run_and_report(
                lambda: page_of(self.replfix.backend.advise(progress)),
                lambda page, error: self.post_message(self.Concluded(sequence, page, error)),
                IN_THE_LOG,
            )

        self.app.run_worker(work, name="advise", group="advise", thread=True, exclusive=True, exit_on_error=False)

    def on_advisor_screen_progressed(self, message: Progressed) -> None:
        message.stop()
        if message.sequence == self._sequence and self._busy:
            self._notice(f"… {message.text}")

    def on_advisor_screen_concluded(self, message: Concluded) -> None:
        message.stop()
        if message.sequence != self._sequence:
            return
        self._busy = False
        if message.page is not None:
            self._report = message.page
            self._notice("")
            self.query_one("#advisor-report", Static).update(_shown(message.page))
            self.query_one("#advisor-page").scroll_home(animate=False)
        elif message.error is not None:
            self._notice(f"✗ {message.error.message} {message.error.hint}".strip())
        self.refresh_bindings()

    def _notice(self, text: str) -> None:
        notice = self.query_one("#advisor-notice", Static)
        notice.update(Text(visible(text, keep_newlines=False)))
        notice.display = bool(text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return self._report is not None if action == "save" else True

    def action_again(self) -> None:
        self._read()

    def action_save(self, suffix: str) -> None:
        if self._report is None:
            return
        text = (markdown if suffix == "md" else html)(advice_page(self._report))
        try:
            path = save("advice", self._report.report.survey.nodes[0].name, text, suffix)
        except ReplfixError as error:
            self.replfix.say_error(error)
            return
        self.replfix.journal.add(f"Report of the advisor saved to {path}")
        self.notify(visible(str(path)), title="Report saved", markup=False)

    def action_back(self) -> None:
        self.dismiss(None)


def page_of(report: Report) -> Advice:
    """Return the report, with a plan only where something has to be changed for it."""
    plan = rollout(report.survey)
    return Advice(report, rollout=plan if plan is not None and plan.actions else None)


def _shown(advice: Advice) -> RenderableType:
    page = advice_page(advice)
    parts = (part for section in page.sections for part in section_text(section))
    return together((point_text(page.symbol, page.title), *parts))
