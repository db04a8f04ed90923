"""What a statement does to the definition of a table, clause by clause, as far as its text shows."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from replfix.core.binlog.statement import NAME, Statement, unquoted, without_comments
from replfix.core.schema.table import TableName


class Action(enum.Enum):
    """What one clause of an ALTER TABLE does; OTHER for all that is not read further."""

    ADD_COLUMN = enum.auto()
    DROP_COLUMN = enum.auto()
    RENAME_COLUMN = enum.auto()
    CHANGE_COLUMN = enum.auto()
    MODIFY_COLUMN = enum.auto()
    ADD_KEY = enum.auto()
    DROP_KEY = enum.auto()
    RENAME_KEY = enum.auto()
    ADD_PRIMARY_KEY = enum.auto()
    ADD_CHECK = enum.auto()
    DROP_CONSTRAINT = enum.auto()
    OTHER = enum.auto()


@dataclass(frozen=True, slots=True)
class Clause:
    """``name`` is the column, key or constraint in lower case, ``new`` its new name; ``rest`` what follows the name, or all."""

    action: Action
    name: str = ""
    new: str = ""
    rest: str = ""


@dataclass(frozen=True, slots=True)
class ForeignKeyClause:
    """A foreign key that a statement adds."""

    child: TableName
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]


_LIST = rf"\(\s*({NAME}(?:\s*,\s*{NAME})*)\s*\)"
_FOREIGN_KEY = re.compile(
    rf"\bFOREIGN\s+KEY\s*(?:{NAME}\s*)?{_LIST}\s*REFERENCES\s+({NAME}(?:\s*\.\s*{NAME})?)\s*{_LIST}", re.IGNORECASE
)


def foreign_keys(statement: Statement) -> tuple[ForeignKeyClause, ...]:
    """Return the foreign keys that an ALTER TABLE adds."""
    text = without_comments(statement.text)
    if _ALTER.match(text) is None or not statement.tables:
        return ()
    return tuple(
        ForeignKeyClause(statement.tables[0], _names(found[1]), statement.named(found[2]), _names(found[3]))
        for found in _FOREIGN_KEY.finditer(text)
    )


def _names(listed: str) -> tuple[str, ...]:
    return tuple(unquoted(name) for name in re.findall(NAME, listed))


_ALTER = re.compile(
    rf"\s*ALTER\s+(?:IGNORE\s+|ONLINE\s+)*TABLE\s+(?:IF\s+EXISTS\s+)?{NAME}(?:\s*\.\s*{NAME})?\s+", re.IGNORECASE
)
_CREATE_INDEX = re.compile(
    rf"\s*CREATE\s+(?:(?:UNIQUE|FULLTEXT|SPATIAL)\s+)?INDEX\s+({NAME})\s+(?:USING\s+\w+\s+)?ON\s+{NAME}(?:\s*\.\s*{NAME})?\s*(.*)",
    re.IGNORECASE | re.DOTALL,
)
_DROP_INDEX = re.compile(rf"\s*DROP\s+INDEX\s+({NAME})\s+ON\s", re.IGNORECASE)
_HOW = re.compile(r"\s*(?:ALGORITHM|LOCK)\s*=?\s*\w+\s*", re.IGNORECASE)
_KEY = r"(?:UNIQUE|FULLTEXT|SPATIAL)(?:\s+(?:INDEX|KEY))?|INDEX|KEY"
_CLAUSES = tuple(
    (action, re.compile(pattern, re.IGNORECASE | re.DOTALL))
    for action, pattern in (
        (Action.ADD_PRIMARY_KEY, rf"(?P<rest>ADD\s+(?:CONSTRAINT\s+(?:{NAME}\s+)?)?PRIMARY\s+KEY\b.*)"),
        (Action.ADD_CHECK, rf"ADD\s+CONSTRAINT\s+(?P<name>{NAME})\s+(?P<rest>CHECK\b.*)"),
        (Action.DROP_CONSTRAINT, rf"DROP\s+(?P<rest>CONSTRAINT|CHECK|FOREIGN\s+KEY)\s+(?P<name>{NAME})"),
        (Action.OTHER, r"(?P<rest>(?:ADD|DROP)\s+(?:CONSTRAINT|PRIMARY|FOREIGN|CHECK|PARTITION|PERIOD|SYSTEM)\b.*)"),
        (Action.ADD_KEY, rf"ADD\s+(?:{_KEY})\s+(?P<name>{NAME})\s*(?P<rest>.*)"),
        (Action.OTHER, rf"(?P<rest>ADD\s+(?:{_KEY})\s*\(.*)"),
        (Action.DROP_KEY, rf"DROP\s+(?:INDEX|KEY)\s+(?P<name>{NAME})"),
        (Action.RENAME_KEY, rf"RENAME\s+(?:INDEX|KEY)\s+(?P<name>{NAME})\s+TO\s+(?P<new>{NAME})"),
        (Action.RENAME_COLUMN, rf"RENAME\s+COLUMN\s+(?P<name>{NAME})\s+TO\s+(?P<new>{NAME})"),
        (Action.CHANGE_COLUMN, rf"CHANGE\s+(?:COLUMN\s+)?(?P<name>{NAME})\s+(?P<new>{NAME})\s+(?P<rest>.+)"),
        (Action.MODIFY_COLUMN, rf"MODIFY\s+(?:COLUMN\s+)?(?P<name>{NAME})\s+(?P<rest>.+)"),
        (Action.ADD_COLUMN, rf"ADD\s+(?:COLUMN\s+)?(?P<name>{NAME})\s+(?P<rest>[^(].*)"),
        (Action.DROP_COLUMN, rf"DROP\s+(?:COLUMN\s+)?(?P<name>{NAME})"),
    )
)


def clauses(statement: Statement) -> tuple[Clause, ...]:
    """Return the clauses of an ALTER TABLE; none for a statement of another kind."""
    text = without_comments(statement.text).strip().rstrip(";")
    if made := _CREATE_INDEX.fullmatch(text):
        return (Clause(Action.ADD_KEY, unquoted(made[1]).lower(), rest=made[2]),)
    if gone := _DROP_INDEX.match(text):
        return (Clause(Action.DROP_KEY, unquoted(gone[1]).lower()),)
    altered = _ALTER.match(text)
    if altered is None:
        return ()
    return tuple(_clause(part) for part in split(text[altered.end() :]) if not _HOW.fullmatch(part))


_WITHOUT_ROWS = re.compile(
    r"\s*(?:RENAME|TRUNCATE|DROP|GRANT|REVOKE|SET|(?:CREATE|ALTER)\s+(?!(?:OR|IGNORE|ONLINE|TEMPORARY|UNIQUE|TABLE)\b))\b",
    re.IGNORECASE,
)
_CREATE_TABLE = re.compile(r"\s*CREATE\s+(?:TEMPORARY\s+)?TABLE\s(?!.*\bSELECT\b)", re.IGNORECASE | re.DOTALL)
_ASKS_ROWS = re.compile(r"\b(?:UNIQUE|PRIMARY|CHECK|REFERENCES|NOT\s+NULL(?!\s+DEFAULT)|AS\s*\()", re.IGNORECASE)


def meets_rows(statement: Statement) -> bool:
    """Return whether rows of the server that runs it can stop it: those that it writes, or that do not fit a key or type."""
    text = without_comments(statement.text)
    if _WITHOUT_ROWS.match(text) or _CREATE_TABLE.match(text):
        return False
    found = clauses(statement)
    plain_ones = {Action.ADD_COLUMN, Action.RENAME_COLUMN, Action.ADD_KEY, Action.DROP_KEY}
    return not found or not {clause.action for clause in found} <= plain_ones or _ASKS_ROWS.search(text) is not None


_PRIMARY = re.compile(
    rf"ADD\s+(?:CONSTRAINT\s+(?:{NAME}\s+)?)?PRIMARY\s+KEY\s*(?:USING\s+\w+\s*)?\((?P<columns>.*)\).*",
    re.IGNORECASE | re.DOTALL,
)
_NOT_NULL = re.compile(r"\bNOT\s+NULL\b|\bPRIMARY\s+KEY\b", re.IGNORECASE)
_TEXTS = re.compile(r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\"\"|\\.)*\"", re.DOTALL)


def made_not_null(statement: Statement) -> dict[str, str]:
    """Return the columns that an ALTER TABLE makes NOT NULL, each with the column's name after it; both in lower case."""
    found: dict[str, str] = {}
    for clause in clauses(statement):
        if clause.action in (Action.MODIFY_COLUMN, Action.CHANGE_COLUMN):
            if _NOT_NULL.search(_TEXTS.sub("", clause.rest)):
                found[clause.name] = clause.new or clause.name
        elif clause.action is Action.ADD_PRIMARY_KEY and (key := _PRIMARY.fullmatch(clause.rest.strip())):
            names = (re.match(NAME, part.strip()) for part in split(key["columns"]))
            found.update({name: name for each in names if each for name in [unquoted(each[0]).lower()]})
    return found


