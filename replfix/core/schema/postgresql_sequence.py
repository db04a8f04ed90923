"""The sequence of a column of PostgreSQL."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class SequenceUse(enum.StrEnum):
    """How the column gets the sequence's numbers."""

    IDENTITY = "identity"
    DEFAULT = "default"  # serial, or a DEFAULT nextval(…) written by hand
    OWNED = "owned"  # OWNED BY the column, and its default does not use it


@dataclass(frozen=True, slots=True)
class ColumnSequence:
    """A sequence and the column it is for. ``table`` is the partitioned table where the key is of a partition."""

    schema: str
    name: str
    use: SequenceUse
    table_schema: str
    table: str
    column: str
    increment: int
    maximum: int
    cycles: bool
    last_value: int | None  # None: the account may not read it
    is_called: bool
    highest: int | None  # MAX(column); None in an empty table, or where it was not read
    unread: str | None = None  # why MAX(column) was not read

    @property
    def next_value(self) -> int | None:
        """What ``nextval`` returns next in a session without cached numbers; None where that is unknown."""
        if self.last_value is None:
            return None
        return self.last_value + self.increment if self.is_called else self.last_value

    @property
    def is_behind(self) -> bool:
        """Whether an ascending sequence still has numbers before it that rows have already, or may have."""
        after = self.next_value
        return self.increment > 0 and after is not None and self.highest is not None and after <= self.highest

    @property
    def can_follow(self) -> bool:
        """Whether the sequence has a number above the highest one."""
        return self.highest is not None and self.highest + self.increment <= self.maximum
