"""The INSERT (or REPLACE) that a client quotes beside the error, as far as it can be read: table, columns, values.

Read leniently, for clients cut statements off, leave placeholders in, or print values without quotes (Laravel). Never run.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

STATEMENT_SPAN = 16_000
ROWS = 1_000
_HEAD = re.compile(
    r"(?:insert(?:\s+(?:low_priority|delayed|high_priority|ignore))*|replace(?:\s+(?:low_priority|delayed))?)\s+into\s+",
    re.IGNORECASE,
)
_VALUES = re.compile(r"\s*values?\s*\(", re.IGNORECASE)
_SPACE = re.compile(r"\s*")
_BARE_NAME = re.compile(r"[\w$#]+")  # #__: Joomla's prefix
_SET = re.compile(r"\s*set\s+", re.IGNORECASE)
_EQUALS = re.compile(r"\s*:?=\s*")
_NEXT_ROW = re.compile(r"\s*,\s*\(")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\Z")
_PLACEHOLDER = re.compile(r"\?|%s|%\(\w+\)s|:\w+|@\w+|\$\d+")
_QUOTED = re.compile(r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\"\"|\\.)*\"", re.DOTALL)
_ASSIGNED = re.compile(
    r"('(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\"\"|\\.)*\"|[^\s,;()]+(?:\([^()]*\))?)\s*(,\s*|;|$|on\s+duplicate)",
    re.DOTALL | re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\(.)|''|\"\"", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "Z": "\x1a"}


class ItemKind(enum.Enum):
    """What a statement gives for a column."""

    STRING = "string"
    NUMBER = "number"
    NULL = "null"
    PLACEHOLDER = "placeholder"  # the value is not in the text
    TEXT = "text"  # neither quoted nor a number: an expression, or a value that a client printed bare


@dataclass(frozen=True, slots=True)
class Item:
    """One value of an INSERT, as the text has it."""

    kind: ItemKind
    text: str

    @property
    def known_text(self) -> str | None:
        """The value as text; None when it is not in the text."""
        return self.text if self.kind in (ItemKind.STRING, ItemKind.NUMBER, ItemKind.TEXT) else None


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT … VALUES, read from a text."""

    schema: str | None
    table: str
    columns: tuple[str, ...]  # empty: the statement names none, all of the table's in order
    rows: tuple[tuple[Item, ...], ...]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Values for a statement's placeholders, as the text has them beside it: by name, or in order for each execution."""

    named: tuple[dict[str, Item], ...] = ()
    ordered: tuple[tuple[Item, ...], ...] = field(default=())


def read(statement: str, parameters: Parameters | None = None) -> Insert | None:
    """Return the first INSERT … VALUES in the text, its placeholders filled in; None when there is none that names a table."""
    said = _read(statement)
    return said if said is None or parameters is None else _bound(said, parameters)


def _bound(said: Insert, parameters: Parameters) -> Insert:
    """Return the statement once for each execution, as far as there are values for all of its placeholders."""
    rows: list[tuple[Item, ...]] = []
    for named in parameters.named:
        rows += [tuple(named.get(_NAME_IN.sub("", item.text), item) for item in row) for row in said.rows]
    wanted = sum(item.kind is ItemKind.PLACEHOLDER for row in said.rows for item in row)
    for ordered in parameters.ordered:
        if len(ordered) != wanted:
            continue
        values = iter(ordered)
        rows += [tuple(next(values) if i.kind is ItemKind.PLACEHOLDER else i for i in row) for row in said.rows]
    return replace(said, rows=tuple(rows[:ROWS])) if rows else said


_NAME_IN = re.compile(r"^(?:%\(|[:@$])|\)s$")


def _read(statement: str) -> Insert | None:
    statement = statement[:STATEMENT_SPAN]
    head = _HEAD.search(statement)
    if head is None:
        return None
    names, at = _qualified(statement, head.end())
    if not names:
        return None
    columns: tuple[str, ...] = ()
    opened = _SPACE.match(statement, at)
    at = opened.end() if opened else at
    if statement[at : at + 1] == "(":
        columns, at = _columns(statement, at + 1)
    rows: list[tuple[Item, ...]] = []
    if not columns and (pairs := _SET.match(statement, at)) is not None:
        columns, given_ = _assignments(statement, pairs.end())
        rows += [given_] if given_ else []
    values = _VALUES.match(statement, at)
    while values is not None and len(rows) < ROWS:
        row, at = _row(statement, values.end())
        if row is None:
            break
        rows.append(row)
        values = _NEXT_ROW.match(statement, at)
    return Insert(names[-2] if len(names) > 1 else None, names[-1], columns, tuple(rows))


