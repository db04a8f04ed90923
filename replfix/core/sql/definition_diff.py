"""Compare two definitions of one table, and change one's columns to the other's.

Both are texts of SHOW CREATE TABLE: the server prints one column, key or constraint a line (5.6 to 9.7, MariaDB), with
line breaks inside of strings escaped. What does not look like that is not compared (``parsed`` is None).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from replfix.core.sql import identifier

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
    options: str  # after the closing bracket: engine, character set, partitions; without the AUTO_INCREMENT counter


@dataclass(frozen=True, slots=True)
class Difference:
    """One clause that is not the same. None: that server has no such clause."""

    what: str  # column, key, foreign key, check, options
    name: str
    source: str | None
    replica: str | None

    def in_words(self) -> str:
        """Return the difference for people, with both clauses."""
        if self.replica is None:
            return f"the replica lacks the {self.what} {self.name}: {self.source}"
        if self.source is None:
            return f"only the replica has the {self.what} {self.name}: {self.replica}"
        of = f"{self.what} {self.name}".rstrip()
        return f"{of}: on the source {self.source}; on the replica {self.replica}"


def parsed(create: str) -> Definition | None:
    """Take a CREATE TABLE apart; None for a text of another form."""
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


_PARTITIONS = re.compile(r"PARTITION BY .*", re.DOTALL)
_EDGES_OF_COMMENT = re.compile(r"^/\*!\d+ ?|\s*\*/$")


def partitioning(create: str) -> str:
    """Return the PARTITION BY clause of SHOW CREATE TABLE, on one line; empty for a table without partitions."""
    found = _PARTITIONS.search(create.partition("\n) ")[2])
    return " ".join(_EDGES_OF_COMMENT.sub("", found[0]).split()) if found else ""


def _plain(name: str) -> str:
    return name.replace("``", "`").lower()


def differences(source: Definition, replica: Definition) -> tuple[Difference, ...]:
    """Return every clause that differs, and the order of the columns that both have."""
    found: list[Difference] = []
    for what, theirs, ours in (
        ("column", explicit(source, replica), explicit(replica, source)),
        ("key", source.keys, replica.keys),
        ("foreign key", source.foreign_keys, replica.foreign_keys),
        ("check", source.checks, replica.checks),
    ):
        for name in dict.fromkeys((*theirs, *ours)):
            if theirs.get(name) != ours.get(name):
                found.append(Difference(what, name, theirs.get(name), ours.get(name)))
    if not in_one_order(source, replica):
        found.append(Difference("order of columns", "", ", ".join(source.columns), ", ".join(replica.columns)))
    if source.options != replica.options:
        found.append(Difference("options", "", source.options, replica.options))
    return tuple(found)


def in_one_order(source: Definition, replica: Definition) -> bool:
    """Return whether the columns that both have follow each other in the same order on both."""
    theirs = [name for name in source.columns if name in replica.columns]
    return theirs == [name for name in replica.columns if name in source.columns]


def aligned(source: Definition, replica: Definition) -> list[str]:
    """Return the ALTER TABLE clauses that give the replica's table the source's columns, in type and place.

    They take nothing from it. Row events go by position, so columns that only the replica has are moved after the
    others.
    """
    return list(_columns(explicit(source, replica), explicit(replica, source)))


def lacking(source: Definition, replica: Definition) -> tuple[str, ...]:
    """Return columns that the replica does not have."""
    return tuple(name for name in source.columns if name not in replica.columns)


def _columns(source: Mapping[str, str], replica: Mapping[str, str]) -> Iterator[str]:
    """Yield each column of the source after the one before it."""
    before = ""
    standing = list(replica)  # as the table is while the clauses are carried out, one after the other
    for number, (name, clause) in enumerate(source.items()):
        place = f"AFTER {identifier(before)}" if before else "FIRST"
        moved = number >= len(standing) or standing[number] != name
        if name not in replica:
            yield f"ADD COLUMN {as_written(clause)} {place}"
        elif moved:
            yield f"MODIFY COLUMN {as_written(clause)} {place}"
        elif replica[name] != clause:
            yield f"MODIFY COLUMN {as_written(clause)}"
        if moved:
            if name in standing:
                standing.remove(name)
            standing.insert(number, name)
        before = name


def as_written(clause: str) -> str:
    """Return a clause of SHOW CREATE as ALTER TABLE accepts it."""
    return _SHOWN_ONLY.sub(lambda match: match[1] or match[2], clause)


_CHARACTERS = re.compile(
    r"(`(?:[^`]|``)+` (?:(?:var)?char\(\d+\)|(?:tiny|medium|long)?text|(?:enum|set)\((?:'(?:[^']|'')*',?)+\)))(.*)",
    re.DOTALL,
)
_DEFAULT_CHARSET = re.compile(r"DEFAULT CHARSET=(\w+)(?: COLLATE=(\w+))?")


def default_charset(of: Definition) -> tuple[str, str]:
    """Character set and collation of columns that do not name theirs; empty where the table does not say."""
    found = _DEFAULT_CHARSET.search(of.options)
    return (found[1], found[2] or "") if found else ("", "")


def explicit(one: Definition, other: Definition) -> dict[str, str]:
    """Return its columns, with their character sets where the tables' defaults differ and a column names none."""
    return dict(one.columns) if default_charset(one) == default_charset(other) else with_charsets(one)


