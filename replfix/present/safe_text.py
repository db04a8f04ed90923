"""Text that came from a server, made safe to show on a terminal."""

from __future__ import annotations

import re
import unicodedata

_LINE_END = re.compile(r"\n(?!  )")
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def visible(text: str, *, keep_newlines: bool = True) -> str:
    """Return ``text`` with every control and format character (escape sequences, right-to-left overrides, NUL) spelt out.

    Row data and server messages are hostile to a terminal: what is shown has to be what is there.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c
        if (keep_newlines and c == "\n") or unicodedata.category(c) not in _HIDDEN
        else (f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" if ord(c) < 65536 else f"\\U{ord(c):08x}")
        for c in text
    )


def indented(text: str) -> str:
    """Return ``text`` as ``visible`` does, with further lines indented: no name or message begins a line of a log."""
    return _LINE_END.sub("\n  ", visible(text))


def harmless_json(text: str, *, only_ascii: bool = False) -> str:
    r"""Return the same JSON document, with whatever a terminal obeys or hides as ``\uXXXX``: it may be looked at on one.

    ``text`` has its line ends between the values only, as every JSON document. ``only_ascii`` is for where it cannot be
    written as UTF-8, which JSON is.
    """
    if text.isascii() and "\x7f" not in text:  # the others are escaped already
        return text
    return "".join(
        _as_escape(c) if c != "\n" and (unicodedata.category(c) in _HIDDEN or (only_ascii and not c.isascii())) else c
        for c in text
    )


def _as_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
