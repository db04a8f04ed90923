"""What the core has to know of a column type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from replfix.core.rows.row_values import Value
from replfix.core.schema.table import Column

Answer = str | bytes
"""A value as the driver hands it over without conversion."""


SAMPLES = 10
"""About how many values ``ColumnType.samples`` gives."""


class Impossible(Exception):
    """A text is no value of its column."""


class Unaskable(Exception):
    """Which values a text means cannot be put into a question. The message says why."""


def text_in(answer: Answer) -> str:
    """Return the answer as text."""
    return answer.decode("utf-8") if isinstance(answer, bytes) else answer


def bytes_in(answer: Answer) -> bytes:
    """Return the answer as bytes."""
    return answer if isinstance(answer, bytes) else answer.encode("utf-8")


def _not_asked(column: Column, _: str) -> Value:
    raise Unaskable(f"{column.name} is of the type {column.data_type.upper()}")


def _whole(number: int | float) -> int:
    if isinstance(number, float):
        raise ValueError(f"{number} is no whole number")
    return number


@dataclass(frozen=True, slots=True)
class ColumnType:
    """What the core knows of one column type."""

    names: tuple[str, ...]
    """As ``information_schema.COLUMNS.DATA_TYPE`` has them, in lower case."""
    read: Callable[[Answer], Value]
    """The canonical value of what a server returned for ``select``. ValueError for what is none."""
    select: str = "{}"
    """How the column is selected, so that its value arrives without loss; ``{}`` is its quoted name."""
    from_text: Callable[[str], Value] = str
    """The value of a JSON string in a document or record. ValueError for what is none."""
    from_number: Callable[[int | float], Value] = _whole
    """The same of a JSON number."""
    printed: Callable[[Column, str], Value] = _not_asked
    """The value that an error message prints. Impossible, Unaskable."""
    samples: Callable[[Column], tuple[Value, ...]] = lambda _: ()
    """Values of that type, the simplest first."""
    signed: bool = False
    """Whether a column of it can be UNSIGNED."""
    labels: bool = False
    """Whether its definition lists its values."""
    equals: str = "="
    """How a key's column is compared with a literal."""
    compared_as_selected: bool = False
    """Whether it can only be compared in the form in which it is selected."""
    in_a_list: bool = False
    """Whether a server finds its values in a list by bisection, and none is long."""
    by_prefix: bool = False
    """Whether a value can be asked for by its beginning."""
    many_to_a_text: bool = False
    """Whether what is printed is the same for many values."""
    updates_itself: bool = False
    """Whether a column of it can have ON UPDATE."""
    in_json_table: Callable[[Column], str] = lambda column: column.column_type
    """Its type in the column list of JSON_TABLE."""
