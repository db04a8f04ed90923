"""The report of the advisor: read, read again, saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from replfix.errors import ConnectError
from replfix.tui.screens.advisor import AdvisorScreen
from replfix.tui.screens.fleet import FleetScreen
from tests.tui.backend import FakeBackend
from tests.tui.driving import Driver, driving

DOWN = ConnectError("Cannot connect to db2:3306: connection refused.", "Is the server up?")


async def at_advisor(d: Driver) -> None:
    await d.press("K")
    await d.on(AdvisorScreen)


async def test_findings_map_and_plan() -> None:
    async with driving(FakeBackend(), size=(140, 80)) as d:
        await at_advisor(d)
        await d.see("same-numbers", "primary1  ✘  ✘", "Plan for 2 writers", "SET PERSIST auto_increment_offset = 2")
        await d.press("escape")
        await d.on(FleetScreen)


async def test_while_it_reads_and_again() -> None:
    backend = FakeBackend()
    async with driving(backend, size=(140, 24)) as d:
        with backend.hold("advise"):
            await at_advisor(d)
            await d.see("Reading db2")
            assert "Markdown" not in d.text  # nothing to save yet
        await d.see("increment/offset", "Markdown")
        await d.press("r")
        await d.until(lambda: backend.calls.count("advise") == 2, "read again")


async def test_no_server_answers() -> None:
    async with driving(FakeBackend(advice=DOWN)) as d:
        await at_advisor(d)
        await d.see("✗ Cannot connect to db2:3306", "Is the server up?")


async def test_saved_for_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with driving(FakeBackend()) as d:
        await at_advisor(d)
        await d.see("increment/offset")
        await d.press("m", "h")
        await d.until(lambda: len(list(tmp_path.iterdir())) == 2, "two files")
    files = {path.suffix: path for path in tmp_path.iterdir()}
    assert files[".md"].read_text().startswith("# How primary1 and primary2")
    assert "How primary1 and primary2 keep" in files[".html"].read_text()
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
