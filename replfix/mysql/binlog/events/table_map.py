"""The Table_map event: the table and the columns of the rows events that follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.schema.table import TableName
from replfix.mysql.binlog.columns import EVENT_TYPES
from replfix.mysql.binlog.columns.event_type import EventType
from replfix.mysql.binlog.events.buffer import Buffer
from replfix.mysql.binlog.events.checked_events import Event


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One column as the event describes it. None: the event does not say (``binlog_row_metadata=MINIMAL``)."""

    type: int  # of FIELD_TYPE; for ENUM and SET the real type
    metadata: int  # by type: length in bytes, digits of a fraction, precision << 8 | scale, …
    unsigned: bool | None = None
    collation: int | None = None
    name: str | None = None
    labels: tuple[bytes, ...] | None = None  # in the column's character set
    of_mariadb: bool = False

    @property
    def kind(self) -> EventType:
        """What is known of its type."""
        return EVENT_TYPES[self.type]

    @property
    def has_collation(self) -> bool:
        """Whether the event gives it a collation."""
        return self.kind.collated or (self.of_mariadb and self.kind.collated_by_mariadb)


@dataclass(frozen=True, slots=True)
class TableMap:
    """A Table_map event, read."""

    table_id: int
    table: TableName
    columns: tuple[MappedColumn, ...]


def table_id(event: Event) -> int:
    """Return the number by which rows events refer to a Table_map event."""
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


def _column(number: int, metadata: Buffer) -> MappedColumn:
    kind = EVENT_TYPES.get(number)
    if kind is None:
        raise metadata.damaged(f"a column has the type {number}, which replfix does not know")
    if number == FIELD_TYPE.NEWDECIMAL:
        return MappedColumn(number, metadata.uint(1) << 8 | metadata.uint(1))
    if number != FIELD_TYPE.STRING:
        return MappedColumn(number, metadata.uint(kind.metadata_bytes) if kind.metadata_bytes else 0)
    # CHAR, BINARY, ENUM and SET share this type. Two bits of a length above 255 are kept, inverted, in the first byte.
    first, length = metadata.uint(1), metadata.uint(1)
    if first & 0x30 != 0x30:
        first, length = first | 0x30, length | ((first & 0x30) ^ 0x30) << 4
    if first not in EVENT_TYPES:
        raise metadata.damaged(f"a column has the type {first}, which replfix does not know")
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
    numeric = _of(columns, lambda column: column.kind.signed)
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
    10: _default_collation(lambda column: column.kind.labelled),
    11: _each_collation(lambda column: column.kind.labelled),
}
