"""Sentences with a mark before each and a hanging indent, as text only: nothing in them is markup."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from replfix.present.safe_text import visible


def title(text: str) -> Text:
    return Text(text, style="bold underline")


def point(mark: str, text: str | Text, style: str = "", indent: int = 0) -> RenderableType:
    grid = Grid.grid(padding=(0, 1))
    grid.add_row(Text(mark, style=style), Text(visible(text)) if isinstance(text, str) else text)
    return Padding(grid, (0, 0, 0, indent), expand=False)


def together(parts: Iterable[RenderableType]) -> RenderableType:
    return Group(*parts)


def plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
