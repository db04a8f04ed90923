"""GEOMETRY and its subtypes in row events."""

from __future__ import annotations

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.columns.geometries import NAMES
from replfix.mysql.binlog.columns.encoding import Encoding, sized
from replfix.mysql.binlog.columns.event_type import EventType, Make
from replfix.mysql.binlog.values import decoders

EVENT_TYPES = (
    # MariaDB (10.11, 11.8) gives it a collation, always the binary one.
    EventType(FIELD_TYPE.GEOMETRY, NAMES, lambda column: decoders.blob(column.metadata), 1, collated_by_mariadb=True),
)
ENCODINGS: dict[str, Make] = dict.fromkeys(NAMES, lambda *_: Encoding(FIELD_TYPE.GEOMETRY, b"\4", sized(4, bytes)))
