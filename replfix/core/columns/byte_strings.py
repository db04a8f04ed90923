"""BINARY, VARBINARY and BLOB."""

from __future__ import annotations

import re

from replfix.core.columns.column_type import SAMPLES, ColumnType, bytes_in
from replfix.core.rows.row_values import Value
from replfix.core.schema.table import Column

_ESCAPE = re.compile(rb"\\x([0-9A-F]{2})")


def printed_bytes(text: str) -> bytes:
    r"""Return the bytes: a printed binary string has ``\xHH`` for every byte that is no ASCII character (8.0 and later)."""
    return _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), text.encode("utf-8", "replace"))


def _printed(_: Column, text: str) -> Value:
    return printed_bytes(text)


def _samples(_: Column) -> tuple[Value, ...]:
    return (b"", *(b"%d" % number for number in range(1, SAMPLES)))


TYPES = (
    ColumnType(("binary",), bytes_in, printed=_printed, in_a_list=True, by_prefix=True),
    ColumnType(("varbinary",), bytes_in, printed=_printed, samples=_samples, in_a_list=True, by_prefix=True),
    ColumnType(
        ("tinyblob", "blob", "mediumblob", "longblob"), bytes_in, printed=_printed, samples=_samples, by_prefix=True
    ),
)
