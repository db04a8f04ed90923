"""Two definitions of one table held against each other, and the ALTER TABLE that makes one of them the other.

Both are texts of SHOW CREATE TABLE: the server prints one column, key or constraint a line (5.6 to 9.7, MariaDB), with
line breaks inside of strings escaped. What does not look like that is not compared (``parsed`` is None).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from replfix.core.sql import identifier, table_name
from replfix.core.table import TableName

_QUOTED = r"`((?:[^`]|``)+)`"
_COLUMN = re.compile(rf"{_QUOTED} (.+)", re.DOTALL)
_KEY = re.compile(rf"(PRIMARY KEY|(?:UNIQUE |FULLTEXT |SPATIAL )?(?:KEY|INDEX) {_QUOTED}) .+", re.DOTALL)
_CONSTRAINT = re.compile(rf"CONSTRAINT {_QUOTED} (FOREIGN KEY|CHECK) .+", re.DOTALL)
_COUNTER = re.compile(r" AUTO_INCREMENT=\d+")
_SHOWN_ONLY = re.compile(r"/\*!80023 (INVISIBLE) \*/|/\*!80016 (NOT ENFORCED) \*/")


@dataclass(frozen=True, slots=True)
class Definition:
    """Clauses as the server prints them, by lower-case name, in its order."""

    columns: Mapping[str, str]
    keys: Mapping[str, str]
    foreign_keys: Mapping[str, str]
    checks: Mapping[str, str]
    options: str  # behind the closing bracket: engine, character set, partitions; without the AUTO_INCREMENT counter


@dataclass(frozen=True, slots=True)
class Difference:
    """One clause that is not the same. None: that server has no such clause."""

    what: str  # column, key, foreign key, check, options
    name: str
    source: str | None
    replica: str | None

    def in_words(self) -> str:
        if self.replica is None:
            return f"the replica lacks the {self.what} {self.name}: {self.source}"
        if self.source is None:
            return f"only the replica has the {self.what} {self.name}: {self.replica}"
        return f"{self.what} {self.name}: on the source {self.source}; on the replica {self.replica}".replace("  ", " ")


def parsed(create: str) -> Definition | None:
    """A CREATE TABLE taken apart; None for a text of another form."""
    head, _, rest = create.partition("(\n")
    body, closed, options = rest.rpartition("\n)")
    if not head.startswith("CREATE ") or not closed:
        return None
    columns: dict[str, str] = {}
    keys: dict[str, str] = {}
    foreign_keys: dict[str, str] = {}
    checks: dict[str, str] = {}
    for line in body.split(",\n"):
        clause = line.strip()
        if match := _CONSTRAINT.fullmatch(clause):
            (foreign_keys if match[2] == "FOREIGN KEY" else checks)[_plain(match[1])] = clause
        elif match := _KEY.fullmatch(clause):
            keys[_plain(match[2]) if match[2] else "PRIMARY"] = clause
        elif match := _COLUMN.fullmatch(clause):
            columns[_plain(match[1])] = clause
        else:
            return None
    return Definition(columns, keys, foreign_keys, checks, _COUNTER.sub("", options).strip())


def _plain(name: str) -> str:
    return name.replace("``", "`").lower()


def differences(source: Definition, replica: Definition) -> tuple[Difference, ...]:
    """Every clause that differs, and the order of the columns when nothing else of them does."""
    found: list[Difference] = []
    for what, theirs, ours in (
        ("column", source.columns, replica.columns),
        ("key", source.keys, replica.keys),
        ("foreign key", source.foreign_keys, replica.foreign_keys),
        ("check", source.checks, replica.checks),
    ):
        for name in dict.fromkeys((*theirs, *ours)):
            if theirs.get(name) != ours.get(name):
                found.append(Difference(what, name, theirs.get(name), ours.get(name)))
    if not found and tuple(source.columns) != tuple(replica.columns):
        found.append(Difference("order of columns", "", ", ".join(source.columns), ", ".join(replica.columns)))
    if source.options != replica.options:
        found.append(Difference("options", "", source.options, replica.options))
    return tuple(found)


def alter_table(name: TableName, source: Definition, replica: Definition) -> str:
    """The statement that makes the replica's table the source's; empty when there is nothing to alter, or when the
    difference is one that a human has to look at (partitions)."""
    clauses = [*_dropped(source, replica), *_columns(source, replica), *_added(source, replica)]
    options = _options(source.options, replica.options)
    if options is None:
        return ""
    clauses += options
    return f"ALTER TABLE {table_name(name)} {', '.join(clauses)}" if clauses else ""


def _dropped(source: Definition, replica: Definition) -> Iterator[str]:
    """What is other on the source goes first: a key or check can hold a column that goes."""
    for kind, theirs, ours in (
        ("FOREIGN KEY", source.foreign_keys, replica.foreign_keys),
        ("CONSTRAINT", source.checks, replica.checks),
        ("INDEX", source.keys, replica.keys),
    ):
        for name, clause in ours.items():
            if theirs.get(name) != clause:
                yield "DROP PRIMARY KEY" if name == "PRIMARY" else f"DROP {kind} {identifier(name)}"
    yield from (f"DROP COLUMN {identifier(name)}" for name in replica.columns if name not in source.columns)


def _columns(source: Definition, replica: Definition) -> Iterator[str]:
    """Each column of the source behind the one before it: positions count for row events."""
    before = ""
    # As the table stands while the clauses are carried out, one after the other.
    standing = [name for name in replica.columns if name in source.columns]
    for number, (name, clause) in enumerate(source.columns.items()):
        place = f"AFTER {identifier(before)}" if before else "FIRST"
        moved = number >= len(standing) or standing[number] != name
        if name not in replica.columns:
            yield f"ADD COLUMN {_definition(clause)} {place}"
        elif moved:
            yield f"MODIFY COLUMN {_definition(clause)} {place}"
        elif replica.columns[name] != clause:
            yield f"MODIFY COLUMN {_definition(clause)}"
        if moved:
            if name in standing:
                standing.remove(name)
            standing.insert(number, name)
        before = name


def _definition(clause: str) -> str:
    return _SHOWN_ONLY.sub(lambda match: match[1] or match[2], clause)


def _added(source: Definition, replica: Definition) -> Iterator[str]:
    for theirs, ours in (
        (source.keys, replica.keys),
        (source.foreign_keys, replica.foreign_keys),
        (source.checks, replica.checks),
    ):
        yield from (f"ADD {_definition(clause)}" for name, clause in theirs.items() if ours.get(name) != clause)


def _options(source: str, replica: str) -> list[str] | None:
    if source == replica:
        return []
    return None if "PARTITION" in source or "PARTITION" in replica else [source]
