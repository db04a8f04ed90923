"""What follows from an error's text about its table, its columns and the values in them, without a server."""

from __future__ import annotations

import re

from replfix.core.explain import statement_target as statements
from replfix.core.explain.duplicate import Duplicate, Product
from replfix.core.explain.insert import Insert, Item
from replfix.core.explain.read_text import JOINED_BY, fits, readings
from replfix.core.explain.statement_target import Target
from replfix.core.schema.table import TableName

LARGEST = {
    127: "TINYINT",
    255: "TINYINT UNSIGNED",
    32767: "SMALLINT",
    65535: "SMALLINT UNSIGNED",
    8388607: "MEDIUMINT",
    16777215: "MEDIUMINT UNSIGNED",
    2147483647: "INT",
    4294967295: "INT UNSIGNED",
    9223372036854775807: "BIGINT",
    18446744073709551615: "BIGINT UNSIGNED",
}
"""The highest value of each integer type of MySQL; of PostgreSQL smallint, integer and bigint."""
SMALL = 65535
"""Up to here such a value is also an ordinary id."""


def index_of(duplicate: Duplicate) -> str:
    """Return the key's own name, without the table that it is named with."""
    table = duplicate.key_table
    return duplicate.key if table is None else duplicate.key[len(table) + 1 :]


def is_primary(duplicate: Duplicate) -> bool:
    """Whether the key is the primary one, as far as its name shows that."""
    return index_of(duplicate).upper() == "PRIMARY" or duplicate.key.lower().endswith("_pkey") or _named_pk(duplicate)


def _named_pk(duplicate: Duplicate) -> bool:
    return duplicate.key.upper().startswith("PK_")  # Entity Framework


def whole_number(duplicate: Duplicate) -> int | None:
    """Return the value where it is one whole number."""
    value = duplicate.value or ""
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 20 else None


def table_of(duplicate: Duplicate) -> TableName | None:
    """Return the table that is named; its schema is empty where that is not in the text."""
    name = duplicate.table or duplicate.key_table
    return None if name is None or name.startswith("#sql") else TableName(duplicate.schema or "", name)


def shown(table: TableName) -> str:
    """Return the table's name as the text has it."""
    return str(table) if table.schema else table.name


def target_of(duplicate: Duplicate) -> Target | None:
    """Return what the statement does, and to which table."""
    return statements.target(duplicate.statement) if duplicate.statement else None


def given_columns(duplicate: Duplicate) -> frozenset[str] | None:
    """Return the columns that the INSERT gives values for, in lower case; None where that is not in the text."""
    said = duplicate.insert
    return frozenset(name.lower() for name in said.columns) if said is not None and said.columns else None


def key_values(duplicate: Duplicate) -> tuple[tuple[str, str], ...]:
    """Return the key's columns and the values in them; empty where the text does not show them."""
    if duplicate.value is None:
        return ()
    if duplicate.columns:
        divided = readings(duplicate.value, len(duplicate.columns), JOINED_BY[duplicate.dialect])
        if len(divided) == 1:
            return tuple(zip(duplicate.columns, divided[0], strict=True))
        return ()
    column = _only_column(duplicate)
    return ((column, real_value(duplicate) or duplicate.known),) if column is not None else ()


def real_value(duplicate: Duplicate) -> str | None:
    """Return the value as the statement gives it, whole and with every character; None where it gives none that fits."""
    if duplicate.insert is None or duplicate.value is None:
        return None
    found = {
        text
        for row in duplicate.insert.rows
        for item in row
        if (text := item.known_text) is not None and fits(duplicate.known, text, cut=duplicate.cut)
    }
    return found.pop() if len(found) == 1 else None


def _only_column(duplicate: Duplicate) -> str | None:
    """Return the only column of the INSERT that has the value; of several the one that the key is named after."""
    said = duplicate.insert
    if said is None or not said.columns:
        return None
    having = _having(duplicate, said)
    named = [name for name in having if _named_after(index_of(duplicate), name)]
    return named[0] if len(named) == 1 else having[0] if len(having) == 1 else None


def _having(duplicate: Duplicate, said: Insert) -> list[str]:
    def has(item: Item) -> bool:
        return item.known_text is not None and fits(duplicate.known, item.known_text, cut=duplicate.cut)

    rows = [row for row in said.rows if len(row) == len(said.columns)]
    return [name for at, name in enumerate(said.columns) if any(has(row[at]) for row in rows)]


def _named_after(index: str, column: str) -> bool:
    return re.search(rf"(?<![a-z0-9]){re.escape(column.lower())}(?![a-z0-9])", index.lower()) is not None


def likely_generated(duplicate: Duplicate) -> bool:
    """Whether the value can be one that the server generated: a whole number in a primary key that the INSERT leaves out."""
    if whole_number(duplicate) is None:
        return False
    given = given_columns(duplicate)
    if duplicate.columns:
        named = {name.lower() for name in duplicate.columns}
        return len(named) == 1 and is_primary(duplicate) and (given is None or not named & given)
    said = duplicate.insert
    if said is not None and said.rows and not said.columns:  # every column is given
        return not any(item.known_text == duplicate.value for row in said.rows for item in row)
    return is_primary(duplicate) and not (given is not None and "id" in given)


def product_words(product: Product) -> str:
    """Return the product's name for people."""
    return "PostgreSQL" if product is Product.POSTGRESQL else "MySQL and MariaDB"
