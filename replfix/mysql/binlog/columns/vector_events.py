"""VECTOR in row events."""

from __future__ import annotations

from replfix.core.schema.table import Column
from replfix.mysql.binlog.columns.encoding import Encoding, arguments, sized, varying
from replfix.mysql.binlog.columns.event_type import EventType, Make
from replfix.mysql.binlog.values import decoders

VECTOR = 242  # since 9.0; python-mysql-replication 1.0 does not know it


def _encoding(column: Column, mariadb: bool) -> Encoding:
    if mariadb:  # which logs it as VARBINARY, and takes it as nothing else (error 1105, 11.8)
        return varying(4 * arguments(column, 1, 0)[0], bytes)
    return Encoding(VECTOR, b"\4", sized(4, bytes))


EVENT_TYPES = (
    # The event gives it a collation, always the binary one.
    EventType(VECTOR, ("vector",), lambda column: decoders.blob(column.metadata), 1, collated=True),
)
ENCODINGS: dict[str, Make] = {"vector": _encoding}
