"""BIT, as a number."""

from __future__ import annotations

from replfix.core.columns.byte_strings import printed_bytes
from replfix.core.columns.column_type import ColumnType, bytes_in
from replfix.core.schema.table import Column


def _whole_bytes(column: Column) -> str:
    """Return the column with whole bytes, as long and as much: JSON_TABLE fills the odd bits of BIT(9) (9.7.4)."""
    bits = int(column.column_type.lower().removeprefix("bit(").removesuffix(")"))
    return f"BIT({-(-bits // 8) * 8})"


TYPES = (
    ColumnType(
        ("bit",),
        lambda answer: int.from_bytes(bytes_in(answer), "big"),
        printed=lambda _, text: int.from_bytes(printed_bytes(text), "big"),
        # After b = 1, MySQL 9.7.4 computes what else the key reads of b with the number 1, which is not as long as the column's bytes.
        equals="<=>",
        in_json_table=_whole_bytes,
    ),
)
