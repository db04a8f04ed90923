"""The Table_map event: the table and the columns of the rows events that follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.schema.table import TableName
from replfix.mysql.binlog.events.buffer import Buffer
from replfix.mysql.binlog.events.checked_events import Event

VECTOR = 242  # since 9.0; python-mysql-replication 1.0 does not know it
BLOB_COMPRESSED = 140  # MariaDB's, for columns that are defined as COMPRESSED
VARCHAR_COMPRESSED = 141
TYPED_ARRAY = 20  # of multi-valued indexes, never in a binary log so far

_BYTES_OF_METADATA = {
    FIELD_TYPE.FLOAT: 1,
    FIELD_TYPE.DOUBLE: 1,
    FIELD_TYPE.BLOB: 1,
    FIELD_TYPE.JSON: 1,
    FIELD_TYPE.GEOMETRY: 1,
    VECTOR: 1,
    FIELD_TYPE.TIME2: 1,
    FIELD_TYPE.DATETIME2: 1,
    FIELD_TYPE.TIMESTAMP2: 1,
    BLOB_COMPRESSED: 1,
    VARCHAR_COMPRESSED: 2,
    FIELD_TYPE.VARCHAR: 2,
    FIELD_TYPE.VAR_STRING: 2,
    FIELD_TYPE.BIT: 2,
    FIELD_TYPE.NEWDECIMAL: 2,
    FIELD_TYPE.STRING: 2,
    FIELD_TYPE.ENUM: 2,
    FIELD_TYPE.SET: 2,
}
_WITHOUT_METADATA = {
    FIELD_TYPE.TINY,
    FIELD_TYPE.SHORT,
    FIELD_TYPE.INT24,
    FIELD_TYPE.LONG,
    FIELD_TYPE.LONGLONG,
    FIELD_TYPE.YEAR,
    FIELD_TYPE.DATE,
    FIELD_TYPE.NEWDATE,
    # the temporal types of servers before 5.6, and of MariaDB's mysql56_temporal_format=OFF
    FIELD_TYPE.TIME,
    FIELD_TYPE.DATETIME,
    FIELD_TYPE.TIMESTAMP,
}
# Those that the event gives a sign, YEAR included (seen on 9.7; a column without a sign would shift all later ones).
_NUMERIC = {
    FIELD_TYPE.YEAR,
    FIELD_TYPE.TINY,
    FIELD_TYPE.SHORT,
    FIELD_TYPE.INT24,
    FIELD_TYPE.LONG,
    FIELD_TYPE.LONGLONG,
    FIELD_TYPE.FLOAT,
    FIELD_TYPE.DOUBLE,
    FIELD_TYPE.NEWDECIMAL,
}
# Those that the event gives a collation; VECTOR counts as one of them (always binary).
_CHARACTER = {
    FIELD_TYPE.STRING,
    FIELD_TYPE.VAR_STRING,
    FIELD_TYPE.VARCHAR,
    FIELD_TYPE.BLOB,
    BLOB_COMPRESSED,
    VARCHAR_COMPRESSED,
    VECTOR,
}
_OLD_TEMPORAL = {FIELD_TYPE.TIME, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP}
_LABELLED = {FIELD_TYPE.ENUM, FIELD_TYPE.SET}


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One column as the event tells it. None: the event does not say (``binlog_row_metadata=MINIMAL``)."""

    type: int  # of FIELD_TYPE; for ENUM and SET the real type
    metadata: int  # by type: length in bytes, digits of a fraction, precision << 8 | scale, …
    unsigned: bool | None = None
    collation: int | None = None
    name: str | None = None
    labels: tuple[bytes, ...] | None = None  # in the column's character set
    of_mariadb: bool = False

    @property
    def is_numeric(self) -> bool:
        return self.type in _NUMERIC

    @property
    def has_collation(self) -> bool:
        """Whether the event gives it a collation. MariaDB (10.11, 11.8) counts GEOMETRY too, always as binary."""
        return self.is_character or (self.of_mariadb and self.type == FIELD_TYPE.GEOMETRY)

    @property
    def is_character(self) -> bool:
        return self.type in _CHARACTER

    @property
    def is_old_temporal(self) -> bool:
        """A type of which the event does not say how many digits of a second it has, and so how long it is."""
        return self.type in _OLD_TEMPORAL

    @property
    def is_labelled(self) -> bool:
        return self.type in _LABELLED


@dataclass(frozen=True, slots=True)
class TableMap:
    table_id: int
    table: TableName
    columns: tuple[MappedColumn, ...]


def table_id(event: Event) -> int:
    """The number by which rows events refer to a Table_map event."""
    return event.buffer().uint(6)


