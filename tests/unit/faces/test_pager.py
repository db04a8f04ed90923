"""A text in the user's pager: control characters spelt out, in a file that does not stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from textual.app import App, SuspendNotSupported

from replfix.tui.pager import page


class Lending:
    """An app whose terminal can be lent, or not."""

    def __init__(self, possible: bool = True) -> None:
        self.possible = possible
        self.said: list[str] = []

    @contextmanager
    def suspend(self) -> Iterator[None]:
        if not self.possible:
            raise SuspendNotSupported("not here")
        yield

    def notify(self, text: str, **_: Any) -> None:
        self.said.append(text)


def app_of(lending: Lending) -> App[object]:
    return cast("App[object]", SimpleNamespace(suspend=lending.suspend, notify=lending.notify))


def test_what_the_pager_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", f"cp -p -t '{tmp_path}'")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    lending = Lending()
    page(app_of(lending), "one\ntwo\x1b]52;c;AAAA\x07 é\ud800")
    assert lending.said == []
    (kept,) = tmp_path.glob("value.txt")
    assert kept.read_text("utf-8") == "one\ntwo\\x1b]52;c;AAAA\\x07 é\\ud800"


@pytest.mark.parametrize(
    ("pager", "possible", "words"),
    [("/no/such/pager", True, "/no/such/pager"), ("'", True, "quotation"), ("cat", False, "not here")],
)
def test_what_is_said_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, pager: str, possible: bool, words: str
) -> None:
    monkeypatch.setenv("PAGER", pager)
    lending = Lending(possible)
    page(app_of(lending), "text")
    assert len(lending.said) == 1
    assert words in lending.said[0]
