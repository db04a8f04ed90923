"""JSON in row events, in the server's binary form."""

from __future__ import annotations

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.rows.json_text import UNEXPLAINED, read
from replfix.core.rows.row_values import Json
from replfix.mysql.binlog.columns.encoding import Encoding, sized
from replfix.mysql.binlog.columns.event_type import EventType, Make
from replfix.mysql.binlog.values import decoders, json_writer


def _document(value: Json) -> bytes:
    if value.typed is UNEXPLAINED:
        raise ValueError("it has values of SQL types, and the server does not show which of its strings they are")
    return json_writer.write(read(value.text) if value.typed is None else value.typed)


EVENT_TYPES = (EventType(FIELD_TYPE.JSON, ("json",), lambda column: decoders.json(column.metadata), 1),)
ENCODINGS: dict[str, Make] = {"json": lambda *_: Encoding(FIELD_TYPE.JSON, b"\4", sized(4, _document))}
