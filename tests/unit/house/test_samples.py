"""Every block of the documentation that shows what a command prints says where it comes from; tests with servers run it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from replfix.lab import scenarios
from tests.places import DOCS, ROOT
from tests.samples import PAGES, Sample, excerpt, masked, samples, shown

TYPED = re.compile(r"^ *(?:\$ )?(?:(?:replfix|make|pipx|openssl)\b|REPLFIX_\w+=|\.venv/)|^ *#|^ *$")
FENCE = re.compile(r"^ *```(\w*)$")
SHOWN = [page for page in PAGES if page.parent.name != "errors" and page.name != "development.md"]
"""The pages of errors quote servers; what is typed there has a language."""


def outputs(page: Path) -> list[tuple[str, str]]:
    """The blocks that are in no language and not only typed, each with the line before it."""
    found = []
    lines = page.read_text().splitlines()
    fences = [number for number, line in enumerate(lines) if FENCE.match(line)]
    for start, end in zip(fences[::2], fences[1::2], strict=True):
        block = re.sub(r"\\\n", " ", "\n".join(lines[start + 1 : end]))
        if lines[start].strip() == "```" and not all(TYPED.match(line) for line in block.splitlines()):
            found.append((lines[start - 1], block))
    return found


STATES = ("", ", being resolved", ", resolved", ", being kept", ", kept")
BY_HAND = {"a row that a repair took out", "a copy without its GTIDs"}


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_an_output_says_where_it_comes_from(page: Path) -> None:
    assert [block for before, block in outputs(page) if not re.fullmatch(r"<!-- sample: .+ -->", before)] == []


def test_each_sample_is_of_something_that_a_test_stages() -> None:
    known = {name + state for name in scenarios.names() for state in STATES} | BY_HAND
    assert [sample.name for sample in samples() if sample.staged not in known] == []
    assert len(list(samples())) > 10


def test_what_differs_from_machine_to_machine_is_no_difference() -> None:
    here = "✔ 127.0.0.1:4000 is 182d5cbc-e58e-11f1-ac05-02fc00000001, by connection 7, 2026-11-21 09:38:18 UTC, 38bd5bbb9bc0\n"
    there = "✔ 127.0.0.1:53753 is 3e11fa47-…, by\n  connection 123, 2027-01-01 00:00:00 UTC, 573efa602245\n"
    assert masked(here) == masked(there)
    assert masked(here) != masked(here.replace("✔", "✘"))


def test_an_excerpt_is_a_line_and_what_is_under_it() -> None:
    printed = shown("Why\n  ● one (high):\n    - because\n  ● two (low):\n\nPlan\n  1. DELETE\n")
    sample = Sample(DOCS / "README.md", 1, "", "", "", ("● one", "Plan"), "", "", "")
    assert excerpt(printed, sample) == "● one (high):\n  - because\n…\nPlan\n  1. DELETE\n"
    assert excerpt(printed, replace(sample, starts=(), end="● two")) == "Why\n  ● one (high):\n    - because\n"
