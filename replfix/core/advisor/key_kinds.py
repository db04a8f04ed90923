"""Keys by what keeps the values apart that two servers give them."""

from __future__ import annotations

import enum

from replfix.core.advisor.node import KeyTable
from replfix.core.schema.table import UniqueKey

_RANDOM = ("binary(16)", "char(36)", "varchar(36)", "uuid")
"""Column types for UUIDs: two servers never generate the same one."""

SMALL = ("tinyint", "smallint", "mediumint")


class KeyKind(enum.Enum):
    """What keeps the values of a key apart."""

    COUNTER = enum.auto()  # AUTO_INCREMENT is in it: increment and offset do
    RANDOM = enum.auto()  # a UUID is in it: nothing has to
    NATURAL = enum.auto()  # whoever chooses the value


def is_random(table: KeyTable, key: UniqueKey) -> bool:
    """Return whether a column of the key is of a type for UUIDs."""
    return any(c in table.columns and table.columns[c].column_type.lower() in _RANDOM for c in key.columns)


def kind_of(table: KeyTable, key: UniqueKey) -> KeyKind:
    """Return what keeps the values of that key apart."""
    if key not in table.unprotected:
        return KeyKind.COUNTER
    return KeyKind.RANDOM if is_random(table, key) else KeyKind.NATURAL
