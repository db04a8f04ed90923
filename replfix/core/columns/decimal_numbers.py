"""DECIMAL."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from replfix.core.columns.column_type import SAMPLES, ColumnType, Impossible, text_in
from replfix.core.rows.row_values import Value
from replfix.core.schema.table import Column

_DECIMAL = re.compile(r"-?\d{1,65}(?:\.\d{1,30})?\Z", re.ASCII)


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:80]!r} is no number") from None


def _printed(_: Column, text: str) -> Decimal:
    if not _DECIMAL.match(text):
        raise Impossible
    return Decimal(text)


def _samples(column: Column) -> tuple[Value, ...]:
    return tuple(Decimal(number).scaleb(-(column.scale or 0)) for number in range(SAMPLES))


TYPES = (
    ColumnType(
        ("decimal",),
        lambda answer: _number(text_in(answer)),
        from_text=_number,
        printed=_printed,
        samples=_samples,
        signed=True,
        in_a_list=True,
    ),
)
