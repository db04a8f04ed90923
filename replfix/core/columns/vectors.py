"""VECTOR: float32 after float32."""

from __future__ import annotations

from replfix.core.columns.column_type import ColumnType, bytes_in

TYPES = (
    ColumnType(
        ("vector",),
        bytes_in,
        select="CAST({} AS BINARY)",  # the driver takes the type, which it does not know, for text in ASCII
        compared_as_selected=True,  # error 1210 for a VECTOR that is compared as it is (MySQL 9.7)
    ),
)
