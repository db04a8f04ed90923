"""A page: sections with a heading and blocks. It knows no terminal and no Markdown, and its text is as servers gave it: hostile.

A writer makes the text safe for where it goes, and decides on colours, widths and how much of a long value is shown.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from replfix.core.rows.row_values import NotRead, RowImage
from replfix.core.schema.table import TableName

OPEN_QUESTIONS = "Open questions"
WARNINGS = "Warnings"


class Role(enum.Enum):
    """What a piece of text is for; never a colour."""

    PLAIN = enum.auto()
    STRONG = enum.auto()
    MUTED = enum.auto()
    NAME = enum.auto()  # an identifier or value of a server: on one line, in code where the medium has that
    OK = enum.auto()
    INFO = enum.auto()
    WARNING = enum.auto()
    ERROR = enum.auto()


class Symbol(enum.Enum):
    """The sign before a point, which means the same as its colour."""

    ITEM = ("·", Role.PLAIN)
    FACT = ("-", Role.PLAIN)
    CERTAIN = ("●", Role.INFO)
    LIKELY = ("◐", Role.INFO)
    POSSIBLE = ("○", Role.INFO)
    OK = ("✔", Role.OK)
    NO = ("✘", Role.ERROR)
    ERROR = ("✗", Role.ERROR)
    WAITING = ("…", Role.WARNING)
    WARNING = ("!", Role.WARNING)
    QUESTION = ("?", Role.WARNING)
    NEXT = ("→", Role.OK)
    MORE = ("…", Role.PLAIN)
    REMARK = ("i", Role.INFO)

    def __init__(self, sign: str, role: Role) -> None:
        self.sign = sign
        self.role = role

    @property
    def is_bullet(self) -> bool:
        """Whether it only begins an entry of a list, and means nothing more."""
        return self.role in (Role.PLAIN, Role.INFO) or self is Symbol.QUESTION


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text with one role."""

    text: str
    role: Role = Role.PLAIN


Words = tuple[Span, ...]


def words(*parts: str | Span) -> Words:
    """Return plain strings and spans as one text; empty strings are left out."""
    spans = (Span(part) if isinstance(part, str) else part for part in parts)
    return tuple(span for span in spans if span.text)


def name(text: object) -> Span:
    """Return a span for a server's name or value, which a face has to make safe to show."""
    return Span(str(text), Role.NAME)


def strong(text: str) -> Span:
    """Return a span to be stressed."""
    return Span(text, Role.STRONG)


def muted(text: str) -> Span:
    """Return a span that the eye may skip."""
    return Span(text, Role.MUTED)


def plain(of: Words) -> str:
    """Return the text without its roles."""
    return "".join(span.text for span in of)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence on a line of its own."""

    words: Words
    level: int = 0  # how far it is indented, in steps


@dataclass(frozen=True, slots=True)
class Point:
    """A sentence after a symbol."""

    symbol: Symbol
    words: Words
    level: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """A server's own text, line for line."""

    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that is done: SQL without a semicolon, or a sentence."""

    text: str
    on: str = ""  # where, when that is not the replica itself: "On the source"
    is_sql: bool = True


@dataclass(frozen=True, slots=True)
class Steps:
    """Numbered, in the order in which they are carried out."""

    each: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """Statements as a client takes them, ended each, to be copied."""

    statements: tuple[str, ...]
    level: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are."""

    pairs: tuple[tuple[str, Words], ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One image of a row, with its heading."""

    title: str
    image: RowImage | NotRead | None  # None: there is no such row


@dataclass(frozen=True, slots=True)
class Rows:
    """Images of one row side by side, a line for each column. How much of a value is shown is the writer's."""

    table: TableName
    columns: tuple[str, ...]
    types: tuple[str, ...]  # as defined; empty where that is not known
    differing: frozenset[str]
    key: frozenset[str]
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a ``Table``."""

    cells: tuple[Words, ...]
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Text in rows and columns. ``marked``: rows that differ have a sign for it."""

    head: tuple[str, ...]
    rows: tuple[TableRow, ...]
    marked: bool = False
    numbers: frozenset[int] = frozenset()  # columns of numbers, from 0: aligned right where the medium can


@dataclass(frozen=True, slots=True)
class Place:
    """A server in a drawing: its name, and what is to be known of it in a few words each."""

    name: str
    notes: tuple[str, ...] = ()
    role: Role = Role.PLAIN


@dataclass(frozen=True, slots=True)
class Link:
    """Transactions go from one place to another, both by their number in the drawing."""

    source: int
    replica: int
    note: str = ""
    role: Role = Role.PLAIN


@dataclass(frozen=True, slots=True)
class Drawing:
    """Servers and what replicates from what."""

    places: tuple[Place, ...]
    links: tuple[Link, ...]

    def in_words(self, link: Link) -> str:
        """Return the link for media that do not draw."""
        note = f" ({link.note})" if link.note else ""
        return f"{self.places[link.source].name} → {self.places[link.replica].name}{note}"


Block = Sentence | Point | Message | Steps | Script | Facts | Rows | Table | Drawing


@dataclass(frozen=True, slots=True)
class Section:
    """``level``: 1, or 2 for a part of the section before it."""

    heading: Words
    blocks: tuple[Block, ...]
    level: int = 1


@dataclass(frozen=True, slots=True)
class Page:
    """``title``: empty for one that is a part of what was printed before."""

    sections: tuple[Section, ...]
    symbol: Symbol = Symbol.ITEM
    title: Words = ()


def section(heading: str, blocks: Iterable[Block], level: int = 1) -> tuple[Section, ...]:
    """Return the section, or nothing where there is nothing in it."""
    found = tuple(blocks)
    return (Section(words(heading), found, level),) if found else ()


def points(symbol: Symbol, sentences: Iterable[str], level: int = 0) -> tuple[Point, ...]:
    """Return a point with that symbol for each sentence."""
    return tuple(Point(symbol, words(text), level) for text in sentences)
