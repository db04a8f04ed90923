"""The existing row of a PostgreSQL server compared with the row that the statement brings."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from replfix.core.explain import insert
from replfix.core.explain.compare import Likeness
from replfix.core.explain.explanation import PostgresqlLocation
from replfix.core.explain.insert import Insert, Item, ItemKind
from replfix.core.rows.postgresql_row import Cell, PostgresqlRow
from replfix.core.schema.postgresql_key import TEXTS, WHOLE_NUMBERS

_NUMBERS = WHOLE_NUMBERS | {"numeric", "real", "double precision"}
_TIMES = ("timestamp", "time", "date")
_BOOLEANS = {
    **dict.fromkeys(("true", "t", "1", "yes", "on"), "t"),
    **dict.fromkeys(("false", "f", "0", "no", "off"), "f"),
}


def likeness(place: PostgresqlLocation, row: PostgresqlRow, said: Insert) -> Likeness | None:
    """Compare with the statement's row that is most like it; None when the statement gives no value beside the key."""
    names = tuple(column.name for column in place.key.columns)
    found = [like for given in insert.given(said, names) if (like := _likeness(place, row, given)) is not None]
    return min(found, key=lambda like: (len(like.differing), len(like.but_for_times)), default=None)


def _likeness(place: PostgresqlLocation, row: PostgresqlRow, given: dict[str, Item]) -> Likeness | None:
    keyed = {part.column for part in place.key.parts}
    equal: list[str] = []
    differing: list[str] = []
    times: list[str] = []
    for cell in row:
        item = given.get(cell.column.lower())
        if item is None or item.kind is ItemKind.PLACEHOLDER:
            continue
        same = _same(cell, item)
        if cell.column in keyed:
            if same is False and cell.type in WHOLE_NUMBERS:
                return None  # another row of the statement
            continue
        if same is not None:
            (equal if same else times if cell.type.startswith(_TIMES) else differing).append(cell.column)
    if not equal and not differing and not times:
        return None
    return Likeness(tuple(equal), tuple(differing), tuple(times))


def _same(cell: Cell, item: Item) -> bool | None:
    """Return whether they are equal; None for an expression, or a value of a type that is printed in many ways."""
    said = item.known_text
    if item.kind is ItemKind.NULL:
        return cell.text is None
    if said is None or cell.cut:
        return None
    if cell.text is None or item.kind is ItemKind.TEXT:
        return None if item.kind is ItemKind.TEXT and said != cell.text else cell.text is not None
    if cell.type in _NUMBERS:
        try:
            return Decimal(said) == Decimal(cell.text)
        except InvalidOperation:
            return None
    if cell.type == "boolean":
        return None if said.lower() not in _BOOLEANS else _BOOLEANS[said.lower()] == cell.text
    if cell.type.startswith(_TIMES):
        return said == cell.text or (None if cell.type == "timestamp with time zone" else False)
    if cell.type == "uuid":
        return said.lower() == cell.text
    return said == cell.text if cell.type in TEXTS else (said == cell.text) or None
