"""Text of any length, wrapped to the width there is; only the lines in view are drawn."""

from __future__ import annotations

import re
from typing import ClassVar, Protocol

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from replfix.present.safe_text import visible


class Content(Protocol):
    """What a ``LongText`` shows, line by line."""

    def fit(self, width: int) -> int:
        """Be shown in ``width`` cells from now on; return how many lines that takes."""
        ...

    def line(self, number: int) -> str:
        """Return that line, from 0; ``fit`` comes before."""
        ...


class Wrapped:
    """Text with every control character spelt out. Lines are broken after a space where one is near."""

    def __init__(self, text: str) -> None:
        self._text = visible(text)
        self._width = 0
        self._lines: list[str] = []

    def fit(self, width: int) -> int:
        if width != self._width:
            self._width = width
            self._lines = [piece for line in self._text.split("\n") for piece in _pieces(line, max(width, 8))]
        return len(self._lines)

    def line(self, number: int) -> str:
        return self._lines[number]


class HexDump:
    """Offset, bytes and what of them is ASCII."""

    def __init__(self, value: bytes) -> None:
        self._value = value
        self._digits = max(4, len(f"{len(value):x}"))
        self._step = 16

    def fit(self, width: int) -> int:
        self._step = 16 if width >= self._digits + 16 * 4 + 1 else 8
        return max(1, -(-len(self._value) // self._step))

    def line(self, number: int) -> str:
        piece = self._value[number * self._step : (number + 1) * self._step]
        letters = "".join(chr(b) if 32 <= b < 127 else "·" for b in piece)
        return f"{number * self._step:0{self._digits}x} {piece.hex(' ').ljust(self._step * 3)}{letters}"


def _pieces(line: str, width: int) -> list[str]:
    if cell_len(line[: width + 1]) <= width and len(line) <= width:
        return [line]
    pieces: list[str] = []
    at = 0
    while at < len(line):
        piece = line[at : at + width]
        while cell_len(piece) > width:
            piece = piece[:-1]
        space = piece.rfind(" ")
        if at + len(piece) < len(line) and space > len(piece) * 2 // 3:
            piece = piece[: space + 1]
        pieces.append(piece)
        at += len(piece)
    return pieces


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def pretty_json(text: str) -> str:
    """Return a JSON document over several lines: only white space is added, so that every number stays as it is written."""
    out: list[str] = []
    depth = 0
    pieces = _TOKEN.findall(text)
    for number, piece in enumerate(pieces):
        following = pieces[number + 1] if number + 1 < len(pieces) else ""
        if piece in "{[":
            out.append(piece)
            if following not in ("}", "]"):
                depth += 1
                out.append("\n" + "  " * depth)
        elif piece in "}]":
            if number and pieces[number - 1] not in ("{", "["):
                depth -= 1
                out.append("\n" + "  " * depth)
            out.append(piece)
        elif piece == ",":
            out.append(",\n" + "  " * depth)
        else:
            out.append(": " if piece == ":" else piece)
    return "".join(out)


class LongText(ScrollView, can_focus=True):
    """The content from its beginning; arrows scroll it, and at an end go on to the next part of the screen."""

    DEFAULT_CSS = """
    LongText { height: auto; overflow-x: hidden; scrollbar-size-vertical: 1; }
    LongText:focus { background-tint: $foreground 8%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
    ]

    def __init__(self, content: Content, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._content = content
        self._count = 0
        self._width = 0

    def show(self, content: Content) -> None:
        """Show other content, from its beginning."""
        self._content = content
        self.scroll_to(y=0, animate=False)
        self._fit()

    def _fit(self) -> None:
        if self._width > 0:
            self._count = self._content.fit(self._width)
            self.virtual_size = Size(1, self._count)
            self.refresh()  # other lines can be as many

    def on_resize(self, event: events.Resize) -> None:
        # The region that the widget knows of itself may still be the one before; room for a scroll bar is always left.
        self._width = event.size.width - self.styles.scrollbar_size_vertical
        self._fit()

    def render_line(self, y: int) -> Strip:
        number = y + self.scroll_offset.y
        width, style = self.scrollable_content_region.width, self.rich_style
        if not 0 <= number < self._count:
            return Strip.blank(width, style)
        return Strip([Segment(self._content.line(number), style)]).adjust_cell_length(width, style)

    def action_move(self, by: int) -> None:
        """Scroll, and at an end go on to the next or previous part of the screen."""
        if by > 0 and self.scroll_offset.y >= self.max_scroll_y:
            self.screen.focus_next()
        elif by < 0 and self.scroll_offset.y <= 0:
            self.screen.focus_previous()
        else:
            self.scroll_to(y=self.scroll_offset.y + by, animate=False)
