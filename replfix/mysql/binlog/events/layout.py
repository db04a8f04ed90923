"""From a table map to the forms of its columns, with the table's definition where the event is silent.

Servers log names, labels and their character sets with ``binlog_row_metadata=FULL`` only; MINIMAL is the default. What
is missing then comes from the source's definition of now, by ordinal, after a check that both fit together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.schema.table import ADDRESSES, GEOMETRIES, Column, TableName
from replfix.errors import Unreadable
from replfix.mysql.binlog.events.table_map import BLOB_COMPRESSED, VARCHAR_COMPRESSED, VECTOR, MappedColumn, TableMap
from replfix.mysql.binlog.values import decoders
from replfix.mysql.binlog.values.images import Form
from replfix.mysql.read.charsets import decoder

_BINARY = "binary"
HIDDEN = "DB_ROW_HASH_"
"""How the columns begin that MariaDB adds for unique keys over values too long for an index, and shows to nobody."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read the rows of one table map."""

    table: TableName
    names: tuple[str, ...]
    forms: tuple[Form, ...]
    documents: tuple[int, ...]  # the ordinals of its JSON columns
    from_schema: tuple[str, ...]  # what the event does not hold, taken from the definition of now: "names", "labels", …
    altered_since: bool = False  # that definition is the replica's: the source's does not fit any more
    hidden: int = 0  # columns at the end that the server shows to nobody


def layout(
    table_map: TableMap, columns_of: Callable[[TableName], tuple[Column, ...]], charset_of: Callable[[int], str]
) -> Layout:
    """Resolve a table map. ``charset_of`` gives the character set of a collation's number.

    :class:`Unreadable` for a column type that is not read, and for a definition that does not fit the event.
    """
    definition: tuple[Column, ...] | None = None
    missing = {what: None for mapped in table_map.columns for what in _missing(mapped)}
    if missing:
        definition = columns_of(table_map.table)
        _check_fit(table_map, definition)
    names = []
    forms = []
    for index, mapped in enumerate(table_map.columns):
        column = definition[index] if definition else None
        names.append(mapped.name if mapped.name is not None else _known(column).name)
        try:
            forms.append(_form(mapped, column, charset_of))
        except Unreadable as error:
            raise Unreadable(f"Column {names[-1]} of {table_map.table}: {error.message}", error.hint) from None
    documents = tuple(i for i, mapped in enumerate(table_map.columns) if mapped.type == FIELD_TYPE.JSON)
    shown = [name for name in names if not name.startswith(HIDDEN)]
    hidden = len(names) - len(shown) if names[: len(shown)] == shown else 0
    own = tuple(names[: len(names) - hidden])
    return Layout(table_map.table, own, tuple(forms), documents, tuple(missing), hidden=hidden)


def _missing(mapped: MappedColumn) -> Iterator[str]:
    """What the event does not say of a column and its values cannot do without."""
    if mapped.name is None:
        yield "names"
    if mapped.unsigned is None and mapped.is_numeric:
        yield "signs"
    if mapped.collation is None and (mapped.is_character or mapped.is_labelled):
        yield "character sets"
    if mapped.labels is None and mapped.is_labelled:
        yield "labels"
    if mapped.is_old_temporal:
        yield "digits of a second"


def _known(column: Column | None) -> Column:
    assert column is not None, "an incomplete table map is only resolved with a definition"
    return column


# --- the event's column against the definition's ---------------------------------------------------------------------

_TYPES: dict[str, tuple[int, ...]] = {
    "tinyint": (FIELD_TYPE.TINY,),
    "smallint": (FIELD_TYPE.SHORT,),
    "mediumint": (FIELD_TYPE.INT24,),
    "int": (FIELD_TYPE.LONG,),
    "bigint": (FIELD_TYPE.LONGLONG,),
    "float": (FIELD_TYPE.FLOAT,),
    "double": (FIELD_TYPE.DOUBLE,),
    "decimal": (FIELD_TYPE.NEWDECIMAL,),
    "bit": (FIELD_TYPE.BIT,),
    "year": (FIELD_TYPE.YEAR,),
    "date": (FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE),
    "time": (FIELD_TYPE.TIME2, FIELD_TYPE.TIME),
    "datetime": (FIELD_TYPE.DATETIME2, FIELD_TYPE.DATETIME),
    "timestamp": (FIELD_TYPE.TIMESTAMP2, FIELD_TYPE.TIMESTAMP),
    **dict.fromkeys(("char", "binary", *ADDRESSES), (FIELD_TYPE.STRING,)),
    **dict.fromkeys(("varchar", "varbinary"), (FIELD_TYPE.VARCHAR, FIELD_TYPE.VAR_STRING, VARCHAR_COMPRESSED)),
    **dict.fromkeys(("tinytext", "text", "mediumtext", "longtext"), (FIELD_TYPE.BLOB, BLOB_COMPRESSED)),
    **dict.fromkeys(("tinyblob", "blob", "mediumblob", "longblob"), (FIELD_TYPE.BLOB, BLOB_COMPRESSED)),
    "enum": (FIELD_TYPE.ENUM,),
    "set": (FIELD_TYPE.SET,),
    "json": (FIELD_TYPE.JSON,),
    "vector": (VECTOR, FIELD_TYPE.VARCHAR),  # the second is MariaDB's
    **dict.fromkeys(GEOMETRIES, (FIELD_TYPE.GEOMETRY,)),
}


