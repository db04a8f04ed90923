"""A page for a terminal: Rich text without markup in it, for the command line and for Textual's widgets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from replfix.present.page.page_model import (
    Block,
    Drawing,
    Facts,
    Message,
    Page,
    Point,
    Role,
    Rows,
    Script,
    Section,
    Sentence,
    Statement,
    Steps,
    Symbol,
    Table,
    Words,
)
from replfix.present.row_values_text import cell
from replfix.present.safe_text import indented, visible

STYLES = {
    Role.PLAIN: "",
    Role.STRONG: "bold",
    Role.MUTED: "dim",
    Role.NAME: "",
    Role.OK: "bold green",
    Role.INFO: "cyan",
    Role.WARNING: "yellow",
    Role.ERROR: "bold red",
}
STEP = 2  # cells for a level
DIFFERS = "≠"


def page_text(page: Page) -> Iterator[RenderableType]:
    """Yield one part after the other.

    Lines of statements are not broken: they are to be copied, and printed with ``crop=False``.
    """
    if page.title:
        yield point_text(page.symbol, page.title)
    for number, section in enumerate(page.sections):
        if (number or page.title) and section.heading:
            yield Text()
        yield from section_text(section, wrap=False)


def section_text(
    section: Section, style: str = "bold", *, indent: int = STEP, wrap: bool = True
) -> Iterator[RenderableType]:
    """Yield the heading and the blocks; ``indent``: of the blocks below the heading."""
    outer = STEP * (section.level - 1)
    if section.heading:
        yield _moved(styled(section.heading, style), outer)
    for block in section.blocks:
        if isinstance(block, Steps | Script) and not wrap:
            yield _unbroken(block, outer + indent)
        else:
            yield block_text(block, outer + indent)


def group(parts: Iterable[RenderableType]) -> Group:
    """Return the parts as one."""
    return Group(*parts)


def block_text(block: Block, indent: int = 0) -> RenderableType:
    """Return one block, ``indent`` cells from the left."""
    match block:
        case Sentence():
            return _moved(styled(block.words), indent + STEP * block.level)
        case Point():
            return _moved(point_text(block.symbol, block.words), indent + STEP * block.level)
        case Message():
            return _moved(Text(visible(block.text), style="dim"), indent)
        case Steps():
            return _moved(_steps(block), indent)
        case Script():
            lines = Text("\n".join(indented(each) for each in block.statements), style="bold", overflow="fold")
            return _moved(lines, indent + STEP * block.level)
        case Facts():
            return _moved(_facts(block), indent)
        case Rows():
            return _moved(rows_text(block), indent + STEP)
        case Table():
            return _moved(_table(block), indent)
        case Drawing():
            links = ((block.in_words(link), STYLES[link.role]) for link in block.links)
            return _moved(group(Text(visible(said, keep_newlines=False), style) for said, style in links), indent)
        case _:
            assert_never(block)


def styled(of: Words, style: str = "", *, keep_newlines: bool = False) -> Text:
    """Return the words in the colours of their roles, control characters spelt out."""
    text = Text(style=style, overflow="fold")
    for span in of:
        keep = keep_newlines and span.role is not Role.NAME
        text.append(visible(span.text, keep_newlines=keep), style=STYLES[span.role])
    return text


def point_text(symbol: Symbol, of: Words) -> Grid:
    """Return the words after the symbol; further lines begin below the first one."""
    grid = Grid.grid(padding=(0, 1))
    grid.add_row(Text(symbol.sign, style=STYLES[symbol.role]), styled(of))
    return grid


def statement_text(statement: Statement, width: int | None = None) -> str:
    """Return the statement, after the place where it runs when that is not the replica; cut at ``width``."""
    on = f"{statement.on}: " if statement.on else ""
    return f"{on}{statement.text[:width]}"


def _steps(steps: Steps) -> RenderableType:
    grid = Grid.grid(padding=(0, 1))
    for number, each in enumerate(steps.each, 1):
        grid.add_row(Text(f"{number}."), Text(visible(statement_text(each)), overflow="fold"))
    return grid


def _unbroken(block: Steps | Script, cells: int) -> Group:
    if isinstance(block, Steps):
        lines = [f"{number}. {statement_text(each)}" for number, each in enumerate(block.each, 1)]
    else:
        lines = list(block.statements)
        cells += STEP * block.level
    text = "\n".join(f"{' ' * cells}{indented(line)}" for line in lines)
    return Group(Text(text, no_wrap=True, overflow="ignore"))  # a bare one loses both where it is printed


def _facts(facts: Facts) -> Grid:
    grid = Grid.grid(padding=(0, 2))
    for name, of in facts.pairs:
        grid.add_row(Text(visible(name, keep_newlines=False), style="bold"), styled(of, keep_newlines=True))
    return grid


def rows_text(rows: Rows) -> Grid:
    """Return the images side by side, a sign and a colour where they differ."""
    grid = _columns("", "column", *(side.title for side in rows.sides))
    for ordinal, column in enumerate(rows.columns):
        differs = column in rows.differing
        cells = [Text(cell(side.image, ordinal), style="yellow" if differs else "") for side in rows.sides]
        sign = Text(DIFFERS if differs else "", style="bold yellow")
        grid.add_row(sign, Text(visible(column, keep_newlines=False)), *cells)
    return grid


def _table(table: Table) -> Grid:
    grid = _columns(*([""] if table.marked else []), *table.head)
    for number in table.numbers:
        grid.columns[number + table.marked].justify = "right"
    for row in table.rows:
        sign = [Text(DIFFERS if row.differs else "", style="bold yellow")] if table.marked else []
        grid.add_row(*sign, *(styled(each, "yellow" if row.differs else "") for each in row.cells))
    return grid


def _columns(*titles: str) -> Grid:
    grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for title in titles:
        grid.add_column(Text(visible(title, keep_newlines=False)), overflow="fold")
    return grid


def _moved(part: RenderableType, cells: int) -> RenderableType:
    return Padding(part, (0, 0, 0, cells), expand=False) if cells else part
