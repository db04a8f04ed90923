"""INET4, INET6 and UUID of MariaDB: BINARY(n) but for how they are shown; the binlog shows no difference."""

from __future__ import annotations

from replfix.core.columns.column_type import ColumnType, bytes_in

BYTES = {"inet4": 4, "inet6": 16, "uuid": 16}

TYPES = tuple(ColumnType((name,), bytes_in, select=f"CAST({{}} AS BINARY({length}))") for name, length in BYTES.items())
