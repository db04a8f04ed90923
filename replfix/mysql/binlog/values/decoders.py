"""The form of each column type in a row, for :mod:`replfix.mysql.binlog.values.images` to compile.

What a form means is a value of :mod:`replfix.core.rows.row_values`. A meaning raises :class:`Unreadable`, or one of
Python's own errors, for bytes that no server writes; the bytes of a row that is cut short can be fewer than asked for.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Sequence

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.rows import json_text
from replfix.core.rows.row_values import Json, Value
from replfix.errors import Unreadable
from replfix.mysql.binlog.values import decimals, json_binary, temporal
from replfix.mysql.binlog.values.images import Fixed, Form, Sized
from replfix.mysql.read.charsets import Decoder

_INTEGERS = {
    FIELD_TYPE.TINY: "b",
    FIELD_TYPE.SHORT: "h",
    FIELD_TYPE.LONG: "i",
    FIELD_TYPE.LONGLONG: "q",
}

FLOAT = Fixed("f")
DOUBLE = Fixed("d")


def integer(type_: int, unsigned: bool) -> Form:
    """Read an integer, little-endian."""
    if type_ == FIELD_TYPE.INT24:
        return Fixed("3s", functools.partial(int.from_bytes, byteorder="little", signed=not unsigned))
    form = _INTEGERS[type_]
    return Fixed(form.upper() if unsigned else form)


def varchar(metadata: int, meaning: Callable[[bytes], Value] | None) -> Form:
    """VARCHAR and VARBINARY: ``metadata`` is the greatest length in bytes. Without a meaning they are bytes."""
    return Sized(1 if metadata < 256 else 2, meaning)


def char(metadata: int, decode: Decoder) -> Form:
    """CHAR: the server cuts trailing spaces when it returns the value; most of them it does not log either."""
    return varchar(metadata, lambda raw: decode(raw).rstrip(" "))


def binary(length: int) -> Form:
    """BINARY: its trailing zero bytes are not logged."""
    return varchar(length, lambda raw: raw.ljust(length, b"\0"))


def blob(prefix: int, meaning: Callable[[bytes], Value] | None = None) -> Form:
    """BLOB, TEXT, GEOMETRY (the SRID in four bytes, then WKB) and VECTOR (float32 after float32)."""
    if not 1 <= prefix <= 4:
        raise Unreadable(f"A Table_map event has a BLOB whose length takes {prefix} bytes.")
    return Sized(prefix, meaning)


def json(prefix: int) -> Form:
    """Read a JSON document after its length, in the server's binary form."""
    return blob(prefix, lambda raw: json_value(json_binary.parse(raw)))


def json_value(document: json_text.Document) -> Json:
    """Return the document as text, with its SQL types where it has some."""
    return Json(json_text.dump(document), document if json_text.has_typed(document) else None)


def enum(width: int, labels: Sequence[str]) -> Form:
    """Read an ENUM: the number of its label, 0 for the empty string that stands for an invalid value."""
    if width not in (1, 2):
        raise Unreadable(f"A Table_map event has an ENUM of {width} bytes.")
    values = ("", *labels)

    def label(index: int) -> str:
        try:
            return values[index]
        except IndexError:
            raise Unreadable(f"An ENUM has label {index} of {len(labels)}: its definition has changed since.") from None

    return Fixed("BH"[width - 1], label)


def set_(width: int, labels: Sequence[str]) -> Form:
    """Read a SET: one bit for each label."""
    if not 1 <= width <= 8:
        raise Unreadable(f"A Table_map event has a SET of {width} bytes.")

    def chosen(raw: bytes) -> str:
        bits = int.from_bytes(raw, "little")
        if bits >> len(labels):
            raise Unreadable(f"A SET has more than its {len(labels)} labels: its definition has changed since.")
        return ",".join(label for index, label in enumerate(labels) if bits >> index & 1)

    return Fixed(f"{width}s", chosen)


def bit(metadata: int) -> Form:
    """``metadata``: whole bytes in the upper byte, the bits beyond them in the lower."""
    width = (metadata >> 8) + (1 if metadata & 0xFF else 0)
    if not 1 <= width <= 8 or metadata & 0xFF > 7:
        raise Unreadable(f"A Table_map event has a BIT column of {width} bytes.")
    return Fixed(f"{width}s", functools.partial(int.from_bytes, byteorder="big"))


