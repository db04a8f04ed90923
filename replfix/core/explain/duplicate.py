"""A duplicate-key error, from its text. The text is not trusted: it is shown escaped and looked up, never run."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from replfix.core.explain.insert import Insert

CUT_AT = 64
"""Bytes of a value that the server puts into its message (``%-.64s`` in errmsg, 5.7 to 9.7)."""


class Product(enum.StrEnum):
    """Whose error it is."""

    MYSQL = "mysql"  # and MariaDB: error 1062
    POSTGRESQL = "postgresql"  # SQLSTATE 23505


class Kind(enum.StrEnum):
    """What the server was doing when it reported the error."""

    DUPLICATE = "duplicate"  # a statement writes a value that a unique key has already
    KEY_BUILD = "key_build"  # a unique key is created, or a table rebuilt, and its rows are not unique
    EXCLUSION = "exclusion"  # PostgreSQL: rows that must not overlap (23P01)
    CONFLICT = "conflict"  # PostgreSQL 18: a subscription's apply worker reports a conflict
    REPLICA = "replica"  # another error of a replica's applier, which ``replfix diagnose`` explains


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One error. ``form``: whose text it was found in (a name of ``forms/``); None where the text does not say."""

    dialect: Product
    form: str
    key: str  # as printed: `table.index`, `index`, a number (5.0), or the constraint (PostgreSQL); empty: not in the text
    value: str | None  # as printed, what the client put around it taken off
    columns: tuple[str, ...] = ()  # PostgreSQL names them
    schema: str | None = None
    table: str | None = None  # where something beside the key names it
    statement: str | None = None
    gtid: str | None = None  # of a replica's applier: the transaction that failed
    replication: bool = False  # it is from a replica's applier
    others: tuple[
        tuple[str, str], ...
    ] = ()  # further ways to separate value and key, where the value contains the words
    kind: Kind = Kind.DUPLICATE
    number: int | None = None  # the error number where it is not 1062
    state: str | None = None  # the SQLSTATE where it is not that of 1062 or 23505
    truncated: bool = False  # the text ends inside the message
    insert: Insert | None = None  # the statement, read, with the parameters that the text has for it
    conflict: str | None = None  # PostgreSQL 18: which one, insert_exists
    detail: str | None = None  # PostgreSQL's DETAIL
    context: str | None = None  # PostgreSQL's CONTEXT
    framework: str | None = None  # a name of ``guide/frameworks/``

    @property
    def errno(self) -> int | None:
        """The error number; None for PostgreSQL, and where an applier's message does not have it."""
        if self.dialect is Product.POSTGRESQL or self.kind is Kind.REPLICA:
            return self.number
        return self.number or 1062

    @property
    def sqlstate(self) -> str:
        """The SQLSTATE."""
        return self.state or ("23000" if self.dialect is Product.MYSQL else "23505")

    @property
    def cut(self) -> bool:
        """Whether the value may go on where the message ends. PostgreSQL prints it whole."""
        if self.value is None:
            return False
        if self.truncated and not self.key:
            return True
        if self.dialect is Product.POSTGRESQL:
            return False
        # The cut is on a whole character, so up to three bytes can be missing; MariaDB marks it with dots.
        return len(self.value.encode("utf-8", "replace")) > CUT_AT - 4

    @property
    def known(self) -> str:
        """The value as the message has it, without the dots that MariaDB (11.8) puts in place of what it cuts."""
        value = self.value or ""
        return value.removesuffix("...") if self.cut else value

    @property
    def key_table(self) -> str | None:
        """The table that the key itself is named with (``table.index``, MySQL 8.0.19); None where it is not."""
        table, dot, _ = self.key.partition(".")
        return table if dot and self.dialect is Product.MYSQL else None
