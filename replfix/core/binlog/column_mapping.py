"""Where the columns of a table's row events are in the replica's table.

The applier goes by position: the columns of an event fill the replica's first ones. Columns that the replica has after
them keep their values or get their defaults. Columns that only the event has are left out. MySQL passes over a
generated invisible primary key (GIPK) that is on one server only (8.0.30; seen on 9.7.4, and on MariaDB 10.11.19 and
11.8.9 what it has).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from replfix.core.binlog.row_event import LoggedType, PassedOver, RowChange, Transaction
from replfix.core.binlog.statement import Statement, without_comments
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value
from replfix.core.schema.table import Column, Table, TableName

GENERATED_KEY = "my_row_id"  # of sql_generate_invisible_primary_key


@dataclass(frozen=True, slots=True)
class Fit:
    """The replica's table, with the columns marked that no event has, and where each of its columns is in the event."""

    table: Table
    places: tuple[int | None, ...]
    columns: int  # of the event

    @property
    def as_it_is(self) -> bool:
        """Return whether the event's columns are the replica's, in number and order."""
        return self.places == tuple(range(self.columns))

    def image(self, image: RowImage) -> RowImage:
        """Return the image in the order of the replica's columns."""
        if len(image) != self.columns:
            return image
        return tuple(NOT_LOGGED if place is None else image[place] for place in self.places)


def is_generated_key(column: Column) -> bool:
    """Return whether the column is a generated invisible primary key."""
    return column.name.lower() == GENERATED_KEY and column.invisible and column.auto_increment


def fit(table: Table, names: Sequence[str]) -> Fit | str:
    """Fit events of that form to the replica's table, or say why their values and the replica's cannot be compared.

    ``names``: of the event's columns.
    """
    theirs, ours = [name.lower() for name in names], [column.name.lower() for column in table.columns]
    if sorted(theirs) == sorted(ours) and theirs != ours:
        return _misfit(table, "are in another order on the replica", theirs, ours)
    if len(theirs) == len(ours):  # other names by themselves do not matter to the applier
        return _fitted(table, list(range(len(ours))), len(theirs))
    if is_generated_key(table.columns[0]) and theirs == ours[1:]:
        return _fitted(table, [None, *range(len(theirs))], len(theirs))
    if theirs[0] == GENERATED_KEY and GENERATED_KEY not in ours and theirs[1:] == ours:
        return f"{table.name} has a generated primary key ({GENERATED_KEY}) on the source only. The applier ignores it, and a rehearsal cannot (error 1105, 9.7.4): correct the rows by hand, without logging, and start the channel."
    if theirs == ours[: len(theirs)] or ours == theirs[: len(ours)]:
        extra = [None] * max(0, len(ours) - len(theirs))
        return _fitted(table, [*range(min(len(ours), len(theirs))), *extra], len(theirs))
    if is_generated_key(table.columns[0]) and set(theirs) < set(ours):
        return _misfit(
            table,
            "are more on the replica: a generated primary key, and others, with which no applier goes on",
            theirs,
            ours,
        )
    if set(theirs) < set(ours):
        return _misfit(table, "are more on the replica, and not all of them come after the source's", theirs, ours)
    if set(ours) < set(theirs):
        return _misfit(table, "are fewer on the replica, and it lacks others than the source's last", theirs, ours)
    return _misfit(table, "are others on the replica", theirs, ours)


def _misfit(table: Table, what: str, theirs: Sequence[str], ours: Sequence[str]) -> str:
    return (
        f"The columns of {table.name} {what} (source: {', '.join(theirs)}; replica: {', '.join(ours)}). The applier goes by position: "
        "values would be stored in other columns than their own."
    )


def _fitted(table: Table, places: list[int | None], columns: int) -> Fit:
    marked = tuple(
        replace(column, own=True) if place is None else column
        for column, place in zip(table.columns, places, strict=True)
    )
    return Fit(table if None not in places else replace(table, columns=marked), tuple(places), columns)


def on_replica(transaction: Transaction, fits: Mapping[TableName, Fit]) -> Transaction:
    """Return the transaction with its images in the form of the replica's tables; ``logged`` stays as it was."""
    wider = {name: _longer_binaries(found, transaction.changes) for name, found in fits.items()}
    if all(found.as_it_is and not wider[name] for name, found in fits.items()):
        return transaction

    def image(name: TableName, image: RowImage | None) -> RowImage | None:
        if image is None or (found := fits.get(name)) is None:
            return image
        fitted = found.image(image)
        if not wider[name]:
            return fitted
        return tuple(
            value.ljust(wider[name].get(o, 0), b"\0") if isinstance(value, bytes) else value
            for o, value in enumerate(fitted)
        )

    changes = tuple(
        replace(c, before=image(c.table, c.before), after=image(c.table, c.after)) for c in transaction.changes
    )
    names = {
        name: tuple(column.name for column in fits[name].table.columns) if name in fits else columns
        for name, columns in transaction.column_names.items()
    }
    return replace(transaction, changes=changes, column_names=names, logged=transaction)


def unfit(transaction: Transaction, tables: Mapping[TableName, Table]) -> str:
    """Return, in words, which table was altered before a transaction of the backlog, so that its rows have another form."""
    known = (fit(tables[name], names) for name, names in transaction.column_names.items() if name in tables)
    return next((found for found in known if not isinstance(found, Fit)), "")


_OF_OBJECTS = re.compile(
    r"\s*(?:(?:CREATE|ALTER|DROP)\s+(?!(?:OR\s+REPLACE\s+)?TEMPORARY\b)|(?:RENAME|TRUNCATE|GRANT|REVOKE)\b)",
    re.IGNORECASE,
)
"""Each is a transaction of its own: it has no rows of other tables beside it."""


