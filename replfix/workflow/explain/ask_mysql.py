"""What a MySQL or MariaDB server knows about a duplicate-key error: the key, the rows that have the value, the counter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from replfix.core.columns import key_probe
from replfix.core.columns.column_type import Impossible, Unaskable
from replfix.core.explain import insert
from replfix.core.explain.duplicate import Duplicate
from replfix.core.explain.explanation import Answer, Asked, KeyLocation, Reading
from replfix.core.explain.insert import Insert
from replfix.core.explain.read_text import JOINED_BY, fits, readings
from replfix.core.schema.auto_increment import Counter
from replfix.core.schema.table import Table, TableName, UniqueKey
from replfix.core.words import counted
from replfix.errors import ConnectError, ReplfixError, TooSlow
from replfix.ports import Inquiry

MOST_PLACES = 8
"""Keys of the same name that are looked into; in a server of one database per customer there are thousands."""
ROWS = 3


def ask_mysql(
    inquiry: Inquiry, duplicate: Duplicate, said: Insert | None, unknowns: list[str]
) -> tuple[Asked, Duplicate]:
    """Return what the server has, and the duplicate with the value and key that the server's own names confirm."""
    places: list[KeyLocation] = []
    for value, key in ((duplicate.value or "", duplicate.key), *duplicate.others):
        reading = replace(duplicate, value=value, key=key)
        named = _keys(inquiry, reading, unknowns)
        if named:
            places = [_place(inquiry, table, unique, reading, said, unknowns) for table, unique in named]
            duplicate = reading
            break
    replicates = inquiry.replicates()
    if replicates is None:
        unknowns.append("Whether the server is a replica itself: the account lacks REPLICATION CLIENT.")
    asked = Asked(
        address=inquiry.address,
        version=inquiry.version(),
        places=tuple(places),
        auto_increment=inquiry.auto_increment(),
        replicates=bool(replicates),
        read_only=inquiry.read_only(),
    )
    return asked, duplicate


def _keys(inquiry: Inquiry, duplicate: Duplicate, unknowns: list[str]) -> list[tuple[Table, UniqueKey]]:
    """Return the unique keys that the message can mean."""
    if duplicate.key.isdigit():
        return _by_number(inquiry, duplicate, unknowns)
    named = inquiry.keys_named(duplicate.key, 10_000)
    narrowed = _of_table(named, duplicate)
    if duplicate.table is not None and named and not narrowed:
        unknowns.append(
            f"The text names the table {duplicate.table}, and no such table has a unique key {duplicate.key}."
        )
    chosen = narrowed or named
    if len(chosen) > MOST_PLACES:
        unknowns.append(
            f"{counted(len(chosen), 'unique key')} there are called {duplicate.key}: name the table with --table SCHEMA.TABLE."
        )
        return []
    found: list[tuple[Table, UniqueKey]] = []
    for name, key in chosen:
        table = inquiry.table(name)
        unique = next((k for k in table.unique_keys if k.name == key), None) if table else None
        if table is not None and unique is not None:
            found.append((table, unique))
    return found


def _of_table(named: Iterable[tuple[TableName, str]], duplicate: Duplicate) -> list[tuple[TableName, str]]:
    wanted, schema = (duplicate.table or "").casefold(), (duplicate.schema or "").casefold()
    of_schema = [n for n in named if not schema or n[0].schema.casefold() == schema]
    # Neither part of `schema.table` is quoted where a replica prints it, and either can contain a dot.
    whole = f"{schema}.{wanted}" if schema else wanted
    of_table = [n for n in named if str(n[0]).casefold() == whole] if wanted and schema else []
    return of_table or [n for n in of_schema if not wanted or n[0].name.casefold() == wanted]


def _by_number(inquiry: Inquiry, duplicate: Duplicate, unknowns: list[str]) -> list[tuple[Table, UniqueKey]]:
    """``for key 1``, as servers before 5.1 say: the number of the key in its table, from 1."""
    if duplicate.table is None:
        unknowns.append("The message names the key by its number only: name the table with --table SCHEMA.TABLE.")
        return []
    names = [
        name
        for name in inquiry.tables_named(duplicate.table, MOST_PLACES)
        if duplicate.schema is None or name.schema.casefold() == duplicate.schema.casefold()
    ]
    number = int(duplicate.key)
    tables = [table for name in names if (table := inquiry.table(name)) is not None]
    return [(t, t.unique_keys[number - 1]) for t in tables if 1 <= number <= len(t.unique_keys)]


