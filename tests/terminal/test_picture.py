"""The picture in the README is what the app shows of a real incident today.

``REPLFIX_UPDATE_PICTURE=1 pytest tests/terminal/test_picture.py`` takes it anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest

from replfix.config import load
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ReplicaStatus
from replfix.lab import scenarios
from replfix.lab.topology import Lab
from replfix.ports import Progress
from replfix.tui.app import ReplfixApp
from replfix.tui.backend import WiredBackend
from tests.places import DOCS
from tests.tui.driving import Driver

PICTURE = DOCS / "pictures" / "incident.svg"
SIZE = (120, 40)
WHEN = datetime(2026, 3, 5, 11, 4, 17, tzinfo=UTC)


class Settled:
    """Brings everything that differs from one lab to the next to fixed values, wherever it stands: servers' UUIDs,
    ports, positions, connections, today's times. Rows and words stay as they are."""

    def __init__(self, lab: Lab) -> None:
        self._texts: dict[str, str] = {}
        for server, name in ((lab.source, "3e11fa47-71ca-11e1-9e33-c80aa9429562"),
                             (lab.replica, "8a94f357-aab4-11df-86ab-c80aa9429489")):  # fmt: skip
            with server.session() as session:
                self._texts[str(session.scalar("SELECT @@server_uuid"))] = name
            self._texts[f":{server.port}"] = ":3306"

    def text(self, text: str) -> str:
        for theirs, ours in self._texts.items():
            text = text.replace(theirs, ours)
        text = re.sub(r"connection \d+", "connection 17", text)
        text = re.sub(r"end_log_pos \d+", "end_log_pos 3127", text)
        # the scenario's own times are of March 2026
        return re.sub(r"(?!2026-03-0)20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", f"{WHEN:%Y-%m-%d %H:%M:%S}", text)

    def __call__(self, value: Any) -> Any:
        match value:
            case Enum():
                return value
            case str():
                return self.text(value)
            case datetime():
                return WHEN
            case GtidSet():
                return GtidSet.parse(self.text(str(value)))
            case tuple():
                return tuple(self(item) for item in value)
            case Mapping():
                return {self(key): self(item) for key, item in value.items()}
            case _ if is_dataclass(value) and not isinstance(value, type):
                fixed = {"start_pos": 2816, "end_pos": 3158, "source_port": 3306}
                changed = {f.name: fixed.get(f.name, self(getattr(value, f.name))) for f in fields(value) if f.init}
                return replace(value, **changed)
            case _:
                return value


class SettledBackend(WiredBackend):
    """The real one; only what is shown of its answers is brought to fixed values."""

    settled: Settled

    def poll(self, name: str) -> ReplicaStatus:
        status: ReplicaStatus = self.settled(super().poll(name))
        return status

    def investigate(self, name: str, channel: str | None, progress: Progress) -> Diagnosis | None:
        found: Diagnosis | None = self.settled(super().investigate(name, channel, progress))
        return found


def staged(lab: Lab) -> None:
    """The row of the replica and the one that comes were written within the same second, so that the picture does not
    depend on whether ``updated_at`` differs."""
    for _ in range(10):
        lab.reset()
        scenarios.find("duplicate-primary").stage(lab)
        times = []
        for server in (lab.source, lab.replica):
            with server.session() as session:
                times.append(session.scalar("SELECT CAST(updated_at AS CHAR) FROM shop.orders WHERE id = 5"))
        if times[0] == times[1]:
            return
    raise AssertionError("ten times across the end of a second")


def normal(svg: str) -> str:
    """Without the number that Rich makes of the contents, to keep one export's styles apart from another's."""
    return re.sub(r"terminal-\d+", "terminal", svg)


async def test_the_picture_in_the_readme_is_of_today(pair: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "REPLFIX_THEME", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    staged(pair)
    config = load(str(pair.config_file))
    backend = SettledBackend(config, [config.target("replica1")], lambda _: None)
    backend.settled = Settled(pair)
    try:
        app = ReplfixApp(backend, animate=False)
        async with app.run_test(size=SIZE) as pilot:
            d = Driver(app, pilot, backend)
            await d.see("Options", "source-wins (recommended)")
            picture = normal(app.export_screenshot(title="replfix"))
    finally:
        backend.close()
    if os.environ.get("REPLFIX_UPDATE_PICTURE") == "1":
        PICTURE.write_text(picture, "utf-8")
    known = PICTURE.read_text("utf-8") if PICTURE.exists() else ""
    assert picture == known, (
        "docs/pictures/incident.svg is not what the app shows today. Look at it after: "
        "REPLFIX_UPDATE_PICTURE=1 pytest tests/terminal/test_picture.py"
    )
