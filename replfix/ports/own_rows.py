"""What a replica alone is asked: about its own writes, and how row events meet its tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from replfix.core.binlog.alter_table import ForeignKeyClause
    from replfix.core.binlog.row_event import Transaction
    from replfix.core.doctor.checkup import Inventory
    from replfix.core.incident.evidence import LockHolder
    from replfix.core.rows.row_values import RowImage
    from replfix.core.schema.table import Column, Table, TableName, UniqueKey


class OwnRows(Protocol):
    """What a replica alone is asked: about its own writes, and how row events meet its tables."""

    def connected_as(self, connection: int) -> str | None:
        """``user@host`` of a connection that is still open."""
        ...

    def inventory(self, names: int) -> Inventory:
        """Return tables and events that matter to repairs, where the account sees them, at most ``names`` names of each."""
        ...

    def try_binlog(self, format_description: bytes) -> None:
        """Run a BINLOG statement with that event alone: it changes nothing, and needs the privileges of a rehearsal.

        It runs in a session of its own. PrivilegeError or ServerError when it is rejected.
        """
        ...

    def logs_all(self) -> bool:
        """Return whether its binlog has every change, those that it applies too: no setting leaves anything out."""
        ...

    def worked_out_otherwise(self, table: Table, images: Sequence[RowImage]) -> Column | None:
        """Return a generated column whose expression gives another value than those rows have, one in a unique key first.

        Unreadable where no such column is found and not all of them can be computed.
        """
        ...

    def not_as_events(self, table: Table) -> str:
        """Return why rows of that table cannot be written as row events; empty when they can."""
        ...

    def duplicates(self, table: Table, key: UniqueKey, limit: int) -> tuple[tuple[tuple[str, ...], int], ...]:
        """Return, as text, values that several rows have in ``key``'s columns, with the number of rows; the most first."""
        ...

    def orphans(self, key: ForeignKeyClause, limit: int) -> tuple[tuple[tuple[str, ...], int], ...]:
        """Return, as text, values that no parent has for a planned foreign key, with the number of rows; the most first."""
        ...

    def lock_holders(self, tables: Sequence[TableName]) -> tuple[LockHolder, ...] | None:
        """Return the sessions that hold locks on rows of those tables, or on the tables, the oldest transaction first.

        None where the server does not show them.
        """
        ...

    def written_here(self, server_id: int, limit: int) -> tuple[Transaction, ...]:
        """Return the newest transactions with that server_id in the newest part of its own binlog, at most ``limit``."""
        ...
