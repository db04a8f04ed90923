"""What is shown where the terminal's or file's encoding does not have a symbol: the one place that replaces symbols."""

from __future__ import annotations

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
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(c if c.isascii() else _fitting(c, encoding) for c in text)
    return text


def _fitting(character: str, encoding: str) -> str:
    for form in (character, _SYMBOLS.get(character)):
        if form is not None:
            try:
                form.encode(encoding)
            except UnicodeEncodeError:
                continue
            return form
    return character.encode("ascii", "backslashreplace").decode()
