"""The list of all replicas: polling goes on in it and disturbs nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from textual.widgets import Input

from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ChannelStatus
from replfix.core.replication.source_gap import SourceGap
from replfix.errors import ConnectError
from replfix.tui.screens.audit import AuditScreen
from replfix.tui.screens.fleet import FleetScreen
from replfix.tui.screens.incident import IncidentScreen
from replfix.tui.widgets.row_table import RowTable
from replfix.tui.widgets.text_dialog import TextDialog
from tests.tui.backend import (
    BROKEN,
    Answer,
    FakeBackend,
    diagnosis_of,
    failing,
    fleet,
    running,
    stands,
    stopped_by_hand,
)
from tests.tui.driving import Driver, driving
from tests.unit.making import REPLICA, SOURCE

THREE = ("db1", "db2", "db3")


Gaps = dict[str, Mapping[str, SourceGap] | BaseException]


def gap(backlog: str, errant: str) -> dict[str, SourceGap]:
    return {"": SourceGap(GtidSet.parse(backlog), OnlyHere(GtidSet.parse(errant)))}


def elsewhere(channel: ChannelStatus) -> ChannelStatus:
    return replace(channel, source_host="elsewhere")


def table(d: Driver) -> RowTable:
    return d.screen.query_one(RowTable)


def selected(d: Driver) -> tuple[str, str] | None:
    assert isinstance(d.screen, FleetScreen)
    return d.screen.selected


def names(d: Driver) -> list[str]:
    return [key[0] for key in table(d).order]


async def test_a_row_for_each_channel_with_state_lag_and_error_the_worst_first() -> None:
    answers: dict[str, Answer] = {
        "db1": stands(running(4), failing(1032, "eu", words="Can't find record in 'orders'")),
        "db2": stands(stopped_by_hand()),
        "db3": ConnectError("Cannot connect to db3:3306: refused.", "Is it up?"),
    }
    async with driving(FakeBackend(THREE, answers=answers), open_incident=False) as d:
        await d.see("✔ running", "✗ error", "■ stopped", "? unreachable", "1032", "Cannot connect to db3:3306", "4 s")
        assert names(d) == ["db1", "db3", "db2", "db1"]
        assert "1 ✗ error" in d.text
        for words in ("(default)", "eu"):
            assert words in d.text


async def test_polling_changes_cells_and_never_moves_the_cursor() -> None:
    backend = FakeBackend(THREE)
    async with driving(backend) as d:
        await d.see("3 ✔ running")
        await d.press("down")
        assert selected(d) == ("db2", "")
        backend.answers["db3"] = stands(running(77))
        backend.answers["db2"] = stands(running(5))
        await d.see("77 s", "5 s")
        assert selected(d) == ("db2", "")
        # a row above comes, and goes: the cursor stays on its replica, not on its line
        backend.answers["db1"] = stands(running(), running(name="west"))
        await d.see("west")
        assert selected(d) == ("db2", "")
        assert table(d).cursor == 2
        backend.answers["db1"] = stands(running())
        await d.gone("west")
        assert selected(d) == ("db2", "")
        assert table(d).cursor == 1


async def test_the_cursor_stays_on_its_replica_while_rows_trade_places() -> None:
    backend = FakeBackend(THREE)
    async with driving(backend, open_incident=False) as d:
        await d.see("3 ✔ running")
        await d.press("down")
        assert selected(d) == ("db2", "")
        backend.answers["db3"] = BROKEN
        await d.see("✗ error")
        assert names(d) == ["db3", "db1", "db2"]
        assert selected(d) == ("db2", "")


async def test_a_replica_that_does_not_answer_holds_up_nobody() -> None:
    backend = FakeBackend(THREE)
    with backend.hold("poll db2"):
        async with driving(backend) as d:
            await d.see("2 ✔ running", "· asking")
            backend.answers["db3"] = stands(running(42))
            await d.see("42 s")
            await d.press("end")  # the keys answer, too
            assert selected(d) == ("db2", "")
            assert "db2" not in backend.polls
            backend.free("poll db2")


async def test_unreachable_comes_back_by_itself() -> None:
    backend = FakeBackend(THREE, answers={"db2": ConnectError("Cannot connect to db2:3306: refused.")})
    async with driving(backend) as d:
        await d.see("? unreachable", "refused")
        await d.press("enter")
        await d.until(lambda: any("refused" in n for n in d.notifications))
        assert isinstance(d.screen, FleetScreen)
        backend.answers["db2"] = stands(running())
        await d.see("3 ✔ running")


async def test_a_bug_in_polling_shows_in_its_row() -> None:
    async with driving(FakeBackend(answers={"db2": ZeroDivisionError("oops")})) as d:
        await d.see("? unreachable", "ZeroDivisionError", "oops")


async def test_a_server_without_a_channel_keeps_its_row() -> None:
    backend = FakeBackend(THREE, answers={"db2": stands()})
    async with driving(backend) as d:
        await d.see("2 ✔ running", "no channel")
        assert names(d) == ["db2", "db1", "db3"]


async def test_filter() -> None:
    backend = FakeBackend(("alpha", "beta", "gamma"), answers={"beta": BROKEN})
    async with driving(backend, open_incident=False) as d:
        await d.see("2 ✔ running", "✗ error")
        await d.press("slash")
        await d.type("ERR")
        await d.until(lambda: names(d) == ["beta"])
        await d.see("2 hidden")
        await d.press("enter")
        assert d.app.focused is table(d)
        backend.answers["gamma"] = BROKEN  # what begins to match comes in
        await d.until(lambda: names(d) == ["beta", "gamma"])
        backend.answers["beta"] = stands(running())
        await d.until(lambda: names(d) == ["gamma"])
        await d.press("escape")
        await d.until(lambda: names(d) == ["gamma", "alpha", "beta"])
        assert not d.screen.query_one("#filter", Input).display


async def test_a_filter_that_nothing_matches() -> None:
    async with driving(FakeBackend(THREE)) as d:
        await d.see("3 ✔ running")
        await d.press("slash")
        await d.type("nowhere")
        await d.until(lambda: names(d) == [])
        await d.press("enter", "enter")  # nothing to open
        assert isinstance(d.screen, FleetScreen)


async def test_errors_come_first_and_s_or_a_heading_changes_the_order() -> None:
    answers: dict[str, Answer] = {"c": stands(running(1)), "a": stands(running(9)), "b": BROKEN}
    gaps: Gaps = {
        "c": gap(f"{SOURCE}:6-10", ""),
        "a": gap("", f"{REPLICA}:1-3"),
        "b": gap(f"{SOURCE}:6-7", f"{REPLICA}:9"),
    }
    async with driving(FakeBackend(("c", "a", "b"), answers=answers, gaps=gaps), size=(200, 30)) as d:
        await d.press("escape")
        await d.see("✗ error", "9 s", "1 s", "! 3", "! 1")
        assert names(d) == ["b", "c", "a"]
        orders = {
            "configured": ["c", "a", "b"],
            "replica": ["a", "b", "c"],
            "lag": ["a", "c", "b"],
            "backlog": ["c", "b", "a"],
            "errant": ["a", "b", "c"],
        }
        for by, order in orders.items():
            await d.press("s")
            await d.see(f"ordered by {by}")
            assert names(d) == order, by
        heading = next(line for line in d.text.splitlines() if "threads" in line)
        await d.pilot.click("#fleet", offset=(heading.index("state"), 0))
        await d.until(lambda: names(d) == ["b", "c", "a"])
        await d.pilot.click("#fleet", offset=(heading.index("backlog"), 0))
        await d.until(lambda: names(d) == ["c", "b", "a"])


async def test_a_line_has_the_numbers_of_its_channel_and_the_details_have_all_of_it() -> None:
    behind, stray = f"{SOURCE}:6-1005", f"{REPLICA}:1-3"
    answers: dict[str, Answer] = {"db1": BROKEN, "db2": stands(running(3), read_only=False, super_read_only=False)}
    gaps: Gaps = {
        "db1": gap(behind, stray),
        "db2": ConnectError("The source: refused."),
    }
    async with driving(FakeBackend(("db1", "db2"), answers=answers, gaps=gaps), size=(200, 40)) as d:
        await d.press("escape")
        await d.see("! 3")
        lines = {line.split()[2]: line.split() for line in d.text.splitlines() if line[1:2] in "✗✔"}
        assert lines["db1"][3:6] == ["source:3306", "✔", "✗"]
        assert lines["db1"][-12:-4] == ["1", "1000", "!", "3", "super", "9.7.4", "1062", "Write_rows"]
        assert lines["db2"][3:7] == ["source:3306", "✔", "✔", "3"]
        assert lines["db2"][-5:] == ["1", "?", "?", "off", "9.7.4"]
        await d.press("v")
        await d.on(TextDialog)
        await d.see(behind, stray, "applier's error", "db1:3306, MySQL 9.7.4")
        await d.press("y")
        await d.until(lambda: BROKEN.channels[0].applier_message in d.app.clipboard)
        await d.press("escape", "down", "v")
        await d.see("unknown", "The source: refused.")


async def test_groups_by_source_fold() -> None:
    answers: dict[str, Answer] = {"db1": stands(elsewhere(running())), "db3": ConnectError("Lost db3.")}
    async with driving(FakeBackend(("db1", "db2", "db3"), answers=answers)) as d:
        await d.see("2 ✔ running", "? unreachable")
        await d.press("g")
        await d.see("▾ no source   1 ? unreachable", "▾ source elsewhere:3306", "▾ source source:3306   1 ✔ running")
        assert names(d) == ["", "db3", "", "db1", "", "db2"]
        await d.press("home", "enter")
        await d.see("▸ no source")
        assert names(d) == ["", "", "db1", "", "db2"]
        await d.press("v", "r", "enter")  # there is nothing to show of a source
        await d.see("▾ no source")
        await d.press("g")
        await d.until(lambda: names(d) == ["db3", "db1", "db2"])


async def test_columns_without_room_and_those_that_say_nothing_are_left_out() -> None:
    answers: dict[str, Answer] = {"db1": BROKEN}
    async with driving(FakeBackend(("db1", "db2"), answers=answers), size=(200, 30), open_incident=False) as d:
        await d.see("✗ error")
        await d.polled("db2")
        wide = ("state", "replica", "source", "threads", "lag", "graph", "gap", "read_only", "version", "error")
        assert table(d).titles == wide
        await d.pilot.resize_terminal(80, 24)
        await d.until(lambda: table(d).titles == ("state", "replica", "lag", "error"))
        assert "1062 Write_rows on shop.orders key orders.P" in d.text


async def test_sixty_replicas() -> None:
    backend = FakeBackend(fleet(60), poll_seconds=0.3)
    async with driving(backend) as d:
        await d.see("60 ✔ running")
        assert len(table(d).order) == 60
        await d.press("end")
        assert selected(d) == ("db060", "")
        backend.answers["db060"] = stands(running(55))
        await d.see("55 s")
        assert selected(d) == ("db060", "")


async def test_the_first_stopped_channel_opens_by_itself_once() -> None:
    backend = FakeBackend.broken(names=THREE)
    async with driving(backend) as d:
        await d.on(IncidentScreen)
        await d.see("local-write")
        await d.press("escape")
        await d.on(FleetScreen)
        backend.answers["db3"] = BROKEN
        await d.see("2 ✗ error")
        assert isinstance(d.screen, FleetScreen)
        assert backend.calls.count("investigate db2 ''") == 1


async def test_of_two_channels_the_failing_one_opens() -> None:
    found = diagnosis_of(name="eu")
    answers: dict[str, Answer] = {"db2": stands(running(name="us"), failing(name="eu"))}
    async with driving(FakeBackend(answers=answers, diagnoses={("db2", "eu"): found})) as d:
        await d.on(IncidentScreen)
        await d.see("channel eu is stopped", "local-write")
        assert d.backend.calls == ["investigate db2 'eu'"]


async def test_nothing_opens_by_itself_where_somebody_is_at_work() -> None:
    backend = FakeBackend(THREE)
    async with driving(backend) as d:
        await d.see("3 ✔ running")
        await d.press("A")
        await d.on(AuditScreen)
        backend.answers["db2"] = BROKEN
        await d.polled("db2")
        assert isinstance(d.screen, AuditScreen)
        await d.press("escape")
        await d.see("✗ error")
        await d.polled("db2")
        assert isinstance(d.screen, FleetScreen)


async def test_enter_opens_the_channel_under_the_cursor() -> None:
    async with driving(FakeBackend(THREE)) as d:
        await d.see("3 ✔ running")
        await d.press("down", "enter")
        await d.on(IncidentScreen)
        await d.see("db2: the default channel is running")


async def test_the_mouse_does_it_too() -> None:
    async with driving(FakeBackend(THREE)) as d:
        await d.see("3 ✔ running")
        await d.pilot.click("#fleet", offset=(5, 3))  # the third row, under the header
        await d.until(lambda: selected(d) == ("db3", ""))
        await d.pilot.click("#fleet", offset=(5, 3))
        await d.on(IncidentScreen)


async def test_poll_now_does_not_wait_for_the_next_turn() -> None:
    backend = FakeBackend(poll_seconds=600)
    async with driving(backend) as d:
        await d.see("1 ✔ running")
        backend.answers["db2"] = stands(running(33))
        await d.press("r")
        await d.see("33 s")


async def test_the_last_action_stands_in_the_row() -> None:
    async with driving(FakeBackend.broken()) as d:
        await d.see("local-write")
        await d.press("p", "h")
        await d.see("Rehearsed:")
        await d.press("escape", "escape")
        await d.on(FleetScreen)
        await d.see("rehearsed")


async def test_at_80_columns_every_column_is_in_sight() -> None:
    async with driving(FakeBackend.broken(), size=(80, 24)) as d:
        await d.see("local-write")
        await d.press("p", "h")
        await d.see("Rehearsed:")
        await d.press("escape", "escape")
        await d.on(FleetScreen)
        await d.see("✗ error", "1062 ", "last action", "rehearsed")
