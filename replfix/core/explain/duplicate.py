"""A duplicate-key error, from its text. The text is not trusted: it is shown escaped and looked up, never run."""

from __future__ import annotations

import enum
from dataclasses import dataclass

CUT_AT = 64
"""Bytes of a value that the server puts into its message (``%-.64s`` in errmsg, 5.7 to 9.7)."""


class Product(enum.StrEnum):
    """Whose error it is."""

    MYSQL = "mysql"  # and MariaDB: error 1062
    POSTGRESQL = "postgresql"  # SQLSTATE 23505


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One error. ``form``: whose text it was found in (a name of ``forms/``); None where the text does not say."""

    dialect: Product
    form: str
    key: str  # as printed: `table.index`, `index`, a number (5.0), or the constraint (PostgreSQL)
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

    @property
    def errno(self) -> int | None:
        """The error number, None for PostgreSQL."""
        return 1062 if self.dialect is Product.MYSQL else None

    @property
    def sqlstate(self) -> str:
        """The SQLSTATE."""
        return "23000" if self.dialect is Product.MYSQL else "23505"

    @property
    def cut(self) -> bool:
        """Whether the value may go on where the message ends. PostgreSQL prints it whole."""
        if self.value is None or self.dialect is Product.POSTGRESQL:
            return False
        # The cut is on a whole character, so up to three bytes can be missing; MariaDB marks it with dots.
        return len(self.value.encode("utf-8", "replace")) > CUT_AT - 4

    @property
    def known(self) -> str:
        """The value as the message has it, without the dots that MariaDB (11.8) puts in place of what it cuts."""
        value = self.value or ""
        return value.removesuffix("...") if self.cut else value
