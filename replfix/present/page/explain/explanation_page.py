"""A duplicate-key error: what the text says, what a server has, why it occurred as far as that is known, and what to do.

A new fact is a line here: every face shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from replfix.core.explain.duplicate import Duplicate, Kind
from replfix.core.explain.explanation import Answer, Asked, AskedPostgresql, Case, Explanation, Guidance, KeyLocation
from replfix.core.replication.subscription import Subscription
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.postgresql_sequence import ColumnSequence
from replfix.core.schema.table import KeyPart, Table, TableName
from replfix.core.words import counted
from replfix.present.page.judgement_blocks import cause_blocks, fix_blocks
from replfix.present.page.page_model import (
    OPEN_QUESTIONS,
    Block,
    Facts,
    Page,
    Point,
    Rows,
    Section,
    Sentence,
    Side,
    Symbol,
    Words,
    muted,
    name,
    points,
    section,
    strong,
    words,
)
from replfix.present.row_values_text import shown

STATEMENT_SHOWN = 400
VALUE_SHOWN = 200
READINGS_SHOWN = 6
ROWS_SHOWN = 3

_WHAT = {
    Kind.DUPLICATE: "a unique key has the value already",
    Kind.KEY_BUILD: "rows are not unique where a key is created",
    Kind.EXCLUSION: "the row conflicts with an existing one",
    Kind.CONFLICT: "a subscription cannot apply a change as it is",
    Kind.REPLICA: "an applier has stopped",
}


def explanations_page(explanations: Iterable[Explanation]) -> Page:
    """Return the explanations one after the other."""
    return Page(tuple(part for explanation in explanations for part in explanation_sections(explanation)))


def explanation_sections(explanation: Explanation) -> Iterator[Section]:
    """Yield one explanation: message, server, reasons, where to look, what else it can be, how to handle it."""
    case, guidance = explanation.case, explanation.guidance
    yield Section(headline(case.duplicate), tuple(_message(case.duplicate, guidance)))
    if case.postgresql is not None:
        yield Section(_postgresql_server(case.postgresql), tuple(_on_postgresql(case.postgresql)))
    if case.asked is not None:
        yield Section(_server(case.asked), tuple(_on_the_server(case.asked, case.duplicate)))
    yield from section("Why", _why(explanation))
    if guidance is not None:
        yield from section("Look", _look(case, guidance))
        yield from section("What it can be, and how the cases differ", _possible(guidance))
        yield from section(
            f"In {guidance.framework}" if guidance.framework else "In the application", fix_blocks(guidance.handling)
        )
    yield from section(OPEN_QUESTIONS, points(Symbol.QUESTION, case.unknowns))


def headline(duplicate: Duplicate) -> Words:
    """Return the error's number, what it means in short, and whose text it was found in."""
    number = f"Error {duplicate.errno}" if duplicate.errno else f"SQLSTATE {duplicate.sqlstate}"
    return words(f"{number}: {_WHAT[duplicate.kind]}", muted(f"  ({duplicate.form})"))


def _message(duplicate: Duplicate, guidance: Guidance | None) -> Iterator[Block]:
    yield Facts(tuple(_facts(duplicate)))
    if guidance is not None:
        yield Sentence(words(guidance.meaning))
    if duplicate.truncated:
        yield Point(Symbol.WARNING, words("The text ends inside the message: what is shown is what is there of it."))


def _facts(duplicate: Duplicate) -> Iterator[tuple[str, Words]]:
    if duplicate.key:
        yield "key", words(name(duplicate.key), " and perhaps more" if duplicate.truncated else "")
    if duplicate.columns:
        yield "columns", words(name(", ".join(duplicate.columns)))
    if duplicate.table:
        yield "table", words(name(f"{duplicate.schema}.{duplicate.table}" if duplicate.schema else duplicate.table))
    if duplicate.value is not None:
        yield "value", words(name(shown(duplicate.value, VALUE_SHOWN)), " and perhaps more" if duplicate.cut else "")
    if duplicate.gtid:
        yield "transaction", words(name(duplicate.gtid))
    if duplicate.statement:
        more = " …" if len(duplicate.statement) > STATEMENT_SHOWN else ""
        yield "statement", words(name(duplicate.statement[:STATEMENT_SHOWN]), more)


