"""The backlog of a channel: a bar of it with its conflicts, each with its rows, who wrote them, and what was not looked at."""

from __future__ import annotations

import time
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Footer, Header, Static

from replfix.core.conflicts.ahead.forecast import Effect, Forecast
from replfix.errors import ReplfixError
from replfix.present.channel_state import called
from replfix.present.page.detail import REPORT
from replfix.present.page.forecast_page import (
    SIGNS,
    authors,
    facts,
    forecast_page,
    headline,
    line_of,
    next_steps,
    not_looked_at,
    place_words,
)
from replfix.present.page.markdown_page import markdown
from replfix.present.page.page_model import Point, Role, Span
from replfix.present.page.rich_page import styled
from replfix.present.page.row_images import of_conflict_ahead
from replfix.present.safe_text import visible
from replfix.present.timeline import legend, timeline
from replfix.tui.look_ahead import LookAhead
from replfix.tui.saved_reports import save
from replfix.tui.screen import ReplfixScreen
from replfix.tui.widgets.line_list import LineList
from replfix.tui.widgets.points import blocks_text, sections_text, together
from replfix.tui.widgets.side_by_side import SideBySide
from replfix.tui.widgets.steps import SAY_SECONDS

STOPPED = "Stopped: the rest of the backlog was not looked at."
WIDEST = 120  # cells of the bar


