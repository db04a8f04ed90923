"""Quotes around a message's parts, as clients, JSON and HTML write them, and the text between them as the server printed it."""

from __future__ import annotations

import html
import re

_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.S)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}

# What can follow the quote that ends a name; a quote before a letter is part of the name (it's).
AFTER_NAME = re.compile(r"[\s\"'`,.;:)\]}\\<&|]|$")


def unwrapped(text: str, quote: str) -> str:
    """``text`` as the server printed it: what a client did to fit it into a string of its own is taken back.

    How often it was wrapped shows in the quote: each time, backslashes double and the quote gets one.
    """
    if quote.startswith("&"):
        return html.unescape(text)
    backslashes = len(quote) - len(quote.lstrip("\\"))
    while backslashes > 0:
        text = _ESCAPED.sub(_character, text)
        backslashes //= 2
    return text


def _character(escaped: re.Match[str]) -> str:
    if escaped[1]:
        code = int(escaped[1], 16)
        return "\N{REPLACEMENT CHARACTER}" if 0xD800 <= code <= 0xDFFF else chr(code)
    return _LETTERS.get(escaped[2], escaped[2])


def end_of_name(text: str, quote: str, at: int, limit: int) -> int:
    """Return where the quote that ends a name begins; -1 when it does not end before ``limit``."""
    ends = text.find(quote, at, limit)
    while ends >= 0:
        if AFTER_NAME.match(text, ends + len(quote)):
            return ends
        ends = text.find(quote, ends + len(quote), limit)
    return -1