_CLOSING = {"{": "}", "[": "]"}  # Drupal's placeholder for a prefix, SQL Server's quotes


def _assignments(text: str, at: int) -> tuple[tuple[str, ...], tuple[Item, ...]]:
    """Return what ``INSERT … SET a = 1, b = 2`` gives; nothing when its end cannot be seen."""
    names: list[str] = []
    items: list[Item] = []
    while True:
        qualified, at = _qualified(text, at)
        equals = _EQUALS.match(text, at)
        if not qualified or equals is None:
            return (), ()
        value = _ASSIGNED.match(text, equals.end())
        if value is None:
            return (), ()
        names.append(qualified[-1])
        items.append(_item(value[1]))
        if not value[2].startswith(","):
            return tuple(names), tuple(items)
        at = value.end()


def _name(text: str, at: int) -> tuple[str | None, int]:
    quote = text[at : at + 1]
    quote = _CLOSING.get(quote, quote)
    if quote in ("`", '"', "}", "]") and quote:
        pieces = []
        begins = at + 1
        while (ends := text.find(quote, begins, begins + 400)) >= 0:
            pieces.append(text[begins:ends])
            if text[ends + 1 : ends + 2] != quote or quote in "}]":
                return quote.join(pieces), ends + 1
            begins = ends + 2
        return None, at
    bare = _BARE_NAME.match(text, at)
    return (bare[0], bare.end()) if bare else (None, at)


def _qualified(text: str, at: int) -> tuple[list[str], int]:
    names: list[str] = []
    while len(names) < 3:
        name, at = _name(text, at)
        if name is None:
            break
        names.append(name)
        if text[at : at + 1] != ".":
            break
        at += 1
    return names, at


def _columns(text: str, at: int) -> tuple[tuple[str, ...], int]:
    names: list[str] = []
    while True:
        space = _SPACE.match(text, at)
        qualified, at = _qualified(text, space.end() if space else at)
        if not qualified:
            return (), at  # INSERT INTO t (SELECT …), or cut off
        names.append(qualified[-1])
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        mark = text[at : at + 1]
        at += 1
        if mark == ")":
            return tuple(names), at
        if mark != ",":
            return (), at


def _row(text: str, at: int) -> tuple[tuple[Item, ...] | None, int]:
    """Return the values up to the closing parenthesis; None when the text ends before it."""
    items: list[Item] = []
    begins, depth = at, 0
    limit = min(len(text), at + STATEMENT_SPAN)
    while at < limit:
        character = text[at]
        if character in "'\"" and not text[begins:at].strip():
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                return None, at
            at = quoted.end()
            continue
        if character == "(":
            depth += 1
        elif character == ")" and depth:
            depth -= 1
        elif character in ",)" and depth == 0:
            items.append(_item(text[begins:at].strip()))
            begins = at + 1
            if character == ")":
                return tuple(items), at + 1
        at += 1
    return None, at


def _item(text: str) -> Item:
    if text[:1] in ("'", '"') and _QUOTED.fullmatch(text):
        return Item(ItemKind.STRING, _ESCAPED.sub(_character, text[1:-1]))
    if text.upper() == "NULL":
        return Item(ItemKind.NULL, "")
    if _NUMBER.match(text):
        return Item(ItemKind.NUMBER, text)
    if _PLACEHOLDER.fullmatch(text):
        return Item(ItemKind.PLACEHOLDER, text)
    return Item(ItemKind.TEXT, text)


def _character(escaped: re.Match[str]) -> str:
    return _LETTERS.get(escaped[1], escaped[1]) if escaped[1] else escaped[0][0]


def given(insert: Insert, columns: tuple[str, ...]) -> Iterator[dict[str, Item]]:
    """Yield each row as items by lower-case column name; ``columns`` are the table's, for statements that name none."""
    names = insert.columns or columns
    for row in insert.rows:
        if len(row) == len(names):
            yield {name.lower(): item for name, item in zip(names, row, strict=True)}
