"""Text that came from a server, made safe to show on a terminal."""

from __future__ import annotations

import re
import unicodedata

_PASSWORD = re.compile(r"([a-z][a-z0-9+.-]*:/{1,2}[^\s/?#@:]*):\S*@", re.IGNORECASE)
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def visible(text: str, *, keep_newlines: bool = True) -> str:
    """``text`` with every control and format character (escape sequences, right-to-left overrides, NUL) spelt out.

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


def without_passwords(text: str) -> str:
    """Whatever somebody typed at a wrong place is repeated in an error: a URL's password is not."""
    return _PASSWORD.sub(r"\1:…@", text)
