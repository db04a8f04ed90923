"""What a server is asked about one reading of a value: which rows hold it. Pieces that are no value of their column rule
a reading out before anything is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from replfix.core.rows.row_values import Value
from replfix.core.schema.table import Column, KeyPart, Table, UniqueKey


@dataclass(frozen=True, slots=True)
class Match:
    """``part`` of the key equals ``value``; of a part with a prefix, the value is that prefix. ``printed``: the column as
    text equals it, for types whose text stands for many values (FLOAT)."""

    part: KeyPart
    value: Value
    printed: bool = False


class Impossible(Exception):
    """A piece is no value of its column."""


class Unaskable(Exception):
    """Which rows are meant cannot be put into a question; the message says why."""


_INTEGER = re.compile(r"-?\d{1,20}\Z", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,65}(?:\.\d{1,30})?\Z", re.ASCII)
_FLOAT = re.compile(r"-?\d{1,400}(?:\.\d{1,400})?(?:e[+-]?\d{1,3})?\Z", re.ASCII)
_TEMPORAL = {
    "date": re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII),
    "time": re.compile(r"-?\d{2,3}:\d\d:\d\d(?:\.\d{1,6})?\Z", re.ASCII),
    "datetime": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?\Z", re.ASCII),
}
_TEMPORAL["timestamp"] = _TEMPORAL["datetime"]
_INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint", "year"}
_TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext"}
_BYTES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}


def matches(table: Table, key: UniqueKey, values: tuple[str, ...], *, cut: bool) -> tuple[Match, ...]:
    """The conditions of one reading; ``cut``: the last piece may go on. Impossible, Unaskable."""
    last = len(values) - 1
    return tuple(
        _match(table, part, text, cut=cut and number == last)
        for number, (part, text) in enumerate(zip(key.parts, values, strict=True))
    )


def _match(table: Table, part: KeyPart, text: str, *, cut: bool) -> Match:
    if part.column is None:
        if part.array is not None:
            raise Unaskable("a multi-valued key prints the whole array, not the element that collided")
        if cut:
            raise Unaskable("the value is cut, and of an expression's value no beginning can be looked up")
        return Match(part, text)
    column = table.column(part.column)
    kind = column.data_type
    if kind in _TEXTS:
        value: Value = text
    elif kind in _BYTES:
        value = _bytes(text)
    elif cut:
        raise Unaskable(f"the value is cut, and {column.name} is no text")
    else:
        value = _other(column, text)
    if isinstance(value, str | bytes) and kind in _TEXTS | _BYTES:
        if cut:
            return Match(KeyPart(part.column, len(value)), value)
        if part.prefix is not None:
            if len(value) > part.prefix:
                raise Impossible
            return Match(part, value)
    return Match(part, value, printed=kind in ("float", "double"))


def _other(column: Column, text: str) -> Value:
    kind = column.data_type
    if kind in _INTEGERS:
        if not _INTEGER.match(text):
            raise Impossible
        return int(text)
    if kind == "bit":
        return int.from_bytes(_bytes(text), "big")
    if kind == "decimal":
        if not _DECIMAL.match(text):
            raise Impossible
        return Decimal(text)
    if kind in ("float", "double"):
        if not _FLOAT.match(text):
            raise Impossible
        return text
    if kind in _TEMPORAL:
        if not _TEMPORAL[kind].match(text):
            raise Impossible
        return text
    if kind == "enum":
        if text.casefold() not in {label.casefold() for label in column.labels}:
            raise Impossible
        return text
    if kind == "set":
        if set(filter(None, text.casefold().split(","))) - {label.casefold() for label in column.labels}:
            raise Impossible
        return text
    raise Unaskable(f"{column.name} is of the type {kind.upper()}")


_ESCAPE = re.compile(rb"\\x([0-9A-F]{2})")


def _bytes(text: str) -> bytes:
    """Binary strings print every byte that is no ASCII character as ``\\xHH`` (8.0 and later)."""
    return _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), text.encode("utf-8", "replace"))
