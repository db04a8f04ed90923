"""Texts can be read in every theme, and symbols are there in every encoding: checked colour by colour, no screen is drawn."""

from __future__ import annotations

import ast
import unicodedata

import pytest
from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor

from replfix.tui.screens.fleet import STYLES
from replfix.tui.terminal_filters import (
    BLACK,
    PALETTE,
    WANTED,
    WHITE,
    PlainSymbols,
    Readable,
    in_as_many_cells,
    lacking,
    ratio,
    readable,
    readable_style,
    shown,
)
from replfix.tui.themes import THEMES
from tests.places import ROOT

GREYS = [Color.from_rgb(n, n, n).get_truecolor() for n in range(0, 256, 15)]


def test_the_ratio_is_that_of_the_standard() -> None:
    assert ratio(BLACK, WHITE) == pytest.approx(21)
    assert ratio(WHITE, WHITE) == 1
    assert ratio(Color.parse("#767676").get_truecolor(), WHITE) == pytest.approx(4.54, abs=0.01)


def test_every_colour_can_be_read_on_every_background() -> None:
    for background in (*GREYS, *PALETTE):
        for colour in (*GREYS, *PALETTE):
            found = readable(colour, background)
            assert ratio(found, background) >= WANTED
            assert found == colour or ratio(colour, background) < WANTED, "what can be read is left as it is"


@pytest.mark.parametrize("dark", [True, False])
def test_the_terminals_own_colours_are_replaced_by_each_other(dark: bool) -> None:
    default, front = (BLACK, PALETTE[7]) if dark else (WHITE, BLACK)
    for back in (None, *range(16)):
        for number in (None, *range(16)):
            style = Style(
                color=None if number is None else Color.from_ansi(number),
                bgcolor=None if back is None else Color.from_ansi(back),
            )
            found = readable_style(style, default, dark, True)
            assert ratio(shown(found.color, front), shown(found.bgcolor, default)) >= WANTED, (number, back)
            assert found.color is None or found.color.triplet is None, "its own palette"


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_style_of_a_state_and_every_colour_of_a_theme_can_be_read(theme: object) -> None:
    grounds = [Color.parse(str(getattr(theme, name))).get_truecolor() for name in ("background", "surface", "panel")]
    names = ("primary", "secondary", "accent", "success", "warning", "error")
    colours = [Style(color=Color.parse(str(getattr(theme, name)))) for name in names]
    for style in (*colours, *map(Style.parse, STYLES.values()), Style(color="red"), Style(color="cyan")):
        for ground in grounds:
            found = readable_style(style, ground, bool(getattr(theme, "dark", False)), False)
            assert ratio(shown(found.color, PALETTE[7] if getattr(theme, "dark", False) else BLACK), ground) >= WANTED


def test_lines_and_empty_cells_keep_their_style_and_dim_goes_where_it_is_dark_grey() -> None:
    grey = Style(color="#333333", bgcolor="#303030")
    filtered = Readable(lambda: True, lambda: False, without_dim=True).apply(
        [Segment("─", grey), Segment("  ", grey), Segment("a", grey), Segment("b", Style(dim=True)), Segment("c")],
        TextualColor(0, 0, 0),
    )
    assert [segment.style for segment in filtered[:2]] == [grey, grey]
    assert filtered[2].style != grey
    assert filtered[3].style is not None
    assert not filtered[3].style.dim
    assert filtered[4].style is None


# --- symbols ---


def symbols() -> set[str]:
    """Every character beyond Latin-1 in what the package may show, and what Textual draws boxes and bars with."""
    found = set("─│┌┐└┘├┤█▀▄▌▐▊▎▏▁▂▃▄▅▆▇╭╮╰╯│─▔⭘")
    for path in [*(ROOT / "replfix" / "tui").rglob("*.py"), *(ROOT / "replfix" / "present").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 400:
                found |= {c for c in node.value if ord(c) > 255 and unicodedata.category(c) != "Lo"}
    return found


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "iso8859-15", "cp1252"])
def test_every_symbol_has_one_of_as_many_cells_in_every_encoding(encoding: str) -> None:
    for symbol in symbols() | set("·×—"):
        plain = in_as_many_cells(symbol, encoding)
        assert cell_len(plain) == cell_len(symbol), symbol
        plain.encode(encoding)
        assert plain.strip("?"), f"{symbol} ({ord(symbol):x}) has no plain form"


def test_what_has_no_plain_form_is_a_question_mark_for_each_cell() -> None:
    assert in_as_many_cells("✔ 請é", "ascii") == "+ ???"
    assert in_as_many_cells("✔ 請é", "latin-1") == "+ ??é"
    (segment,) = PlainSymbols("ascii").apply([Segment("→ b", Style(bold=True))], TextualColor(0, 0, 0))
    assert (segment.text, segment.style) == ("> b", Style(bold=True))


@pytest.mark.parametrize(
    ("term", "encoding", "wanted"),
    [
        ("xterm-256color", "utf-8", ""),
        ("xterm", "iso8859-1", "iso8859-1"),
        ("linux", "utf-8", "latin-1"),
        ("xterm", "no-such-encoding", "ascii"),
        ("linux", "ascii", "ascii"),
        ("linux", "no-such", "ascii"),
    ],
)
def test_what_a_terminal_lacks(term: str, encoding: str, wanted: str) -> None:
    assert lacking(term, encoding) == wanted