# --- what a server has ---


def _server(asked: Asked) -> Words:
    product = "" if "MariaDB" in asked.version else "MySQL "
    return words("On ", name(asked.address), f", {product}", name(asked.version))


def _on_the_server(asked: Asked, duplicate: Duplicate) -> Iterator[Block]:
    if not asked.places:
        yield Point(Symbol.QUESTION, words("No unique key that the account can see there is meant by the message:"))
        yield from points(Symbol.ITEM, _why_no_key(duplicate), level=1)
    if len(asked.places) > 1 and sum(bool(place.rows) for place in asked.places) != 1:
        several = f"{counted(len(asked.places), 'table')} there have a unique key of that name: name the one that is meant with --table SCHEMA.TABLE."
        yield Point(Symbol.NEXT, words(several))
    for place in asked.places:
        yield from _place(place)


def _why_no_key(duplicate: Duplicate) -> Iterator[str]:
    if "group_key" in duplicate.key or "auto_key" in duplicate.key:
        yield "The key is of a temporary table that the server made for a query: it has never been in the data dictionary."
        return
    yield "The account has no privilege on that table: information_schema then leaves the table out."
    yield "It is a TEMPORARY table, which only the session that failed could see."
    yield "It is another server, or the table or its key was dropped or renamed since."


def _place(place: KeyLocation) -> Iterator[Block]:
    table, key = place.table, place.key
    kind = "PRIMARY KEY" if key.is_primary else f"UNIQUE KEY {key.name}"
    listed = ", ".join(_key_part(table, part) for part in key.parts)
    yield Point(Symbol.CERTAIN, words(name(f"{table.name}: {kind} ({listed})")))
    counter = place.counter
    if counter is not None:
        next_value = "not known" if counter.next_value is None else f"{counter.next_value}"
        highest = "the table is empty" if counter.highest is None else f"MAX is {counter.highest}"
        yield Point(Symbol.FACT, words(f"AUTO_INCREMENT hands out {next_value} next; {highest}."), level=1)
    names = [part.column or f"({part.expression})" for part in key.parts]
    columns = tuple((column.name, column.column_type) for column in table.columns)
    found = [_Reading(r.values, r.answer, r.rows) for r in place.readings]
    yield from _readings(_Key(table.name, names, columns, frozenset(key.columns)), found)


def _postgresql_server(asked: AskedPostgresql) -> Words:
    return words(
        "On ", name(asked.address), ", PostgreSQL ", name(asked.version), ", a standby" if asked.standby else ""
    )


def _on_postgresql(asked: AskedPostgresql) -> Iterator[Block]:
    if not asked.places:
        yield Point(Symbol.QUESTION, words("No unique key of this database is meant by the message."))
    for place in asked.places:
        key = place.key
        yield Point(Symbol.CERTAIN, words(name(f"{key.schema}.{key.table}: {key.kind} {key.name}")))
        yield Point(Symbol.FACT, words(name(key.definition)), level=1)
        if place.sequence is not None:
            yield Point(Symbol.FACT, _sequence(place.sequence), level=1)
        for subscription in (each for each in place.subscriptions or () if each.has_table):
            yield Point(Symbol.FACT, _subscription(subscription), level=1)
        described = _Key(
            TableName(key.schema, key.table),
            [part.expression for part in key.parts],
            tuple((column.name, column.type) for column in key.columns),
            frozenset(part.column for part in key.parts if part.column is not None),
        )
        yield from _readings(
            described,
            [
                _Reading(r.values, r.answer, tuple(tuple(cell.value for cell in row) for row in r.rows))
                for r in place.readings
            ],
        )


