"""A channel's replication filters: which tables the replica leaves out, and under which name it has the others.

Source: MySQL manual, "How Servers Evaluate Replication Filtering Rules". Rows are filtered by the schema of their
table, and schemas are rewritten before anything is filtered (9.7.4).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields

from replfix.core.schema.table import TableName

_REWRITE = re.compile(r"\(([^(),]+),([^(),]+)\)")


@dataclass(frozen=True, slots=True)
class Filters:
    """The rules as SHOW REPLICA STATUS lists them.

    Tables and patterns as ``schema.table``, ``rewrite_db`` as ``(from,to),(from,to)``.
    """

    do_db: tuple[str, ...] = ()
    ignore_db: tuple[str, ...] = ()
    do_table: tuple[str, ...] = ()
    ignore_table: tuple[str, ...] = ()
    wild_do_table: tuple[str, ...] = ()
    wild_ignore_table: tuple[str, ...] = ()
    rewrite_db: str = ""

    @property
    def in_words(self) -> str:
        """Return the rules for people; "none" where there are none."""
        rules = [
            f"{name} {', '.join(rule) if isinstance(rule, tuple) else rule}" for name, rule in self._rules() if rule
        ]
        return "; ".join(rules) or "none"

    def _rules(self) -> Iterator[tuple[str, tuple[str, ...] | str]]:
        for one in fields(self):
            yield f"replicate-{one.name.replace('_', '-')}", getattr(self, one.name)

    @property
    def rewrites(self) -> tuple[tuple[str, str], ...]:
        """Pairs of schemas, the source's and the replica's.

        ValueError when the rules are ambiguous: the server lists names without quotes.
        """
        found = tuple((m[1], m[2]) for m in _REWRITE.finditer(self.rewrite_db))
        if ",".join(f"({old},{new})" for old, new in found) != self.rewrite_db:
            raise ValueError(f"REPLICATE_REWRITE_DB cannot be read: {self.rewrite_db}")
        return found

    def applied_as(self, table: TableName) -> TableName | None:
        """Return the replica's table that rows of the source's table go to; None when the applier filters them out."""
        schema = next((new for old, new in self.rewrites if old == table.schema), table.schema)
        renamed = TableName(schema, table.name)
        return None if self._leaves_out(renamed) else renamed

    def origins(self, table: TableName) -> tuple[TableName, ...]:
        """Return tables of the source whose rows would go to that table of the replica."""
        schemas = dict.fromkeys((*(old for old, new in self.rewrites if new == table.schema), table.schema))
        names = (TableName(schema, table.name) for schema in schemas)
        return tuple(name for name in names if self.applied_as(name) == table)

    def _leaves_out(self, table: TableName) -> bool:
        if self.do_db:
            if table.schema not in self.do_db:
                return True
        elif table.schema in self.ignore_db:
            return True
        name = str(table)
        if name in self.do_table:
            return False
        if name in self.ignore_table:
            return True
        if any(_matches(pattern, name) for pattern in self.wild_do_table):
            return False
        if any(_matches(pattern, name) for pattern in self.wild_ignore_table):
            return True
        return bool(self.do_table or self.wild_do_table)


NO_FILTERS = Filters()


def _matches(pattern: str, name: str) -> bool:
    """Match as LIKE: ``%`` and ``_``, a backslash before a literal one.

    In pattern × name steps: a server chooses both, and a regular expression of many ``%`` may never end.
    """
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    at = here = 0
    behind: tuple[int, int] | None = None  # the last %, and where what follows it was tried
    while here < len(name):
        if at < len(parts) and parts[at] == "%":
            at, behind = at + 1, (at + 1, here)
        elif at < len(parts) and (parts[at] == "_" or parts[at][-1] == name[here]):
            at, here = at + 1, here + 1
        elif behind is not None:
            at, here = behind[0], behind[1] + 1
            behind = (at, here)
        else:
            return False
    return all(part == "%" for part in parts[at:])
