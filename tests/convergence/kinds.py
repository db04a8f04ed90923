"""Kinds of columns, each with few values, so that keys collide often; some of them are one value under the collation."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

Told = Callable[[object], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """``shown`` is SQL that tells apart whatever the server keeps apart, ``named`` is the same for values that are one in a
    key. ``told`` makes of a value in the audit trail what ``shown`` says; None where that takes more than plain SQL."""

    type: str
    values: tuple[str, ...]
    shown: str = "CAST({} AS CHAR)"
    named: str = ""
    told: Told | None = str
    prefix: int = 0  # a key holds so much of it only
    in_keys: bool = True
    of: tuple[str, ...] = ("MySQL", "MariaDB")

    def shows(self, column: str) -> str:
        return self.shown.format(column)

    def names(self, column: str) -> str:
        return (self.named or self.shown).format(column)


def _as_hex(value: object) -> str:
    raw = base64.b64decode(value["base64"]) if isinstance(value, dict) else str(value).encode()
    return raw.hex().upper()


_WORDS = ("'x'", "'X'", "'y'", "'é'", "'e'", "'z '", "'z'", "''", "'it''s\\\\'")
_TEXT = "HEX(CONVERT({} USING utf8mb4))"
MYSQL, MARIADB = ("MySQL",), ("MariaDB",)


def _text(type_: str, charset: str, collation: str, of: tuple[str, ...], *, pads: bool = True, prefix: int = 0) -> Kind:
    return Kind(
        f"{type_} CHARACTER SET {charset} COLLATE {collation}",
        _WORDS,
        _TEXT,
        "HEX(WEIGHT_STRING(RTRIM({})))" if pads else "HEX(WEIGHT_STRING({}))",
        _as_hex,
        prefix,
        of=of,
    )


def _bytes(type_: str, *, prefix: int = 0, in_keys: bool = True) -> Kind:
    values = ("0x00", "0x0001", "0x000100", "0xFF", "'ab'", "''")
    return Kind(type_, values, "HEX({})", told=_as_hex if "VAR" in type_ else None, prefix=prefix, in_keys=in_keys)


BOTH = MYSQL + MARIADB
NUMBERED = Kind("INT", tuple(map(str, range(1, 13))))
"""What AUTO_INCREMENT counts."""

KINDS = (
    NUMBERED,
    Kind("TINYINT", ("-128", "0", "1", "2", "127")),
    Kind("SMALLINT UNSIGNED", ("0", "1", "2", "65535")),
    Kind("MEDIUMINT", ("-3", "0", "5", "8388607")),
    Kind("BIGINT UNSIGNED", ("0", "1", "9223372036854775808", "18446744073709551615")),
    Kind("DECIMAL(8,2)", ("0", "1.50", "-1.5", "99999.99")),
    Kind("DECIMAL(30,10)", ("0.0000000001", "12345678901234567890.5", "-7")),
    Kind("DOUBLE", ("0.1e0", "1e10", "-3.25e0", "1e-300"), "CAST({} AS DOUBLE)", told=None),
    Kind("FLOAT", ("0.1e0", "16777216e0", "-3.25e0"), "CAST({} AS DOUBLE)", told=None, in_keys=False),
    Kind("BIT(9)", ("b'0'", "b'1'", "b'111111111'", "b'10'"), "{}+0", told=None),
    Kind("ENUM('a','b','ü','')", ("'a'", "'b'", "'ü'", "3", "''"), _TEXT, "{}+0", _as_hex),
    Kind("SET('p','q','r')", ("'p'", "'p,q'", "''", "'r'"), _TEXT, "{}+0", _as_hex),
    Kind("YEAR", ("1999", "2026", "0"), "{}+0", told=None),
    Kind("DATE", ("'2026-01-01'", "'1000-01-01'", "'9999-12-31'", "'0000-00-00'", "'2026-02-00'")),
    Kind("TIME(2)", ("'00:00:00'", "'-00:00:00.50'", "'838:59:59'", "'12:30:00.25'")),
    Kind("DATETIME(6)", ("'2026-01-01 00:00:00.000001'", "'2026-01-01'", "'0000-00-00'", "'1999-12-31 23:59:59.5'")),
    Kind("TIMESTAMP(3) NULL", ("'2026-01-01 00:00:00.001'", "'2026-01-01'", "'1970-01-02'"), in_keys=False),
    Kind("DATETIME", ("'2026-01-01 10:00:00'", "'2026-01-01'", "'1999-12-31 23:59:59'")),
    _text("VARCHAR(10)", "utf8mb4", "utf8mb4_general_ci", BOTH),
    _text("VARCHAR(10)", "utf8mb4", "utf8mb4_unicode_ci", BOTH),
    _text("VARCHAR(10)", "utf8mb4", "utf8mb4_bin", BOTH),
    _text("CHAR(6)", "latin1", "latin1_swedish_ci", BOTH),
    _text("TEXT", "utf8mb4", "utf8mb4_general_ci", BOTH, prefix=2),
    _text("VARCHAR(10)", "utf8mb4", "utf8mb4_0900_ai_ci", MYSQL, pads=False),
    _text("VARCHAR(10)", "utf8mb4", "utf8mb4_0900_as_cs", MYSQL, pads=False),
    _text("CHAR(8)", "utf8mb4", "utf8mb4_0900_bin", MYSQL, pads=False),
    _text("VARCHAR(10)", "utf8mb4", "utf8mb4_unicode_nopad_ci", MARIADB, pads=False),
    _text("VARCHAR(10)", "utf16", "utf16_general_ci", BOTH),
    _bytes("VARBINARY(4)"),
    _bytes("BINARY(3)"),
    _bytes("BLOB", prefix=2),
    Kind("JSON", ("'{\"a\": 1}'", "'[]'", "'null'", "'[1.5, \"x\"]'"), told=None, in_keys=False),
    Kind("POINT", ("ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(0 0)')"), "HEX(ST_AsWKB({}))", told=None,
         in_keys=False),
    Kind("UUID", ("'00000000-0000-0000-0000-000000000001'", "'123e4567-e89b-12d3-a456-426655440000'"), of=MARIADB, told=None),
    Kind("INET6", ("'::'", "'2001:db8::1'"), of=MARIADB, told=None),
)  # fmt: skip
