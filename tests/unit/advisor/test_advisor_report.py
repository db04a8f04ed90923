"""What a report of the advisor is made of: the map of numbers, and what changed since an earlier one."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from io import StringIO
from xml.etree import ElementTree

import pytest
from rich.console import Console

from replfix.cli.documents.earlier_advice import EarlierAdvice
from replfix.core.advisor.changes import Changes, Mark, compare
from replfix.core.advisor.node import IncrementSetting
from replfix.core.advisor.number_map import Writer, number_map
from replfix.core.advisor.recommend import conclude
from replfix.core.advisor.rollout import rollout
from replfix.core.schema.table import TableName
from replfix.present.page.advice_page import Advice, advice_page
from replfix.present.page.drawing import svg
from replfix.present.page.html_page import html
from replfix.present.page.markdown_page import markdown
from replfix.present.page.page_model import Drawing, Link, Page, Place
from replfix.present.page.rich_page import page_text
from tests.unit.advisor.making_topologies import ORDERS, circle, node

SINCE = datetime(2026, 11, 1, tzinfo=UTC)


def test_the_map_says_who_gives_which_number() -> None:
    apart = number_map([Writer("a", IncrementSetting(2, 1)), Writer("b", IncrementSetting(2, 2))])
    assert apart is not None
    assert (apart.last, apart.whole, apart.clashes) == (10, True, 0)
    assert [[w.name for w in apart.given(n)] for n in (1, 2, 3)] == [["a"], ["b"], ["a"]]
    same = number_map([Writer("a", IncrementSetting(1, 1)), Writer("b", IncrementSetting(2, 2))])
    assert same is not None
    assert same.clashes == 5


def test_a_map_that_would_be_too_wide_is_cut() -> None:
    wide = number_map([Writer("a", IncrementSetting(100, 7)), Writer("b", IncrementSetting(3, 1))])
    assert wide is not None
    assert (wide.last, wide.whole) == (24, False)
    assert number_map([]) is None


def mark(code: str, message: str = "m", severity: str = "warning", table: str | None = None) -> Mark:
    return Mark(code, severity, None, table, message)


def changes(earlier: list[Mark], now: list[Mark]) -> Changes:
    return compare(SINCE, earlier, now, servers_earlier=["a", "c"], servers_now=["a", "b"])


def test_what_is_new_gone_and_graver() -> None:
    found = changes(
        [mark("head-room", "12 left", table="d.t"), mark("same-numbers", "a and b"), mark("open-key", table="d.t")],
        [
            mark("head-room", "3 left", "critical", "d.t"),
            mark("same-numbers", "a and b"),
            mark("same-numbers", "a and c"),
        ],
    )
    assert [m.message for m in found.new] == ["a and c"]
    assert [m.code for m in found.gone] == ["open-key"]
    assert [m.message for m in found.graver] == ["3 left"]
    assert found.remaining == 2
    assert (found.servers_new, found.servers_gone) == (("b",), ("c",))
    assert not found.nothing


def test_the_same_again_is_no_change() -> None:
    marks = [mark("open-key", "key u"), mark("open-key", "key v")]
    found = compare(SINCE, marks, reversed(marks), servers_earlier=["a"], servers_now=["a"])
    assert found.nothing
    assert found.remaining == 2


HOSTILE = TableName("sh</pre><script>alert(1)</script>op", "o`|r[/b]\x1b[31md\u202es")


def report_of(table: TableName = ORDERS, changed: Changes | None = None) -> Page:
    survey = circle(node(1, table=table, counter=2**31 - 9), node(2, table=table))
    return advice_page(Advice(conclude(survey), changed, rollout(survey)))


class Tags(HTMLParser):
    """Which elements there are; every one that is opened has to be closed in its order."""

    VOID = ("meta",)

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not [name for name, value in attrs if name in ("src", "href") or name.startswith("on")]
        self.seen.append(tag)
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    @classmethod
    def of(cls, html: str) -> list[str]:
        tags = cls()
        tags.feed(html)
        tags.close()
        assert tags._open == []
        return tags.seen


def test_html_holds_names_as_text_and_loads_nothing() -> None:
    since = changes([mark("open-key", "<img src=x>")], [mark("same-numbers", "<b>a")])
    seen = Tags.of(html(report_of(HOSTILE, since)))
    assert {"script", "img", "link", "b"}.isdisjoint(seen)
    assert seen.count("svg") == 1
    written = html(report_of(HOSTILE))
    assert "&lt;script&gt;" in written
    assert "\x1b" not in written
    assert "\\u202e" in written


@pytest.mark.parametrize("name", ["</svg><script>alert(1)</script>", '" onload="alert(1)', "\x1b[31m\u202e", "x" * 300])
@pytest.mark.parametrize("links", [((0, 1),), ((0, 1), (1, 0)), ((0, 1), (1, 2), (2, 0)), ((0, 1), (0, 1), (0, 2))])
def test_a_drawing_is_well_formed_whatever_its_names_are(name: str, links: tuple[tuple[int, int], ...]) -> None:
    places = tuple(Place(name, (name, "no")) for _ in range(3))
    drawn = str(svg(Drawing(places, tuple(Link(a, b, name) for a, b in links))))
    root = ElementTree.fromstring(drawn)
    tags = [element.tag for element in root.iter()]
    assert set(tags) <= {"svg", "defs", "marker", "path", "g", "title", "rect", "text", "line"}
    assert (tags.count("rect"), tags.count("line")) == (3, len(links))
    assert not any(attribute.startswith("on") for element in root.iter() for attribute in element.attrib)
    assert drawn.replace("\n", "").isprintable()
    numbers = [float(e.attrib[a]) for e in root.iter() if e.tag == "rect" for a in ("x", "y")]
    assert all(number >= 0 for number in numbers)
    left = sorted((float(e.attrib["x"]), float(e.attrib["y"])) for e in root.iter() if e.tag == "rect")
    assert len(set(left)) == 3, "no server is drawn over another"


def test_every_format_says_the_same() -> None:
    page = report_of(changed=changes([mark("open-key", "gone by now")], [mark("same-numbers", "come anew")]))
    console = Console(file=StringIO(), width=200, markup=False)
    console.print(*page_text(page))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for written in (text, markdown(page), unescape(html(page))):
        assert all(code in written for code in ("same-numbers", "increment-too-small", "head-room"))
        assert "SET PERSIST auto_increment_offset = 2;" in written
        assert written.count("What helps: as above, for ") == 1
        assert "gone by now" in written
        assert "come anew" in written
        assert "100.0" in written.replace("\\", "")  # head room
        assert "Go on when" in written
        assert "✘" in written


def test_markdown_ends_no_fence_and_no_cell() -> None:
    lines = markdown(report_of(HOSTILE)).split("\n")
    fences = [line for line in lines if line.lstrip().startswith("```")]
    assert len(fences) % 2 == 0
    assert not any("<script>" in line for line in lines if not line.lstrip().startswith(("ALTER", "SET")))
    widths = {line.count(" | ") for line in lines if line.startswith("| ") and "<code>" in line}
    assert len(widths) <= 2  # of the head room and of the next ids


def test_an_earlier_report_of_another_version_is_read() -> None:
    earlier = EarlierAdvice.model_validate(
        {
            "schema": "replfix.advise/1",
            "read_at": "2026-11-01T00:00:00Z",
            "nodes": [{"name": "a", "later": 1}],
            "findings": [
                {"code": "c", "severity": "info", "node": None, "table": "t", "message": "m", "evidence": [], "more": 2}
            ],
            "plan": None,
        }
    )
    assert earlier.marks() == [Mark("c", "info", None, "t", "m")]
