"""How its tables and other objects are defined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from replfix.core.incident.incident_context import Program
    from replfix.core.plan.trigger_reach import Reach
    from replfix.core.schema.auto_increment import Counter
    from replfix.core.schema.table import Table, TableName
    from replfix.core.sql.table_facts import FactRows, TableFact


class Definitions(Protocol):
    """How its tables and other objects are defined."""

    def table(self, name: TableName) -> Table | None:
        """Return the table's definition now, None when there is no such table."""
        ...

    def definition(self, schema: str, table: str | None) -> str | None:
        """SHOW CREATE TABLE, or SHOW CREATE DATABASE for ``table`` None; None when there is no such object."""
        ...

    def script(self, kind: str, name: TableName) -> tuple[str, ...]:
        """Return the statements that create a routine, trigger, event or view as this server has it.

        Empty when there is no such object, or the account may not see its body.
        """
        ...

    def library_of(self, plugin: str) -> str | None:
        """Return the library that a plugin or storage engine is loaded from; None when it is not loaded, or is built in."""
        ...

    def programs(self, naming: TableName) -> tuple[Program, ...]:
        """Triggers and events in whose body that table is named, as far as the account may see them."""
        ...

    def fact(self, fact: TableFact, name: TableName) -> FactRows:
        """Return what one SELECT of ``core/sql/table_facts.py`` says about a table."""
        ...

    def counter(self, table: Table) -> Counter | None:
        """Return the table's AUTO_INCREMENT column now, None when it has none."""
        ...

    def reach(self, writes: Sequence[tuple[TableName, str]]) -> Reach:
        """Return the triggers that each INSERT, UPDATE or DELETE on those tables can fire, and the objections."""
        ...
