"""The existing row compared with the row that the statement brings, as far as the text has its values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from replfix.core.explain import insert
from replfix.core.explain.insert import Insert, Item, ItemKind
from replfix.core.rows.row_values import RowImage, Value
from replfix.core.schema.table import Column, Table, UniqueKey

_TIMES = {"datetime", "timestamp", "time", "date"}


@dataclass(frozen=True, slots=True)
class Likeness:
    """Columns outside the key, by name."""

    equal: tuple[str, ...]
    differing: tuple[str, ...]  # times not among them
    but_for_times: tuple[str, ...]


def compare(table: Table, key: UniqueKey, row: RowImage, said: Insert) -> Likeness | None:
    """Compare with the statement's row that is most like it; None when the statement gives no value beside the key."""
    likenesses = [
        likeness
        for given in insert.given(said, tuple(c.name for c in table.columns))
        if (likeness := _compare(table, key, row, given)) is not None
    ]
    return min(likenesses, key=lambda like: (len(like.differing), len(like.but_for_times)), default=None)


def _compare(table: Table, key: UniqueKey, row: RowImage, given: dict[str, Item]) -> Likeness | None:
    keyed = {name.lower() for name in key.columns}
    equal: list[str] = []
    differing: list[str] = []
    times: list[str] = []
    for column in table.columns:
        item = given.get(column.name.lower())
        if item is None or item.kind is ItemKind.PLACEHOLDER:
            continue
        same = _same(column, row[column.ordinal], item)
        if column.name.lower() in keyed:
            if not same and not _alike(row[column.ordinal], item):
                return None  # another row of the statement
            continue
        if same is None:
            continue
        (equal if same else times if column.data_type in _TIMES else differing).append(column.name)
    if not equal and not differing and not times:
        return None
    return Likeness(tuple(equal), tuple(differing), tuple(times))


def _alike(value: Value, item: Item) -> bool:
    """Equal for a key, perhaps: its collation and its prefix are the server's business."""
    return (
        isinstance(value, str)
        and item.known_text is not None
        and value[:1].casefold() == item.known_text[:1].casefold()
    )


def _same(column: Column, value: Value, item: Item) -> bool | None:
    """Return whether they are equal; None for an expression, or a value of a type that is printed in many ways."""
    if item.kind is ItemKind.NULL:
        return value is None
    if item.known_text is None:
        return None
    if value is None:
        return False if item.kind is not ItemKind.TEXT else None
    if isinstance(value, int | Decimal) and column.data_type != "bit":
        try:
            return Decimal(item.known_text) == Decimal(value)
        except InvalidOperation:
            return None
    if isinstance(value, str):
        if column.data_type in _TIMES:
            return (
                value.rstrip("0").rstrip(".") == item.known_text.rstrip("0").rstrip(".")
                if "." in value
                else value == item.known_text
            )
        return value == item.known_text if item.kind is not ItemKind.TEXT or value == item.known_text else None
    return None
