"""What is shown where the terminal's or file's encoding does not have a symbol: the one place that replaces symbols."""

from __future__ import annotations

from collections.abc import Callable

_SYMBOLS = {
    "✔": "+", "✓": "+", "✘": "x", "✗": "x", "●": "*", "◐": "*", "○": "o", "■": "#", "▶": ">", "▸": ">", "█": "#", "░": ".",
    "…": "...", "·": "-", "→": "->", "←": "<-", "≠": "!=", "≤": "<=", "≥": ">=", "∅": "(empty)", "↵": "", "×": "x",
    "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "«": '"', "»": '"', "─": "-", "━": "-", "│": "|", "┃": "|",
    "├": "|", "└": "+", "┌": "+", "┐": "+", "┘": "+", "┼": "+", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "•": "*",
    "▁": "_", "▂": "_", "▃": "-", "▄": "-", "▅": "=", "▆": "=", "▇": "#",
}  # fmt: skip


def without_symbols(text: str, encoding: str) -> str:
    r"""Return the text as it can be written in that encoding.

    replfix's own symbols become ASCII; any other character that the encoding lacks is spelt out, as ``\u20ac``.
    """
    return replaced(text, encoding, lambda character: _fitting(character, encoding))


def replaced(text: str, encoding: str, form: Callable[[str], str]) -> str:
    """Return the text, with ``form`` of each character beyond ASCII where the encoding does not have all of them."""
    return text if writable(text, encoding) else "".join(c if c.isascii() else form(c) for c in text)


def writable(text: str, encoding: str) -> bool:
    """Return whether the encoding has every character of the text. LookupError for an encoding that nobody knows."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _fitting(character: str, encoding: str) -> str:
    for form in (character, _SYMBOLS.get(character)):
        if form is not None and writable(form, encoding):
            return form
    return character.encode("ascii", "backslashreplace").decode()
