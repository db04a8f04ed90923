"""Reading a selected value into its canonical form (:mod:`replfix.core.rows.row_values`).

The session must have ``time_zone='+00:00'`` and may not have ``PAD_CHAR_TO_FULL_LENGTH``'s padding matter: trailing
spaces of CHAR are cut here as in the binlog. Columns are selected as :func:`replfix.core.schema.select_form.select_form` says.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from replfix.core.rows.json_text import UNEXPLAINED, canonical
from replfix.core.rows.row_values import NOT_LOGGED, Json, Value
from replfix.core.schema.select_form import TYPED_JSON
from replfix.core.schema.table import ADDRESSES, GEOMETRIES, Column
from replfix.errors import Unreadable

Answer = str | bytes


def _text(answer: Answer) -> str:
    return answer.decode("utf-8") if isinstance(answer, bytes) else answer


def _bytes(answer: Answer) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode("utf-8")


def _bit(answer: Answer) -> int:
    return int.from_bytes(_bytes(answer), "big")


def _json(answer: str) -> Json:
    text = answer.removeprefix(TYPED_JSON)
    return Json(canonical(text), UNEXPLAINED if text != answer else None)


_READERS: dict[str, Callable[[Answer], Value]] = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year"), int),
    "bit": _bit,
    "decimal": lambda answer: Decimal(_text(answer)),
    **dict.fromkeys(("float", "double"), float),
    **dict.fromkeys(("date", "datetime", "timestamp", "time", "enum", "set"), _text),
    "char": lambda answer: _text(answer).rstrip(" "),
    **dict.fromkeys(("varchar", "tinytext", "text", "mediumtext", "longtext"), _text),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), _bytes),
    # GEOMETRY as the server keeps it, which is what it sends: the SRID in four bytes, then WKB with x before y.
    **dict.fromkeys((*GEOMETRIES, "vector", *ADDRESSES), _bytes),
    "json": lambda answer: _json(_text(answer)),
}


def from_server(column: Column, answer: Answer | None) -> Value:
    """The canonical value of what a server returned for a column, as PyMySQL hands it over without conversion.

    :class:`Unreadable` for a type that replfix does not read or an answer that does not fit it.
    """
    if answer is None:
        return NOT_LOGGED if column.absent else None
    reader = _READERS.get(column.data_type)
    if reader is None:
        raise unsupported(column)
    try:
        return reader(answer)
    except (ValueError, InvalidOperation):
        raise Unreadable(
            f"The server's value {answer[:80]!r} for column {column.name!r} is no {column.data_type}."
        ) from None


def unsupported(column: Column) -> Unreadable:
    return Unreadable(
        f"Column {column.name!r} has the type {column.data_type.upper()}, which replfix does not read yet.",
        "The types that replfix reads are listed in docs/reference/values.md.",
    )
