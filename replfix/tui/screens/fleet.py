"""All replicas and channels, one row each: a dashboard that can be left open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Header, Input, Static

from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.present import dashboard
from replfix.present.channel_state import State, error_of, lag_bars
from replfix.present.dashboard import DEFAULT_CHANNEL, Age
from replfix.present.safe_text import visible
from replfix.tui.messages import Polled
from replfix.tui.screen import ReplfixScreen
from replfix.tui.watch import HISTORY, Seen
from replfix.tui.widgets.filter_box import FilterBox
from replfix.tui.widgets.row_table import Column, Row, RowTable
from replfix.tui.widgets.text_dialog import TextDialog

COLUMNS = (
    Column("state", 13),
    Column("replica", 40, least=10),
    Column("channel", 24, rank=2, dull=DEFAULT_CHANNEL),
    Column("source", 40, rank=7),
    Column("threads", 7, rank=5),
    Column("lag", 12, rank=1, right=True),
    Column("graph", HISTORY, rank=9),
    Column("gap", 10, rank=6, right=True),
    Column("backlog", 10, rank=3, right=True),
    Column("errant", 10, rank=2, right=True),
    Column("read_only", 9, rank=8),
    Column("version", 16, rank=10),
    Column("since", 10, rank=4, right=True),
    Column("error", 300, least=38, wanted=50),
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

Key = tuple[str, str]  # replica and channel; of a group's heading: nothing, and the source
GROUP = ""


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """What is known of one channel; numbers are to sort by, -1: unknown."""

    state: State
    row: Row
    lag: int = -1
    backlog: int = -1
    errant: int = -1
    since: datetime | None = None
    source: str = ""
    error: str = ""  # in full

    @classmethod
    def of(
        cls,
        seen: Seen,
        channel: ChannelStatus | None,
        state: State,
        *,
        error: str = "",
        last: str = "",
    ) -> ChannelLine:
        """Return a line whose texts are safe to show."""
        name = channel.name if channel is not None else ""
        since = seen.since.get(name)
        age = "" if since is None else dashboard.age_of(Age.of(since.at, datetime.now(UTC), at_least=since.at_least))
        at = None if since is None else since.at
        status = seen.status
        if channel is None or status is None:
            cells = _cells(seen.name, since=age, error=error, last=last, status=status)
            return cls(state, Row((state.label, *cells), STYLES[state]), since=at, error=error)
        gap = seen.gaps.get(name)
        cells = _cells(
            seen.name,
            channel.name or DEFAULT_CHANNEL,
            dashboard.source_of(channel),
            dashboard.threads_of(channel),
            "" if channel.lag_seconds is None else f"{channel.lag_seconds} s",
            lag_bars(seen.lag_of(name)),
            dashboard.waiting_of(status, channel),
            dashboard.backlog_of(gap),
            dashboard.errant_of(gap),
            since=age,
            error=error,
            last=last,
            status=status,
        )
        return cls(
            state,
            Row((state.label, *cells), STYLES[state]),
            lag=-1 if channel.lag_seconds is None else channel.lag_seconds,
            backlog=-1 if gap is None or gap.backlog is None else len(gap.backlog),
            errant=-1 if gap is None or gap.only_here is None else len(gap.only_here.errant),
            since=at,
            source=dashboard.source_of(channel),
            error=error,
        )


def _cells(
    replica: str,
    channel: str = "",
    source: str = "",
    threads: str = "",
    lag: str = "",
    graph: str = "",
    gap: str = "",
    backlog: str = "",
    errant: str = "",
    *,
    since: str,
    error: str,
    last: str,
    status: ReplicaStatus | None,
) -> tuple[str, ...]:
    read_only = dashboard.read_only_of(status) if status is not None else ""
    version = dashboard.version_of(status) if status is not None else ""
    replica, channel, source, version, error, last = (
        visible(text, keep_newlines=False) for text in (replica, channel, source, version, error, last)
    )
    counts = (threads, lag, graph, gap, backlog, errant, read_only)  # made of numbers and symbols of our own
    return (replica, channel, source, *counts, version, since, error, last)


Order = Callable[[ChannelLine], tuple[object, ...]]
SORTS: dict[str, Order] = {
    "state": lambda line: (line.state.rank,),
    "configured": lambda _: (),
    "replica": lambda line: (line.row.cells[1],),
    "lag": lambda line: (-line.lag,),
    "backlog": lambda line: (-line.backlog,),
    "errant": lambda line: (-line.errant,),
    "since": lambda line: (line.since is None, -line.since.timestamp() if line.since else 0.0),
}
"""By name; lines that are equal in it stay in the order of the configuration."""
HEADINGS = {"threads": "state", "graph": "lag", "error": "state", "gap": "backlog"}
"""What a click on a heading sorts by where it is not its own name."""


class FleetScreen(ReplfixScreen[None]):
    """Rows are found again by replica and channel, so that polling never moves the cursor."""

    HELP_TEXT: ClassVar[str] = (
        "All configured replicas and their channels, one row each, polled all the time; errors first. The state is a symbol and "
        "a word: ✗ error, ? unreachable, ■ stopped, … connecting, ✔ running. Threads: receiver, then applier. Graph: the lag of "
        "the last polls. Gap: transactions received and not applied. Backlog: transactions that the source has and the replica "
        "has not applied. Errant: transactions that only the replica has. Since: for how long the state is the same (≥: at "
        "least). ~: about, ?: unknown. Empty columns, and those without room, are left out: v shows everything of a "
        "channel. Enter on a channel opens its incident, on a source folds its group."
    )
    CSS_PATH = "fleet.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,o", "open", "Open", key_display="enter", id="fleet.open", tooltip="Look at this channel"),
        Binding(
            "slash", "filter", "Filter", key_display="/", id="fleet.filter", tooltip="Show rows with this text only"
        ),
        Binding("s", "sort", "Sort", id="fleet.sort", tooltip=f"Order by {', '.join(SORTS)}; or click on a heading"),
        Binding("g", "group", "Group", id="fleet.group", tooltip="Group the channels by their source"),
        Binding("v", "details", "Details", id="fleet.details", tooltip="Show everything that is known of this channel"),
        Binding("r", "poll", "Poll now", id="fleet.poll", tooltip="Ask this replica at once"),
        Binding("escape", "clear_filter", "Show all", id="fleet.clear", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[Key, ChannelLine] = {}
        self._keys: dict[str, tuple[Key, ...]] = {}  # by replica
        self._at: dict[str, int] = {}  # the replica's place in the configuration
        self._filter = ""
        self._sort = next(iter(SORTS))
        self._grouped = False
        self._folded: set[str] = set()
        self._summary = ""

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical():
            yield Static(id="summary", markup=False)
            yield FilterBox("filter: any text of a row", lambda: self._table, self._narrow, id="filter")
            yield RowTable(COLUMNS, id="fleet")
        yield Footer()

    def on_mount(self) -> None:
        for at, name in enumerate(self.replfix.backend.replicas):
            self._at[name] = at
            self._take(self.replfix.watch_.seen(name) or Seen(name, 0, None, None))
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
        for key in self._keys.get(seen.name, ()):
            del self._lines[key]
        lines = self._lines_of(seen)
        self._keys[seen.name] = tuple(lines)
        self._lines.update(lines)

    def _lines_of(self, seen: Seen) -> dict[Key, ChannelLine]:
        name, last = seen.name, self.replfix.last_action(seen.name)
        if seen.error is not None:
            return {
                (name, ""): ChannelLine.of(seen, None, State.UNREACHABLE, error=seen.error.message, last=last),
            }
        if seen.status is None:
            return {(name, ""): ChannelLine.of(seen, None, State.ASKING, error="asking…", last=last)}
        if not seen.channels:  # no replica, or not any more
            return {(name, ""): ChannelLine.of(seen, None, State.STOPPED, error="no channel is configured", last=last)}
        states = seen.states()
        return {
            (name, each.name): ChannelLine.of(seen, each, states[each.name], error=error_of(each), last=last)
            for each in seen.channels
        }

    def _order(self) -> list[Key]:
        wanted = self._filter.lower()
        lines, order, at = self._lines, SORTS[self._sort], self._at
        keys = [k for k, line in lines.items() if not wanted or wanted in " ".join(line.row.cells).lower()]
        return sorted(keys, key=lambda k: (*order(lines[k]), at.get(k[0], 0), k[1]))

    def _show(self) -> None:
        order = self._order()
        rows: dict[tuple[str, ...], Row] = {key: line.row for key, line in self._lines.items()}
        shown = order
        if self._grouped:
            groups: dict[str, list[Key]] = {}
            for key in order:  # the group of the first line comes first: with errors on top, the group with the error
                groups.setdefault(self._lines[key].source, []).append(key)
            shown = []
            for source, keys in groups.items():
                heading = (GROUP, source)
                rows[heading] = self._heading(source, keys)
                shown += [heading, *(keys if source not in self._folded else ())]
        self._table.show(shown, rows)
        self._summarise(len(self._lines) - len(order))

    def _heading(self, source: str, keys: Sequence[Key]) -> Row:
        states = Counter(self._lines[key].state for key in keys)
        fold = "▸" if source in self._folded else "▾"
        of = f"source {source}" if source else "no source"
        return Row((), "bold", visible(f"{fold} {of}   {_counts(states)}", keep_newlines=False))

    def _summarise(self, hidden: int) -> None:
        words = _counts(Counter(line.state for line in self._lines.values()))
        extra = f"   ({hidden} hidden by the filter)" if hidden else ""
        groups = ", in groups" if self._grouped else ""
        text = f" {words}{extra}   ordered by {self._sort}{groups}"
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

    def on_row_table_heading_clicked(self, message: RowTable.HeadingClicked) -> None:
        message.stop()
        wanted = HEADINGS.get(message.title, message.title)
        if wanted in SORTS:
            self._sort = wanted
            self._show()

    def action_open(self) -> None:
        key = self.selected
        if key is None:
            return
        if key[0] == GROUP:
            self._folded ^= {key[1]}
            self._show()
            return
        line = self._lines[key]
        if line.state in (State.UNREACHABLE, State.ASKING):
            self.notify(visible(line.error), title=visible(key[0]), severity="warning", markup=False)
        else:
            self.replfix.open_incident(*key)

    def action_details(self) -> None:
        key = self.selected
        if key is None or key[0] == GROUP:
            return
        name, channel = key
        seen = self.replfix.watch_.seen(name)
        status = seen.status.channel(channel) if seen is not None and seen.status is not None else None
        if seen is None or seen.status is None or status is None:
            text = self._lines[key].error
        else:
            since = seen.since.get(channel)
            age = None if since is None else Age.of(since.at, datetime.now(UTC), at_least=since.at_least)
            address, last = self.replfix.backend.address(name), self.replfix.last_action(name)
            gap = seen.gaps.get(channel)
            text = dashboard.details_text(dashboard.details(address, seen.status, status, age, gap, last))
        self.app.push_screen(TextDialog(f"{name} {channel}".strip(), text))

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
        names = list(SORTS)
        self._sort = names[(names.index(self._sort) + 1) % len(names)]
        self._show()

    def action_group(self) -> None:
        self._grouped = not self._grouped
        self._show()

    def action_poll(self) -> None:
        key = self.selected
        self.replfix.watch_.poll_now(key[0] if key and key[0] != GROUP else None)


def _counts(states: Counter[State]) -> str:
    return "   ".join(f"{states[state]} {state.label}" for state in State if states[state])