def _sequence(sequence: ColumnSequence) -> Words:
    after = sequence.next_value
    gives = "its next number is not known" if after is None else f"it gives {after} next"
    if sequence.unread is not None:
        highest = "MAX was not read"
    elif sequence.highest is None:
        highest = "the table is empty"
    else:
        highest = f"MAX is {sequence.highest}"
    named = name(f"{sequence.schema}.{sequence.name}")
    return words("Sequence ", named, " of ", name(sequence.column), f" ({sequence.use}): {gives}; {highest}.")


def _subscription(subscription: Subscription) -> Words:
    states = ["enabled" if subscription.enabled else "disabled", "it writes this table"]
    if subscription.apply_errors:
        states.append(f"{counted(subscription.apply_errors, 'error')} while applying")
    return words("Subscription ", name(subscription.name), f": {', '.join(states)}.")


_ANSWERS = {
    Answer.FOUND: "there is such a row",
    Answer.NO_ROW: "no such row now",
    Answer.IMPOSSIBLE: "cannot be: a piece is no value of its column",
    Answer.NOT_ASKED: "could not be asked",
}


class _Key(NamedTuple):
    """A key of either product, as far as its rows are shown."""

    table: TableName
    parts: Sequence[str]
    columns: Sequence[tuple[str, str]]  # of the table: name and type
    keyed: frozenset[str]


class _Reading(NamedTuple):
    """A reading of a value, of either product."""

    values: tuple[str, ...]
    answer: Answer
    rows: tuple[RowImage, ...]


def _readings(key: _Key, readings: Sequence[_Reading]) -> Iterator[Block]:
    for reading in readings[:READINGS_SHOWN]:
        pairs = ", ".join(f"{part} = {shown(value)}" for part, value in zip(key.parts, reading.values, strict=True))
        symbol = Symbol.OK if reading.rows else Symbol.ITEM
        yield Point(symbol, words(name(pairs), f": {_ANSWERS[reading.answer]}"), level=1)
        if reading.rows:
            yield Rows(
                key.table,
                tuple(column for column, _ in key.columns),
                tuple(type_ for _, type_ in key.columns),
                frozenset(),
                key.keyed,
                tuple(
                    Side("value" if len(reading.rows) == 1 else f"row {number}", row)
                    for number, row in enumerate(reading.rows[:ROWS_SHOWN], 1)
                ),
            )
    if len(readings) > READINGS_SHOWN:
        left = counted(len(readings) - READINGS_SHOWN, "more reading")
        yield Point(Symbol.MORE, words(f"and {left}: see --json."), level=1)


def _key_part(table: Table, part: KeyPart) -> str:
    if part.column is None:
        return f"({part.expression})"
    column = table.column(part.column)
    prefix = f"({part.prefix})" if part.prefix is not None else ""
    return f"{part.column}{prefix} {column.column_type}" + (f" {column.collation}" if column.collation else "")


# --- what follows ---


def _why(explanation: Explanation) -> Iterator[Block]:
    for reason in explanation.reasons:
        yield from cause_blocks(reason)
    if not explanation.reasons:
        guidance = explanation.guidance
        more = " See below what it can be." if guidance is not None and guidance.possible else ""
        what = "The text alone" if not explanation.case.was_asked else "What was found"
        yield Point(Symbol.QUESTION, words(f"{what} does not decide that.{more}"))


def _look(case: Case, guidance: Guidance) -> Iterator[Block]:
    yield from fix_blocks(guidance.look)
    if guidance.look and not case.was_asked and case.duplicate.key:
        yield Point(
            Symbol.NEXT,
            words("Or give a server (NAME or --replica URL): the key and the row that is there are looked up."),
        )


def _possible(guidance: Guidance) -> Iterator[Block]:
    for possibility in guidance.possible:
        yield Point(Symbol.POSSIBLE, words(strong(possibility.code), f": {possibility.summary}"))
        yield from fix_blocks((possibility.tell,), level=1, symbol=Symbol.FACT)
