"""The key is just being made, or the table rebuilt, over rows that are not unique."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain import text_facts
from replfix.core.explain.duplicate import Duplicate, Kind, Product
from replfix.core.explain.explanation import Case
from replfix.core.explain.reasons import cascade_collides, resequencing
from replfix.core.explain.statement_target import NAME, Target, Verb, unquoted
from replfix.core.remedies.remedy import Fix
from replfix.core.schema.table import TableName
from replfix.core.sql.text_statements import copies_under_way, find_unique_key, postgresql_repeated

CODE = "adding-unique-key"

_CREATED = re.compile(r"create\s+unique\s+index\b", re.IGNORECASE)
_ADDED = re.compile(
    rf"ADD\s+(?:CONSTRAINT\s+(?P<constraint>{NAME})?\s*)?(?P<kind>UNIQUE(?:\s+(?:INDEX|KEY))?|PRIMARY\s+KEY)\s*(?P<name>{NAME})?\s*(?:USING\s+\w+\s*)?\(",
    re.IGNORECASE,
)
_COLUMN = re.compile(rf"\s*({NAME})\s*(?:\(\d+\))?\s*(?:ASC|DESC)?\s*([,)])", re.IGNORECASE)
_WRITE_ERROR = 1022  # without the key: a foreign key's name that is taken gave the same, up to 5.7
_COPY = re.compile(r"_(?P<table>.+)_(?:new|gho)\Z")
"""pt-online-schema-change and gh-ost build the new table beside the old one, and fill it with INSERT IGNORE."""


def examine(case: Case) -> Cause | None:
    duplicate = case.duplicate
    if duplicate.number in cascade_collides.NUMBERS or resequencing.examine(case) is not None:
        return None
    target = text_facts.target_of(duplicate)
    columns = _created_columns(duplicate, target)
    copy = _COPY.fullmatch(duplicate.key_table or duplicate.table or "")
    if columns is None and copy is None and duplicate.kind is not Kind.KEY_BUILD:
        return None
    table = _table(duplicate, target)
    if copy is not None:
        table = TableName(duplicate.schema or (table.schema if table else ""), copy["table"])
    rebuilt = columns is None and copy is None and duplicate.number == _WRITE_ERROR
    return Cause(
        CODE,
        Confidence.MEDIUM if rebuilt else Confidence.HIGH,
        "A unique key is created, and existing rows have the same value in it.",
        tuple(_evidence(duplicate, columns, copy)),
        tuple(_fixes(duplicate, table, columns or list(duplicate.columns), copy)),
    )


def _evidence(duplicate: Duplicate, columns: list[str] | None, copy: re.Match[str] | None) -> list[str]:
    if copy is not None:
        return [f"{copy[0]} is the copy of {copy['table']} that a schema-change tool fills: the key is new in it."]
    if columns is not None:
        return ["The statement is no INSERT: it adds the key."]
    if duplicate.dialect is Product.POSTGRESQL:
        return ["The server was creating a unique index, not storing a row."]
    if (duplicate.table or "").startswith("#sql"):
        return [f"{duplicate.table} is the copy that an ALTER TABLE builds."]
    return [f"Error {duplicate.number} is reported while ALTER TABLE or CREATE INDEX builds a key, not for an INSERT."]


def _fixes(duplicate: Duplicate, table: TableName | None, columns: list[str], copy: re.Match[str] | None) -> list[Fix]:
    fixes: list[Fix] = []
    if table is not None and columns and duplicate.dialect is Product.POSTGRESQL:
        repeated = postgresql_repeated(table.schema or None, table.name, columns)
        fixes.append(Fix("Find the conflicting rows:", (repeated,)))
    elif table is not None and columns:
        fixes.append(Fix("Find the conflicting rows:", (sql.repeated_values(table, columns),)))
    elif table is None and duplicate.dialect is Product.MYSQL and not duplicate.key:
        fixes.append(Fix("Find which ALTER TABLE it was, and whether a copy was left:", (copies_under_way(),)))
        fixes.append(
            Fix(
                "Up to MySQL 5.7 error 1022 also comes of a foreign key whose name another table of the schema has: give it another name."
            )
        )
    if copy is not None:
        built = find_unique_key(text_facts.index_of(duplicate), TableName(duplicate.schema or "", copy[0]))
        fixes.append(
            Fix("Find the columns of the new key, and then the rows of the table that are equal in them:", (built,))
        )
        fixes.append(
            Fix(
                "pt-online-schema-change and gh-ost copy with INSERT IGNORE: continued over this, they drop the rows that collide, without an error. Stop the tool first."
            )
        )
    fixes.append(
        Fix("Decide for each of them which row stays, then add the key. Until that succeeds, the key does not exist.")
    )
    if duplicate.value == "0" and duplicate.dialect is Product.MYSQL:
        fixes.append(
            Fix(
                "Several rows with 0 in an id column come of a table without its key and AUTO_INCREMENT (an import that was interrupted): number them before the key is added."
            )
        )
    return fixes


def _table(duplicate: Duplicate, target: Target | None) -> TableName | None:
    if target is not None and target.table is not None and target.verb in (Verb.ALTER, Verb.CREATE_INDEX):
        return TableName(target.schema or duplicate.schema or "", target.table)
    return text_facts.table_of(duplicate)


def _created_columns(duplicate: Duplicate, target: Target | None) -> list[str] | None:
    """Return the columns of the key that the statement creates; none where they cannot be read; None when it creates none."""
    if target is None:
        return None
    if target.verb is Verb.CREATE_INDEX and _CREATED.match(target.text):
        opening = target.text.find("(", target.text.lower().find(" on "))
        return _columns(target.text, opening + 1) if opening >= 0 else []
    if target.verb is not Verb.ALTER:
        return None
    added = list(_ADDED.finditer(target.text))
    if not added:
        return None
    index = text_facts.index_of(duplicate).lower()
    meant = [found for found in added if index in _names(found)]
    return _columns(target.text, (meant or added)[0].end())


def _names(found: re.Match[str]) -> set[str]:
    primary = {"primary"} if found["kind"].lower().startswith("primary") else set()
    return primary | {unquoted(name).lower() for name in (found["constraint"], found["name"]) if name}


def _columns(statement: str, at: int) -> list[str]:
    found: list[str] = []
    while (column := _COLUMN.match(statement, at)) is not None:
        found.append(unquoted(column[1]))
        if column[2] == ")":
            return found
        at = column.end()
    return []
