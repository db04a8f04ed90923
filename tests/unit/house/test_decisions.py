"""docs/decisions: short pages of one form, each in the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.places import DOCS

DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
WORDS = 250


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_is_short_and_says_where_it_is_in_the_code(page: Path) -> None:
    text = page.read_text("utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "In the code"]
    assert len(text.split()) <= WORDS


def test_the_index_has_every_decision_by_its_title_in_order() -> None:
    index = (DOCS / "decisions" / "README.md").read_text("utf-8")
    listed = re.findall(r"^\| \[(\d{4})\]\(([\w-]+\.md)\) \| (.*) \|$", index, re.MULTILINE)
    titles = [page.read_text("utf-8").partition("\n")[0].removeprefix("# ") for page in DECISIONS]
    assert listed == [(page.name[:4], page.name, title) for page, title in zip(DECISIONS, titles, strict=True)]
