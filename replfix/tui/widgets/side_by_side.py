"""The images of one row side by side, a line for each column; differing ones marked by a symbol."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from replfix.present.page.page_model import Rows, Side
from replfix.present.row_values_text import shown, why_not_read, without
from replfix.present.safe_text import visible
from replfix.tui.widgets.value_dialog import Cell, ValueDialog, copy_value

NAMES = 24  # cells of a column's name, at most
NARROWEST, WIDEST = 10, 80  # cells of one value
SHORTEST = 16  # characters of a value that is cut, with its length after it


class SideBySide(DataTable[Text]):
    """Values are cut to the room there is; the cursor is on one value, which can be seen in full and copied."""

    DEFAULT_CSS = "SideBySide { height: auto; scrollbar-size: 1 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "v,enter",
            "value",
            "Value",
            key_display="v",
            id="rows.value",
            tooltip="Show this value in full length",
        ),
        Binding("y", "copy", "Copy", id="rows.copy", tooltip="Copy this value to the clipboard"),
        Binding("d", "differing", "Only ≠", id="rows.differing", tooltip="Show only the columns that differ"),
    ]

    def __init__(self, rows: Rows | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="cell", cell_padding=1)
        self._rows = rows
        self._only_differing = False
        self._at: list[int] = []  # ordinals of the columns that are shown, by line
        self._drawn: tuple[Rows | None, int, bool, str] | None = None

    def show(self, rows: Rows | None) -> None:
        """Show other rows with all of their columns; None: nothing."""
        self._rows = rows
        self._only_differing = False
        self._draw()

    def on_mount(self) -> None:
        self._draw()
        self.app.theme_changed_signal.subscribe(self, lambda _: self._draw())

    def on_resize(self) -> None:
        self._draw()

    # --- drawing ---

    def _draw(self) -> None:
        width = self.container_size.width or self.app.size.width - 4
        colour = self.app.current_theme.warning or ""
        colour = colour if colour.startswith("#") else "yellow"  # a theme of the terminal's own colours
        drawn = (self._rows, width, self._only_differing, colour)
        if drawn == self._drawn:
            return
        fresh = self._drawn is None or self._drawn[0] is not self._rows or self._drawn[2] != self._only_differing
        self._drawn = drawn
        at = self.cursor_coordinate
        self.clear(columns=True)
        rows = self._rows
        if rows is None:
            return
        self._at = [n for n, name in enumerate(rows.columns) if not self._only_differing or name in rows.differing]
        names = [visible(rows.columns[n], keep_newlines=False) for n in self._at]
        marks = [_marks(rows, n) for n in self._at]
        for title, texts, most in (("", marks, 5), ("column", names, NAMES)):
            self.add_column(Text(title), width=min(most, max(map(cell_len, (title, *texts)))))
        sides = [(side.title, [_cell(side, n) for n in self._at]) for side in rows.sides]
        taken = sum(column.get_render_width(self) for column in self.columns.values())
        needed = [
            max([cell_len(title), *(cell_len(shown_in(cell, WIDEST)) for cell in cells)]) for title, cells in sides
        ]
        rooms = share(width - taken - 2 * len(sides) - 1, needed)
        for (title, _), room in zip(sides, rooms, strict=True):
            self.add_column(Text(title), width=room)
        for line, n in enumerate(self._at):
            style = f"bold {colour}" if rows.columns[n] in rows.differing else ""
            texts = [shown_in(cells[line], room) for (_, cells), room in zip(sides, rooms, strict=True)]
            self.add_row(
                *(
                    Text(text, style=of, overflow="ellipsis", no_wrap=True)
                    for text, of in (
                        (marks[line], style or "dim"),
                        (names[line], style),
                        *((text, style) for text in texts),
                    )
                )
            )
        first = 2 + next((n for n, s in enumerate(rows.sides) if s.title.startswith("replica")), 0)
        self.move_cursor(row=0 if fresh else at.row, column=first if fresh else at.column, animate=False)

    # --- keys ---

    @property
    def _cells(self) -> tuple[str, list[Cell], int] | None:
        """Column name with type, that column's value in every image, and which of them the cursor is on."""
        rows = self._rows
        if rows is None or not 0 <= self.cursor_row < len(self._at):
            return None
        n = self._at[self.cursor_row]
        cells = [_cell(side, n) for side in rows.sides]
        heading = f"{rows.table}.{rows.columns[n]}  {rows.types[n]}"
        return heading, cells, max(0, self.cursor_column - 2)

    def action_value(self) -> None:
        if found := self._cells:
            self.app.push_screen(ValueDialog(*found))

    def action_copy(self) -> None:
        if found := self._cells:
            copy_value(self.app, found[1][found[2]])

    def action_differing(self) -> None:
        if self._rows is not None and self._rows.differing:
            self._only_differing = not self._only_differing
            self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        if action == "differing":
            return bool(self._rows and self._rows.differing)
        return True

    def on_data_table_cell_selected(self, event: DataTable.CellSelected) -> None:
        event.stop()
        self.action_value()

    def action_cursor_down(self) -> None:
        if self.cursor_row >= self.row_count - 1:
            self.screen.focus_next()
        else:
            super().action_cursor_down()

    def action_cursor_up(self) -> None:
        if self.cursor_row <= 0:
            self.screen.focus_previous()
        else:
            super().action_cursor_up()


def _cell(side: Side, n: int) -> Cell:
    image = side.image
    return Cell(
        side.title, without(image), image[n] if isinstance(image, tuple) else None, why_not_read(side.title, image)
    )


def _marks(rows: Rows, n: int) -> str:
    name = rows.columns[n]
    return " ".join(mark for mark, on in (("≠", name in rows.differing), ("key", name in rows.key)) if on)


def shown_in(cell: Cell, room: int) -> str:
    """Return the value in ``room`` cells; one that is cut has its length after it where there is room for that."""
    if cell.absent:
        return cell.absent
    text = shown(cell.value, WIDEST)
    if cell_len(text) <= room:
        return text
    suffix = len(shown(cell.value, SHORTEST)) - SHORTEST
    return shown(cell.value, room - suffix) if room - suffix >= SHORTEST else text


def share(width: int, needed: list[int]) -> list[int]:
    """Share ``width`` cells among columns that would like ``needed``: what the narrow ones leave goes to the wide ones."""
    rooms = [0] * len(needed)
    left = width
    order = sorted(range(len(needed)), key=needed.__getitem__)
    for place, n in enumerate(order):
        rooms[n] = max(NARROWEST, min(needed[n], left // (len(order) - place)))
        left -= rooms[n]
    return rooms
