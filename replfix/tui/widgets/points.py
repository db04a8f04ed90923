"""Parts of a page as Textual shows them: text only, nothing in them is markup."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text
from textual.widgets import Static

from replfix.present.page.page_model import Block, Section
from replfix.present.page.rich_page import block_text, section_text
from replfix.present.safe_text import visible

TITLE = "bold underline"


def title(text: str) -> Text:
    """Return a heading, on one line."""
    return Text(visible(text, keep_newlines=False), style=TITLE)


def point(mark: str, text: str | Text, style: str = "", indent: int = 0) -> RenderableType:
    """Return a text after a mark, ``indent`` cells from the left; a text that is no ``Text`` has its control characters spelt out."""
    grid = Grid.grid(padding=(0, 1))
    grid.add_row(Text(mark, style=style), Text(visible(text)) if isinstance(text, str) else text)
    return Padding(grid, (0, 0, 0, indent), expand=False)


def together(parts: Iterable[RenderableType]) -> RenderableType:
    """Return the parts as one."""
    return Group(*parts)


def blocks_text(blocks: Iterable[Block]) -> RenderableType:
    """Return the blocks one below the other."""
    return together(block_text(block) for block in blocks)


def sections_text(sections: Iterable[Section]) -> RenderableType:
    """Return the sections with an empty line between two."""
    parts: list[RenderableType] = []
    for section in sections:
        parts += [Text()] if parts and section.heading else []
        parts += section_text(section, TITLE, indent=0)
    return together(parts)


def section_widget(sections: Iterable[Section], *, id: str | None = None, classes: str | None = None) -> Static:
    """Return a widget that shows the sections, for a place in a screen."""
    return Static(sections_text(sections), id=id, classes=classes, markup=False)