def _check_fit(table_map: TableMap, columns: tuple[Column, ...]) -> None:
    if len(columns) != len(table_map.columns):
        raise _misfit(
            table_map, f"it has {len(columns)} columns now and had {len(table_map.columns)} in the binary log"
        )
    for column, mapped in zip(columns, table_map.columns, strict=True):
        if not _fits(column, mapped):
            raise _misfit(table_map, f"column {column.name!r} is {column.column_type} now and was of another type")


def _fits(column: Column, mapped: MappedColumn) -> bool:
    if mapped.type not in _TYPES.get(column.data_type, ()):
        return False
    if mapped.name is not None and mapped.name.lower() != column.name.lower():
        return False
    if mapped.unsigned is not None and mapped.type in _INTEGERS and mapped.unsigned != column.unsigned:
        return False
    if mapped.is_character and mapped.collation is not None:
        return (mapped.collation == _BINARY_COLLATION) == (column.charset in (None, _BINARY))
    return True


_INTEGERS = (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG)
_BINARY_COLLATION = 63


def _misfit(table_map: TableMap, why: str) -> Unreadable:
    return Unreadable(
        f"The definition of {table_map.table} has changed since the transaction was written: {why}. Which value "
        "belongs to which column is not known.",
        "With binlog_row_metadata=FULL the binary log itself holds the names of the columns.",
    )


# --- forms by type ---------------------------------------------------------------------------------------------------

_FIXED: dict[int, Form] = {
    FIELD_TYPE.FLOAT: decoders.FLOAT,
    FIELD_TYPE.DOUBLE: decoders.DOUBLE,
    FIELD_TYPE.YEAR: decoders.YEAR,
    FIELD_TYPE.DATE: decoders.DATE,
    FIELD_TYPE.NEWDATE: decoders.DATE,
}
_BY_METADATA: dict[int, Callable[[int], Form]] = {
    FIELD_TYPE.NEWDECIMAL: decoders.decimal,
    FIELD_TYPE.BIT: decoders.bit,
    FIELD_TYPE.TIME2: decoders.time_of_day,
    FIELD_TYPE.DATETIME2: decoders.datetime,
    FIELD_TYPE.TIMESTAMP2: decoders.timestamp,
    FIELD_TYPE.JSON: decoders.json,
    FIELD_TYPE.GEOMETRY: decoders.blob,
    VECTOR: decoders.blob,
}


_OLD: dict[int, Callable[[int], Form]] = {
    FIELD_TYPE.TIME: decoders.old_time,
    FIELD_TYPE.DATETIME: decoders.old_datetime,
    FIELD_TYPE.TIMESTAMP: decoders.old_timestamp,
}


def _form(mapped: MappedColumn, column: Column | None, charset_of: Callable[[int], str]) -> Form:
    """The form of one column; ``column`` says what the event does not."""
    if mapped.type in _FIXED:
        return _FIXED[mapped.type]
    if mapped.type in _BY_METADATA:
        return _BY_METADATA[mapped.type](mapped.metadata)
    if mapped.type in _OLD:
        return _OLD[mapped.type](_known(column).scale or 0)
    if mapped.type in _INTEGERS:
        unsigned = mapped.unsigned if mapped.unsigned is not None else _known(column).unsigned
        return decoders.integer(mapped.type, unsigned)
    if mapped.is_labelled:
        labels = _labels(mapped, column, charset_of)
        return (decoders.enum if mapped.type == FIELD_TYPE.ENUM else decoders.set_)(mapped.metadata, labels)
    if mapped.is_character:
        return _character(mapped, _charset(mapped, column, charset_of))
    raise Unreadable(f"A Table_map event has a column of the type {mapped.type}, which replfix does not read.")


def _character(mapped: MappedColumn, charset: str) -> Form:
    decode = None if charset == _BINARY else decoder(charset)
    if mapped.type == FIELD_TYPE.BLOB:
        return decoders.blob(mapped.metadata, decode)
    if mapped.type == BLOB_COMPRESSED:
        return decoders.blob(mapped.metadata, decoders.decompressed(decode))
    if mapped.type == VARCHAR_COMPRESSED:
        return decoders.varchar(mapped.metadata, decoders.decompressed(decode))
    if mapped.type == FIELD_TYPE.STRING:
        return decoders.binary(mapped.metadata) if decode is None else decoders.char(mapped.metadata, decode)
    return decoders.varchar(mapped.metadata, decode)


def _charset(mapped: MappedColumn, column: Column | None, charset_of: Callable[[int], str]) -> str:
    if mapped.collation is not None:
        return charset_of(mapped.collation)
    return _known(column).charset or _BINARY


def _labels(mapped: MappedColumn, column: Column | None, charset_of: Callable[[int], str]) -> tuple[str, ...]:
    if mapped.labels is None or (mapped.collation is None and column is not None):
        return _defined_labels(_known(column))
    charset = _charset(mapped, column, charset_of)
    # The labels of a binary ENUM are names in the data dictionary, which takes UTF-8 only.
    decode = decoder("utf8mb4" if charset == _BINARY else charset)
    return tuple(decode(label) for label in mapped.labels)


# The character sets with characters beyond U+FFFF. information_schema is utf8mb3: it shows them as question marks.
_BEYOND_UTF8MB3 = {"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"}


def _defined_labels(column: Column) -> tuple[str, ...]:
    doubtful = [label for label in column.labels if "?" in label]
    if doubtful and column.charset in _BEYOND_UTF8MB3:
        raise Unreadable(
            f"The server shows the label {doubtful[0]!r}, in which a question mark may stand for another character.",
            "With binlog_row_metadata=FULL the binary log itself holds the labels.",
        )
    return column.labels
