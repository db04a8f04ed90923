"""A table as a server defines it: columns, unique keys, foreign keys, triggers.

Source: information_schema COLUMNS, STATISTICS, KEY_COLUMN_USAGE, REFERENTIAL_CONSTRAINTS, TRIGGERS, TABLES, ENGINES.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """The name of a table, or of another object in a schema."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``data_type`` is lower case without length (``varchar``); ``column_type`` is the full text."""

    name: str
    ordinal: int  # from 0
    data_type: str
    column_type: str
    nullable: bool
    unsigned: bool = False
    charset: str | None = None  # None for columns without a character set
    collation: str | None = None
    labels: tuple[str, ...] = ()  # of ENUM and SET
    length: int | None = None  # CHARACTER_OCTET_LENGTH; of BINARY its padded length
    scale: int | None = None  # DECIMAL's scale, or the fractional digits of temporal types
    auto_increment: bool = False
    generated: bool = False
    counted: bool = False  # generated from the AUTO_INCREMENT column, which no event knows: see ``row_diff``
    changing: bool = (
        False  # generated, with another value each time (now()): it is not read, and says nothing of the row
    )
    invisible: bool = False
    # As the server writes it. Not part of what the column is: guards and records name a definition by what they always did.
    expression: str = field(default="", compare=False, repr=False)
    own: bool = field(
        default=False, compare=False, repr=False
    )  # only the replica has it: no event of its source has it
    absent: bool = field(default=False, compare=False, repr=False)  # the server that is asked does not have it


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One part of a key: a column, a prefix of a column (``prefix`` characters or bytes), or an expression.

    ``expression`` is SQL as the server writes it, ``reads`` are the columns in it. A multi-valued part (MySQL 8.0.17)
    indexes every element of an array: ``array`` is then the expression of the JSON document that the elements are in.
    """

    column: str | None
    prefix: int | None = None
    expression: str | None = None
    reads: tuple[str, ...] = ()
    array: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that it depends on."""
        return self.reads if self.column is None else (self.column,)


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """A unique key, the primary one included."""

    name: str
    parts: tuple[KeyPart, ...]
    columns: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """The columns that the key depends on, those which its expressions read included."""
    of_whole_columns: bool = field(init=False, compare=False, repr=False)
    """No part is an expression or the beginning of a column."""

    def __post_init__(self) -> None:
        whole = all(part.column is not None and part.prefix is None for part in self.parts)
        object.__setattr__(self, "of_whole_columns", whole)
        names = dict.fromkeys(name for part in self.parts for name in part.columns)
        object.__setattr__(self, "columns", tuple(names))

    @property
    def is_primary(self) -> bool:
        """Whether it is PRIMARY."""
        return self.name == "PRIMARY"

    @property
    def of_columns(self) -> bool:
        """True when no part is an expression: each is a column, or the beginning of one."""
        return all(p.column is not None for p in self.parts)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """``child (child_columns)`` references ``parent (parent_columns)``; rules as information_schema spells them."""

    name: str
    child: TableName
    child_columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]
    on_update: str
    on_delete: str

    @property
    def done_on_update(self) -> str:
        """The rule by which the server acts: a row of the same table never gets the new key, whatever ``on_update`` says.

        InnoDB, "FOREIGN KEY Constraints" in MySQL's manual; seen on 9.7.4 and MariaDB 11.8.6.
        """
        return "RESTRICT" if self.child == self.parent else self.on_update


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger, with its body where the account may see it."""

    name: str
    event: str  # INSERT | UPDATE | DELETE
    timing: str  # BEFORE | AFTER
    body: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The definition of a table, as one server has it."""

    name: TableName
    columns: tuple[Column, ...]
    unique_keys: tuple[UniqueKey, ...]  # PRIMARY first, then in the server's order
    engine: str
    transactional: bool
    foreign_keys: tuple[ForeignKey, ...] = ()  # this table is the child
    referenced_by: tuple[ForeignKey, ...] = ()  # this table is the parent
    triggers: tuple[Trigger, ...] = ()
    without_overlaps: bool = field(default=False, compare=False, repr=False)  # a key over periods (MariaDB 10.5)
    # Worked out once: transactions have 100,000 rows, and each is asked for all of this several times.
    identity: UniqueKey | None = field(init=False, compare=False, repr=False)
    """The key by which events name a row: PRIMARY, else the first unique key of columns none of which is nullable. The applier
    chooses the same way (MySQL 9.7: a key over the beginning of a column will do, one over an expression will not)."""
    own_identity: UniqueKey | None = field(init=False, compare=False, repr=False)
    """The key that names a row where all of its columns are known: another one only where that has a column of the replica's
    own."""
    has_own: bool = field(init=False, compare=False, repr=False)  # columns that only the replica has
    by_name: Mapping[str, Column] = field(init=False, compare=False, repr=False)  # names in lower case
    name_of: Callable[[Sequence[Any]], tuple[Any, ...]] = field(init=False, compare=False, repr=False)
    """Takes from an image what names its row: the values of ``identity``, or without such a key all that are stored."""
    _places: dict[tuple[str, ...], tuple[int, ...]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name.lower(): column for column in self.columns})
        object.__setattr__(self, "has_own", any(column.own for column in self.columns))
        naming = [k for k in self.unique_keys if k.of_columns and not any(self.column(c).nullable for c in k.columns)]
        logged = (k for k in naming if not any(self.column(c).own for c in k.columns))
        object.__setattr__(self, "identity", next(logged, None))
        object.__setattr__(self, "own_identity", next(iter(naming), None))
        object.__setattr__(self, "_places", {})
        stored = (c.ordinal for c in self.columns if not c.generated and not c.own)
        ordinals = tuple(stored) if self.identity is None else self.ordinals(self.identity)
        object.__setattr__(self, "name_of", picking(ordinals))

    def column(self, name: str) -> Column:
        """Return the column of that name (names of columns are case-insensitive); KeyError when there is none."""
        return self.by_name[name.lower()]

    def ordinals(self, key: UniqueKey) -> tuple[int, ...]:
        """Return the places of the key's columns in a row."""
        places = self._places.get(key.columns)
        if places is None:
            places = self._places[key.columns] = tuple(self.column(name).ordinal for name in key.columns)
        return places


def picking(ordinals: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return what takes these values from an image: the quickest way, for transactions of many rows."""
    if len(ordinals) > 1:
        return itemgetter(*ordinals)
    if not ordinals:
        return lambda _: ()
    only = ordinals[0]
    return lambda image: (image[only],)