def _clause(text: str) -> Clause:
    for action, pattern in _CLAUSES:
        if found := pattern.fullmatch(text.strip()):
            parts = {"name": "", "new": "", "rest": "", **found.groupdict()}
            return Clause(action, unquoted(parts["name"]).lower(), unquoted(parts["new"]).lower(), parts["rest"])
    return Clause(Action.OTHER, rest=text)


def split(text: str) -> Iterator[str]:
    """Yield the parts between the commas that are outside of brackets and quotes."""
    depth, start, quote = 0, 0, ""
    for at, character in enumerate(text):
        if quote:
            if character == quote and text[at - 1] != "\\":
                quote = ""
        elif character in "'\"`":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "," and not depth:
            yield text[start:at]
            start = at + 1
    yield text[start:]


_DEFAULTS = re.compile(r"\bdefault null\b|(?<!not )\bnull\b|\bcolumn_format default\b")
_WORDS = {"integer": "int", "dec": "decimal", "numeric": "decimal", "bool": "tinyint(1)", "boolean": "tinyint(1)", "character": "char",
          "real": "double"}  # fmt: skip
_PLACE = re.compile(rf"\s+(?:FIRST|AFTER\s+(?P<after>{NAME}))\s*$", re.IGNORECASE)


def place(clause: Clause) -> str | None:
    """Return the column after which it puts a new one: "" for the first place, None for the last."""
    found = _PLACE.search(" " + clause.rest)
    if found is None:
        return None
    return unquoted(found["after"]).lower() if found["after"] else ""


def plain(definition: str) -> str:
    """Return a column's or key's definition so that a user's text and the server's can be compared."""
    words = _PLACE.sub("", " " + definition).lower().replace("`", "")
    words = re.sub(r"\b(?:" + "|".join(_WORDS) + r")\b", lambda m: _WORDS[m[0]], words)
    words = re.sub(
        r"\b((?:tiny|small|medium|big)?int)\((?!1\))\d+\)", r"\1", words
    )  # a width to show, which 8.0.19 dropped
    words = _DEFAULTS.sub(" ", words)
    return " ".join(re.sub(r"\s*([(),])\s*", r"\1", words).split())
