"""How a table is partitioned, and how it was before statements that are known.

Read off the PARTITION BY clause of SHOW CREATE TABLE (``ddl.partitioning``), as far as its partitions are named one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from replfix.core.binlog.alter_table import Action, clauses, split
from replfix.core.binlog.statement import NAME, Statement, unquoted

_LISTED = re.compile(r"(?P<by>PARTITION BY .*?) \((?P<parts>PARTITION .*)\)", re.DOTALL)
_PART = re.compile(rf"PARTITION\s+(?P<name>{NAME})\s", re.IGNORECASE)
_ADD = re.compile(r"ADD\s+PARTITION\s*\((?P<parts>.*)\)\s*", re.IGNORECASE | re.DOTALL)
_DROP = re.compile(rf"DROP\s+PARTITION\s+(?P<names>{NAME}(?:\s*,\s*{NAME})*)\s*", re.IGNORECASE)
_ABOUT_PARTITIONS = re.compile(r"\bPARTITION(?:S|ING)?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Partitions:
    """``by``: the clause before the list; ``parts``: each partition's text by its name in lower case, in order."""

    by: str
    parts: Mapping[str, str]

    @property
    def clause(self) -> str:
        """Return the PARTITION BY clause as SQL."""
        return f"{self.by} ({', '.join(self.parts.values())})"


def taken_apart(clause: str) -> Partitions | None:
    """Return the clause's partitions; None for a table without partitions, or with a mere number of them."""
    found = _LISTED.fullmatch(clause)
    return Partitions(found["by"], _parts(found["parts"])) if found else None


def before(now: Partitions, statements: Iterable[Statement], replica: Partitions | None) -> Partitions | None:
    """Return the partitions as they were before these statements, which were run in this order.

    What they have dropped is what the replica still has at the beginning of its list. None where that does not show it.
    """
    parts = dict(now.parts)
    for statement in reversed(tuple(statements)):
        text = statement.text
        if _ABOUT_PARTITIONS.search(text) is None and clauses(statement):
            continue  # of columns and keys
        steps = [clause.rest for clause in clauses(statement) if clause.action is Action.OTHER]
        if added := [found for step in steps if (found := _ADD.fullmatch(step.strip()))]:
            names = [name for found in added for name in _parts(found["parts"])]
            if not all(name in parts for name in names):
                return None
            parts = {name: part for name, part in parts.items() if name not in names}
        elif dropped := re.search(_DROP, text):
            names = [unquoted(name).lower() for name in re.findall(NAME, dropped["names"])]
            had = replica.parts if replica is not None and replica.by == now.by else {}
            if list(had)[: len(names)] != names or any(name in parts for name in names):
                return None
            parts = {**{name: had[name] for name in names}, **parts}
        else:
            return None
    return Partitions(now.by, parts) if parts else None


def _parts(listed: str) -> dict[str, str]:
    found = ((_PART.match(part.strip()), part.strip()) for part in split(listed))
    return {unquoted(each["name"]).lower(): part for each, part in found if each is not None}
