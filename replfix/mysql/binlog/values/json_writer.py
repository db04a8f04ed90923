"""JSON documents into the server's binary form: the inverse of :mod:`replfix.mysql.binlog.values.json_binary`.

Source: sql-common/json_binary.cc, ``serialize``. Numbers get the type that the server's own parser gives them, so a
document that was read as text and written here has the same bytes as one that the server parsed itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from decimal import Decimal

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.rows.json_text import Digits, Document, Typed
from replfix.errors import Unreadable
from replfix.mysql.binlog.values import json_binary, packing

_SMALL_OBJECT, _SMALL_ARRAY = 0, 2  # the large ones are one more
_LITERAL, _INT16, _INT32, _INT64, _UINT64, _DOUBLE = 4, 5, 7, 9, 10, 11
_STRING, _OPAQUE = 0x0C, 0x0F
_LONGEST_KEY = 0xFFFF


def write(document: Document) -> bytes:
    """Return the binary form, type byte first.

    Unreadable for what no server can store: a key of more than 65,535 bytes, more than 4 GiB.
    """
    kind, data = _value(document)
    return bytes([kind]) + data


def _value(document: Document) -> tuple[int, bytes]:
    if isinstance(document, dict):
        return _object(document)
    if isinstance(document, list):
        return _container(_SMALL_ARRAY, [], document)
    if document is None or isinstance(document, bool):
        return _LITERAL, bytes([{None: 0, True: 1, False: 2}[document]])
    if isinstance(document, int):
        return _integer(document)
    if isinstance(document, float):
        return _DOUBLE, struct.pack("<d", document)
    if isinstance(document, str):
        return _STRING, _sized(document.encode("utf-8"))
    if isinstance(document, Digits):
        return _decimal(document.text)
    if isinstance(document, Typed):
        return _typed(document)
    raise TypeError(f"no JSON document: {type(document).__name__}")


def _integer(number: int) -> tuple[int, bytes]:
    # The parser takes up to 32 bits for signed and what is above for unsigned (sql-common/json_dom.cc). What does not
    # fit into 64 bits was a DECIMAL when the server printed it: a double has a point or an exponent.
    if 0xFFFFFFFF < number < 1 << 64:
        return _UINT64, struct.pack("<Q", number)
    for kind, form, bits in ((_INT16, "<h", 15), (_INT32, "<i", 31), (_INT64, "<q", 63)):
        if -(1 << bits) <= number < 1 << bits:
            return kind, struct.pack(form, number)
    return _decimal(str(number))


def _sized(data: bytes) -> bytes:
    length, head = len(data), bytearray()
    while length >= 0x80:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + data


def _object(document: dict[str, Document]) -> tuple[int, bytes]:
    # The server finds a key by bisection: shorter ones first, then by their bytes.
    keyed = sorted((key.encode("utf-8"), value) for key, value in document.items())
    keyed.sort(key=lambda pair: len(pair[0]))
    if any(len(key) > _LONGEST_KEY for key, _ in keyed):
        raise Unreadable(f"A JSON document has a key of more than {_LONGEST_KEY:,} bytes.")
    return _container(_SMALL_OBJECT, [key for key, _ in keyed], (value for _, value in keyed))


def _container(small: int, keys: list[bytes], values: Iterable[Document]) -> tuple[int, bytes]:
    """Small when every offset fits two bytes, else large, as the server tries it."""
    written = [_value(value) for value in values]
    for kind, width in ((small, 2), (small + 1, 4)):
        data = _laid_out(keys, written, width)
        if max(len(data), len(written)) < 1 << 8 * width:
            return kind, data
    raise Unreadable("A JSON document is larger than any server accepts.")


def _laid_out(keys: list[bytes], written: list[tuple[int, bytes]], width: int) -> bytes:
    inline = {_LITERAL, _INT16, 6} if width == 2 else {_LITERAL, _INT16, 6, _INT32, 8}
    most = (1 << 8 * width) - 1

    def number(value: int) -> bytes:  # one that does not fit makes the whole too long, and that is looked at
        return min(value, most).to_bytes(width, "little")

    entries = 2 * width + len(keys) * (width + 2) + len(written) * (1 + width)
    at = entries
    key_entries, value_entries, tail = bytearray(), bytearray(), bytearray()
    for key in keys:
        key_entries += number(at) + len(key).to_bytes(2, "little")
        tail += key
        at += len(key)
    for kind, data in written:
        value_entries.append(kind)
        if kind in inline:
            # Numbers keep their sign in the wider field.
            signed = kind in (_INT16, _INT32)
            value_entries += int.from_bytes(data, "little", signed=signed).to_bytes(width, "little", signed=signed)
        else:
            value_entries += number(at)
            tail += data
            at += len(data)
    return number(len(written)) + number(at) + bytes(key_entries) + bytes(value_entries) + bytes(tail)


def _opaque(field_type: int, data: bytes) -> tuple[int, bytes]:
    return _OPAQUE, bytes([field_type]) + _sized(data)


def _decimal(text: str, precision: int = 0, scale: int = 0) -> tuple[int, bytes]:
    number = Decimal(text)
    if not precision:
        _, digits, exponent = number.as_tuple()
        assert isinstance(exponent, int)  # the server prints no NaN
        scale = max(-exponent, 0)
        precision = max(len(digits) + max(exponent, 0), scale, 1)
    return _opaque(FIELD_TYPE.NEWDECIMAL, bytes([precision, scale]) + packing.decimal(number, precision, scale))


def _typed(value: Typed) -> tuple[int, bytes]:
    if value.type.startswith("DECIMAL("):
        precision, scale = value.type[8:-1].split(",")
        return _decimal(str(value.value), int(precision), int(scale))
    if isinstance(value.value, bytes):
        return _opaque(_BY_NAME.get(value.type) or int(value.type.removeprefix("type ")), value.value)
    field_type = _BY_NAME[value.type]
    return _opaque(field_type, packing.json_temporal(field_type, value.value).to_bytes(8, "little", signed=True))


_BY_NAME = {name: field_type for field_type, name in (json_binary.TEMPORALS | json_binary.OTHERS).items()}
