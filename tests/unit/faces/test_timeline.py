"""The backlog as a bar, and the sizes that forecast's options take."""

from __future__ import annotations

from dataclasses import replace

import click
import pytest

from replfix.cli.commands.forecast import _Size
from replfix.core.conflicts.ahead.forecast import Forecast
from replfix.present.page.page_model import plain
from replfix.present.timeline import legend, timeline
from tests.unit.faces.test_forecast_page import INSERT, MANY, NO_KEY, SILENT
from tests.unit.making_forecasts import forecast


@pytest.mark.parametrize(
    ("found", "width", "bar"),
    [
        (forecast(), 10, ""),
        (forecast(count=3), 10, "···"),
        (INSERT, 10, "✗"),
        (SILENT, 10, "≠-"),
        (replace(INSERT, scanned=replace(INSERT.scanned, transactions=100)), 10, "✗·········"),
        (replace(SILENT, scanned=replace(SILENT.scanned, transactions=100)), 10, "≠·········"),  # the worst of a cell
        (MANY, 11, "✗·········?"),
        (forecast(count=3, unscanned=(NO_KEY,)), 10, "···?"),
        (replace(INSERT, conflicts=(replace(INSERT.conflicts[0], number=None),)), 10, ""),
    ],
)
def test_the_bar(found: Forecast, width: int, bar: str) -> None:
    assert plain(timeline(found, width)) == bar


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (INSERT, "✗ stops   · no conflict"),
        (SILENT, "≠ overwrites   - deletes without an error   · no conflict"),
        (MANY, "✗ stops   · no conflict   ? looked at in part"),
    ],
)
def test_what_its_signs_mean(found: Forecast, said: str) -> None:
    assert plain(legend(found)) == said


@pytest.mark.parametrize(
    ("text", "size"), [("300M", 300 << 20), ("2g", 2 << 30), ("64KiB", 64 << 10), ("1000", 1000), ("10MB", 10 << 20)]
)
def test_a_size(text: str, size: int) -> None:
    assert _Size().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "M", "3.5M", "-1", "300X"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no size"):
        _Size().convert(text, None, None)
