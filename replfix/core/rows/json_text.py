"""One text for one JSON document, whether it came from an event's binary form or from the server's own text.

The text is what ``json.dumps(..., ensure_ascii=False)`` writes, with keys in the order given (the server orders them by
length, then by bytes). Numbers: an integer in full; a number with a fraction or an exponent as the shortest text of its
double; a DECIMAL that is not exactly a double with all its digits.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Document = Any
"""None, bool, int, float, str, :class:`Digits`, :class:`Typed`, a list of documents or a dict of them."""


@dataclass(frozen=True, slots=True)
class Digits:
    """A decimal number that no double equals: its text as the server prints it."""

    text: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A value of an SQL type inside a document; the JSON text looks the same for a plain one.

    Source: MySQL manual, "The JSON Data Type"; OPAQUE in sql-common/json_binary.h.
    """

    type: str  # as CAST takes it, where CAST can make it: DECIMAL(10,2), DATE, TIME(6), DATETIME(6), BINARY
    shown: Document  # what the server prints for it
    value: str | bytes  # what CAST takes


UNEXPLAINED = Typed("", None, "")
"""In place of a document: it has values of SQL types, and the server did not show where."""


def has_typed(document: Document) -> bool:
    """Return whether a value of an SQL type is anywhere inside."""
    if isinstance(document, dict):
        return any(map(has_typed, document.values()))
    return any(map(has_typed, document)) if isinstance(document, list) else isinstance(document, Typed)


def number(text: str) -> float | Digits:
    """Return the text of a JSON number with a fraction or an exponent."""
    as_double = float(text)
    # repr() is the shortest text that reads back as this double: when it means another number, digits would be lost.
    return as_double if Decimal(repr(as_double)) == Decimal(text) else Digits(text)


def dump(document: Document) -> str:
    """Return the canonical text of a document; ValueError for a double that is no number."""
    try:
        return json.dumps(document, ensure_ascii=False, allow_nan=False)
    except TypeError:  # numbers that no double equals, or values of SQL types
        pieces: list[str] = []
        _write(document, pieces)
        return "".join(pieces)


def read(text: str) -> Document:
    """Parse the text that the server printed; ValueError when it is not JSON."""
    return json.loads(text, parse_float=number)


def canonical(text: str) -> str:
    """Return the canonical text of a document that the server printed; ValueError when it is not JSON."""
    return dump(read(text))


def _write(document: Document, pieces: list[str]) -> None:
    if isinstance(document, dict):
        separator = "{"
        for key, value in document.items():
            pieces += (separator, json.dumps(key, ensure_ascii=False), ": ")
            _write(value, pieces)
            separator = ", "
        pieces.append("}" if document else "{}")
    elif isinstance(document, list):
        separator = "["
        for value in document:
            pieces.append(separator)
            _write(value, pieces)
            separator = ", "
        pieces.append("]" if document else "[]")
    elif isinstance(document, Digits):
        pieces.append(document.text)
    elif isinstance(document, Typed):
        _write(document.shown, pieces)
    else:
        pieces.append(json.dumps(document, ensure_ascii=False, allow_nan=False))
