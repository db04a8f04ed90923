"""A row of PostgreSQL, as its server writes the values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_NUMBERS = {"smallint", "integer", "bigint"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: the text of the type's output function, None for NULL."""

    column: str
    type: str  # without modifier and domains
    text: str | None
    cut: bool = False  # the value is longer than what was read

    @property
    def value(self) -> bool | int | Decimal | str | bytes | None:
        """The value in the types that JSON documents know; other types stay text."""
        text = self.text
        if text is None or self.cut:
            return text
        if self.type == "boolean" and text in ("t", "f"):
            return text == "t"
        if self.type in _NUMBERS and re.fullmatch(r"-?[0-9]{1,19}", text):
            return int(text)
        if self.type == "numeric" and re.fullmatch(r"-?[0-9]{1,131072}(?:\.[0-9]{1,16384})?", text):
            return Decimal(text)
        if self.type == "bytea" and re.fullmatch(r"\\x(?:[0-9a-f]{2})*", text):
            return bytes.fromhex(text[2:])
        return text


PostgresqlRow = tuple[Cell, ...]