class ForecastScreen(ReplfixScreen[None]):
    """``found``: what is known already; else, and when asked again, the whole backlog is read in a thread."""

    HELP_TEXT: ClassVar[str] = (
        "Every conflict that waits in the transactions which this replica has not applied yet, in the order in which the "
        "applier meets them. The bar is the backlog, the next transaction on the left. The rows of the highlighted conflict "
        "are side by side, then who wrote them, and what was not looked at. Nothing is changed."
    )
    CSS_PATH = "forecast.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again(False)", "All of it", id="forecast.again", tooltip="Read the whole backlog"),
        Binding(
            "s",
            "again(True)",
            "Silent too",
            id="forecast.values",
            tooltip="The same, with what would be overwritten or deleted without an error",
        ),
        Binding("m", "report", "Report", id="forecast.report", tooltip="Save this forecast as a Markdown file"),
        Binding("escape", "back", "Back", id="forecast.back", tooltip="Stop reading; then back to the incident"),
    ]

    class Progressed(Message):
        """How far the reading has come."""

        def __init__(self, reading: LookAhead, text: str) -> None:
            super().__init__()
            self.reading = reading
            self.text = text

    class Concluded(Message):
        """The end of the reading: the forecast or the error; neither where it was stopped."""

        def __init__(self, reading: LookAhead, found: Forecast | None, error: ReplfixError | None) -> None:
            super().__init__()
            self.reading = reading
            self.found = found
            self.error = error

    def __init__(self, name: str, channel: str, found: Forecast | None = None) -> None:
        super().__init__()
        self._name_ = name
        self._channel = channel
        self._found = found
        self._reading: LookAhead | None = None  # what an earlier one posts is not looked at
        self._began = 0.0
        self._step = ""

    def compose(self) -> ComposeResult:
        yield Header()
        yield Static(id="forecast-notice", markup=False)
        with VerticalScroll(id="forecast-page"):
            yield Static(id="forecast-head", markup=False)
            yield Static(id="forecast-bar", markup=False)
            yield LineList(0, self._line, id="forecast-list")
            yield Static(id="forecast-place", markup=False)
            yield SideBySide(id="forecast-rows")
            yield Static(id="forecast-more", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.sub_title = visible(f"{self._name_}: backlog of {called(self._channel)}", keep_newlines=False)
        self.query_one("#forecast-page").focus()
        self.set_interval(1.0, self._say_step)
        self._show()
        if self._found is None:
            self.action_again(False)

    def on_unmount(self) -> None:
        if self._reading is not None:
            self._reading.stop()

    # --- the reading ---

    def action_again(self, values: bool) -> None:
        if self._reading is not None:
            self._reading.stop()
        self._began, self._step = time.monotonic(), "Reading the backlog"
        self._reading = LookAhead(lambda reading, text: self.post_message(self.Progressed(reading, text)))
        self._reading.start(
            self.replfix,
            self._name_,
            self._channel,
            lambda reading, found, error: self.post_message(self.Concluded(reading, found, error)),
            brief=False,
            values=values,
        )
        self._say_step()

    def on_forecast_screen_progressed(self, message: Progressed) -> None:
        message.stop()
        if message.reading is self._reading:
            self._step = message.text
            self._say_step()

    def on_forecast_screen_concluded(self, message: Concluded) -> None:
        message.stop()
        if message.reading is not self._reading:
            return
        self._reading = None
        self._notice("")
        if message.error is not None:
            self._notice(f"✗ {message.error.message} {message.error.hint}".strip())
        elif message.found is not None:
            self._found = message.found
            self._show()
        self.refresh_bindings()

    def _say_step(self) -> None:
        """Show the step that is under way; after two seconds with the time that it takes."""
        if self._reading is not None:
            seconds = time.monotonic() - self._began
            self._notice(f"… {self._step}{f'  {seconds:.0f} s' if seconds >= SAY_SECONDS else ''}")

    def _notice(self, text: str) -> None:
        notice = self.query_one("#forecast-notice", Static)
        notice.update(Text(visible(text, keep_newlines=False)))
        notice.display = bool(text)

    # --- what is shown ---

    def _show(self) -> None:
        found = self._found
        conflicts = found.conflicts if found is not None else ()
        for part in ("#forecast-list", "#forecast-place", "#forecast-rows"):
            self.query_one(part).display = bool(conflicts)
        self.query_one("#forecast-list", LineList).show(len(conflicts))
        self._show_bar()
        if found is None:
            return
        symbol, said = headline(self._name_, found)
        self.query_one("#forecast-head", Static).update(blocks_text([Point(symbol, said), facts(found)]))
        self.query_one("#forecast-more", Static).update(
            together([sections_text((*authors(found), *not_looked_at(found))), blocks_text(next_steps(found, ""))])
        )
        if conflicts:
            self._show_conflict(0)
            self.query_one("#forecast-list").focus(scroll_visible=False)
        self.query_one("#forecast-page").scroll_home(animate=False)

    def _show_bar(self) -> None:
        bar = self.query_one("#forecast-bar", Static)
        width = min(self.size.width - 4, WIDEST)
        line = timeline(self._found, width) if self._found is not None and width > 0 else ()
        bar.display = bool(line)
        if self._found is not None and line:
            bar.update(Text("\n").join([styled(line), styled(legend(self._found))]))

    def on_resize(self) -> None:
        self._show_bar()

    def _line(self, n: int) -> Text:
        assert self._found is not None
        ahead = self._found.conflicts[n]
        sign = SIGNS[ahead.effect]
        return styled(
            (Span(f"{sign} ", Role.ERROR if ahead.effect is Effect.STOPS else Role.WARNING), *line_of(self._found, n))
        )

    def on_line_list_highlighted(self, event: LineList.Highlighted) -> None:
        event.stop()
        self._show_conflict(event.index)

    def on_line_list_selected(self, event: LineList.Selected) -> None:
        event.stop()
        self.query_one(SideBySide).focus()

    def _show_conflict(self, n: int) -> None:
        if self._found is None or not n < len(self._found.conflicts):
            return
        ahead = self._found.conflicts[n]
        self.query_one("#forecast-place", Static).update(styled(place_words(ahead)))
        table = self._found.tables[ahead.conflict.table]
        self.query_one(SideBySide).show(of_conflict_ahead(ahead.conflict, table))

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return self._found is not None if action == "report" else True

    def action_back(self) -> None:
        """Stop what is being read; where nothing is, or nothing would be left to look at, go back."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.stop()
            self._notice(STOPPED)
        if reading is None or self._found is None:
            self.dismiss(None)

    def action_report(self) -> None:
        if self._found is None:
            return
        text = markdown(forecast_page(self._name_, self._found, self._name_, detail=REPORT))
        try:
            path = save("forecast", self._name_, text, "md")
        except ReplfixError as error:
            self.replfix.say_error(error)
            return
        self.replfix.journal.add(f"{self._name_}: forecast saved to {path}")
        self.notify(visible(str(path)), title="Report saved", markup=False)
