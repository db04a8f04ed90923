"""How a value is written for its column."""

from __future__ import annotations

import re
from decimal import Decimal

from replfix.core.rows.json_text import UNEXPLAINED, Document, Typed, dump, has_typed
from replfix.core.rows.row_values import Json, Value
from replfix.core.schema.table import Column
from replfix.core.sql.names import string
from replfix.errors import Refused


def literal(column: Column, value: Value) -> str:
    """Return ``value`` as it is written for ``column``.

    ValueError for a value that was not logged, Refused for a JSON document that would come out changed.
    """
    match value:
        case None:
            return "NULL"
        case bool():
            raise ValueError(f"no column is of type bool: {column.name}")
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
        case float():
            # With an exponent it is a DOUBLE literal, read correctly rounded; without one it would be a DECIMAL.
            text = repr(value)
            return text if "e" in text else f"{text}e0"
        case bytes():
            return _binary(value)
        case Json():
            return _json(column, value)
        case str():
            return string(value)
        case _:
            raise ValueError(f"the value of {column.name} was not logged")


_BY_HAND = "Write the row with a statement of your own, which may turn them into strings."


# The SQL types that CAST makes and that come out of it as they were.
_CAST = re.compile(r"DECIMAL\([0-9]+,[0-9]+\)|DATE|TIME\(6\)|DATETIME\(6\)|BINARY")


def _json(column: Column, value: Json) -> str:
    """Return a document as SQL; values of SQL types inside are written as such.

    In JSON text they would turn into doubles and strings (MySQL manual, "The JSON Data Type": "JSON_OBJECT" and CAST
    keep the types of what they are given).
    """
    if value.typed is None:
        return f"CAST({string(value.text)} AS JSON)"
    if value.typed is UNEXPLAINED:
        raise Refused(
            f"The JSON document of column {column.name} has values of SQL types (dates, times or binary strings), and "
            "the server does not show which of its strings they are: no SQL statement can write it as it was.",
            _BY_HAND,
        )
    if isinstance(value.typed, Typed):
        return f"CAST({_json_part(column, value.typed)} AS JSON)"
    return _json_part(column, value.typed)


def _json_part(column: Column, part: Document) -> str:
    if isinstance(part, Typed):
        if not _CAST.fullmatch(part.type):
            raise Refused(
                f"The JSON document of column {column.name} has a value of the SQL type {part.type}, which no SQL "
                "statement can write so that it stays one.",
                _BY_HAND,
            )
        written = string(part.value) if isinstance(part.value, str) else _binary(part.value)
        return f"CAST({written} AS {part.type})"
    if not has_typed(part):
        return f"CAST({string(dump(part))} AS JSON)"
    if isinstance(part, dict):
        inner = ", ".join(f"{string(key)}, {_json_part(column, item)}" for key, item in part.items())
        return f"JSON_OBJECT({inner})"
    return f"JSON_ARRAY({', '.join(_json_part(column, item) for item in part)})"


def _binary(value: bytes) -> str:
    return f"0x{value.hex().upper()}" if value else "''"
