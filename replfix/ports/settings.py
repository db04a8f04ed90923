"""Its variables and what the account may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from replfix.core.connection.privileges import Granted
    from replfix.core.schema.auto_increment import AutoIncrement


class Settings(Protocol):
    """Its variables and what the account may do."""

    def auto_increment(self) -> AutoIncrement:
        """Return the global auto_increment_increment and auto_increment_offset."""
        ...

    def variables(self, names: Sequence[str]) -> dict[str, str | None]:
        """Global variables by name; None for one that this server does not have."""
        ...

    def granted(self) -> Granted:
        """Return the privileges of the account."""
        ...

    def grants_of(self, account: str) -> tuple[str, ...] | None:
        """Return SHOW GRANTS without the authentication; None when there is no such account. ``account`` is quoted for SQL."""
        ...
