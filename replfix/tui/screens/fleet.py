"""All replicas and channels, one row each."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import DataTable, Footer, Header, Input, Static

from replfix.present.state import State, error_of, lag_bars, state_of
from replfix.present.text import visible
from replfix.tui.messages import Polled
from replfix.tui.screen import ReplfixScreen
from replfix.tui.watch import Seen

COLUMNS = ("state", "replica", "channel", "lag", "history", "error", "last action")
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


class Fleet(DataTable[Text]):
    """Columns cannot be chosen here, so the keys for the first and last of them are for rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home", "scroll_top", "First", id="fleet.first", tooltip="Go to the first row", show=False),
        Binding("end", "scroll_bottom", "Last", id="fleet.last", tooltip="Go to the last row", show=False),
    ]


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
        self._rows: dict[Key, tuple[State, tuple[str, ...], int]] = {}  # state, cells, lag
        self._filter = ""
        self._sort = SORTS[0]
        self._shown: dict[Key, tuple[str, ...]] = {}

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical():
            yield Static(id="summary", markup=False)
            yield Input(placeholder="filter: any text of a row", id="filter")
            yield Fleet(id="fleet", cursor_type="row", zebra_stripes=True)
        yield Footer()

    def on_mount(self) -> None:
        table = self._table
        for name in COLUMNS:
            table.add_column(name, key=name)
        self.query_one("#filter").display = False
        for name in self.replfix.backend.replicas:
            seen = self.replfix.watch_.seen(name)
            if seen is not None:
                self._take(seen)
            else:
                self._rows[(name, "")] = (State.ASKING, (name, "", "", "", "asking…", ""), -1)
        self._rebuild()
        table.focus()

    @property
    def _table(self) -> Fleet:
        return self.query_one(Fleet)

    # --- what was polled ---

    def polled(self, message: Polled) -> None:
        for seen in message.seen:
            self._take(seen)
        self._rebuild()
        self._summarise()

    def _take(self, seen: Seen) -> None:
        last = self.replfix.last_action(seen.name)
        for key in [k for k in self._rows if k[0] == seen.name]:
            del self._rows[key]
        if seen.error is not None:
            self._rows[(seen.name, "")] = (State.UNREACHABLE, (seen.name, "", "", "", seen.error.message, last), -1)
        for channel in seen.channels:
            state = state_of(channel)
            lag = "" if channel.lag_seconds is None else f"{channel.lag_seconds} s"
            cells = (
                seen.name,
                channel.name or "(default)",
                lag,
                lag_bars(seen.lag_of(channel.name)),
                error_of(channel),
                last,
            )
            lag_rank = -1 if channel.lag_seconds is None else channel.lag_seconds
            self._rows[(seen.name, channel.name)] = (state, cells, lag_rank)
        if seen.error is None and not seen.channels:  # no replica, or not any more: its row says so
            self._rows[(seen.name, "")] = (State.STOPPED, (seen.name, "", "", "", "no channel is configured", last), -1)

    def _order(self) -> list[Key]:
        names = {name: at for at, name in enumerate(self.replfix.backend.replicas)}
        wanted = self._filter.lower()
        keys = [
            k
            for k in self._rows
            if not wanted or wanted in " ".join((self._rows[k][0].word, *self._rows[k][1])).lower()
        ]
        match self._sort:
            case "state":
                return sorted(keys, key=lambda k: (self._rows[k][0].rank, names.get(k[0], 0), k[1]))
            case "lag":
                return sorted(keys, key=lambda k: (-self._rows[k][2], names.get(k[0], 0), k[1]))
            case "name":
                return sorted(keys)
            case _:
                return sorted(keys, key=lambda k: (names.get(k[0], 0), k[1]))

    def _cells(self, key: Key) -> list[Text]:
        state, cells, _ = self._rows[key]
        return [
            Text(state.label, style=STYLES[state]),
            *(Text(visible(c, keep_newlines=False), overflow="ellipsis", no_wrap=True) for c in cells),
        ]

    def _rebuild(self) -> None:
        """All rows anew when rows came, went or moved; the cursor stays on its row."""
        order = self._order()
        if order == list(self._shown):
            self._update()
            return
        table = self._table
        at = self.selected
        table.clear()
        self._shown = {}
        for key in order:
            table.add_row(*self._cells(key), key="\x00".join(key))
            self._shown[key] = self._plain(key)
        if at in self._shown:
            table.move_cursor(row=list(self._shown).index(at), animate=False)
        self._summarise()

    def _update(self) -> None:
        """Only the cells that differ from what is on the screen."""
        table = self._table
        for key, shown in self._shown.items():
            now = self._plain(key)
            if now == shown:
                continue
            for column, old, new, cell in zip(COLUMNS, shown, now, self._cells(key), strict=True):
                if old != new:
                    table.update_cell("\x00".join(key), column, cell, update_width=True)
            self._shown[key] = now

    def _plain(self, key: Key) -> tuple[str, ...]:
        return (self._rows[key][0].label, *self._rows[key][1])

    def _summarise(self) -> None:
        counts = {state: sum(row[0] is state for row in self._rows.values()) for state in State}
        words = "   ".join(f"{n} {state.label}" for state, n in counts.items() if n)
        hidden = len(self._rows) - len(self._shown)
        extra = f"   ({hidden} hidden by the filter)" if hidden else ""
        self.query_one("#summary", Static).update(Text(f" {words}{extra}   ordered by {self._sort}"))

    # --- keys ---

    @property
    def selected(self) -> Key | None:
        table = self._table
        if not self._shown or not 0 <= table.cursor_row < len(self._shown):
            return None
        return list(self._shown)[table.cursor_row]

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        key = self.selected
        if key is None:
            return
        state = self._rows[key][0]
        if state in (State.ERROR, State.STOPPED, State.RUNNING, State.CONNECTING):
            self.replfix.open_incident(*key)
        else:
            self.notify(
                visible(self._rows[key][1][4]) or "Not asked yet.", title=key[0], severity="warning", markup=False
            )

    def action_filter(self) -> None:
        box = self.query_one("#filter", Input)
        box.display = True
        box.focus()

    def action_clear_filter(self) -> None:
        box = self.query_one("#filter", Input)
        box.value = ""
        box.display = False
        self._table.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._filter = event.value
        self._rebuild()
        self._summarise()

    def on_input_submitted(self) -> None:
        self._table.focus()

    def action_sort(self) -> None:
        self._sort = SORTS[(SORTS.index(self._sort) + 1) % len(SORTS)]
        self._rebuild()
        self._summarise()

    def action_poll(self) -> None:
        key = self.selected
        self.replfix.watch_.poll_now(key[0] if key else None)
