"""A column of a Table_map event, and the bytes of its values.

Types and metadata are those that a server of today gives a column of that definition (sql/log_event.cc,
``Table_map_log_event::save_field_metadata``).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.rows.row_values import Value
from replfix.core.schema.table import Column

Encode = Callable[[Any], bytes]
_OTHERWISE_STORED = re.compile(r"COMPRESSED|mariadb-5\.3")  # as MariaDB remarks after the type
_ARGUMENTS = re.compile(r"\w+\((\d+)(?:,(\d+))?\)")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a server logs a column."""

    type: int  # as the event names it: STRING also for BINARY, ENUM and SET
    metadata: bytes
    encode: Encode


def otherwise_stored(column: Column) -> bool:
    """Return whether MariaDB stores and logs the column in a form of its own."""
    return _OTHERWISE_STORED.search(column.column_type) is not None


def arguments(column: Column, first: int, second: int) -> tuple[int, int]:
    """Return the numbers of ``decimal(10,2)``."""
    match = _ARGUMENTS.match(column.column_type)
    return (int(match[1]), int(match[2] or 0)) if match else (first, second)


def sized(prefix: int, encode: Encode) -> Encode:
    """With the length before it, in ``prefix`` bytes."""

    def with_length(value: Value) -> bytes:
        data = encode(value)
        return len(data).to_bytes(prefix, "little") + data

    return with_length


def varying(length: int, encode: Encode) -> Encoding:
    """VARCHAR and VARBINARY of at most ``length`` bytes."""
    return Encoding(FIELD_TYPE.VARCHAR, struct.pack("<H", length), sized(1 if length < 256 else 2, encode))
