"""Asked by ``explain`` of a server, a replica or not. Every method may raise ConnectError, PrivilegeError, ServerError."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from replfix.core.columns.key_probe import Match
    from replfix.core.rows.row_values import RowImage
    from replfix.core.schema.auto_increment import AutoIncrement, Counter
    from replfix.core.schema.table import Column, Table, TableName


class Inquiry(Protocol):
    """Asked by ``explain`` of a server, a replica or not. Every method may raise ConnectError, PrivilegeError, ServerError."""

    @property
    def address(self) -> str:
        """``host:port``, for people."""
        ...

    def version(self) -> str:
        """Return VERSION()."""

    def replicates(self) -> bool | None:
        """Return whether it has a replication channel of its own; None when the account may not see that."""
        ...

    def read_only(self) -> bool:
        """Return whether the server has read_only on."""

    def auto_increment(self) -> AutoIncrement:
        """Return the global auto_increment_increment and auto_increment_offset."""
        ...

    def keys_named(self, key: str, limit: int) -> list[tuple[TableName, str]]:
        """Return the unique keys that ``key`` can mean, as ``table.index`` or as ``index``; at most ``limit``."""
        ...

    def tables_named(self, name: str, limit: int) -> list[TableName]:
        """Return the tables of that name, in every schema."""
        ...

    def table(self, name: TableName) -> Table | None:
        """Return the table's definition now, None when there is none."""
        ...

    def shown(self, table: Table, matches: Sequence[Match], limit: int) -> tuple[RowImage, ...]:
        """Return at most ``limit`` rows that fit; ServerError when the query takes longer than a few seconds."""
        ...

    def counter(self, table: Table, column: Column) -> Counter:
        """Return the AUTO_INCREMENT column's next and highest value, as they are now."""
        ...
