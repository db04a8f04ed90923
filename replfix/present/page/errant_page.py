"""The page of ``replfix errant``: transactions, rows side by side, what follows, and the options."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.remedies.errant_examination import Examination
from replfix.core.remedies.errant_rows import ErrantRow, Verdict
from replfix.core.remedies.errant_transactions import ErrantTransaction, in_words
from replfix.core.rows.row_values import NotRead
from replfix.core.words import counted
from replfix.present.channel_state import called
from replfix.present.errant_text import errant_points, option_points
from replfix.present.page.page_model import (
    OPEN_QUESTIONS,
    Block,
    Page,
    Point,
    Rows,
    Sentence,
    Side,
    Symbol,
    points,
    section,
    strong,
    words,
)

ROWS_SHOWN = 10

WITHOUT_GTIDS = "Without GTIDs nobody knows which transactions only this replica has."
NONE = "Every transaction of this replica is its source's too."

_VERDICTS = {
    Verdict.EQUAL: "Its rows are the same on the source by now.",
    Verdict.DIFFERENT: "Its rows differ from the source's.",
    Verdict.UNDETERMINED: "Whether its rows differ from the source's is unknown.",
}


def errant_page(replica: str, found: Examination) -> Page:
    """Return the whole page."""
    symbol, what = _heading(found)
    title = words(strong(replica), f": {called(found.channel)}: {what}")
    errant = found.errant
    if errant is None or not errant:
        return Page((), symbol, title)
    lost = errant.gtids

    def described(one: ErrantTransaction) -> str:
        if one.gtid not in lost or one.written is None:
            return ""
        if one.statement is not None:
            return "It was logged as a statement: what it changed was not compared."
        return _VERDICTS[found.compared.verdict_of(one)] if one.rows else ""

    return Page(
        (
            *section("Transactions", errant_points(errant, described)),
            *section("Rows", _rows(found)),
            *section("If you leave them", points(Symbol.ITEM, found.consequences)),
            *section("Options (replfix runs none of them)", option_points(found.options, found.source)),
            *section(OPEN_QUESTIONS, _questions(found)),
        ),
        symbol,
        title,
    )


def _heading(found: Examination) -> tuple[Symbol, str]:
    errant = found.errant
    if errant is None:
        return Symbol.QUESTION, WITHOUT_GTIDS
    only = errant.only_here
    if only.errant:
        return Symbol.WARNING, f"{in_words(only.errant)} that {found.source} does not have."
    if only.undecided:
        return Symbol.QUESTION, f"{in_words(only.undecided)} that may be errant."
    if only.in_transit:
        return Symbol.OK, "No errant transaction; some are on their way to the source."
    return Symbol.OK, NONE


def _rows(found: Examination) -> Iterator[Block]:
    compared = found.compared
    equal = len(compared.rows) - len(compared.different) - len(compared.undetermined)
    if compared.rows:
        said = [f"{counted(len(compared.rows), 'row')} compared with {found.source}"]
        said += [f"{equal:,} the same", f"{len(compared.different):,} different"]
        said += [f"{len(compared.undetermined):,} undetermined"] if compared.undetermined else []
        yield Sentence(words(f"{said[0]}: {', '.join(said[1:])}."))
    shown = (*compared.different, *compared.undetermined)
    for row in shown[:ROWS_SHOWN]:
        yield from _row(row)
    if len(shown) > ROWS_SHOWN:
        yield Point(Symbol.MORE, words(f"and {counted(len(shown) - ROWS_SHOWN, 'more row')}; --json has them"))


def _row(row: ErrantRow) -> Iterator[Block]:
    sign = Symbol.WARNING if row.verdict is Verdict.DIFFERENT else Symbol.QUESTION
    yield Point(sign, words(f"{row.table.name} ({row.lookup}), changed by {', '.join(row.gtids[:3])}"))
    if row.why:
        yield Sentence(words(row.why), level=1)
    if isinstance(row.source_row, NotRead):
        yield Sentence(words(f"Not read: {row.source_row.reason}."), level=1)
    key = frozenset(row.table.identity.columns) if row.table.identity is not None else frozenset()
    columns = tuple(column.name for column in row.table.columns)
    types = tuple(column.column_type for column in row.table.columns)
    sides = (Side("replica now", row.replica_row), Side("source now", row.source_row))
    yield Rows(row.table.name, columns, types, frozenset(row.differences), key, sides)


def _questions(found: Examination) -> Iterator[Block]:
    yield from points(Symbol.QUESTION, dict.fromkeys(found.compared.tables_left_out.values()))
    if found.compared.undetermined and found.compared.backlog:
        yield Point(
            Symbol.NEXT,
            words(
                f"The replica still has to apply {found.compared.backlog}. Let it catch up ('replfix resolve' if it is stopped), and run "
                "'replfix errant' again."
            ),
        )
