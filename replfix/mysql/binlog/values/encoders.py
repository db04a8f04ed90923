"""How a value of :mod:`replfix.core.rows.row_values` stands in a row event: the inverse of :mod:`replfix.mysql.binlog.values.decoders`.

Types and metadata are those that a server of today gives a column of that definition in a Table_map event
(sql/log_event.cc, ``Table_map_log_event::save_field_metadata``).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.rows.json_text import UNEXPLAINED, read
from replfix.core.rows.row_values import Json, Value
from replfix.core.schema.table import GEOMETRIES, Column
from replfix.errors import Unreadable
from replfix.mysql.binlog.events.table_map import VECTOR
from replfix.mysql.binlog.values import json_writer, packing
from replfix.mysql.read.charsets import encoder

Encode = Callable[[Any], bytes]


@dataclass(frozen=True, slots=True)
class Encoding:
    """One column of a Table_map event, and the bytes of its values."""

    type: int  # as the event names it: STRING also for BINARY, ENUM and SET
    metadata: bytes
    encode: Encode


_INTEGERS = {
    "tinyint": (FIELD_TYPE.TINY, 1),
    "smallint": (FIELD_TYPE.SHORT, 2),
    "mediumint": (FIELD_TYPE.INT24, 3),
    "int": (FIELD_TYPE.LONG, 4),
    "bigint": (FIELD_TYPE.LONGLONG, 8),
}
_FRACTIONS: dict[str, tuple[int, Callable[[int], Encode]]] = {
    "time": (FIELD_TYPE.TIME2, packing.time_of_day),
    "datetime": (FIELD_TYPE.DATETIME2, packing.datetime),
    "timestamp": (FIELD_TYPE.TIMESTAMP2, packing.timestamp),
}
_PREFIX_OF_BLOB = {"tiny": 1, "": 2, "medium": 3, "long": 4}
_OTHERWISE_STORED = re.compile(r"COMPRESSED|mariadb-5\.3")  # as MariaDB remarks behind the type
_ARGUMENTS = re.compile(r"\w+\((\d+)(?:,(\d+))?\)")


def encoding(column: Column, *, mariadb: bool = False) -> Encoding:
    """Unreadable for a type or a character set that replfix does not write."""
    kind = column.data_type
    if _OTHERWISE_STORED.search(column.column_type):
        raise _unwritten(column)
    if kind in _INTEGERS:
        type_, width = _INTEGERS[kind]
        signed = not column.unsigned
        return Encoding(type_, b"", lambda value: value.to_bytes(width, "little", signed=signed))
    if kind in _FRACTIONS:
        type_, packer = _FRACTIONS[kind]
        digits = column.scale or 0
        return Encoding(type_, bytes([digits]), packer(digits))
    if kind in ("char", "binary"):
        return _fixed(column)
    if kind in ("varchar", "varbinary"):
        return _varying(_length(column), _text(column))
    if kind.endswith(("text", "blob")):
        prefix = _PREFIX_OF_BLOB[kind[:-4]]
        return Encoding(FIELD_TYPE.BLOB, bytes([prefix]), _sized(prefix, _text(column)))
    if kind in GEOMETRIES:
        return Encoding(FIELD_TYPE.GEOMETRY, b"\4", _sized(4, bytes))
    if kind == "vector" and mariadb:  # which logs it as VARBINARY, and takes it as nothing else (error 1105, 11.8)
        return _varying(4 * _arguments(column, 1, 0)[0], bytes)
    made = _OTHERS.get(kind)
    if made is None:
        raise _unwritten(column)
    return made(column)


def _unwritten(column: Column) -> Unreadable:
    return Unreadable(
        f"Column {column.name!r} has the type {column.column_type}, of which replfix writes no row events.",
        "The types that replfix reads and writes are listed in docs/reference/values.md.",
    )


def _length(column: Column) -> int:
    assert column.length is not None  # every string type has one
    return column.length


def _text(column: Column) -> Encode:
    if column.charset in (None, "binary"):
        return bytes
    return encoder(column.charset)


def _sized(prefix: int, encode: Encode) -> Encode:
    def sized(value: Value) -> bytes:
        data = encode(value)
        return len(data).to_bytes(prefix, "little") + data

    return sized


def _varying(length: int, encode: Encode) -> Encoding:
    return Encoding(FIELD_TYPE.VARCHAR, struct.pack("<H", length), _sized(1 if length < 256 else 2, encode))


def _fixed(column: Column) -> Encoding:
    length, encode = _length(column), _text(column)
    if column.data_type == "binary":
        encode = lambda value: value.rstrip(b"\0")  # noqa: E731 - the server logs it like that
    # Two bits of a length above 255 go, inverted, into the byte of the type.
    metadata = bytes([FIELD_TYPE.STRING ^ (length & 0x300) >> 4, length & 0xFF])
    return Encoding(FIELD_TYPE.STRING, metadata, _sized(1 if length < 256 else 2, encode))


def _decimal(column: Column) -> Encoding:
    precision, scale = _arguments(column, 10, 0)

    def encode(value: Decimal) -> bytes:
        return packing.decimal(value, precision, scale)

    return Encoding(FIELD_TYPE.NEWDECIMAL, bytes([precision, scale]), encode)


def _bit(column: Column) -> Encoding:
    bits, _ = _arguments(column, 1, 0)
    width = (bits + 7) // 8
    return Encoding(FIELD_TYPE.BIT, bytes([bits % 8, bits // 8]), lambda value: value.to_bytes(width, "big"))


def _arguments(column: Column, first: int, second: int) -> tuple[int, int]:
    """The numbers of ``decimal(10,2)``."""
    match = _ARGUMENTS.match(column.column_type)
    return (int(match[1]), int(match[2] or 0)) if match else (first, second)


def _enum(column: Column) -> Encoding:
    width = 1 if len(column.labels) < 256 else 2
    # The label '' wins over the error value 0, which looks the same.
    numbers = {"": 0} | {label: number for number, label in enumerate(column.labels, 1)}
    return Encoding(
        FIELD_TYPE.STRING, bytes([FIELD_TYPE.ENUM, width]), lambda value: numbers[value].to_bytes(width, "little")
    )


def _set(column: Column) -> Encoding:
    count = len(column.labels)
    width = next(w for w in (1, 2, 3, 4, 8) if count <= 8 * w)
    bits = {label: 1 << number for number, label in enumerate(column.labels)}

    def encode(value: str) -> bytes:
        return sum(bits[label] for label in value.split(",") if value).to_bytes(width, "little")

    return Encoding(FIELD_TYPE.STRING, bytes([FIELD_TYPE.SET, width]), encode)


def _document(value: Json) -> bytes:
    if value.typed is UNEXPLAINED:
        raise ValueError("it holds values of SQL types, and the server does not tell which of its strings they are")
    return json_writer.write(read(value.text) if value.typed is None else value.typed)


_OTHERS: dict[str, Callable[[Column], Encoding]] = {
    "float": lambda _: Encoding(FIELD_TYPE.FLOAT, b"\4", struct.Struct("<f").pack),
    "double": lambda _: Encoding(FIELD_TYPE.DOUBLE, b"\10", struct.Struct("<d").pack),
    "decimal": _decimal,
    "bit": _bit,
    "year": lambda _: Encoding(FIELD_TYPE.YEAR, b"", lambda value: bytes([value - 1900 if value else 0])),
    "date": lambda _: Encoding(FIELD_TYPE.DATE, b"", packing.date),
    "enum": _enum,
    "set": _set,
    "json": lambda _: Encoding(FIELD_TYPE.JSON, b"\4", _sized(4, _document)),
    "vector": lambda _: Encoding(VECTOR, b"\4", _sized(4, bytes)),
}
