"""Row values out of the JSON of documents and records: the inverse of ``core/rows/json_values.py``."""

from __future__ import annotations

import base64

from replfix.core.columns import NOT_READ, type_of
from replfix.core.rows.row_values import NOT_LOGGED, Value
from replfix.core.schema.table import Column


def from_json(column: Column, form: object) -> Value:
    """Return what ``to_json`` was given for a value of that column; ValueError for a form that no value of it has.

    The text of a JSON document does not show which values inside are of SQL types, so that is lost.
    """
    type_ = type_of(column)
    match form:
        case None:
            return None
        case {"not_logged": True}:
            return NOT_LOGGED
        case {"base64": str(encoded)}:
            return base64.b64decode(encoded, validate=True)
        case str() if type_ is not NOT_READ:
            return type_.from_text(form)
        case int() | float() if type_ is not NOT_READ and not isinstance(form, bool):
            return type_.from_number(form)
        case _:
            raise ValueError(f"{str(form)[:80]!r} is no value of {column.name}")
