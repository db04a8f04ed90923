"""What is drawn, made fit for the terminal: texts that can be read on their background, symbols that it has."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from rich.cells import cell_len
from rich.color import Color, ColorType
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor
from textual.filter import LineFilter

from replfix.present.ascii_text import replaced, without_symbols, writable

WANTED = 4.5
"""The contrast of a text and its background, at least: WCAG 2.2, 1.4.3."""

BLACK, WHITE = ColorTriplet(0, 0, 0), ColorTriplet(255, 255, 255)
PALETTE = tuple(
    ColorTriplet(*(int(colour[at : at + 2], 16) for at in (0, 2, 4)))
    for colour in [
        "000000",
        "aa0000",
        "00aa00",
        "aa5500",
        "0000aa",
        "aa00aa",
        "00aaaa",
        "aaaaaa",
        "555555",
        "ff5555",
        "55ff55",
        "ffff55",
        "5555ff",
        "ff55ff",
        "55ffff",
        "ffffff",
    ]
)
"""The sixteen colours of a Linux console. Other terminals have brighter ones under these numbers."""

_LINES = range(0x2500, 0x25A0)  # box drawing and blocks: no text


def ratio(one: ColorTriplet, other: ColorTriplet) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: ColorTriplet) -> float:
    parts = (c / 255 for c in colour)
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable(colour: ColorTriplet, background: ColorTriplet) -> ColorTriplet:
    """Return the colour itself where it can be read; else one that can, between it and black or white."""
    end = max((BLACK, WHITE), key=lambda each: ratio(each, background))
    for tenths in range(11):
        mixed = ColorTriplet(*(round(a + (b - a) * tenths / 10) for a, b in zip(colour, end, strict=True)))
        if ratio(mixed, background) >= WANTED:
            return mixed
    return end


def shown(colour: Color | None, default: ColorTriplet) -> ColorTriplet:
    """Return what a terminal shows for the colour; ``default`` for its own one."""
    if colour is None or colour.type is ColorType.DEFAULT:
        return default
    if colour.type is ColorType.STANDARD and colour.number is not None:
        return PALETTE[colour.number]
    return colour.get_truecolor()


@lru_cache(4096)
def readable_style(style: Style, background: ColorTriplet, dark: bool, native: bool) -> Style:
    """Return the style with a colour that can be read. ``background``: where the style has none.

    ``native``: the terminal's own colours are kept, and replaced by each other; its default ones are black and white.
    """
    default = BLACK if dark else WHITE
    back = shown(style.bgcolor, default if native else background)
    front = shown(style.color, PALETTE[7] if dark else BLACK)
    if ratio(front, back) >= WANTED:
        return style
    if not native:
        return style + Style(color=Color.from_triplet(readable(front, back)))
    number = style.color.number if style.color is not None and style.color.type is ColorType.STANDARD else None
    tried = (*(() if number is None else (number ^ 8,)), 15, 0)
    best = next((n for n in tried if ratio(PALETTE[n], back) >= WANTED), None)
    if best is None:
        best = max(tried, key=lambda n: ratio(PALETTE[n], back))
    return style + Style(color=Color.from_ansi(best))


class Readable(LineFilter):
    """Whatever theme, widget or style a colour comes from, its text can be read. Lines and blocks are left as they are."""

    def __init__(self, dark: Callable[[], bool], native: Callable[[], bool], *, without_dim: bool = False) -> None:
        super().__init__()
        self._dark = dark
        self._native = native
        self._without_dim = without_dim

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:
        dark, native = self._dark(), self._native()
        under = ColorTriplet(*background.rgb)
        return [
            segment
            if segment.style is None or segment.text.isspace() or ord(segment.text[:1] or " ") in _LINES
            else Segment(segment.text, self._styled(segment.style, under, dark, native), segment.control)
            for segment in segments
        ]

    def _styled(self, style: Style, background: ColorTriplet, dark: bool, native: bool) -> Style:
        if style.dim and self._without_dim:
            style += Style(dim=False)
        return readable_style(style, background, dark, native)


ONE_CELL = str.maketrans(
    {
        "→": ">", "←": "<", "↑": "^", "↓": "v", "↔": "-", "≠": "!", "≤": "<", "≥": ">", "…": ".", "∅": "0", "↵": "<",
        "⭘": "o", "▾": "v", "▴": "^", "▼": "v", "▲": "^", "▶": ">", "◀": "<", "⏎": "<", "✓": "+", "⇥": ">",
        "█": "#", "▇": "#", "▀": "-", "▄": "-", "▔": "-", "▁": "_", "▂": "_", "▃": "-", "▅": "=", "▆": "=",
        "▌": "|", "▐": "|", "▊": "|", "▋": "|", "▉": "|", "▍": "|", "▎": "|", "▏": "|", "▕": "|", "▖": ".", "▗": ".",
        "▘": "'", "▝": "'", "▛": "+", "▜": "+", "▙": "+", "▟": "+", "╸": "-", "╺": "-", "╹": "|", "╻": "|", "╱": "/",
        "║": "|", "═": "=", "╔": "+", "╗": "+", "╚": "+", "╝": "+", "┏": "+", "┓": "+", "┗": "+", "┛": "+", "┤": "|",
        "┬": "+", "┴": "+", "╲": "\\", "╋": "+", "┣": "|", "┫": "|", "●": "*", "○": "o", "■": "#", "⣿": "#",
    }
)  # fmt: skip
"""What takes the place of a symbol whose words of ASCII would take more cells, or that only Textual draws."""


@lru_cache(4096)
def in_as_many_cells(text: str, encoding: str) -> str:
    """Return the text as it can be written in that encoding, as wide as before: a question mark for each cell of the rest."""
    return replaced(text, encoding, lambda character: _fitting(character, encoding))


def _fitting(character: str, encoding: str) -> str:
    width = cell_len(character)
    for form in (without_symbols(character, encoding), character.translate(ONE_CELL)):
        if cell_len(form) == width and (form.isascii() or form == character) and writable(form, encoding):
            return form
    return "?" * width


class PlainSymbols(LineFilter):
    """Symbols and letters that the terminal's encoding lacks are replaced, cell by cell."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:  # noqa: ARG002
        return [
            segment
            if segment.text.isascii()
            else Segment(in_as_many_cells(segment.text, self._encoding), segment.style, segment.control)
            for segment in segments
        ]


def lacking(term: str, encoding: str) -> str:
    """Return the encoding to which what is drawn has to be reduced; empty where everything can be.

    A Linux console takes UTF-8, and its fonts have little beyond Latin-1.
    """
    try:
        if term.startswith("linux"):
            return "latin-1" if writable("·ÿ", encoding) else encoding
        return "" if writable("✔▁…", encoding) else encoding
    except LookupError:
        return "ascii"
