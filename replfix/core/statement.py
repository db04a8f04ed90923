"""A statement out of a binlog's Query event, and which objects it is about.

Nothing is repaired by what is read here: it decides which definitions are compared and shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from replfix.core.table import TableName
from replfix.core.transaction_id import TransactionId

_NAME = r"(?:`(?:[^`]|``)+`|[\w$]+)"
_TABLE = rf"{_NAME}(?:\s*\.\s*{_NAME})?"
_COMMENT = re.compile(r"/\*(?!!).*?\*/|(?:--\s|#)[^\n]*", re.DOTALL)
_ABOUT_TABLES = re.compile(
    rf"""\s*(?:
      (?P<drop>DROP)\s+(?:TEMPORARY\s+)?TABLES?\s+(?:IF\s+EXISTS\s+)?
    | CREATE\s+(?:TEMPORARY\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?
    | ALTER\s+(?:IGNORE\s+)?TABLE\s+
    | CREATE\s+(?:UNIQUE\s+|FULLTEXT\s+|SPATIAL\s+)?INDEX\s+{_NAME}\s+(?:USING\s+\w+\s+)?ON\s+
    | DROP\s+INDEX\s+{_NAME}\s+ON\s+
    | TRUNCATE\s+(?:TABLE\s+)?
    | RENAME\s+TABLES?\s+
    | (?:INSERT|REPLACE)\s+(?:LOW_PRIORITY\s+|DELAYED\s+|HIGH_PRIORITY\s+|IGNORE\s+)*(?:INTO\s+)?
    | UPDATE\s+(?:LOW_PRIORITY\s+|IGNORE\s+)*
    | DELETE\s+(?:LOW_PRIORITY\s+|QUICK\s+|IGNORE\s+)*FROM\s+
    )(?P<tables>{_TABLE}(?:\s*,\s*{_TABLE})*)""",
    re.IGNORECASE | re.VERBOSE,
)
_ABOUT_SCHEMA = re.compile(
    rf"\s*(?:CREATE|DROP|ALTER)\s+(?:DATABASE|SCHEMA)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?P<schema>{_NAME})",
    re.IGNORECASE,
)
_DROP = re.compile(r"\s*DROP\s+(?:TABLES?|DATABASE|SCHEMA)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """``schema`` is the default schema in which it ran; empty for none."""

    schema: str
    text: str
    transaction: TransactionId | None = None  # that it is (the first refused one) of
    whole: bool = False  # nothing else is in its transaction

    @property
    def tables(self) -> tuple[TableName, ...]:
        """The tables that it is about, as far as its first words tell."""
        found = _ABOUT_TABLES.match(_COMMENT.sub(" ", self.text))
        if found is None:
            return ()
        names: list[TableName] = []
        for match in re.finditer(rf"({_NAME})(?:\s*\.\s*({_NAME}))?\s*(?:,|\Z)", found["tables"]):
            first, second = _unquoted(match[1]), _unquoted(match[2]) if match[2] else None
            names.append(TableName(first, second) if second is not None else TableName(self.schema, first))
        return tuple(name for name in names if name.schema)

    @property
    def of_schema(self) -> str | None:
        """The schema that it creates, drops or alters."""
        found = _ABOUT_SCHEMA.match(_COMMENT.sub(" ", self.text))
        return _unquoted(found["schema"]) if found else None

    @property
    def drops(self) -> bool:
        """DROP TABLE or DROP DATABASE."""
        return _DROP.match(_COMMENT.sub(" ", self.text)) is not None


def _unquoted(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name
