"""Row values as JSON: the forms that the contract names, in documents and in the audit trail alike."""

from __future__ import annotations

import base64
from decimal import Decimal

from replfix.core.rows.row_values import NOT_LOGGED, Json, RowImage, Value
from replfix.core.schema.table import Table

JsonValue = None | bool | int | float | str | dict[str, "JsonValue"] | list["JsonValue"]


def to_json(value: Value) -> JsonValue:
    """Return a value as JSON has it.

    Integers, floats, strings and null as themselves; decimals as strings; bytes as ``{"base64": …}``; JSON documents as
    their text; a column that was not logged as ``{"not_logged": true}``.
    """
    match value:
        case Decimal():
            return format(value, "f")
        case bytes():
            return {"base64": base64.b64encode(value).decode("ascii")}
        case Json():
            return value.text
        case _ if value is NOT_LOGGED:
            return {"not_logged": True}
        case _:
            assert value is None or isinstance(value, int | float | str)
            return value


def row_to_json(table: Table, image: RowImage | None) -> dict[str, JsonValue] | None:
    """Return a row as an object by column name; None for no row."""
    if image is None:
        return None
    return {column.name: to_json(value) for column, value in zip(table.columns, image, strict=True)}
