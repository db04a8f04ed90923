"""What ``explain`` asks a PostgreSQL server.

Every method may raise ConnectError, PrivilegeError, PostgresqlError. Each is a read-only transaction of its own, and takes a
few seconds at most; no other lock is taken than that of a SELECT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from replfix.core.replication.subscription import Subscription
    from replfix.core.rows.postgresql_row import PostgresqlRow
    from replfix.core.schema.postgresql_key import UniqueIndex
    from replfix.core.schema.postgresql_sequence import ColumnSequence


class PostgresqlInquiry(Protocol):
    """What ``explain`` asks a PostgreSQL server."""

    @property
    def address(self) -> str:
        """``host:port/database``, for people."""
        ...

    def version(self) -> str:
        """Return server_version."""
        ...

    def standby(self) -> bool:
        """Return whether the server is in recovery: a physical replica."""
        ...

    def read_only(self) -> bool:
        """Return whether transactions are read-only by default, or cannot be anything else."""
        ...

    def databases(self, limit: int) -> tuple[str, ...]:
        """Return the names of the other databases that the account may connect to."""
        ...

    def unique_indexes(self, name: str, schema: str | None, table: str | None, limit: int) -> list[UniqueIndex]:
        """Return the unique indexes and exclusion constraints of that name, in every schema of the database.

        With ``table``, those of a table of that name, and of its partitions; ``schema`` is the table's.
        """
        ...

    def rows(self, key: UniqueIndex, condition: str, limit: int) -> tuple[PostgresqlRow, ...]:
        """Return at most ``limit`` rows for which the condition is true; it is of ``core.sql``.

        PostgresqlError of class 22 where a value of it is no value of its type.
        """
        ...

    def sequence(self, key: UniqueIndex) -> ColumnSequence | None:
        """Return the sequence of the key's first column that has one, with the highest value; None where none has."""
        ...

    def subscriptions(self, key: UniqueIndex) -> tuple[Subscription, ...] | None:
        """Return the subscriptions of the database; None when the account may not see them."""
        ...
