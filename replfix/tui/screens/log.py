"""What happened since the start, as it happens."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.widgets import Footer, Header, RichLog, Static

from replfix.present.safe_text import visible
from replfix.tui.activity_log import KEPT
from replfix.tui.screen import ReplfixScreen

LOOK_SECONDS = 0.25

Entry = tuple[datetime, str]


class LogScreen(ReplfixScreen[None]):
    """The journal, followed while its end is in sight; scrolling up stops that, ``end`` follows again."""

    HELP_TEXT: ClassVar[str] = (
        "What happened since replfix was started: what was done on which replica, each step of it, and every error. New "
        "lines appear at the end while the end is in sight. Times are UTC. The log is not kept: what was changed on a "
        "server is in the audit trail."
    )
    CSS_PATH = "log.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy all", id="log.copy", tooltip="Copy every line of the log"),
        Binding(
            "end,G", "follow", "To the end", key_display="end", id="log.follow", tooltip="Go to the end and follow"
        ),
        Binding("escape", "back", "Back", id="log.back", tooltip="Leave the log"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._drawn = 0  # of all lines ever added

    def compose(self) -> ComposeResult:
        yield Header()
        yield Static(id="log-summary", markup=False)
        yield RichLog(id="log-lines", wrap=True, markup=False, highlight=False, min_width=20, max_lines=KEPT)
        yield Footer()

    def on_mount(self) -> None:
        self.title = "Log"
        self._lines.focus()
        self._look()
        self.set_interval(LOOK_SECONDS, self._look)

    @property
    def _lines(self) -> RichLog:
        return self.query_one("#log-lines", RichLog)

    def on_resize(self, event: Resize) -> None:  # noqa: ARG002
        """Write the lines anew: they are broken for the width that they were written at."""
        self._lines.clear()
        self._drawn = 0
        self.call_after_refresh(self._look)

    def _look(self) -> None:
        journal = self.replfix.journal
        if journal.count == self._drawn:
            if not journal.count:
                self._summarise(0)
            return
        count, entries = self._entries()
        follow = self._lines.is_vertical_scroll_end
        for entry in entries[max(0, len(entries) - (count - self._drawn)) :]:
            self._lines.write(Text(_line(entry)), scroll_end=follow)
        self._drawn = count
        self._summarise(count)

    def _entries(self) -> tuple[int, tuple[Entry, ...]]:
        """Return how many lines were ever added and the journal's lines, of one moment: threads go on adding."""
        journal = self.replfix.journal
        while True:
            count, entries = journal.count, journal.lines()
            if journal.count == count:
                return count, entries

    def _summarise(self, count: int) -> None:
        kept = f", the last {KEPT} are kept" if count > KEPT else ""
        text = f" {count} line{'' if count == 1 else 's'}{kept}, times in UTC" if count else " Nothing happened yet."
        self.query_one("#log-summary", Static).update(Text(text))

    # --- keys ---

    def action_copy(self) -> None:
        _, entries = self._entries()
        self.app.copy_to_clipboard("\n".join(_line(entry) for entry in entries))
        self.notify(f"Copied {len(entries)} line{'' if len(entries) == 1 else 's'}", markup=False)

    def action_follow(self) -> None:
        self._lines.scroll_end(animate=False)

    def action_back(self) -> None:
        self.dismiss()


def _line(entry: Entry) -> str:
    at, text = entry
    return f"{at:%H:%M:%S} {visible(text, keep_newlines=False)}"
