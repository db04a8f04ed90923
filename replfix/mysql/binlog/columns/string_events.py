"""CHAR, VARCHAR and TEXT, BINARY, VARBINARY and BLOB in row events, and what MariaDB logs as BINARY(n)."""

from __future__ import annotations

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.columns.addresses import BYTES as ADDRESSES
from replfix.core.schema.table import Column
from replfix.mysql.binlog.columns.encoding import Encode, Encoding, sized, varying
from replfix.mysql.binlog.columns.event_type import Described, EventType, Make
from replfix.mysql.binlog.values import decoders
from replfix.mysql.binlog.values.images import Form
from replfix.mysql.read.charsets import Decoder, decoder, encoder

BLOB_COMPRESSED = 140  # MariaDB's, for columns that are defined as COMPRESSED
VARCHAR_COMPRESSED = 141
BINARY = "binary"
_PREFIX_OF_BLOB = {"tiny": 1, "": 2, "medium": 3, "long": 4}
_LONG = tuple(f"{size}{kind}" for kind in ("text", "blob") for size in _PREFIX_OF_BLOB)
_VARYING = ("varchar", "varbinary")


def _decode(column: Described) -> Decoder | None:
    charset = column.charset()
    return None if charset == BINARY else decoder(charset)


def _string(column: Described) -> Form:
    decode = _decode(column)
    return decoders.binary(column.metadata) if decode is None else decoders.char(column.metadata, decode)


def _varchar(column: Described) -> Form:
    return decoders.varchar(column.metadata, _decode(column))


def _blob(column: Described) -> Form:
    return decoders.blob(column.metadata, _decode(column))


def _compressed_varchar(column: Described) -> Form:
    return decoders.varchar(column.metadata, decoders.decompressed(_decode(column)))


def _compressed_blob(column: Described) -> Form:
    return decoders.blob(column.metadata, decoders.decompressed(_decode(column)))


def _length(column: Column) -> int:
    assert column.length is not None  # every string type has one
    return column.length


def _text(column: Column) -> Encode:
    if column.charset in (None, BINARY):
        return bytes
    return encoder(column.charset)


def _fixed_encoding(column: Column, _: bool) -> Encoding:
    length, encode = _length(column), _text(column)
    if column.data_type == "binary":
        encode = lambda value: value.rstrip(b"\0")  # noqa: E731 - the server logs it like that
    # Two bits of a length above 255 go, inverted, into the byte of the type.
    metadata = bytes([FIELD_TYPE.STRING ^ (length & 0x300) >> 4, length & 0xFF])
    return Encoding(FIELD_TYPE.STRING, metadata, sized(1 if length < 256 else 2, encode))


def _varying_encoding(column: Column, _: bool) -> Encoding:
    return varying(_length(column), _text(column))


def _long_encoding(column: Column, _: bool) -> Encoding:
    prefix = _PREFIX_OF_BLOB[column.data_type[:-4]]
    return Encoding(FIELD_TYPE.BLOB, bytes([prefix]), sized(prefix, _text(column)))


EVENT_TYPES = (
    EventType(FIELD_TYPE.STRING, ("char", "binary", *ADDRESSES), _string, 2, collated=True, sized=True),
    EventType(
        FIELD_TYPE.VARCHAR, (*_VARYING, "vector"), _varchar, 2, collated=True, sized=True
    ),  # MariaDB logs VECTOR so
    EventType(FIELD_TYPE.VAR_STRING, _VARYING, _varchar, 2, collated=True, sized=True),
    EventType(VARCHAR_COMPRESSED, _VARYING, _compressed_varchar, 2, collated=True),
    EventType(FIELD_TYPE.BLOB, _LONG, _blob, 1, collated=True),
    EventType(BLOB_COMPRESSED, _LONG, _compressed_blob, 1, collated=True),
)
ENCODINGS: dict[str, Make] = {
    **dict.fromkeys(("char", "binary"), _fixed_encoding),
    **dict.fromkeys(_VARYING, _varying_encoding),
    **dict.fromkeys(_LONG, _long_encoding),
}
