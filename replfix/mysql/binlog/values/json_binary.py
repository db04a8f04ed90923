"""JSON documents in the server's binary form.

Source: sql-common/json_binary.h. Values that came from SQL types (opaque ones) are read as the server prints them.
"""

from __future__ import annotations

import base64
import struct

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.rows.json_text import Document, Typed, number
from replfix.errors import Unreadable
from replfix.mysql.binlog.values import decimals

_SMALL_OBJECT, _LARGE_OBJECT, _SMALL_ARRAY, _LARGE_ARRAY = range(4)
_LITERAL = 4
_STRING = 0x0C
_OPAQUE = 0x0F
_SCALARS = {5: "<h", 6: "<H", 7: "<i", 8: "<I", 9: "<q", 10: "<Q", 11: "<d"}
_LITERALS = {0: None, 1: True, 2: False}
_LINE = 76  # characters of base64 after which the server starts a new line
_MAX_DEPTH = 100  # JSON_DOCUMENT_MAX_DEPTH of the server


def parse(data: bytes) -> Document:
    """Return the document; :class:`Unreadable` when it is damaged or has a value of an unknown type."""
    if not data:  # what ALTER TABLE … ADD j JSON NOT NULL leaves in the rows that are there: the server shows null
        return None
    try:
        return _Parser(data).document()
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise Unreadable(f"A JSON value is damaged: {error}.") from None


class _Parser:
    def __init__(self, data: bytes) -> None:
        self.data = data
        # Each value takes at least three bytes, in a document that is whole: more than that is damage that loops.
        self.values_left = len(data)

    def document(self) -> Document:
        return self.value(self.data[0], 1, 0)

    def value(self, kind: int, at: int, depth: int) -> Document:
        """Return the value of a type that starts at a position."""
        self.values_left -= 1
        if self.values_left < 0 or depth > _MAX_DEPTH:
            raise Unreadable("A JSON value is damaged: its parts point to each other.")
        if kind in (_SMALL_OBJECT, _LARGE_OBJECT):
            return self.container(at, 2 if kind == _SMALL_OBJECT else 4, True, depth)
        if kind in (_SMALL_ARRAY, _LARGE_ARRAY):
            return self.container(at, 2 if kind == _SMALL_ARRAY else 4, False, depth)
        if kind == _LITERAL:
            literal = self.data[at]
            if literal not in _LITERALS:
                raise Unreadable(f"A JSON value is damaged: literal {literal}.")
            return _LITERALS[literal]
        if kind in _SCALARS:
            return struct.unpack_from(_SCALARS[kind], self.data, at)[0]
        if kind == _STRING:
            return self.string(at)
        if kind == _OPAQUE:
            field_type = self.data[at]
            return _opaque(field_type, self.sized(at + 1))
        raise Unreadable(f"A JSON value of type {kind} is not known.")

    def container(self, start: int, width: int, is_object: bool, depth: int) -> Document:
        offset = "<H" if width == 2 else "<I"
        count, size = (self.number(offset, start), self.number(offset, start + width))
        entries = start + 2 * width + (count * (width + 2) if is_object else 0)
        if start + size > len(self.data) or entries + count * (width + 1) > start + size:
            raise Unreadable("A JSON value is damaged: it is larger than its bytes.")
        items = []
        for index in range(count):
            entry = entries + index * (width + 1)
            kind = self.data[entry]
            inline = kind in (_LITERAL, 5, 6) or (width == 4 and kind in (7, 8))
            at = entry + 1 if inline else start + self.number(offset, entry + 1)
            items.append(self.value(kind, at, depth + 1))
        if not is_object:
            return items
        keys = (self.key(start, start + 2 * width + index * (width + 2), offset, width) for index in range(count))
        document = dict(zip(keys, items, strict=True))
        if len(document) != count:
            raise Unreadable("A JSON value is damaged: an object has a key twice.")
        return document

    def key(self, start: int, entry: int, offset: str, width: int) -> str:
        at = start + self.number(offset, entry)
        return self.slice(at, self.number("<H", entry + width)).decode("utf-8")

    def string(self, at: int) -> str:
        return self.sized(at).decode("utf-8")

    def sized(self, at: int) -> bytes:
        """Return bytes that follow their length, seven bits of it in each byte."""
        length = shift = 0
        while True:
            byte = self.data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return self.slice(at, length)
            shift += 7
            if shift > 28:
                raise Unreadable("A JSON value is damaged: a length is not valid.")

    def number(self, form: str, at: int) -> int:
        result: int = struct.unpack_from(form, self.data, at)[0]
        return result

    def slice(self, at: int, length: int) -> bytes:
        if at + length > len(self.data):
            raise Unreadable("A JSON value is damaged: it ends too early.")
        return self.data[at : at + length]


def _opaque(field_type: int, raw: bytes) -> Document:
    """Return a value of an SQL type inside a document, with what the server prints for it."""
    if field_type == FIELD_TYPE.NEWDECIMAL:
        precision, scale = raw[0], raw[1]
        if not 1 <= precision <= 65 or scale > precision or len(raw) != 2 + decimals.size(precision, scale):
            raise Unreadable("A JSON value is damaged: a DECIMAL of the wrong size.")
        digits = format(decimals.reader(precision, scale)(raw[2:]), "f")
        return Typed(f"DECIMAL({precision},{scale})", number(digits) if scale else int(digits), digits)
    if field_type in TEMPORALS:
        if len(raw) != 8:
            raise Unreadable("A JSON value is damaged: a date or time of the wrong size.")
        shown = _temporal(field_type, int.from_bytes(raw, "little", signed=True))
        return Typed(TEMPORALS[field_type], shown, shown)
    code = base64.b64encode(raw).decode("ascii")
    lines = (code[at : at + _LINE] for at in range(0, len(code), _LINE))
    return Typed(OTHERS.get(field_type, f"type {field_type}"), f"base64:type{field_type}:" + "\n".join(lines), raw)


TEMPORALS = {
    FIELD_TYPE.DATE: "DATE",
    FIELD_TYPE.DATETIME: "DATETIME(6)",
    FIELD_TYPE.TIMESTAMP: "TIMESTAMP",
    FIELD_TYPE.TIME: "TIME(6)",
}
OTHERS = {
    FIELD_TYPE.VARCHAR: "BINARY",  # what CAST makes; a column's VARBINARY is the same
    FIELD_TYPE.STRING: "fixed BINARY",
    FIELD_TYPE.BIT: "BIT",
    FIELD_TYPE.TINY_BLOB: "TINYBLOB",
    FIELD_TYPE.MEDIUM_BLOB: "MEDIUMBLOB",
    FIELD_TYPE.LONG_BLOB: "LONGBLOB",
    FIELD_TYPE.BLOB: "BLOB",
}


def _temporal(field_type: int, packed: int) -> str:
    """Read a date or time; ``packed``: 24 bits of microseconds below the fields, negative as a whole.

    Source: my_time.cc, ``longlong_packed``.
    """
    magnitude = abs(packed)
    micro, whole = magnitude & 0xFFFFFF, magnitude >> 24
    clock = f"{whole >> 6 & 63:02d}:{whole & 63:02d}.{micro:06d}"
    if field_type == FIELD_TYPE.TIME:
        return f"{'-' if packed < 0 else ''}{whole >> 12 & 0x3FF:02d}:{clock}"
    year, month = divmod(whole >> 22, 13)
    day = f"{year:04d}-{month:02d}-{whole >> 17 & 31:02d}"
    return day if field_type == FIELD_TYPE.DATE else f"{day} {whole >> 12 & 31:02d}:{clock}"
