"""An explanation as people read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from replfix.core.explain.surge import MEANINGS
from replfix.core.words import counted
from replfix.present.page.page_model import OPEN_QUESTIONS
from replfix.present.row_values_text import shown
from replfix.present.safe_text import indented, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replfix.core.explain.explanation import Asked, Explanation, KeyLocation, Reading, Reason
    from replfix.core.explain.surge import Group as Counts
    from replfix.core.schema.table import KeyPart, Table
    from replfix.workflow.explain.explanations import Counted

STATEMENT_SHOWN = 400
READINGS_SHOWN = 6
ROWS_SHOWN = 3


def explanations_text(explanations: Sequence[Explanation]) -> RenderableType:
    """Return the explanations one after the other, an empty line between two."""
    parts: list[RenderableType] = []
    for number, explanation in enumerate(explanations):
        if number:
            parts.append(Text(""))
        parts.extend(_parts(explanation))
    return Group(*parts)


GROUPS_SHOWN = 20


def counted_text(log: Counted) -> RenderableType:
    """Return the table of a surge, and the explanations that a server was asked for."""
    parts: list[RenderableType] = [
        Text.assemble(
            (counted(log.errors, "duplicate-key error"), "bold"),
            f" in {counted(log.lines, 'line')}, on {counted(len(log.groups), 'key')}",
        )
    ]
    if log.damaged is not None:
        parts.append(_point("!", f"The file is damaged, and was read up to there: {log.damaged}", "yellow"))
    if log.not_grouped:
        parts.append(
            _point("!", f"{counted(log.not_grouped, 'error')} more, on further keys, were not grouped.", "yellow")
        )
    parts.append(Text(""))
    grid = Grid(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    grid.add_column("count", justify="right")
    for title in ("key", "table", "first seen", "last seen", "values"):
        grid.add_column(title, overflow="fold")
    for group in log.groups[:GROUPS_SHOWN]:
        grid.add_row(
            f"{group.count:,}",
            Text(visible(group.key, keep_newlines=False)),
            Text(visible(group.table or "", keep_newlines=False)),
            Text(visible(group.first_seen or "-")),
            Text(visible(group.last_seen or "-")),
            Text(_values(group)),
        )
    parts.append(grid)
    if len(log.groups) > GROUPS_SHOWN:
        parts.append(
            _point("…", f"and {counted(len(log.groups) - GROUPS_SHOWN, 'more key')}: --json lists all.", indent=0)
        )
    parts.append(_title("What it looks like"))
    for group in log.groups[:GROUPS_SHOWN]:
        parts.append(_point("●", f"{group.key}: {MEANINGS[group.shape]}.", "cyan"))
    explained = [e for e in log.explanations if e.case.asked is not None]
    for number, explanation in enumerate(explained, 1):
        parts.append(Text(f"\n{number}. The latest one on {indented(explanation.case.duplicate.key)}", style="bold"))
        parts.extend(_parts(explanation))
    return Group(*parts)


def _values(group: Counts) -> str:
    shown_values = ", ".join(shown(example, 30) for example in group.examples)
    more = "more than " if group.distinct_at_least else ""
    return f"{more}{group.distinct:,}: {shown_values}" + (", …" if group.distinct > len(group.examples) else "")


def _parts(explanation: Explanation) -> Iterator[RenderableType]:
    case = explanation.case
    yield from _said(explanation)
    if case.asked is not None:
        yield from _on_the_server(case.asked)
    yield _title("Why")
    if not explanation.reasons:
        yield _point("?", "The text alone does not tell. " + _more(explanation), "yellow")
    for reason in explanation.reasons:
        yield from _reason(reason)
    if case.unknowns:
        yield _title(OPEN_QUESTIONS)
        for unknown in case.unknowns:
            yield _point("?", unknown, "yellow")


def _more(explanation: Explanation) -> str:
    if explanation.case.asked is None:
        return "Give a server (NAME or --replica URL) to see the key and the row that is there."
    return "Give the whole message, with the statement if the client prints it."


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _point(mark: str, text: str, style: str = "", indent: int = 2) -> Padding:
    grid = Grid.grid(padding=(0, 1))
    grid.add_row(Text(mark, style=style), Text(visible(text)))
    return Padding(grid, (0, 0, 0, indent), expand=False)


def _said(explanation: Explanation) -> Iterator[RenderableType]:
    duplicate = explanation.case.duplicate
    number = f"Error {duplicate.errno}" if duplicate.errno else f"SQLSTATE {duplicate.sqlstate}"
    yield Text.assemble((f"{number}: ", "bold"), "a unique key has the value already", (f"  ({duplicate.form})", "dim"))
    grid = Grid.grid(padding=(0, 2))
    grid.add_row("key", Text(visible(duplicate.key, keep_newlines=False)))
    if duplicate.columns:
        grid.add_row("columns", Text(visible(", ".join(duplicate.columns), keep_newlines=False)))
    if duplicate.table:
        named = f"{duplicate.schema}.{duplicate.table}" if duplicate.schema else duplicate.table
        grid.add_row("table", Text(visible(named, keep_newlines=False)))
    if duplicate.value is not None:
        grid.add_row("value", Text(shown(duplicate.value, 200) + (" and perhaps more" if duplicate.cut else "")))
    if duplicate.gtid:
        grid.add_row("transaction", Text(visible(duplicate.gtid, keep_newlines=False)))
    if duplicate.statement:
        statement = duplicate.statement[:STATEMENT_SHOWN]
        more = " …" if len(duplicate.statement) > STATEMENT_SHOWN else ""
        grid.add_row("statement", Text(visible(statement, keep_newlines=False) + more))
    yield Padding(grid, (0, 0, 0, 2), expand=False)


def _on_the_server(asked: Asked) -> Iterator[RenderableType]:
    product = "" if "MariaDB" in asked.version else "MySQL "
    yield _title(visible(f"On {asked.address}, {product}{asked.version}"))
    if not asked.places:
        yield _point("?", "No unique key there is meant by the message.", "yellow")
    for place in asked.places:
        yield from _place(place)


def _place(place: KeyLocation) -> Iterator[RenderableType]:
    table, key = place.table, place.key
    kind = "PRIMARY KEY" if key.is_primary else f"UNIQUE KEY {key.name}"
    listed = ", ".join(_key_part(table, part) for part in key.parts)
    yield _point("●", f"{table.name}: {kind} ({listed})", "cyan")
    counter = place.counter
    if counter is not None:
        next_value = "not known" if counter.next_value is None else f"{counter.next_value}"
        highest = "the table is empty" if counter.highest is None else f"MAX is {counter.highest}"
        yield _point("-", f"AUTO_INCREMENT hands out {next_value} next; {highest}.", indent=4)
    for reading in place.readings[:READINGS_SHOWN]:
        yield from _reading(place, reading)
    if len(place.readings) > READINGS_SHOWN:
        yield _point("…", f"and {counted(len(place.readings) - READINGS_SHOWN, 'more reading')}: see --json.", indent=4)


_ANSWERS = {
    "found": "there is such a row",
    "no_row": "no such row now",
    "impossible": "cannot be: a piece is no value of its column",
    "not_asked": "could not be asked",
}


def _reading(place: KeyLocation, reading: Reading) -> Iterator[RenderableType]:
    names = [part.column or f"({part.expression})" for part in place.key.parts]
    pairs = ", ".join(f"{name} = {shown(value)}" for name, value in zip(names, reading.values, strict=True))
    mark, style = ("✔", "green") if reading.rows else ("·", "")
    yield _point(mark, f"{pairs}: {_ANSWERS[reading.answer.value]}", style, indent=4)
    for row in reading.rows[:ROWS_SHOWN]:
        grid = Grid.grid(padding=(0, 2))
        for column in place.table.columns:
            grid.add_row(Text(visible(column.name, keep_newlines=False)), Text(shown(row[column.ordinal])))
        yield Padding(grid, (0, 0, 0, 8), expand=False)


def _key_part(table: Table, part: KeyPart) -> str:
    if part.column is None:
        return f"({part.expression})"
    column = table.column(part.column)
    prefix = f"({part.prefix})" if part.prefix is not None else ""
    return f"{part.column}{prefix} {column.column_type}" + (f" {column.collation}" if column.collation else "")


def _reason(reason: Reason) -> Iterator[RenderableType]:
    yield _point("●", f"{reason.code} ({reason.confidence.value} confidence): {reason.summary}", "cyan")
    for sentence in reason.evidence:
        yield _point("-", sentence, indent=4)
    for fix in reason.fixes:
        yield _point("→", fix.text, "green", indent=4)
        for statement in fix.sql:
            yield Padding(Text(visible(statement, keep_newlines=False) + ";", style="bold"), (0, 0, 0, 8), expand=False)