def _place(
    inquiry: Inquiry, table: Table, key: UniqueKey, duplicate: Duplicate, said: Insert | None, unknowns: list[str]
) -> KeyLocation:
    values = [(reading, duplicate.cut) for reading in readings(duplicate.known, len(key.parts))]
    told = _told(table, key, said, duplicate)
    if told is not None:
        # The statement has the value whole, and its columns apart.
        values = [(told, False), *(v for v in values if v[0] != told)]
    elif not values:
        unknowns.append(f"The value cannot be divided into the {len(key.parts)} parts of {table.name}, key {key.name}.")
    answered: list[Reading] = []
    for pieces, cut in values:
        reading = _answer(inquiry, table, key, pieces, cut, unknowns)
        answered.append(reading)
        if reading.rows and pieces == told:
            break
    if not any(reading.rows for reading in answered):
        answered += _with_any_character(inquiry, table, answered, unknowns)
    return KeyLocation(table, key, tuple(answered), _counter(inquiry, table, key, unknowns))


def _with_any_character(
    inquiry: Inquiry, table: Table, answered: Sequence[Reading], unknowns: list[str]
) -> Iterator[Reading]:
    """Yield the rows that are found with any character for one that the message does not have (an emoji is printed as ?)."""
    for reading in answered:
        wider = key_probe.with_any_character(table, reading.matches)
        if reading.answer is not Answer.NO_ROW or wider is None:
            continue
        try:
            rows = inquiry.shown(table, wider, ROWS)
        except TooSlow:
            unknowns.append(
                f"Rows of {table.name} with any character in place of ? could not be looked up: it took too long."
            )
            return
        if rows:
            unknowns.append("Rows were looked up with any character in place of ? in the value: more than one can fit.")
            yield Reading(reading.values, Answer.FOUND, rows, wider)


def _answer(
    inquiry: Inquiry, table: Table, key: UniqueKey, pieces: tuple[str, ...], cut: bool, unknowns: list[str]
) -> Reading:
    try:
        matches = key_probe.matches(table, key, pieces, cut=cut)
    except Impossible:
        return Reading(pieces, Answer.IMPOSSIBLE)
    except Unaskable as reason:
        unknowns.append(f"Rows of {table.name} could not be looked up by {key.name}: {reason}.")
        return Reading(pieces, Answer.NOT_ASKED)
    if any(table.column(c).data_type == "timestamp" for part in key.parts for c in part.columns):
        unknowns.append("A TIMESTAMP is printed in the time zone of the session that failed, and was looked up as UTC.")
    try:
        rows = inquiry.shown(table, matches, ROWS)
    except TooSlow:
        unknowns.append(f"Rows of {table.name} could not be looked up by {key.name}: it took too long.")
        return Reading(pieces, Answer.NOT_ASKED, matches=matches)
    except ConnectError:
        raise
    except ReplfixError as error:
        unknowns.append(f"Rows of {table.name} could not be looked up by {key.name}: {error.message}")
        return Reading(pieces, Answer.NOT_ASKED, matches=matches)
    return Reading(pieces, Answer.FOUND if rows else Answer.NO_ROW, rows, matches)


def _told(table: Table, key: UniqueKey, said: Insert | None, duplicate: Duplicate) -> tuple[str, ...] | None:
    """Return the key's values as the statement gives them: of the row that the message's value fits."""
    if said is None or duplicate.value is None or any(p.column is None or p.prefix is not None for p in key.parts):
        return None
    for row in insert.given(said, tuple(c.name for c in table.columns)):
        items = [row.get(name.lower()) for name in key.columns]
        values = tuple(item.known_text for item in items if item is not None and item.known_text is not None)
        if len(values) != len(key.parts):
            continue
        if fits(duplicate.known, JOINED_BY[duplicate.dialect].join(values), cut=duplicate.cut):
            return values
    return None


def _counter(inquiry: Inquiry, table: Table, key: UniqueKey, unknowns: list[str]) -> Counter | None:
    column = next((c for c in table.columns if c.auto_increment), None)
    if column is None or key.columns != (column.name,):
        return None
    try:
        return inquiry.counter(table, column)
    except TooSlow:
        unknowns.append(f"MAX({column.name}) of {table.name} could not be read: it took too long.")
        return None
    except ConnectError:
        raise
    except ReplfixError as error:
        unknowns.append(f"MAX({column.name}) of {table.name} could not be read: {error.message}")
        return None
