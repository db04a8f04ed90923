"""All replicas and channels, one row each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Header, Input, Static

from replfix.present.channel_state import State, error_of, lag_bars, state_of
from replfix.present.safe_text import visible
from replfix.tui.messages import Polled
from replfix.tui.screen import ReplfixScreen
from replfix.tui.watch import HISTORY, Seen
from replfix.tui.widgets.filter_box import FilterBox
from replfix.tui.widgets.row_table import Column, Row, RowTable

COLUMNS = (
    Column("state", 13),
    Column("replica", 40),
    Column("channel", 24),
    Column("lag", 12),
    Column("history", HISTORY),
    Column("error", 70, least=14),
    Column("last action", 60, least=11),
)
STYLES = {
    State.ERROR: "bold red",
    State.UNREACHABLE: "magenta",
    State.STOPPED: "yellow",
    State.CONNECTING: "cyan",
    State.RUNNING: "green",
    State.ASKING: "dim",
}
SORTS = ("configured", "state", "lag", "name")

Key = tuple[str, str]  # replica and channel


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """What is known of one channel."""

    state: State
    row: Row
    lag: int = -1  # to sort by; -1: not known
    error: str = ""  # in full

    @classmethod
    def of(cls, state: State, *cells: str, lag: int = -1, error: str = "", last: str = "") -> ChannelLine:
        """Return a line whose texts are safe to show; cells that are not given are empty."""
        texts = (*cells, *("",) * (4 - len(cells)), error, last)
        shown = (visible(text, keep_newlines=False) for text in texts)
        return cls(state, Row((state.label, *shown), STYLES[state]), lag, error)


class FleetScreen(ReplfixScreen[None]):
    """Rows are found again by replica and channel, so that polling never moves the cursor."""

    HELP_TEXT: ClassVar[str] = (
        "All configured replicas and their channels, one row each, polled all the time. The state is a symbol and a word: "
        "✗ error, ? unreachable, ■ stopped, … connecting, ✔ running. The history shows the lag of the last polls. Enter on "
        "a stopped channel opens its incident: what happened, why, and what can be done."
    )
    CSS_PATH = "fleet.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,o", "open", "Open", key_display="enter", id="fleet.open", tooltip="Look at this channel"),
        Binding(
            "slash", "filter", "Filter", key_display="/", id="fleet.filter", tooltip="Show rows with this text only"
        ),
        Binding("s", "sort", "Sort", id="fleet.sort", tooltip="Order by configuration, state, lag or name"),
        Binding("r", "poll", "Poll now", id="fleet.poll", tooltip="Ask this replica at once"),
        Binding("escape", "clear_filter", "Show all", id="fleet.clear", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[Key, ChannelLine] = {}
        self._filter = ""
        self._sort = SORTS[0]
        self._summary = ""

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical():
            yield Static(id="summary", markup=False)
            yield FilterBox("filter: any text of a row", lambda: self._table, self._narrow, id="filter")
            yield RowTable(COLUMNS, id="fleet")
        yield Footer()

    def on_mount(self) -> None:
        for name in self.replfix.backend.replicas:
            seen = self.replfix.watch_.seen(name)
            if seen is not None:
                self._take(seen)
            else:
                self._lines[(name, "")] = ChannelLine.of(State.ASKING, name, error="asking…")
        self._show()
        self._table.focus()

    @property
    def _table(self) -> RowTable:
        return self.query_one(RowTable)

    @property
    def _box(self) -> FilterBox:
        return self.query_one(FilterBox)

    # --- what was polled ---

    def polled(self, message: Polled) -> None:
        for seen in message.seen:
            self._take(seen)
        self._show()

    def _take(self, seen: Seen) -> None:
        last = self.replfix.last_action(seen.name)
        for key in [k for k in self._lines if k[0] == seen.name]:
            del self._lines[key]
        if seen.error is not None:
            error = seen.error.message
            self._lines[(seen.name, "")] = ChannelLine.of(State.UNREACHABLE, seen.name, error=error, last=last)
        elif not seen.channels:  # no replica, or not any more
            error = "no channel is configured"
            self._lines[(seen.name, "")] = ChannelLine.of(State.STOPPED, seen.name, error=error, last=last)
        for channel in seen.channels:
            self._lines[(seen.name, channel.name)] = ChannelLine.of(
                state_of(channel),
                seen.name,
                channel.name or "(default)",
                "" if channel.lag_seconds is None else f"{channel.lag_seconds} s",
                lag_bars(seen.lag_of(channel.name)),
                lag=-1 if channel.lag_seconds is None else channel.lag_seconds,
                error=error_of(channel),
                last=last,
            )

    def _order(self) -> list[Key]:
        names = {name: at for at, name in enumerate(self.replfix.backend.replicas)}
        wanted = self._filter.lower()
        lines = self._lines
        keys = [k for k, line in lines.items() if not wanted or wanted in " ".join(line.row.cells).lower()]
        match self._sort:
            case "state":
                return sorted(keys, key=lambda k: (lines[k].state.rank, names.get(k[0], 0), k[1]))
            case "lag":
                return sorted(keys, key=lambda k: (-lines[k].lag, names.get(k[0], 0), k[1]))
            case "name":
                return sorted(keys)
            case _:
                return sorted(keys, key=lambda k: (names.get(k[0], 0), k[1]))

    def _show(self) -> None:
        self._table.show(self._order(), {key: line.row for key, line in self._lines.items()})
        self._summarise()

    def _summarise(self) -> None:
        counts = Counter(line.state for line in self._lines.values())
        words = "   ".join(f"{counts[state]} {state.label}" for state in State if counts[state])
        hidden = len(self._lines) - len(self._table.order)
        extra = f"   ({hidden} hidden by the filter)" if hidden else ""
        text = f" {words}{extra}   ordered by {self._sort}"
        if text != self._summary:
            self._summary = text
            self.query_one("#summary", Static).update(Text(text))

    # --- keys ---

    @property
    def selected(self) -> Key | None:
        """Replica and channel under the cursor; None where none is shown."""
        key = self._table.selected
        return None if key is None else (key[0], key[1])

    def on_row_table_selected(self, message: RowTable.Selected) -> None:
        message.stop()
        self.action_open()

    def action_open(self) -> None:
        key = self.selected
        if key is None:
            return
        line = self._lines[key]
        if line.state in (State.UNREACHABLE, State.ASKING):
            self.notify(visible(line.error), title=visible(key[0]), severity="warning", markup=False)
        else:
            self.replfix.open_incident(*key)

    def action_filter(self) -> None:
        self._box.open()

    def action_clear_filter(self) -> None:
        self._box.close()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._narrow()

    def _narrow(self) -> None:
        self._filter = self._box.value
        self._show()

    def action_sort(self) -> None:
        self._sort = SORTS[(SORTS.index(self._sort) + 1) % len(SORTS)]
        self._show()

    def action_poll(self) -> None:
        key = self.selected
        self.replfix.watch_.poll_now(key[0] if key else None)
