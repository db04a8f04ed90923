"""A table of plain text whose rows go by keys, for rows that change all the time.

Textual's DataTable measures a whole column for a cell that got narrower and draws every row in view anew for one that
changed. With 200 replicas polled each second that alone takes longer than a key press may; here a change costs the
line that it is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

Key = tuple[str, ...]
GAP = 2  # cells between two columns
CHEAP = 3  # from this rank on a column is left out also for what another column would like


@dataclass(frozen=True, slots=True)
class Column:
    """A column, at least as wide as its title; left out while it says nothing in any row."""

    title: str
    widest: int  # cells; what is longer is cut
    least: int | None = None  # where room is short, it may become as narrow as this
    wanted: int | None = None  # as many of its cells are worth more than a column of a rank over ``CHEAP``
    rank: int = 0  # where room is short, the columns of the highest rank are left out first; those of 0 never are
    right: bool = False  # a number
    dull: str = ""  # what says nothing, beside an empty cell


@dataclass(frozen=True, slots=True)
class Row:
    """Cells contain no control characters. ``style`` is the first cell's; the row under the cursor goes without.

    ``span``: a text over the whole line, in place of cells.
    """

    cells: tuple[str, ...]
    style: str = ""
    span: str = ""


class RowTable(ScrollView, can_focus=True):
    """The rows with a cursor, which stays on its row whatever is shown next; on the first line until it was moved."""

    DEFAULT_CSS = """
    RowTable { scrollbar-size: 1 1; }
    RowTable > .row-table--titles { text-style: bold; background: $panel; color: $foreground; }
    RowTable > .row-table--even { background: $foreground 4%; }
    RowTable > .row-table--cursor { background: $block-cursor-blurred-background; text-style: bold; }
    RowTable:focus > .row-table--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-table--titles", "row-table--even", "row-table--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "first", "First", id="rows.first", tooltip="Go to the first row", show=False),
        Binding("end", "last", "Last", id="rows.last", tooltip="Go to the last row", show=False),
        Binding("enter", "select", "Select", show=False),
    ]

    class Selected(Message):
        """Enter, or a click on the row under the cursor."""

        def __init__(self, key: Key) -> None:
            super().__init__()
            self.key = key

    class HeadingClicked(Message):
        """A click on the title of a column."""

        def __init__(self, title: str) -> None:
            super().__init__()
            self.title = title

    def __init__(self, columns: Sequence[Column], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._widths = [0] * len(self._columns)  # as the longest cell so far needs
        self._says = [False] * len(self._columns)  # whether any cell so far says anything
        self._drawn = list(self._widths)  # as there is room; 0: left out
        self._order: list[Key] = []
        self._rows: dict[Key, Row] = {}
        self._cursor = 0
        self._moved = False  # by somebody

    # --- what is in it ---

    def show(self, order: Sequence[Key], rows: Mapping[Key, Row]) -> None:
        """Show these rows in this order. The cursor stays on its row; when that has gone, on its line."""
        at, before = self.selected, self._order
        changed = [key for key in order if self._rows.get(key) != rows[key]]
        self._rows = {key: rows[key] for key in order}
        if list(order) == before:
            if self._fit_columns([rows[key] for key in changed]):
                self._measure()
                return
            numbers = {key: number for number, key in enumerate(order)} if changed else {}
            for key in changed:
                self._refresh_row(numbers[key])
            return
        self._order = list(order)
        cursor = self._order.index(at) if self._moved and at is not None and at in self._rows else self._cursor
        moved = cursor - self._cursor
        self._cursor = max(0, min(cursor, len(order) - 1))
        self._fit_columns([rows[key] for key in changed])
        self._measure()
        if moved:  # the row under the cursor stays where it is on the screen, as far as there is room
            self.scroll_to(y=self.scroll_offset.y + moved, animate=False, force=True)
        self._keep_in_view()

    def _fit_columns(self, changed: Iterable[Row]) -> bool:
        """Fit the widths to those rows too; return whether any is another now.

        While there is room columns only grow: a table that changes its shape with every poll cannot be read.
        """
        before = self._drawn
        room = self.scrollable_content_region.width
        self._grow(changed)
        if _taken(self._widths) > room:
            self._widths = [0] * len(self._columns)
            self._says = [False] * len(self._columns)
            self._grow(self._rows.values())
        shown = [width if says else 0 for width, says in zip(self._widths, self._says, strict=True)]
        self._drawn = _drawn(self._columns, shown, room)
        return self._drawn != before

    def _grow(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.span:
                continue
            for number, (cell, column) in enumerate(zip(row.cells, self._columns, strict=True)):
                if cell:
                    needed = max(cell_len(column.title), min(cell_len(cell), column.widest))
                    self._widths[number] = max(self._widths[number], needed)
                    self._says[number] |= cell != column.dull

    def _measure(self) -> None:
        self.virtual_size = Size(_taken(self._drawn), len(self._order) + 1)
        self.refresh()

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles of the columns that are shown."""
        return tuple(c.title for c, width in zip(self._columns, self._drawn, strict=True) if width)

    @property
    def order(self) -> tuple[Key, ...]:
        """The keys of the rows, from the top."""
        return tuple(self._order)

    @property
    def cursor(self) -> int:
        """The line of the cursor, from 0."""
        return self._cursor

    @property
    def selected(self) -> Key | None:
        """The key of the row under the cursor; None in an empty table."""
        return self._order[self._cursor] if self._order else None

    # --- drawing ---

    def _refresh_row(self, number: int) -> None:
        y = number - self.scroll_offset.y + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        width, base = self.scrollable_content_region.width, self.rich_style
        number = y - 1 + self.scroll_offset.y
        if y == 0:
            titles = self.get_component_rich_style("row-table--titles")
            strip = self._strip(Row(tuple(column.title for column in self._columns)), titles, plain=True)
        elif 0 <= number < len(self._order):
            here = number == self._cursor
            if here:
                style = base + self.get_component_rich_style("row-table--cursor")
            else:
                style = self.get_component_rich_style("row-table--even") if number % 2 else base
            strip = self._strip(self._rows[self._order[number]], style, plain=here)
        else:
            return Strip.blank(width, base)
        left = self.scroll_offset.x
        last = strip._segments[-1].style
        return strip.crop(left, left + width).adjust_cell_length(width, last)

    def _strip(self, row: Row, style: Style, *, plain: bool) -> Strip:
        first = style if plain or not row.style else style + Style.parse(row.style)
        if row.span:
            width = _taken(self._drawn)
            return Strip([Segment(f" {_fit(row.span, max(0, width - GAP))} ", first)])
        texts = [
            f" {_fit(cell, width, right=column.right)} "
            for cell, width, column in zip(row.cells, self._drawn, self._columns, strict=True)
            if width
        ]
        return Strip([Segment(texts[0], first), Segment("".join(texts[1:]), style)]) if texts else Strip.blank(1, style)

    # --- keys and mouse ---

    def _go(self, number: int) -> None:
        self._moved = True
        number = max(0, min(number, len(self._order) - 1))
        if number != self._cursor:
            before, self._cursor = self._cursor, number
            self._refresh_row(before)
            self._refresh_row(number)
        self._keep_in_view()

    def _keep_in_view(self) -> None:
        rows, top = self.scrollable_content_region.height - 1, self.scroll_offset.y
        if rows <= 0:
            return
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, force=True)
        elif self._cursor >= top + rows:
            self.scroll_to(y=self._cursor - rows + 1, animate=False, force=True)

    def on_resize(self) -> None:
        self._fit_columns(())
        self._measure()
        self._keep_in_view()

    def action_move(self, by: int) -> None:
        self._go(self._cursor + by)

    def action_page(self, by: int) -> None:
        self._go(self._cursor + by * max(1, self.scrollable_content_region.height - 2))

    def action_first(self) -> None:
        self._go(0)

    def action_last(self) -> None:
        self._go(len(self._order) - 1)

    def action_select(self) -> None:
        if self.selected is not None:
            self.post_message(self.Selected(self.selected))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row; on the row under the cursor, do as Enter does. On a title, report it."""
        at = event.get_content_offset(self)
        if at is not None and at.y == 0:
            self._heading_clicked(at.x + self.scroll_offset.x)
            return
        number = at.y - 1 + self.scroll_offset.y if at is not None and at.y > 0 else -1
        if not 0 <= number < len(self._order):
            return
        if number == self._cursor:
            self.action_select()
        else:
            self._go(number)

    def _heading_clicked(self, x: int) -> None:
        for column, width in zip(self._columns, self._drawn, strict=True):
            if width and (x := x - width - GAP) < 0:
                self.post_message(self.HeadingClicked(column.title))
                return


def _taken(widths: Sequence[int]) -> int:
    return sum(width + GAP for width in widths if width)


def _drawn(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """Return the widths that fit into ``room``: columns of a high rank are left out, then others made narrower."""
    drawn = list(widths)

    def narrowest(number: int, rank: int = 0) -> int:
        column = columns[number]
        least = column.wanted if rank >= CHEAP and column.wanted is not None else column.least
        return drawn[number] if least is None else min(drawn[number], least)

    for number in sorted(range(len(columns)), key=lambda n: -columns[n].rank):
        rank = columns[number].rank
        if rank and _taken([narrowest(n, rank) for n in range(len(columns))]) > room:
            drawn[number] = 0
    too_wide = _taken(drawn) - room
    for number in range(len(columns)):
        if too_wide > 0 and drawn[number]:
            narrower = min(too_wide, drawn[number] - narrowest(number))
            drawn[number] -= narrower
            too_wide -= narrower
    return drawn


def _fit(text: str, width: int, *, right: bool = False) -> str:
    taken = cell_len(text)
    if taken > width:
        return f"{set_cell_size(text, width - 1)}…" if width > 0 else ""
    return text.rjust(width - taken + len(text)) if right else set_cell_size(text, width)
