"""FLOAT and DOUBLE."""

from __future__ import annotations

import re

from replfix.core.columns.column_type import ColumnType, Impossible
from replfix.core.schema.table import Column

_FLOAT = re.compile(r"-?\d{1,400}(?:\.\d{1,400})?(?:e[+-]?\d{1,3})?\Z", re.ASCII)


def _printed(_: Column, text: str) -> str:
    if not _FLOAT.match(text):
        raise Impossible
    return text


TYPES = (
    ColumnType(
        ("float", "double"),
        float,
        # A FLOAT prints six digits, and FLOAT(M,D) and DOUBLE(M,D) print D decimals; as an unbound DOUBLE they print the shortest
        # text that reads back as the same number. `* 1e0` does that on every version (CAST(… AS DOUBLE) came with 8.0.17), and it
        # keeps the sign of a negative zero, which `+ 0e0` would lose.
        select="({} * 1e0)",
        from_number=float,
        printed=_printed,
        signed=True,
        many_to_a_text=True,
    ),
)
