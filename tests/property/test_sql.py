"""Every value survives its literal, read by a small reader of MySQL's rules that knows nothing of the writer.

Source of the rules: MySQL manual, "String Literals", "Hexadecimal Literals", "Schema Object Names".
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from replfix.core import sql
from replfix.core.rows.row_values import Json
from replfix.core.schema.table import TableName
from tests.unit.making import column

ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
SURROGATES: tuple[Literal["Cs"], ...] = ("Cs",)
UNICODE = st.text(st.characters(exclude_categories=SURROGATES))
HOSTILE = st.lists(
    st.sampled_from(["'", "''", "\\", "`", '"', "\0", "\n", "\x1a", "%", "_", "--", "é", "🎉", "\u202e"])
).map("".join)


def quoted(text: str, at: int = 0) -> tuple[str, int]:
    """The value of the string literal that starts at ``at``, and where it ends; sql_mode without NO_BACKSLASH_ESCAPES."""
    assert text[at] == "'"
    found = ""
    at += 1
    while True:
        if text[at] == "\\":
            found += ESCAPES.get(text[at + 1], text[at + 1])
            at += 2
        elif text[at : at + 2] == "''":
            found += "'"
            at += 2
        elif text[at] == "'":
            return found, at + 1
        else:
            found += text[at]
            at += 1


def string(text: str) -> str:
    if text.startswith("_utf8mb4 0x"):
        return bytes.fromhex(text.removeprefix("_utf8mb4 0x")).decode()
    found, end = quoted(text)
    assert end == len(text), "the literal ends before the text does"
    return found


def identifiers(text: str) -> list[str]:
    """The parts of a name that is quoted with backquotes."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        assert text[at] == "`"
        part, at = "", at + 1
        while text[at] != "`" or text[at : at + 2] == "``":
            part += text[at]
            at += 2 if text[at] == "`" else 1
        parts.append(part)
        at += 1
        assert text[at : at + 1] in ("", ".")
        at += 1
    return parts


@given(UNICODE | HOSTILE)
def test_strings(value: str) -> None:
    text = sql.literal(column("c"), value)
    assert text.isprintable()
    assert string(text) == value


@given(st.binary())
def test_bytes(value: bytes) -> None:
    text = sql.literal(column("c"), value)
    assert text.isascii()
    assert (bytes.fromhex(text.removeprefix("0x")) if value else text == "''" and b"") == value


@given(UNICODE | HOSTILE)
def test_json(value: str) -> None:
    text = sql.literal(column("c"), Json(value))
    assert text.isprintable()
    assert string(text.removeprefix("CAST(").removesuffix(" AS JSON)")) == value


@given(st.integers())
def test_integers(value: int) -> None:
    assert int(sql.literal(column("c"), value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**65), max_value=10**65))
def test_decimals_have_no_exponent(value: Decimal) -> None:
    text = sql.literal(column("c"), value)
    assert Decimal(text) == value
    assert set(text) <= set("-.0123456789")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_double_literals(value: float) -> None:
    text = sql.literal(column("c"), value)
    assert "e" in text, "without an exponent MySQL would read a DECIMAL"
    assert float(text) == value


@given(UNICODE | HOSTILE, (UNICODE | HOSTILE).filter(bool))
def test_identifiers(schema: str, name: str) -> None:
    assert identifiers(sql.table_name(TableName(schema, name))) == ([schema, name] if schema else [name])
