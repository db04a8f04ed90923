"""Reading a selected value into its canonical form (:mod:`replfix.core.rows.row_values`).

The session must have ``time_zone='+00:00'`` and may not have ``PAD_CHAR_TO_FULL_LENGTH``'s padding matter: trailing
spaces of CHAR are cut as in the binlog. Columns are selected as :func:`replfix.core.columns.select_form` says.
"""

from __future__ import annotations

from replfix.core.columns import NOT_READ, type_of
from replfix.core.columns.column_type import Answer
from replfix.core.rows.row_values import NOT_LOGGED, Value
from replfix.core.schema.table import Column
from replfix.core.words import help_on
from replfix.errors import Unreadable


def from_server(column: Column, answer: Answer | None) -> Value:
    """Return the canonical value of what a server returned for a column, as PyMySQL gives it without conversion.

    :class:`Unreadable` for a type that replfix does not read or an answer that does not fit it.
    """
    if answer is None:
        return NOT_LOGGED if column.absent else None
    type_ = type_of(column)
    if type_ is NOT_READ:
        raise unsupported(column)
    try:
        return type_.read(answer)
    except ValueError:
        raise Unreadable(
            f"The server's value {answer[:80]!r} for column {column.name!r} is no {column.data_type}."
        ) from None


def unsupported(column: Column) -> Unreadable:
    """Return the error for a column of a type that replfix does not read."""
    return Unreadable(
        f"Column {column.name!r} has the type {column.data_type.upper()}, which replfix does not read yet.",
        f"The types that replfix reads are listed in {help_on('values')}.",
    )
