"""A channel's replication filters: which tables of a transaction the replica leaves out.

Source: MySQL manual, "How Servers Evaluate Replication Filtering Rules"; rows are filtered by the schema of their table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields

from replfix.core.table import TableName


@dataclass(frozen=True, slots=True)
class Filters:
    """The rules as SHOW REPLICA STATUS lists them; tables and patterns as ``schema.table``."""

    do_db: tuple[str, ...] = ()
    ignore_db: tuple[str, ...] = ()
    do_table: tuple[str, ...] = ()
    ignore_table: tuple[str, ...] = ()
    wild_do_table: tuple[str, ...] = ()
    wild_ignore_table: tuple[str, ...] = ()
    rewrite_db: str = ""

    @property
    def in_words(self) -> str:
        rules = [
            f"{name} {', '.join(rule) if isinstance(rule, tuple) else rule}" for name, rule in self._rules() if rule
        ]
        return "; ".join(rules) or "none"

    def _rules(self) -> Iterator[tuple[str, tuple[str, ...] | str]]:
        for one in fields(self):
            yield f"replicate-{one.name.replace('_', '-')}", getattr(self, one.name)

    def leaves_out(self, table: TableName) -> bool:
        """Whether the applier passes over rows of that table."""
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
    """As LIKE: ``%`` and ``_``, a backslash before what stands for itself."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return bool(re.fullmatch("".join(wild.get(p) or re.escape(p[-1]) for p in parts), name, re.DOTALL))