def is_elsewhere(passed: PassedOver, tables: Iterable[TableName]) -> bool:
    """Return whether a transaction of the backlog without readable rows is one statement about other objects.

    None of the tables is named in it, and no schema as a whole.
    """
    text = without_comments(passed.statement or "")
    if not passed.whole or not _OF_OBJECTS.match(text) or Statement("", text).of_schema is not None:
        return False
    return not any(_named(name, text) for name in tables)


_RENAMED = re.compile(r"\s*ALTER\b.*\bRENAME\s+(?:TO|AS)\b", re.IGNORECASE | re.DOTALL)


def replaced_by(passed: PassedOver, tables: Iterable[TableName]) -> set[TableName]:
    """Return which of these tables a statement of the backlog replaces: it creates a table of the name, or renames one."""
    statement = Statement("", without_comments(passed.statement or ""))
    if _RENAMED.match(statement.text):
        return {name for name in tables if _named(name, statement.text)}
    if not statement.creates and not statement.renames:
        return set()
    made = {(name.schema, name.name) for name in statement.mentioned}
    return {name for name in tables if made & {(name.schema, name.name), ("", name.name)}}


def _named(table: TableName, text: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(table.name.replace('`', '``'))}(?![\w$])", text, re.IGNORECASE) is not None


def as_far_as_it_fits(transaction: Transaction, tables: Mapping[TableName, Table]) -> Transaction:
    """Do as ``on_replica``; rows of a form that the replica's table never had stay as they are."""
    known = {name: fit(tables[name], names) for name, names in transaction.column_names.items() if name in tables}
    return on_replica(transaction, {name: found for name, found in known.items() if isinstance(found, Fit)})


def _first_values(found: Fit, changes: Iterable[RowChange], types: Sequence[str]) -> Iterator[tuple[Column, Value]]:
    """Yield one value for each of the replica's columns of these types: all of a column have one form."""
    wanted = {
        c.ordinal: place
        for c in found.table.columns
        if c.data_type in types and (place := found.places[c.ordinal]) is not None
    }
    for change in changes:
        if not wanted:
            return
        if change.table != found.table.name:
            continue
        for image in (change.before, change.after):
            for ordinal, place in tuple(wanted.items()) if image is not None and len(image) == found.columns else ():
                if image is not None and image[place] is not None and image[place] is not NOT_LOGGED:
                    del wanted[ordinal]
                    yield found.table.columns[ordinal], image[place]


def _longer_binaries(found: Fit, changes: Iterable[RowChange]) -> dict[int, int]:
    """Return the replica's length of BINARY columns that are longer there: the applier fills them up."""
    return {
        column.ordinal: column.length
        for column, value in _first_values(found, changes, ("binary",))
        if column.length is not None and isinstance(value, bytes) and len(value) < column.length
    }


def other_digits(found: Fit, changes: Iterable[RowChange]) -> str:
    """Return why no applier executes the transaction: a column has other fractional digits of a second on the replica.

    Error 1610 on MySQL 9.7.4; MariaDB 11.8.9 crashes on it, in a BINLOG statement too. Empty when there is none.
    """
    for column, value in _first_values(found, changes, ("time", "datetime", "timestamp")):
        if isinstance(value, str) and len(value.partition(".")[2]) != (column.scale or 0):
            return f"{found.table.name}.{column.name} is {column.column_type} on the replica, and has other digits of a second in the event: no applier converts that, and a server can crash on it. Make the column the source's (ALTER TABLE … MODIFY, not logged)."
    return ""


@dataclass(frozen=True, slots=True)
class OtherType:
    """A column of the replica with another type than in the events.

    Without replica_type_conversions the applier rejects the table's rows (1677, 13146; in a BINLOG statement 1105 "Unknown
    error": 9.7.4, 10.11.19).
    """

    table: TableName
    column: Column
    logged: LoggedType

    @property
    def in_words(self) -> str:
        """The difference for people."""
        here, there = self.column.column_type, self.logged.names[0].upper()
        if self.column.data_type in self.logged.names:
            here, there = f"{here}, {self.column.length} bytes", f"of {self.logged.most_bytes} bytes"
        return f"Column {self.column.name} of {self.table} is another type on the replica ({here}) than in the event ({there})"


def other_types(found: Fit, logged: Sequence[LoggedType]) -> tuple[OtherType, ...]:
    """Return the columns that have another type than the event's; ``logged`` in the event's order."""
    pairs = (
        (column, logged[place])
        for column, place in zip(found.table.columns, found.places, strict=True)
        if place is not None and place < len(logged)
    )
    return tuple(OtherType(found.table.name, column, type_) for column, type_ in pairs if not _takes(column, type_))


def _takes(column: Column, logged: LoggedType) -> bool:
    if column.data_type not in logged.names:
        return False
    sized = column.data_type in ("char", "varchar", "binary", "varbinary")
    return not sized or logged.most_bytes is None or column.length == logged.most_bytes


def there(tables: Mapping[TableName, Table]) -> dict[TableName, Table]:
    """Return the tables as the source can be asked for them: without the columns that only the replica has."""
    return {
        name: replace(table, columns=tuple(replace(c, absent=c.own) for c in table.columns))
        if any(column.own for column in table.columns)
        else table
        for name, table in tables.items()
    }


def alike(theirs: Table | None, ours: Table) -> bool:
    """Return whether the source can be asked for the replica's rows: it has every column that events fill.

    What else it has, and in which order, can come from the backlog.
    """
    if theirs is None:
        return False
    names = {column.name.lower() for column in theirs.columns}
    return all(column.own or column.name.lower() in names for column in ours.columns)
