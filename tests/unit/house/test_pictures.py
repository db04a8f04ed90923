"""The pictures of the documentation can be shown anywhere: small, without scripts, and with nothing from elsewhere."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.places import DOCS
from tests.terminal.animated_svg import Frame, animated, shown

PICTURES = sorted((DOCS / "pictures").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"
EXPORTED = """
.terminal-7-r1 { fill: #c5c8c6 }
<rect fill="#14171c" x="0" y="1.5" width="1464" height="24.65" shape-rendering="crispEdges"/>
<text class="terminal-7-r1" x="12.2" y="44.4" textLength="122" clip-path="url(#t)">a&#160;&lt;b&gt;&#160;&#160;{}&#160;</text>
"""


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_small_and_runs_nothing(picture: Path) -> None:
    text = picture.read_text("utf-8")
    assert len(text.encode()) < 300_000
    elements = {element.tag.removeprefix(SVG) for element in ET.fromstring(text).iter()}
    assert elements <= {"svg", "title", "style", "defs", "clipPath", "g", "use", "rect", "circle", "text"}
    assert not re.search(r"\bon\w+=|javascript:|@import", text)


def test_the_moving_picture_asks_for_nothing_and_shows_one_screen_where_nothing_moves() -> None:
    text = (DOCS / "pictures" / "journey.svg").read_text("utf-8")
    assert not re.search(r"url\(|href=\"(?!#)", text)
    assert len(shown(text)) == len(re.findall("@keyframes", text)) == 8
    assert re.findall(r"^(\.f\d*)\{visibility:visible\}$", text, re.MULTILINE) == [".f1"]
    assert "prefers-reduced-motion" in text


def test_lines_that_screens_have_in_common_are_drawn_once() -> None:
    frames = [Frame(EXPORTED.replace("{}", word), f"{word} & more", 1) for word in ("one", "one", "two")]
    made = animated(frames, columns=120, lines=2, title="a test", still=0)
    assert shown(made) == ["\na <b> one\none & more", "\na <b> one\none & more", "\na <b> two\ntwo & more"]
    assert len(re.findall(r'<g id="l', made)) == 3, "the first line, and two second ones"
    assert 'x="97.6"' in made, "two spaces end a piece: the other one begins seven columns on"
    assert "@keyframes k1{0%{visibility:hidden}33.33%{visibility:visible}66.67%{visibility:hidden}}" in made
