"""GEOMETRY and its subtypes, as the server keeps and sends them: the SRID in four bytes, then WKB with x before y."""

from __future__ import annotations

from replfix.core.columns.column_type import ColumnType, bytes_in

NAMES = (
    *("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"),
    *("geomcollection", "geometrycollection"),  # the second is what MySQL 5.7 and MariaDB say
)

TYPES = (ColumnType(NAMES, bytes_in),)
