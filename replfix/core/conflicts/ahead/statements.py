"""What a statement in mid-backlog does to what can be foretold, as far as its text shows."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass

from replfix.core.binlog.alter_table import Action, Clause, clauses, meets_rows
from replfix.core.binlog.statement import Statement, without_comments
from replfix.core.schema.table import TableName


class Does(enum.Enum):
    """What has to become of the tables that a statement names."""

    NOTHING = "nothing"  # to rows, or to what names them
    EMPTIES = "empties"
    DROPS = "drops"
    CREATES = "creates"
    REPLACES = "replaces"  # CREATE OR REPLACE TABLE
    DROPS_SCHEMA = "drops a schema"
    CREATES_SCHEMA = "creates a schema"
    ALTERS = "alters"
    WRITES = "writes"  # rows that are in no event
    COMMITS_XA = "commits what was prepared"
    TAKES_BACK_XA = "rolls back what was prepared"
    DEFINES = "defines"  # an object without rows, an account, a privilege


@dataclass(frozen=True, slots=True)
class Deed:
    """What a statement does, and to which tables. ``sure``: it does not fail where they are there already, or are not there."""

    does: Does
    tables: tuple[TableName, ...] = ()
    schema: str = ""
    sure: bool = False
    xa_id: str = ""


_TEMPORARY = re.compile(r"\s*(?:CREATE|DROP)\s+(?:OR\s+REPLACE\s+)?TEMPORARY\b", re.IGNORECASE)
_TRUNCATE = re.compile(r"\s*TRUNCATE\b", re.IGNORECASE)
_DROP_TABLE = re.compile(r"\s*DROP\s+TABLES?\b", re.IGNORECASE)
_CREATE_TABLE = re.compile(r"\s*CREATE\s+(?P<replacing>OR\s+REPLACE\s+)?TABLE\b", re.IGNORECASE)
_REPLACING = re.compile(r"\A\s*CREATE\s+OR\s+REPLACE\s+TABLE\b", re.IGNORECASE)
_SCHEMA = re.compile(r"\s*(?P<verb>CREATE|DROP|ALTER)\s+(?:OR\s+REPLACE\s+)?(?:DATABASE|SCHEMA)\b", re.IGNORECASE)
_IF = re.compile(r"\bIF\s+(?:NOT\s+)?EXISTS\b", re.IGNORECASE)
_ALTERS = re.compile(
    r"\s*(?:ALTER\s+(?:IGNORE\s+|ONLINE\s+)*TABLE|RENAME\s+TABLES?|(?:CREATE|DROP)\s+(?:OR\s+REPLACE\s+)?"
    r"(?:(?:ONLINE|OFFLINE|UNIQUE|FULLTEXT|SPATIAL|VECTOR)\s+)*INDEX)\b",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"\s*(?:CREATE|ALTER|DROP|GRANT|REVOKE|FLUSH|ANALYZE|OPTIMIZE|SET|RENAME\s+USER|INSTALL|UNINSTALL)\b", re.IGNORECASE
)
_ENDS_XA = re.compile(r"XA (?P<how>COMMIT|ROLLBACK) (?P<id>.*?)(?: ONE PHASE)?\s*\Z", re.DOTALL)


def deed_of(statement: Statement) -> Deed:
    """Return what the statement does; WRITES for all that is not recognized."""
    text = without_comments(statement.text)
    if found := _ENDS_XA.match(statement.text):
        return Deed(Does.COMMITS_XA if found["how"] == "COMMIT" else Does.TAKES_BACK_XA, xa_id=found["id"])
    if _TEMPORARY.match(text):
        return Deed(Does.NOTHING)
    if schema := _SCHEMA.match(text):
        does = {"CREATE": Does.CREATES_SCHEMA, "DROP": Does.DROPS_SCHEMA}.get(schema["verb"].upper(), Does.DEFINES)
        return Deed(does, schema=statement.of_schema or "", sure=_IF.search(text) is not None)
    tables = statement.mentioned
    if _TRUNCATE.match(text):
        return Deed(Does.EMPTIES, tables)
    if _DROP_TABLE.match(text):
        return Deed(Does.DROPS, tables, sure=_IF.search(text) is not None)
    if created := _CREATE_TABLE.match(text):
        if created["replacing"]:
            plain = Statement(statement.schema, _REPLACING.sub("CREATE TABLE", text))
            return Deed(Does.REPLACES, plain.mentioned, sure=True)
        return Deed(Does.CREATES, tables, sure=_IF.search(text[:200]) is not None)
    if _ALTERS.match(text):
        return Deed(Does.NOTHING if _is_harmless(statement) else Does.ALTERS, tables)
    return Deed(Does.DEFINES if _DEFINES.match(text) else Does.WRITES, tables)


def _is_harmless(statement: Statement) -> bool:
    """Return whether the table's keys stay what they are, and its columns where they are.

    A column that is added as the last one is left out of what is compared: the replica does not have it yet.
    """
    found = clauses(statement)
    return bool(found) and not meets_rows(statement) and all(map(_keeps_keys, found))


_OTHER_PLACE = re.compile(r"\b(?:FIRST|AFTER|AUTO_INCREMENT)\b", re.IGNORECASE)
_GENERATED = re.compile(r"\bAS\s*\(", re.IGNORECASE)


def _keeps_keys(clause: Clause) -> bool:
    match clause.action:
        case Action.ADD_KEY:
            return True  # meets_rows has found none that is unique
        case Action.ADD_COLUMN:
            return not _OTHER_PLACE.search(clause.rest) and not _GENERATED.search(clause.rest)
    return False


def names(text: str, table: TableName) -> bool:
    """Return whether the table's name is in the statement, as a word."""
    return re.search(rf"(?<![\w$]){re.escape(table.name.replace('`', '``'))}(?![\w$])", text, re.IGNORECASE) is not None


def name_in(texts: Iterable[str], table: TableName) -> str | None:
    """Return the first of these statements that names the table."""
    return next((text for text in texts if names(text, table)), None)
