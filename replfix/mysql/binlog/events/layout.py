"""From a table map to the forms of its columns, with the table's definition where the event is silent.

Servers log names, labels and their character sets with ``binlog_row_metadata=FULL`` only; MINIMAL is the default. What
is missing then comes from the source's definition of now, by ordinal, after a check that both fit together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.binlog.row_event import LoggedType
from replfix.core.schema.table import Column, TableName
from replfix.errors import Unreadable
from replfix.mysql.binlog.columns import may_be
from replfix.mysql.binlog.columns.string_events import BINARY
from replfix.mysql.binlog.events.table_map import MappedColumn, TableMap
from replfix.mysql.binlog.values.images import Form
from replfix.mysql.connection.terms import HIDDEN
from replfix.mysql.read.charsets import decoder


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read the rows of one table map."""

    table: TableName
    names: tuple[str, ...]
    forms: tuple[Form, ...]
    documents: tuple[int, ...]  # the ordinals of its JSON columns
    from_schema: tuple[str, ...]  # what is not in the event, taken from the definition of now: "names", "labels", …
    altered_since: bool = False  # that definition is the replica's: the source's does not fit any more
    hidden: int = 0  # columns at the end that the server shows to nobody
    types: tuple[LoggedType, ...] = ()  # of the columns in ``names``


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
            forms.append(mapped.kind.form(_Described(mapped, column, charset_of)))
        except Unreadable as error:
            raise Unreadable(f"Column {names[-1]} of {table_map.table}: {error.message}", error.hint) from None
    documents = tuple(i for i, mapped in enumerate(table_map.columns) if mapped.type == FIELD_TYPE.JSON)
    shown = [name for name in names if not name.startswith(HIDDEN)]
    hidden = len(names) - len(shown) if names[: len(shown)] == shown else 0
    own = tuple(names[: len(names) - hidden])
    types = tuple(
        LoggedType(mapped.kind.names, mapped.metadata if mapped.kind.sized else None)
        for mapped in table_map.columns[: len(own)]
    )
    return Layout(table_map.table, own, tuple(forms), documents, tuple(missing), hidden=hidden, types=types)


def _missing(mapped: MappedColumn) -> Iterator[str]:
    """Yield what the event lacks of a column and its values cannot do without."""
    if mapped.name is None:
        yield "names"
    if mapped.unsigned is None and mapped.kind.signed:
        yield "signs"
    if mapped.collation is None and (mapped.kind.collated or mapped.kind.labelled):
        yield "character sets"
    if mapped.labels is None and mapped.kind.labelled:
        yield "labels"
    if mapped.kind.old:
        yield "digits of a second"


def _known(column: Column | None) -> Column:
    assert column is not None, "an incomplete table map is only resolved with a definition"
    return column


# --- the event's column against the definition's ---------------------------------------------------------------------


def _check_fit(table_map: TableMap, columns: tuple[Column, ...]) -> None:
    if len(columns) != len(table_map.columns):
        raise _misfit(
            table_map, f"it has {len(columns)} columns now and had {len(table_map.columns)} in the binary log"
        )
    for column, mapped in zip(columns, table_map.columns, strict=True):
        if not _fits(column, mapped):
            raise _misfit(table_map, f"column {column.name!r} is {column.column_type} now and was of another type")


def _fits(column: Column, mapped: MappedColumn) -> bool:
    if not may_be(column, mapped.type):
        return False
    if mapped.name is not None and mapped.name.lower() != column.name.lower():
        return False
    if mapped.unsigned is not None and mapped.kind.by_sign and mapped.unsigned != column.unsigned:
        return False
    if mapped.kind.collated and mapped.collation is not None:
        return (mapped.collation == _BINARY_COLLATION) == (column.charset in (None, BINARY))
    return True


_BINARY_COLLATION = 63


def _misfit(table_map: TableMap, why: str) -> Unreadable:
    return Unreadable(
        f"The definition of {table_map.table} has changed since the transaction was written: {why}. Which value "
        "belongs to which column is not known.",
        "With binlog_row_metadata=FULL the binary log itself has the names of the columns.",
    )


@dataclass(frozen=True, slots=True)
class _Described:
    """A column of the event; ``column`` has what is not in the event."""

    mapped: MappedColumn
    column: Column | None
    charset_of: Callable[[int], str]

    @property
    def metadata(self) -> int:
        return self.mapped.metadata

    def unsigned(self) -> bool:
        return self.mapped.unsigned if self.mapped.unsigned is not None else _known(self.column).unsigned

    def digits(self) -> int:
        return _known(self.column).scale or 0

    def charset(self) -> str:
        if self.mapped.collation is not None:
            return self.charset_of(self.mapped.collation)
        return _known(self.column).charset or BINARY

    def labels(self) -> tuple[str, ...]:
        if self.mapped.labels is None or (self.mapped.collation is None and self.column is not None):
            return _defined_labels(_known(self.column))
        charset = self.charset()
        # The labels of a binary ENUM are names in the data dictionary, which takes UTF-8 only.
        decode = decoder("utf8mb4" if charset == BINARY else charset)
        return tuple(decode(label) for label in self.mapped.labels)


# The character sets with characters beyond U+FFFF. information_schema is utf8mb3: it shows them as question marks.
_BEYOND_UTF8MB3 = {"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"}


def _defined_labels(column: Column) -> tuple[str, ...]:
    doubtful = [label for label in column.labels if "?" in label]
    if doubtful and column.charset in _BEYOND_UTF8MB3:
        raise Unreadable(
            f"The server shows the label {doubtful[0]!r}, in which a question mark may be another character.",
            "With binlog_row_metadata=FULL the binary log itself has the labels.",
        )
    return column.labels
