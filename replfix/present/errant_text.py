"""Errant transactions as people read them, for every face: what they hold, and the ways out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from replfix.core.binlog.row_event import RowChange
from replfix.core.remedies.errant_transactions import Errant, ErrantTransaction, in_words
from replfix.core.replication.gtid import GtidSet
from replfix.present.row_values_text import shown
from replfix.present.safe_text import visible

ROWS_SHOWN = 5
VALUES_SHOWN = 12
VALUE_WIDTH = 32
STATEMENT_WIDTH = 400
WIDTH = 2_000  # of a line; names in events are as long as their server made them


@dataclass(frozen=True, slots=True)
class ErrantLine:
    """``mark`` stands in front; ``indent`` is in steps. ``text`` has no newline and no control character."""

    indent: int
    mark: str
    text: str


def errant_lines(errant: Errant) -> list[ErrantLine]:
    """Nothing for none."""
    lines = _lines(errant) if errant else ()
    return [ErrantLine(line.indent, line.mark, visible(line.text[:WIDTH], keep_newlines=False)) for line in lines]


def _lines(errant: Errant) -> Iterator[ErrantLine]:
    found = errant.only_here
    if found.errant:
        yield ErrantLine(0, "!", f"Errant: {in_words(found.errant)} that only this replica has: {found.errant}")
        yield from _transactions(errant, found.errant)
    if found.undecided:
        what = f"{in_words(found.undecided)} that the source does not have yet: {found.undecided}"
        yield ErrantLine(0, "?", f"Errant or on their way to the source, which is unknown: {what}")
        yield from _transactions(errant, found.undecided)
    for one in found.in_transit:
        yield ErrantLine(0, "→", f"On the way to the source, not errant: {in_words(one.gtids)}: {one.gtids}")
        yield ErrantLine(1, "", one.how)
        yield from _transactions(errant, one.gtids)
    for note in errant.notes:
        yield ErrantLine(1, "?", note)
    if not errant.ways:
        return
    yield ErrantLine(1, "", "Your options for the errant ones (replfix does none of them for you):")
    for way in errant.ways:
        yield ErrantLine(1, "→", f"{way.name}: {way.means}")
        if way.sql:
            yield ErrantLine(2, "", f"On {way.where}:")
        yield from (ErrantLine(2, "", f"{statement};") for statement in way.sql)
        yield ErrantLine(2, "", f"Afterwards: {way.leads_to.in_words}")


def _transactions(errant: Errant, gtids: GtidSet) -> Iterator[ErrantLine]:
    for transaction in errant.of(gtids):
        yield from _transaction(transaction)


def _transaction(one: ErrantTransaction) -> Iterator[ErrantLine]:
    if one.written is None:
        yield ErrantLine(1, "●", f"{one.gtid}, {one.origin}. {one.unknown}")
        return
    at = f"{one.written.committed_at:%Y-%m-%d %H:%M:%S} UTC, {one.written.log_file}:{one.written.start_pos}"
    yield ErrantLine(1, "●", f"{one.gtid}, {at}, {one.origin}")
    if one.statement is not None:
        more = "…" if len(one.statement) > STATEMENT_WIDTH else ""
        yield ErrantLine(2, "-", one.statement[:STATEMENT_WIDTH] + more)
    elif one.unknown:
        yield ErrantLine(2, "?", one.unknown)
    elif not one.rows:
        yield ErrantLine(2, "-", "empty: it changed nothing")
    for change in one.changes[:ROWS_SHOWN]:
        yield ErrantLine(2, "-", _change(change, one.columns_of(change.table)))
    if one.rows > ROWS_SHOWN:
        yield ErrantLine(2, "…", f"and {one.rows - ROWS_SHOWN:,} more rows")


def _change(change: RowChange, names: tuple[str, ...]) -> str:
    before, after = change.before, change.after
    parts = []
    for at, name in enumerate(names):
        values = [shown(image[at], VALUE_WIDTH) for image in (before, after) if image is not None and at < len(image)]
        parts.append(f"{name}={' → '.join(dict.fromkeys(values))}")
    more = ", …" if len(parts) > VALUES_SHOWN else ""
    return f"{change.kind.value} {change.table}: {', '.join(parts[:VALUES_SHOWN])}{more}"
