"""The pictures in the documentation are what the app shows of a real incident today.

``make pictures`` takes them anew.
"""

from __future__ import annotations

import difflib
import html
import os
import re

import pytest
from textual.widgets import Button

from replfix.config import load
from replfix.lab import scenarios
from replfix.lab.topology import Lab
from replfix.tui.app import ReplfixApp
from replfix.tui.backend import WiredBackend
from replfix.tui.screens.fleet import COLUMNS
from tests.places import DOCS
from tests.terminal.animated_svg import Frame, animated, shown
from tests.tui.driving import Driver

STILL = DOCS / "pictures" / "incident.svg"
MOVING = DOCS / "pictures" / "journey.svg"
TITLE = "replfix: from a stopped replica to a verified repair"
SIZE = (120, 40)
KILOBYTES = 300
WHERE_THERE_IS_ROOM = {column.title for column in COLUMNS if column.rank} | {"super", "min"}
DRAWN = re.compile(r"[\u2500-\u259f·]+")  # borders, and the history of the lag


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


class Neutral:
    """Replaces what belongs to this lab and this machine by something of the same length."""

    def __init__(self, lab: Lab) -> None:
        self._texts: dict[str, str] = {}
        for server, ours in ((lab.source, "3e11fa47-71ca-11e1-9e33-c80aa9429562"),
                             (lab.replica, "8a94f357-aab4-11df-86ab-c80aa9429489")):  # fmt: skip
            with server.session() as session:
                theirs = str(session.scalar("SELECT @@server_uuid"))
            self._texts |= {
                theirs: ours,
                theirs[:8]: ours[:8],
                f":{server.port}": ":33060"[: len(str(server.port)) + 1],
            }

    def __call__(self, svg: str) -> str:
        for theirs, ours in self._texts.items():
            svg = svg.replace(theirs, ours)
        return re.sub(r"terminal-\d+", "terminal", svg)  # a number that Rich makes of the contents


def words(text: str) -> list[str]:
    """Without what has a digit (ids, times, positions, addresses), without the beginning of an id that a dialog covers,
    without single characters: the lag, of which the polls so far decide; and without columns of the fleet that may be
    left out, because how long a time is decides how many there is room for."""
    found = re.sub(r"\S*\d\S*|\b[a-f]{3,8}\b", "", DRAWN.sub(" ", text)).split()
    return [word for word in found if len(word) > 1 and not word.endswith("…") and word not in WHERE_THERE_IS_ROOM]


def drawn(svg: str) -> str:
    return "\n".join(html.unescape(text) for text in re.findall(r">([^<]*)</text>", svg))


async def test_the_pictures_are_of_today(pair: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "REPLFIX_THEME", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("replfix.audit.trail.operator", lambda: "alice@ops1")
    (pair.directory / "audit.db").unlink(missing_ok=True)
    staged(pair)
    neutral = Neutral(pair)
    config = load(str(pair.config_file))
    backend = WiredBackend(config, [config.target("replica1")], lambda _: None)
    frames: list[Frame] = []
    try:
        app = ReplfixApp(backend, open_incident=False, animate=False)

        def take(caption: str, seconds: float) -> None:
            frames.append(Frame(neutral(app.export_screenshot()), caption, seconds))

        async with app.run_test(size=SIZE) as pilot:
            d = Driver(app, pilot, backend)
            await d.see("✗ error", "Quit")
            take("Every replica, one line for each channel. One has stopped: Enter opens it.", 4)
            await d.press("enter")
            await d.see("Options", "source-wins (recommended)", "nothing more ahead")
            take("The incident: the error, its cause, the rows side by side, the options. Nothing is written.", 7)
            still = neutral(app.export_screenshot(title="replfix"))
            await d.press("p")
            await d.see("Not rehearsed yet")
            take("p: the plan, as SQL, with preconditions and warnings, and whether it can be undone.", 6)
            await d.press("h")
            await d.see("Rehearsed:")
            take("h: the replica runs the plan and the failing transaction, and rolls both back.", 4)
            await d.press("a")
            await d.see("Apply the plan on replica1?")
            d.burst(*"shop.orders")
            await d.until(lambda: not app.screen.query_one("#apply", Button).disabled, "the name is typed")
            take("a: apply. Rows are deleted, so the table's name is typed first. A full copy is saved.", 5)
            await d.press("enter", "enter")
            await d.see("Resolved", "verified")
            take("Resolved: the replica has applied the transaction itself, and its rows were compared.", 5)
            await d.press("escape", "escape")
            await d.see("✔ running", "last action")
            take("Esc: replication is running.", 4)
            await d.press("A")
            await d.see("intent", "outcome")
            take("A: the audit trail has the plan, the deleted row in full, and the SQL to undo it.", 5)
    finally:
        backend.close()
    moving = animated(frames, columns=SIZE[0], lines=SIZE[1], title=TITLE, still=1)
    assert len(moving.encode()) < KILOBYTES * 1000
    if os.environ.get("REPLFIX_UPDATE_PICTURE") == "1":
        STILL.write_text(still, "utf-8")
        MOVING.write_text(moving, "utf-8")
    known = [drawn(STILL.read_text("utf-8")), *shown(MOVING.read_text("utf-8"))]
    differences = [
        f"{number}: {line}"
        for number, (before, now) in enumerate(zip(known, [drawn(still), *shown(moving)], strict=True))
        for line in difflib.unified_diff(words(before), words(now), "picture", "app", lineterm="", n=2)
    ]
    assert not differences, "\n".join(
        ["docs/pictures/ is not what the app shows today; 'make pictures':", *differences]
    )
