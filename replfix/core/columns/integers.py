"""TINYINT to BIGINT, and YEAR."""

from __future__ import annotations

import re

from replfix.core.columns.column_type import SAMPLES, ColumnType, Impossible
from replfix.core.schema.table import Column

_INTEGER = re.compile(r"-?\d{1,20}\Z", re.ASCII)


def _printed(_: Column, text: str) -> int:
    if not _INTEGER.match(text):
        raise Impossible
    return int(text)


TYPES = (
    ColumnType(
        ("tinyint", "smallint", "mediumint", "int", "bigint"),
        int,
        printed=_printed,
        samples=lambda _: tuple(range(SAMPLES)),
        signed=True,
        in_a_list=True,
    ),
    ColumnType(("year",), int, printed=_printed, in_a_list=True),
)