def decimal(metadata: int) -> Form:
    """Read a DECIMAL; ``metadata``: precision and scale."""
    precision, scale = metadata >> 8, metadata & 0xFF
    if not 1 <= precision <= 65 or scale > min(precision, 38):  # 30 digits after the point in MySQL, 38 in MariaDB
        raise Unreadable(f"A Table_map event has a DECIMAL({precision},{scale}).")
    return Fixed(f"{decimals.size(precision, scale)}s", decimals.reader(precision, scale))


YEAR = Fixed("B", lambda value: 1900 + value if value else 0)
DATE = Fixed("3s", temporal.date)


def _packed(read: Callable[[int], Callable[[bytes], str]], whole: int, digits: int) -> Form:
    if not 0 <= digits <= 6:
        raise Unreadable(f"A Table_map event has a temporal column with {digits} digits of a second.")
    return Fixed(f"{whole + temporal.fraction_size(digits)}s", read(digits))


def datetime(digits: int) -> Form:
    """Read a DATETIME (5.6.4 and later) with so many digits of a second."""
    return _packed(temporal.datetime, 5, digits)


def time_of_day(digits: int) -> Form:
    """Read a TIME (5.6.4 and later) with so many digits of a second."""
    return _packed(temporal.time_of_day, 3, digits)


def timestamp(digits: int) -> Form:
    """Read a TIMESTAMP (5.6.4 and later) with so many digits of a second."""
    return _packed(temporal.timestamp, 4, digits)


# --- the temporal formats of MySQL 5.5 and, with digits, of MariaDB 5.3: mysql56_temporal_format=OFF ----------------------
# Source: MariaDB sql/field.cc, Field_time, Field_time_hires and their like. The digits are in the definition alone.


def _old(digits: int, plain: Form, sizes: str, read: Callable[[int], temporal.Read]) -> Form:
    return Fixed(f"{sizes[digits]}s", read(digits)) if digits else plain


def old_time(digits: int) -> Form:
    """Read a TIME in the form before 5.6.4; with digits of a second in MariaDB's."""
    return _old(digits, Fixed("3s", temporal.old_time), "3445556", temporal.hires_time)


def old_datetime(digits: int) -> Form:
    """Read a DATETIME in the form before 5.6.4; with digits of a second in MariaDB's."""
    return _old(digits, Fixed("Q", temporal.old_datetime), "8667778", temporal.hires_datetime)


def old_timestamp(digits: int) -> Form:
    """Read a TIMESTAMP in the form before 5.6.4; with digits of a second in MariaDB's."""
    return _old(digits, Fixed("I", temporal.utc), "4556677", temporal.hires_timestamp)


# --- MariaDB's compressed columns -------------------------------------------------------------------------------------


def decompressed(meaning: Callable[[bytes], Value] | None) -> Callable[[bytes], Value]:
    """Return the meaning of a value that may be compressed.

    Its first byte: 0 for one that is not; else the method in the upper half (8: zlib), 8 for deflate without zlib's
    header, and how many bytes the plain size takes, which follows big-endian. An empty value has no first byte. Source:
    MariaDB sql/field_comp.cc.
    """

    def decode(raw: bytes) -> Value:
        plain = _plain(raw) if raw else raw
        return plain if meaning is None else meaning(plain)

    return decode


def _plain(raw: bytes) -> bytes:
    head = raw[0]
    if not head:
        return raw[1:]
    start = 1 + (head & 7)
    size = int.from_bytes(raw[1:start], "big")
    if head >> 4 != 8 or size > _LARGEST:
        raise Unreadable("A compressed value is damaged, or its method is not known.")
    try:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS if head & 8 else zlib.MAX_WBITS)
        # One byte more than there may be: a value that has it is damaged.
        plain = inflate.decompress(raw[start:], size + 1)
    except zlib.error as error:
        raise Unreadable(f"A compressed value is damaged ({error}).") from None
    if len(plain) != size:
        raise Unreadable("A compressed value is damaged: it has another size than it says.")
    return plain


_LARGEST = 1 << 30  # max_allowed_packet at most
