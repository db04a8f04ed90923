"""A report of the advisor for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from replfix.core.advisor.finding import Finding, Severity
from replfix.core.advisor.number_map import NumberMap
from replfix.present.advice.advice_page import MARKS, NUMBER_MAP, SERVER_COLUMNS, Page, bar, room_words
from replfix.present.advice.rollout_text import rollout_lines
from replfix.present.page.page_model import OPEN_QUESTIONS
from replfix.present.safe_text import indented, visible

STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
BAR = 20


def known_text(page: Page) -> RenderableType:
    """Return the page in colour, for a Rich console."""
    return Group(*_parts(page))


def _parts(page: Page) -> Iterator[RenderableType]:
    yield _servers(page)
    yield Text("")
    if page.since:
        yield Text(page.since)
        yield from (Text(visible(f"  {word}: {what}")) for word, what in page.changed())
        yield Text("")
    for finding, remedy in page.remedies():
        yield _finding(finding, remedy)
        yield Text("")
    yield Text(page.verdict) if page.report.findings else Text(f"✔ {page.verdict}", style="green")
    for title, numbers in page.maps():
        yield Text("")
        yield Text(f"{NUMBER_MAP}, {title}:", style="bold")
        yield _map(numbers)
    yield from _rooms(page)
    if page.rollout is not None:
        yield Text("")
        yield from (Text(line, overflow="fold") for line in rollout_lines(page.rollout))
    if page.report.survey.unknowns:
        yield Text("")
        yield Text(f"{OPEN_QUESTIONS}:", style="bold")
        yield from (Text(f"  {indented(unknown)}") for unknown in page.report.survey.unknowns)


def _servers(page: Page) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for title in SERVER_COLUMNS:
        grid.add_column(title, overflow="fold")
    for row in page.servers():
        grid.add_row(*(Text(visible(cell)) for cell in row))
    return grid


def _finding(finding: Finding, remedy: tuple[str, ...]) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    head = Text(f"{visible(finding.message)} ")
    head.append(f"[{finding.code}]", style="dim")
    grid.add_row(Text(MARKS[finding.severity], style=STYLES[finding.severity]), head)
    for sentence in finding.evidence:
        grid.add_row("", Text(visible(sentence), style="dim"))
    for line in remedy:
        grid.add_row("", Padding(Text(visible(line), style="bold"), (0, 0, 0, 2)))
    return grid


def _map(numbers: NumberMap) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_row("", *(Text(str(n), style="dim", justify="right") for n in numbers.numbers))
    for writer in numbers.writers:
        cells = (
            ("", "")
            if writer not in (given := numbers.given(n))
            else ("✘", "bold red")
            if len(given) > 1
            else ("●", "")
            for n in numbers.numbers
        )
        grid.add_row(Text(visible(writer.name)), *(Text(mark, style=style, justify="right") for mark, style in cells))
    return grid


def _rooms(page: Page) -> Iterator[RenderableType]:
    rooms = page.rooms()
    if not rooms:
        return
    yield Text("")
    yield Text("Head room:", style="bold")
    grid = Table.grid(padding=(0, 2, 0, 0))
    for room in rooms:
        grid.add_row(
            Text(visible(f"{room.table}.{room.counter.column.name}")),
            Text(bar(room.used, BAR)),
            Text(f"{room.used:.1%}", justify="right"),
            Text(room_words(room), style="dim"),
        )
    yield grid
