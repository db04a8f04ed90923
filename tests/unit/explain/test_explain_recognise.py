"""What clients, frameworks and logs print around a duplicate-key error is taken off, and all that it says is found.

Each file in tests/golden/explain is one text in the shape that its program prints, and in its last line what it says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from replfix.core.explain.forms import FORMS
from replfix.core.explain.recognise import recognise
from tests.places import GOLDEN

SAMPLES = sorted((GOLDEN / "explain").glob("*.txt"))
FIELDS = ("form", "key", "value", "schema", "table", "gtid")


def read(path: Path) -> tuple[str, dict[str, Any]]:
    text, _, expected = path.read_text("utf-8").rpartition("\n#= ")
    found: dict[str, Any] = json.loads(expected)
    return text, found


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_a_sample_is_recognised(path: Path) -> None:
    text, expected = read(path)
    duplicates = recognise(text)
    assert len(duplicates) == 1, duplicates
    duplicate = duplicates[0]
    assert {name: getattr(duplicate, name) for name in FIELDS} == {name: expected.get(name) for name in FIELDS}
    assert duplicate.dialect == expected.get("dialect", "mysql")
    assert list(duplicate.columns) == expected.get("columns", [])
    assert duplicate.replication == (expected["form"] == "replication")
    wanted = expected.get("statement")
    assert (duplicate.statement or "").startswith(wanted) if wanted else duplicate.statement is None


def test_every_form_has_a_sample() -> None:
    sampled = {read(path)[1]["form"] for path in SAMPLES}
    field = (GOLDEN / "explain" / "field").iterdir()
    sampled |= {duplicate.form for path in field for duplicate in recognise(path.read_text("utf-8"))}
    assert len(SAMPLES) >= 40
    assert {form.NAME for form in FORMS} - sampled == set()


def test_several_errors_in_one_text_are_told_apart() -> None:
    text = "\n".join(f"Error 1062 (23000): Duplicate entry '{n}' for key 't.PRIMARY'" for n in (1, 2, 2, 3))
    assert [d.value for d in recognise(text)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Duplicate entry",
        "Duplicate entry '1'",
        "Duplicate entry '%-.64s' for key",
        "ERROR 1064 (42000): You have an error in your SQL syntax",
        "Key (id)=(1) already exists.",
        "duplicate key value violates unique constraint",
    ],
)
def test_what_is_no_such_error_is_not_taken_for_one(text: str) -> None:
    assert recognise(text) == ()


@pytest.mark.parametrize(("size", "cut"), [(60, False), (61, True), (64, True)])
def test_a_value_as_long_as_the_server_prints_may_go_on(size: int, cut: bool) -> None:
    assert recognise(f"Duplicate entry '{'x' * size}' for key 'k'")[0].cut is cut
