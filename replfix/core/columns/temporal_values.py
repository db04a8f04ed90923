"""DATE, TIME, DATETIME and TIMESTAMP, as texts. A TIMESTAMP is in UTC."""

from __future__ import annotations

import re

from replfix.core.columns.column_type import SAMPLES, ColumnType, Impossible, text_in
from replfix.core.rows.row_values import Value
from replfix.core.schema.table import Column

_FORMS = {
    "date": re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII),
    "time": re.compile(r"-?\d{2,3}:\d\d:\d\d(?:\.\d{1,6})?\Z", re.ASCII),
    "datetime": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?\Z", re.ASCII),
}
_FORMS["timestamp"] = _FORMS["datetime"]
_DAYS = {"date": "2000-01-{:02}", "datetime": "2000-01-{:02} 00:00:00", "timestamp": "2000-01-{:02} 00:00:00"}


def _printed(column: Column, text: str) -> str:
    if not _FORMS[column.data_type].match(text):
        raise Impossible
    return text


def _samples(column: Column) -> tuple[Value, ...]:
    digits = "." + "0" * column.scale if column.scale else ""
    return tuple(f"{_DAYS[column.data_type].format(day)}{digits}" for day in range(1, SAMPLES))


TYPES = (
    ColumnType(("date",), text_in, printed=_printed, samples=_samples, in_a_list=True),
    ColumnType(("time",), text_in, printed=_printed, in_a_list=True),
    ColumnType(
        ("datetime", "timestamp"), text_in, printed=_printed, samples=_samples, in_a_list=True, updates_itself=True
    ),
)
