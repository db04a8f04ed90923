"""Row values as JSON: the forms that the contract names, in documents and in the audit trail alike."""

from __future__ import annotations

import base64
from decimal import Decimal, InvalidOperation

from replfix.core.rows.row_values import NOT_LOGGED, Json, RowImage, Value
from replfix.core.schema.table import Column, Table

JsonValue = None | bool | int | float | str | dict[str, "JsonValue"] | list["JsonValue"]


def to_json(value: Value) -> JsonValue:
    """Integers, floats, strings and null as themselves; decimals as strings; bytes as ``{"base64": …}``; JSON documents
    as their text; a column that was not logged as ``{"not_logged": true}``."""
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
    """A row as an object by column name; None for no row."""
    if image is None:
        return None
    return {column.name: to_json(value) for column, value in zip(table.columns, image, strict=True)}


def from_json(column: Column, form: object) -> Value:
    """What ``to_json`` made of a value of that column; ValueError for a form that no value of it has.

    Which values inside a JSON document are of SQL types is not in its text, so that is not told back.
    """
    match form:
        case None:
            return None
        case {"not_logged": True}:
            return NOT_LOGGED
        case {"base64": str(encoded)}:
            return base64.b64decode(encoded, validate=True)
        case str() if column.data_type == "decimal":
            try:
                return Decimal(form)
            except InvalidOperation:
                raise ValueError(f"{form[:80]!r} is no value of {column.name}") from None
        case str() if column.data_type == "json":
            return Json(form)
        case str():
            return form
        case int() | float() if column.data_type in ("float", "double") and not isinstance(form, bool):
            return float(form)
        case int() if not isinstance(form, bool):
            return form
        case _:
            raise ValueError(f"{str(form)[:80]!r} is no value of {column.name}")
