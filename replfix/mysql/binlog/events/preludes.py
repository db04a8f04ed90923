"""What a statement needs beside its text, from the events that are logged before it, as SQL.

Source: Intvar_event, Rand_event and User_var_event of MySQL 9.7 (statement_events.h); MariaDB's are the same.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from replfix.core.sql import identifier, string
from replfix.mysql.binlog.events.checked_events import Event, EventType

_NUMBERS = {1: "last_insert_id", 2: "insert_id"}
_STRING, _REAL, _INT = 0, 1, 2
_UNSIGNED = 0x01


def _number(event: Event) -> str:
    fields = event.buffer()
    name, value = _NUMBERS.get(fields.uint(1)), fields.uint(8)
    if name is None:
        raise fields.damaged("replfix does not know what it sets")
    return f"SET {name} = {value}"


def _seeds(event: Event) -> str:
    fields = event.buffer()
    return f"SET rand_seed1 = {fields.uint(8)}, rand_seed2 = {fields.uint(8)}"


def _variable(event: Event) -> str:
    fields = event.buffer()
    name = fields.take(fields.uint(4)).decode("utf-8", "replace")
    if fields.uint(1):
        return f"SET @{identifier(name)} = NULL"
    kind = fields.uint(1)
    fields.take(4)  # the number of its collation
    data = fields.take(fields.uint(4))
    signed = not (fields.left and fields.uint(1) & _UNSIGNED)
    return f"SET @{identifier(name)} = {_literal(kind, data, signed=signed)}"


def _literal(kind: int, data: bytes, *, signed: bool) -> str:
    """Return a value that is neither a number nor UTF-8 as its bytes."""
    if kind == _INT:
        return str(int.from_bytes(data, "little", signed=signed))
    if kind == _REAL:
        return repr(struct.unpack("<d", data)[0])
    try:
        return string(data.decode("utf-8")) if kind == _STRING else f"0x{data.hex()}"
    except UnicodeDecodeError:
        return f"0x{data.hex()}"


_TOLD: dict[EventType, Callable[[Event], str]] = {
    EventType.INTVAR: _number,
    EventType.RAND: _seeds,
    EventType.USER_VAR: _variable,
}
PRELUDES = frozenset(_TOLD)


def setting(event: Event) -> str:
    """Return what an event of ``PRELUDES`` sets."""
    return _TOLD[EventType(event.type)](event)
