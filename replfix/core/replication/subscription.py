"""A subscription of PostgreSQL's logical replication, on the server that applies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription of the database."""

    oid: int
    name: str
    enabled: bool
    disabled_on_error: bool  # disable_on_error, 15 and later
    has_table: bool  # the table of the key is one of its tables
    apply_errors: int | None  # since the counters were reset; None before 15

    @property
    def origin(self) -> str:
        """The replication origin, as the server's log names it."""
        return f"pg_{self.oid}"