def read_table_map(event: Event) -> TableMap:
    """Read a Table_map event; :class:`~replfix.errors.Unreadable` for a damaged one or an unknown column type."""
    fields = event.buffer()
    number = fields.uint(6)
    fields.take(2)  # flags
    schema = fields.name()
    fields.take(1)  # a zero byte
    name = fields.name()
    fields.take(1)
    types = fields.take(fields.lenenc())
    metadata = Buffer(fields.take(fields.lenenc()), fields.what)
    columns = [_column(type_, metadata) for type_ in types]
    if "MariaDB" in event.format.server_version:
        columns = [replace(column, of_mariadb=True) for column in columns]
    if metadata.left:
        raise fields.damaged("the types of its columns do not fit what it says about them")
    fields.take((len(types) + 7) // 8)  # which columns are nullable
    while fields.left:
        kind = fields.uint(1)
        value = Buffer(fields.take(fields.lenenc()), fields.what)
        reader = _OPTIONAL.get(kind)
        if reader:
            columns = reader(value, columns)
            if value.left:
                raise fields.damaged(f"its metadata of type {kind} does not fit its columns")
    return TableMap(number, TableName(schema, name), tuple(columns))


def _column(type_: int, metadata: Buffer) -> MappedColumn:
    if type_ in _WITHOUT_METADATA:
        return MappedColumn(type_, 0)
    if type_ not in _BYTES_OF_METADATA:
        raise metadata.damaged(f"a column has the type {type_}, which replfix does not know")
    if type_ == FIELD_TYPE.NEWDECIMAL:
        return MappedColumn(type_, metadata.uint(1) << 8 | metadata.uint(1))
    if type_ != FIELD_TYPE.STRING:
        return MappedColumn(type_, metadata.uint(_BYTES_OF_METADATA[type_]))
    # CHAR, BINARY, ENUM and SET share this type. Two bits of a length above 255 are kept, inverted, in the first byte.
    first, length = metadata.uint(1), metadata.uint(1)
    if first & 0x30 != 0x30:
        return MappedColumn(first | 0x30, length | ((first & 0x30) ^ 0x30) << 4)
    return MappedColumn(first, length)


# --- optional metadata: one reader for each kind ---------------------------------------------------------------------

Columns = list[MappedColumn]


def _of(columns: Columns, wanted: Callable[[MappedColumn], bool]) -> list[int]:
    return [index for index, column in enumerate(columns) if wanted(column)]


def _is_enum(column: MappedColumn) -> bool:
    return bool(column.type == FIELD_TYPE.ENUM)


def _is_set(column: MappedColumn) -> bool:
    return bool(column.type == FIELD_TYPE.SET)


def _signs(value: Buffer, columns: Columns) -> Columns:
    numeric = _of(columns, lambda column: column.is_numeric)
    bits = value.take((len(numeric) + 7) // 8)
    for position, index in enumerate(numeric):
        unsigned = bool(bits[position // 8] & 0x80 >> position % 8)
        columns[index] = replace(columns[index], unsigned=unsigned)
    return columns


def _collations(columns: Columns, indexes: Sequence[int], collations: Sequence[int]) -> Columns:
    for index, collation in zip(indexes, collations, strict=True):
        columns[index] = replace(columns[index], collation=collation)
    return columns


def _default_collation(wanted: Callable[[MappedColumn], bool]) -> Callable[[Buffer, Columns], Columns]:
    def read(value: Buffer, columns: Columns) -> Columns:
        indexes = _of(columns, wanted)
        collations = [value.lenenc()] * len(indexes)
        while value.left:
            position = value.lenenc()
            if position >= len(indexes):
                raise value.damaged("it gives a collation to a column that is not there")
            collations[position] = value.lenenc()
        return _collations(columns, indexes, collations)

    return read


def _each_collation(wanted: Callable[[MappedColumn], bool]) -> Callable[[Buffer, Columns], Columns]:
    def read(value: Buffer, columns: Columns) -> Columns:
        indexes = _of(columns, wanted)
        return _collations(columns, indexes, [value.lenenc() for _ in indexes])

    return read


def _names(value: Buffer, columns: Columns) -> Columns:
    return [replace(column, name=value.name()) for column in columns]


def _labels(wanted: Callable[[MappedColumn], bool]) -> Callable[[Buffer, Columns], Columns]:
    def read(value: Buffer, columns: Columns) -> Columns:
        for index in _of(columns, wanted):
            labels = tuple(value.take(value.lenenc()) for _ in range(value.lenenc()))
            columns[index] = replace(columns[index], labels=labels)
        return columns

    return read


# The kinds that are not here say nothing about the values: geometry type (7), primary key (8, 9), visibility (12),
# dimensions of a vector (13), and what is to come.
_OPTIONAL: dict[int, Callable[[Buffer, Columns], Columns]] = {
    1: _signs,
    2: _default_collation(lambda column: column.has_collation),
    3: _each_collation(lambda column: column.has_collation),
    4: _names,
    5: _labels(_is_set),
    6: _labels(_is_enum),
    10: _default_collation(lambda column: column.is_labelled),
    11: _each_collation(lambda column: column.is_labelled),
}
