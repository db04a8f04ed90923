"""A unique index or exclusion constraint of PostgreSQL, as its catalogs describe it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

WHOLE_NUMBERS = frozenset({"smallint", "integer", "bigint"})
TEXTS = frozenset({"text", "character varying", "bpchar", "character", "name", "citext"})


class KeyKind(enum.StrEnum):
    """What the index is for."""

    PRIMARY_KEY = "PRIMARY KEY"
    UNIQUE_CONSTRAINT = "UNIQUE constraint"
    UNIQUE_INDEX = "unique index"
    EXCLUSION_CONSTRAINT = "exclusion constraint"


@dataclass(frozen=True, slots=True)
class IndexPart:
    """One column or expression of the key, and how the index compares it. Texts are SQL, quoted by the server."""

    column: str | None  # None: an expression
    expression: str  # the column's name, quoted where it has to be, or the expression
    type: str  # as declared, with its modifier
    compared_as: str  # the type of the value that it is compared with, without domains
    operator: tuple[str, str]  # schema and name: ("pg_catalog", "=")
    collate: str | None  # the COLLATE that the comparison has to name; None where the column's own is used
    collation: str | None  # the name; None for types without one
    deterministic: bool  # of the collation: equal texts have equal bytes

    @property
    def is_text(self) -> bool:
        """Whether its values are texts."""
        return self.compared_as.rpartition(".")[2] in TEXTS


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of the key's table that the account may read."""

    name: str
    type: str  # without modifier and domains


@dataclass(frozen=True, slots=True)
class UniqueIndex:
    """What a message of SQLSTATE 23505 or 23P01 calls a constraint."""

    oid: int
    table_oid: int
    schema: str
    table: str
    name: str
    kind: KeyKind
    definition: str  # of the constraint, else of the index
    parts: tuple[IndexPart, ...]
    columns: tuple[TableColumn, ...]
    predicate: str | None  # of a partial index
    deferrable: bool = False
    initially_deferred: bool = False
    nulls_not_distinct: bool = False
    valid: bool = True  # False: CREATE INDEX CONCURRENTLY failed, and left it
    partitioned: bool = False  # its table is: rows are in the partitions
    refused: str | None = None  # why its rows are not looked up: a privilege, or code that would have to run

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The key's columns that the account may not read."""
        readable = {column.name for column in self.columns}
        return tuple(part.column for part in self.parts if part.column is not None and part.column not in readable)
