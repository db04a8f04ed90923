"""What has to be known of a column type to read it from row events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from replfix.core.schema.table import Column
from replfix.mysql.binlog.columns.encoding import Encoding
from replfix.mysql.binlog.values.images import Form

Make = Callable[[Column, bool], Encoding]
"""The encoding for a column; the second says whether MariaDB is to take it."""


class Described(Protocol):
    """One column of a Table_map event, completed by the table's definition where the event is silent."""

    @property
    def metadata(self) -> int:
        """By type: length in bytes, digits of a fraction, ``precision << 8 | scale``, and so on."""
        ...

    def unsigned(self) -> bool:
        """Return whether the column is UNSIGNED."""

    def charset(self) -> str:
        """Return the name of the column's character set."""

    def labels(self) -> tuple[str, ...]:
        """Return the labels of an ENUM or SET."""

    def digits(self) -> int:
        """Return the digits of a second, where the event does not say how many."""
        ...


@dataclass(frozen=True, slots=True)
class EventType:
    """A column type as row events have it."""

    number: int
    """As the event has it; of ENUM and SET the real type."""
    names: tuple[str, ...]
    """The data types of columns that servers log so."""
    form: Callable[[Described], Form]
    metadata_bytes: int = 0
    signed: bool = False
    """Whether the event gives it a sign (YEAR too: seen on 9.7)."""
    by_sign: bool = False
    """Whether its bytes mean something else without one."""
    collated: bool = False
    """Whether the event gives it a collation."""
    collated_by_mariadb: bool = False
    labelled: bool = False
    sized: bool = False
    """Whether its metadata is the most bytes that a value can have."""
    old: bool = False
    """A type of which the event does not say how many digits of a second it has, and so how long it is."""
