"""ENUM and SET, by their labels."""

from __future__ import annotations

from replfix.core.columns.column_type import ColumnType, Impossible, text_in
from replfix.core.schema.table import Column


def _labels(column: Column) -> set[str]:
    return {label.casefold() for label in column.labels}


def _printed_enum(column: Column, text: str) -> str:
    if text.casefold() not in _labels(column):
        raise Impossible
    return text


def _printed_set(column: Column, text: str) -> str:
    if set(filter(None, text.casefold().split(","))) - _labels(column):
        raise Impossible
    return text


TYPES = (
    ColumnType(("enum",), text_in, printed=_printed_enum, labels=True),
    ColumnType(("set",), text_in, printed=_printed_set, labels=True),
)
