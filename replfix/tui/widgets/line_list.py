"""A list that draws only the lines that are in view: as quick with 100,000 entries as with three."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

Line = Callable[[int], Text]


class LineList(ScrollView, can_focus=True):
    """``line(n)`` gives the text of entry ``n``, on one line. The cursor is a symbol first and a colour second.

    Moving past an end goes on to the next or previous part of the screen, so that arrow keys alone lead through it.
    """

    DEFAULT_CSS = """
    LineList { height: auto; overflow-x: hidden; scrollbar-size-vertical: 1; }
    LineList > .line-list--cursor { background: $block-cursor-blurred-background; text-style: bold; }
    LineList:focus > .line-list--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-list--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "go(0)", "First", show=False),
        Binding("end", "go(-1)", "Last", show=False),
        Binding("enter", "select", "Select", show=False),
    ]

    cursor: reactive[int] = reactive(0, init=False)

    class Highlighted(Message):
        """The cursor is on another entry now."""

        def __init__(self, lines: LineList, index: int) -> None:
            super().__init__()
            self.lines = lines
            self.index = index

        @property
        def control(self) -> LineList:
            return self.lines

    class Selected(Highlighted):
        """Enter, or a second click, on an entry."""

    def __init__(self, count: int, line: Line, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.count = count
        self._line = line
        self.virtual_size = Size(1, count)

    def show(self, count: int) -> None:
        """Show other entries, of which there are so many, from the first one."""
        self.count = count
        self.virtual_size = Size(1, count)
        self.set_reactive(LineList.cursor, 0)
        self.scroll_home(animate=False)
        self.refresh(layout=True)

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, self.count - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        self.refresh_line(before)
        self.refresh_line(now)
        self._keep_in_view()
        self.post_message(self.Highlighted(self, now))

    def _keep_in_view(self) -> None:
        height = self.scrollable_content_region.height
        top = self.scroll_offset.y
        if height <= 0:
            return
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)

    def render_line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        style = self.rich_style
        if not 0 <= index < self.count:
            return Strip.blank(width, style)
        here = index == self.cursor
        if here:
            style = self.get_component_rich_style("line-list--cursor")
        text = Text("▸ " if here else "  ", no_wrap=True, end="").append_text(self._line(index))
        text.truncate(width, overflow="ellipsis")
        segments = Segment.apply_style(text.render(self.app.console), style)
        return Strip(segments).adjust_cell_length(width, style)

    # --- keys and mouse ---

    def action_move(self, by: int) -> None:
        if 0 <= self.cursor + by < self.count:
            self.cursor += by
        elif by > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def action_page(self, by: int) -> None:
        self.cursor += by * max(1, self.scrollable_content_region.height - 1)

    def action_go(self, to: int) -> None:
        self.cursor = to if to >= 0 else self.count - 1

    def action_select(self) -> None:
        if self.count:
            self.post_message(self.Selected(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None:
            return
        index = at.y + self.scroll_offset.y
        if not 0 <= index < self.count:
            return
        again = index == self.cursor and event.chain > 1
        self.cursor = index
        if again:
            self.action_select()
