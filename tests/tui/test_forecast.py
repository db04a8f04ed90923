"""The backlog's conflicts: as a line on the incident once they are known, and as a screen of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from replfix.errors import ConnectError, ReplicationError
from replfix.tui.screens.forecast import ForecastScreen
from replfix.tui.screens.incident import IncidentScreen
from replfix.tui.widgets.line_list import LineList
from tests.tui.backend import FakeBackend
from tests.tui.driving import Driver, driving
from tests.unit.faces.test_forecast_page import HOSTILE, MANY
from tests.unit.making import ORDERS, inserted
from tests.unit.making_forecasts import forecast

SMALL = (80, 24)


async def test_a_forecast_in_the_background_then_its_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    backend = FakeBackend.broken(ahead=MANY)
    with backend.hold("forecast brief"):
        async with driving(backend, size=SMALL) as d:
            await d.see("Why", "Looking for more conflicts in the backlog")  # the diagnosis does not wait for it
            backend.release()
            await _from_the_line_to_the_screen_and_back(d, tmp_path)
    assert backend.forecasts == ["db2 '' brief, read", "db2 '' all, read", "db2 '' values"], (
        "Esc has ended the last one"
    )


async def _from_the_line_to_the_screen_and_back(d: Driver, saved: Path) -> None:
    backend = d.backend
    await d.see("f  and at least 12 more conflicts ahead")
    await d.press("f")
    await d.on(ForecastScreen)
    await d.see("13 conflicts ahead stop the replica", "Not everything was looked at.", "✗··")
    await d.see("✗ stops   · no conflict   ? looked at in part", "▸ ✗ 1. ✗ duplicate shop.orders", "'R-1'")
    await d.press("end")
    await d.see("▸ ✗ 13. ∅ missing shop.orders", "stops the applier with error 1032", "'A-99'")
    d.screen.query_one("#forecast-page").scroll_end(animate=False)
    await d.see("Who wrote the rows", "DELETE FROM shop.orders WHERE total < 5", "? 4,000 transactions")
    await d.press("m")
    await d.until(lambda: list(saved.glob("replfix-forecast-db2-*.md")), "the report")
    assert backend.forecasts == ["db2 '' brief, read"]  # what is known is not read again
    backend.ahead = replace(MANY, conflicts=MANY.conflicts[:1], groups=())
    await d.press("r")
    await d.see("1 conflict ahead stops the replica")
    assert d.screen.query_one("#forecast-list", LineList).count == 1
    with backend.hold("forecast values"):
        await d.press("s")
        await d.see("Comparing the backlog: 0 of 10 transactions")
        await d.press("escape")
        await d.see("Stopped: the rest of the backlog was not looked at.", "1 conflict ahead")
    await d.press("escape")
    await d.on(IncidentScreen)


async def test_what_is_not_known_a_server_that_is_gone_and_hostile_texts() -> None:
    backend = FakeBackend.broken(ahead=ReplicationError("The binlog is purged."))
    async with driving(backend, size=SMALL) as d:
        await d.see("? Whether more conflicts wait in the backlog is unknown: The binlog is purged.")
        with backend.hold("forecast brief"):
            await d.press("r")
            await d.see("Looking for more conflicts in the backlog")
            backend.answers["db2"] = ConnectError("Cannot connect to db2:3306.")
            await d.gone("Looking for more conflicts")
        backend.diagnoses[("db2", "")] = ConnectError("Cannot connect to db2:3306.")
        await d.press("r")
        await d.see("Cannot connect to db2:3306.")
        await d.press("f")  # asked for: it is tried
        await d.on(ForecastScreen)
        await d.see("The binlog is purged.")
        found = forecast([inserted(ORDERS, 1, HOSTILE, None)], held=[(1, f"{HOSTILE}2", None)])
        backend.ahead = replace(found, channel=HOSTILE)
        await d.press("r")
        await d.see("a[bold]b", "▸ ✗ 1. ✗ duplicate shop.orders")
        assert "\x1b" not in d.text, "texts of servers are not obeyed"
        assert "\u202e" not in d.text
    assert backend.forecasts == ["db2 '' brief, read", "db2 '' brief", *["db2 '' all, read"] * 2]
