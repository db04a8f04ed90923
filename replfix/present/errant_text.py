"""Errant transactions as people read them, for every face: what they contain, and the options."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from replfix.core.binlog.row_event import RowChange
from replfix.core.remedies.errant_transactions import Errant, ErrantTransaction, WayOut
from replfix.core.remedies.errant_transactions import in_words as number_of
from replfix.core.replication.gtid import GtidSet
from replfix.core.words import counted
from replfix.present.page.page_model import Block, Point, Sentence, Symbol, words
from replfix.present.remedy_text import in_words, remedy_details
from replfix.present.row_values_text import shown

Described = Callable[[ErrantTransaction], str]

TRANSACTIONS_SHOWN = 20

ROWS_SHOWN = 5
VALUES_SHOWN = 12
VALUE_WIDTH = 32
STATEMENT_WIDTH = 400
WIDTH = 2_000  # of a line; names in events are as long as their server made them


def errant_points(errant: Errant, described: Described = lambda _: "") -> Iterator[Block]:
    """Yield the transactions that only this replica has, and those that may be errant or on their way.

    ``described`` gives a sentence that follows a transaction's content.
    """
    found = errant.only_here
    if found.errant:
        yield _point(0, Symbol.WARNING, f"Errant: {number_of(found.errant)} that only this replica has: {found.errant}")
        yield from _transactions(errant, found.errant, described)
    if found.undecided:
        what = f"{number_of(found.undecided)} that the source does not have yet: {found.undecided}"
        yield _point(0, Symbol.QUESTION, f"Errant or on their way to the source, which is unknown: {what}")
        yield from _transactions(errant, found.undecided, described)
    for one in found.in_transit:
        yield _point(0, Symbol.NEXT, f"On the way to the source, not errant: {number_of(one.gtids)}: {one.gtids}")
        yield _sentence(1, one.how)
        yield from _transactions(errant, one.gtids, described)
    for note in errant.notes:
        yield _point(1, Symbol.QUESTION, note)


def option_points(ways: Sequence[WayOut], source: str) -> Iterator[Block]:
    """Yield the alternatives, each with its steps; ``source``: its address."""
    for way in ways:
        first, *further = in_words((step for step in way.steps), source)
        yield _point(0, Symbol.NEXT, first.text)
        yield from remedy_details(first)
        for number, step in enumerate(further, 2):
            yield _sentence(1, f"Step {number}: {step.text}")
            yield from remedy_details(step)


def _transactions(errant: Errant, gtids: GtidSet, described: Described) -> Iterator[Block]:
    shown = errant.of(gtids)
    for transaction in shown[:TRANSACTIONS_SHOWN]:
        yield from _transaction(transaction)
        if said := described(transaction):
            yield _point(2, Symbol.NEXT, said)
    if len(shown) > TRANSACTIONS_SHOWN:
        yield _point(
            1, Symbol.MORE, f"and {counted(len(shown) - TRANSACTIONS_SHOWN, 'older transaction')}; --json has them"
        )


def _transaction(one: ErrantTransaction) -> Iterator[Block]:
    if one.written is None:
        yield _point(1, Symbol.CERTAIN, f"{one.gtid}, {one.origin}. {one.unknown}")
        return
    at = f"{one.written.committed_at:%Y-%m-%d %H:%M:%S} UTC, {one.written.log_file}:{one.written.start_pos}"
    yield _point(1, Symbol.CERTAIN, f"{one.gtid}, {at}, {one.origin}")
    if one.statement is not None:
        more = "…" if len(one.statement) > STATEMENT_WIDTH else ""
        yield _point(2, Symbol.FACT, one.statement[:STATEMENT_WIDTH] + more)
    elif one.unknown:
        yield _point(2, Symbol.QUESTION, one.unknown)
    elif not one.rows:
        yield _point(2, Symbol.FACT, "empty: it changed nothing")
    for change in one.changes[:ROWS_SHOWN]:
        yield _point(2, Symbol.FACT, _change(change, one.columns_of(change.table)))
    if one.rows > ROWS_SHOWN:
        yield _point(2, Symbol.MORE, f"and {one.rows - ROWS_SHOWN:,} more rows")


def _change(change: RowChange, names: tuple[str, ...]) -> str:
    before, after = change.before, change.after
    parts = []
    for at, name in enumerate(names):
        values = [shown(image[at], VALUE_WIDTH) for image in (before, after) if image is not None and at < len(image)]
        parts.append(f"{name}={' → '.join(dict.fromkeys(values))}")
    more = ", …" if len(parts) > VALUES_SHOWN else ""
    return f"{change.kind.value} {change.table}: {', '.join(parts[:VALUES_SHOWN])}{more}"


def _point(level: int, symbol: Symbol, text: str) -> Point:
    return Point(symbol, words(text[:WIDTH]), level)


def _sentence(level: int, text: str) -> Sentence:
    return Sentence(words(text[:WIDTH]), level)
