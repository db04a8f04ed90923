"""A statement out of a binlog's Query event, and which objects it is about.

Nothing is repaired by what is read here: it decides which definitions are compared and shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from replfix.core.replication.transaction_id import TransactionId
from replfix.core.schema.table import TableName

NAME = r"(?:`(?:[^`]|``)+`|[\w$]+)"
_TABLE = rf"{NAME}(?:\s*\.\s*{NAME})?"
_COMMENT = re.compile(r"/\*(?!!).*?\*/|(?:--\s|#)[^\n]*", re.DOTALL)
_ABOUT_TABLES = re.compile(
    rf"""\s*(?:
      (?P<drop>DROP)\s+(?:TEMPORARY\s+)?TABLES?\s+(?:IF\s+EXISTS\s+)?
    | CREATE\s+(?:TEMPORARY\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?
    | ALTER\s+(?:IGNORE\s+)?TABLE\s+
    | CREATE\s+(?:UNIQUE\s+|FULLTEXT\s+|SPATIAL\s+)?INDEX\s+{NAME}\s+(?:USING\s+\w+\s+)?ON\s+
    | DROP\s+INDEX\s+{NAME}\s+ON\s+
    | TRUNCATE\s+(?:TABLE\s+)?
    | RENAME\s+TABLES?\s+
    | (?:INSERT|REPLACE)\s+(?:LOW_PRIORITY\s+|DELAYED\s+|HIGH_PRIORITY\s+|IGNORE\s+)*(?:INTO\s+)?
    | UPDATE\s+(?:LOW_PRIORITY\s+|IGNORE\s+)*
    | DELETE\s+(?:LOW_PRIORITY\s+|QUICK\s+|IGNORE\s+)*FROM\s+
    )(?P<tables>{_TABLE}(?:\s*,\s*{_TABLE})*)""",
    re.IGNORECASE | re.VERBOSE,
)
_ABOUT_SCHEMA = re.compile(
    rf"\s*(?:CREATE|DROP|ALTER)\s+(?:DATABASE|SCHEMA)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?P<schema>{NAME})",
    re.IGNORECASE,
)
_RENAME = re.compile(r"\s*RENAME\s+TABLES?\s+", re.IGNORECASE)
_DEFINES = re.compile(r"\s*(?:CREATE|ALTER|DROP|RENAME)\s", re.IGNORECASE)
_CREATE = re.compile(r"\s*CREATE\s+TABLE\s", re.IGNORECASE)
_ENDS_XA = re.compile(r"XA (?:COMMIT|ROLLBACK) ")  # as a server logs it
_DROP = re.compile(r"\s*DROP\s+(?:TABLES?|DATABASE|SCHEMA)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """``schema`` is the default schema in which it ran; empty for none, or where that is not known."""

    schema: str
    text: str
    transaction: TransactionId | None = None  # that it is of
    whole: bool = False  # nothing else is in its transaction
    end_pos: int = 0  # after its event, in the log that it was read from
    behind: int = 0  # how many rows of its transaction come before it
    settings: tuple[str, ...] = ()  # what it needs beside its text, as SQL: events before it set it

    @property
    def script(self) -> tuple[str, ...]:
        """It as it can be run again."""
        return (*self.settings, self.text)

    @property
    def tables(self) -> tuple[TableName, ...]:
        """The tables that its first words name; of a RENAME both names. Without those whose schema is unknown."""
        return tuple(name for name in self.mentioned if name.schema)

    @property
    def mentioned(self) -> tuple[TableName, ...]:
        """The same, with an empty schema where it is not known."""
        if pairs := self.renames:
            return tuple(dict.fromkeys(name for pair in pairs for name in pair))
        found = _ABOUT_TABLES.match(without_comments(self.text))
        if found is None:
            return ()
        names: list[TableName] = []
        for match in re.finditer(rf"({NAME})(?:\s*\.\s*({NAME}))?\s*(?:,|\Z)", found["tables"]):
            first, second = unquoted(match[1]), unquoted(match[2]) if match[2] else None
            names.append(TableName(first, second) if second is not None else TableName(self.schema, first))
        return tuple(names)

    @property
    def renames(self) -> tuple[tuple[TableName, TableName], ...]:
        """The pairs of a RENAME TABLE, in its order."""
        text = without_comments(self.text)
        head = _RENAME.match(text)
        if head is None:
            return ()
        pairs = re.findall(rf"({_TABLE})\s+TO\s+({_TABLE})", text[head.end() :], re.IGNORECASE)
        return tuple((self.named(old), self.named(new)) for old, new in pairs)

    @property
    def defines(self) -> bool:
        """It changes what tables or schemas are, not rows."""
        return _DEFINES.match(without_comments(self.text)) is not None

    @property
    def updates(self) -> bool:
        """Return whether it is an UPDATE."""
        return re.match(r"\s*UPDATE\b", without_comments(self.text), re.IGNORECASE) is not None

    @property
    def creates(self) -> bool:
        """CREATE TABLE, also … SELECT and … LIKE."""
        return _CREATE.match(without_comments(self.text)) is not None

    @property
    def ends_xa(self) -> bool:
        """It commits or rolls back what an earlier transaction prepared."""
        return _ENDS_XA.match(self.text) is not None

    @property
    def with_rows(self) -> bool:
        """CREATE TABLE … SELECT: the rows follow in the same transaction (MySQL 8.0.21)."""
        return re.search(r"\bSTART\s+TRANSACTION\s*;?\s*\Z", self.text, re.IGNORECASE) is not None

    def named(self, name: str) -> TableName:
        """Return a table as the statement writes it, in its default schema where it names none."""
        first, second = re.fullmatch(rf"({NAME})(?:\s*\.\s*({NAME}))?", name).groups()  # type: ignore[union-attr]
        return TableName(unquoted(first), unquoted(second)) if second else TableName(self.schema, unquoted(first))

    @property
    def of_schema(self) -> str | None:
        """The schema that it creates, drops or alters."""
        found = _ABOUT_SCHEMA.match(without_comments(self.text))
        return unquoted(found["schema"]) if found else None

    @property
    def drops(self) -> bool:
        """DROP TABLE or DROP DATABASE."""
        return _DROP.match(without_comments(self.text)) is not None


def without_comments(text: str) -> str:
    """Return the statement with a space for each comment."""
    return _COMMENT.sub(" ", text)


def unquoted(name: str) -> str:
    """Return an identifier without its backquotes."""
    return name[1:-1].replace("``", "`") if name.startswith("`") else name