def with_charsets(of: Definition) -> dict[str, str]:
    """Return its columns, each string with its character set."""
    return {name: _with_charset(clause, *default_charset(of)) for name, clause in of.columns.items()}


def _with_charset(clause: str, charset: str, collation: str) -> str:
    found = _CHARACTERS.fullmatch(clause)
    if found is None or not charset or "CHARACTER SET" in found[2]:
        return clause
    collate = f" COLLATE {collation}" if collation and " COLLATE " not in found[2] else ""
    return f"{found[1]} CHARACTER SET {charset}{collate}{found[2]}"


_TYPE = re.compile(r"(`(?:[^`]|``)+`) (\w+)(\((?:[^()']|'(?:[^']|'')*')*\))?( unsigned)?( zerofill)?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Type:
    """A column's type as far as it matters for what goes into it."""

    name: str
    size: int  # of CHAR and VARCHAR; else 0
    unsigned: bool
    charset: str = ""  # of CHAR and VARCHAR, where the column names one

    def takes_all_of(self, other: Type) -> bool:
        """Return whether every value of the other type fits (but for negative ones into UNSIGNED) and replication converts it.

        It does with replica_type_conversions ALL_NON_LOSSY. The bytes of a string are taken as they are, whatever the
        character sets.
        """
        if self.name in _INTEGERS and other.name in _INTEGERS:
            return _INTEGERS.index(self.name) > _INTEGERS.index(other.name)
        if self.name in _STRINGS and other.name in _STRINGS:
            if self.charset == other.charset:
                return self.size > other.size
            return other.charset in _PARTS.get(self.charset, ()) and self.most_bytes > other.most_bytes
        return (other.name, self.name) == ("float", "double")

    @property
    def most_bytes(self) -> int:
        """The most bytes that a value can have."""
        return self.size * BYTES_OF[self.charset]


_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
_STRINGS = ("char", "varchar")
_LOSSLESS = (*_INTEGERS, *_STRINGS)
"""Between two of these a strict ALTER TABLE refuses a value that does not fit. It rounds others in silence."""
BYTES_OF = {"latin1": 1, "ascii": 1, "utf8": 3, "utf8mb3": 3, "utf8mb4": 4}
"""The most that a character of it takes."""
_PARTS = {
    "utf8mb4": ("utf8mb3", "utf8", "ascii"),
    "utf8mb3": ("utf8", "ascii"),
    "utf8": ("utf8mb3", "ascii"),
    "latin1": ("ascii",),
}
"""Character sets whose strings mean the same in it, byte for byte."""
_CHARSET = re.compile(r" CHARACTER SET (\w+)")


def type_of(clause: str) -> Type | None:
    """Return the type in a column's clause; None where it is not read."""
    found = _TYPE.match(clause)
    if found is None:
        return None
    string = found[2].lower() in _STRINGS
    size = found[3][1:-1] if found[3] and string else "0"
    charset = _CHARSET.match(found[6]) if string else None
    return Type(found[2].lower(), int(size) if size.isdigit() else 0, bool(found[4]), charset[1] if charset else "")


def is_narrower(replica: str, source: str) -> bool:
    """Return whether values of the source's column may not fit into the replica's.

    The applier stops at its rows then, whatever their values are (ALL_LOSSY would change them).
    """
    ours, theirs = type_of(replica), type_of(source)
    if ours is None or theirs is None:
        return False
    if ours.name == theirs.name == "decimal":
        (digits, scale), (of_source, scale_there) = _digits(replica), _digits(source)
        return digits - scale < of_source - scale_there or scale < scale_there
    if {ours.charset, theirs.charset} <= BYTES_OF.keys():  # the applier compares bytes, whatever the character sets
        return theirs.most_bytes > ours.most_bytes
    return theirs.takes_all_of(ours)


def _digits(clause: str) -> tuple[int, int]:
    """Return how many digits a DECIMAL has, and how many of them after the point."""
    found = re.search(r"\((\d+)(?:,(\d+))?\)", clause)
    return (int(found[1]), int(found[2] or 0)) if found else (10, 0)


def not_null(clause: str) -> bool:
    """Return whether the column's clause says NOT NULL."""
    found = _TYPE.match(clause)
    return found is not None and " NOT NULL" in f" {found[6]}".upper()


_LABELS = re.compile(r"\((?P<labels>'(?:[^']|'')*'(?:,'(?:[^']|'')*')*)\)")


def begins_with_labels(longer: str, shorter: str) -> bool:
    """Return whether each label of the second ENUM or SET has the same number in the first."""
    ours, theirs = _LABELS.search(longer), _LABELS.search(shorter)
    return ours is not None and theirs is not None and f"{ours['labels']},".startswith(f"{theirs['labels']},")


def retyped(clause: str, type_: str) -> str:
    """Return the same column with another type."""
    found = _TYPE.match(clause)
    assert found is not None
    return f"{found[1]} {type_}{found[6]}"


def may_round(replica: str, target: str) -> bool:
    """Return whether the change of a column's type can change values without an error."""
    ours, theirs = type_of(replica), type_of(target)
    if ours is None or theirs is None:
        return True
    same_family = any(ours.name in family and theirs.name in family for family in (_INTEGERS, _STRINGS))
    return not (same_family and {ours.name, theirs.name} <= set(_LOSSLESS))
