"""Row values as people read them: SQL's own notation, so that NULL, '' and 'NULL' cannot be taken for each other."""

from __future__ import annotations

from decimal import Decimal

from replfix.core.rows.row_values import NOT_LOGGED, Json, NotRead, RowImage, Value
from replfix.present.safe_text import visible

WIDTH = 60  # characters of one value in a table; the whole value is in --json and in the audit trail


def shown(value: Value, width: int = WIDTH) -> str:
    """Return one value on one line, control characters spelt out, cut at ``width`` with its length."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).lower()
        case bytes():
            return _cut(f"0x{value[: width // 2 + 1].hex().upper()}", width, f"{len(value)} bytes", len(value) * 2 + 2)
        case str():
            return _quoted(value, width)
        case Json():
            return _cut(
                visible(value.text[: width + 1], keep_newlines=False),
                width,
                f"{len(value.text)} characters",
                len(value.text),
            )
        case Decimal():
            return format(value, "f")
        case _ if value is NOT_LOGGED:
            return "(not logged)"
        case _:
            return str(value)


def without(image: RowImage | NotRead | None) -> str:
    """Return the words for a row that does not exist, or was not read; empty for one that was."""
    return "(no row)" if image is None else "(not read)" if isinstance(image, NotRead) else ""


def cell(image: RowImage | NotRead | None, ordinal: int, width: int = WIDTH) -> str:
    """Return one value of a row, or the words for a row that does not exist or was not read."""
    return shown(image[ordinal], width) if isinstance(image, tuple) else without(image)


def why_not_read(title: str, image: RowImage | NotRead | None) -> str:
    """Return why a row was not read, as a sentence; empty for a row that was."""
    return f"{title}: not read, because {visible(image.reason)}." if isinstance(image, NotRead) else ""


def _quoted(text: str, width: int) -> str:
    inner = visible(text[: width + 1], keep_newlines=False)
    return _cut(f"'{inner}'", width + 2, f"{len(text)} characters", len(text) + 2)


def _cut(text: str, width: int, size: str, whole: int) -> str:
    if whole <= width and len(text) <= width * 2:
        return text
    return f"{text[:width].rstrip(chr(39))}… ({size})"
