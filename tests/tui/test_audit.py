"""The audit trail: browse, search, one record with its row images."""

from __future__ import annotations

import json
from dataclasses import replace

from textual.widgets import Button, DataTable, Input

from replfix.core.plan.plan import SourceWrite
from replfix.core.strategies.source_write import written
from replfix.core.trail.audit_record import RecordKind
from replfix.errors import AuditError
from replfix.tui.screens.audit import AuditScreen
from replfix.tui.screens.fleet import FleetScreen
from replfix.tui.screens.record import RecordScreen
from replfix.tui.screens.undo import UndoDialog
from tests.tui.backend import Chain, FakeBackend, diagnosis_of, plan_of
from tests.tui.driving import Driver, driving
from tests.unit.making import ORDERS

LARGE = (140, 60)


def trail() -> Chain:
    """A refusal of db1, and above it a resolution of db2: settings, intent, settings restored, outcome."""
    chain = Chain()
    refused: dict[str, object] = {"plan": {}, "digest": "0" * 64, "reason": "row 7 is in the way"}
    chain.add(RecordKind.REFUSED, refused, replica="db1", incident="feedbeef0000")
    chain.resolution(diagnosis_of())
    return chain


def rows(d: Driver) -> list[list[str]]:
    table = d.screen.query_one("#audit-records", DataTable)
    return [[str(cell) for cell in table.get_row_at(n)] for n in range(table.row_count)]


async def at_audit(d: Driver) -> AuditScreen:
    await d.press("A")
    await d.on(AuditScreen)
    assert isinstance(d.screen, AuditScreen)
    return d.screen


async def test_the_newest_records_first() -> None:
    async with driving(FakeBackend(chain=trail()), size=(200, 40)) as d:
        await at_audit(d)
        await d.see("5 records", "outcome", "intent", "refused", "dba@desk", "2026-03-01 12:00:04")
        assert [row[3] for row in rows(d)] == ["db2"] * 4 + ["db1"]
        assert [row[1] for row in rows(d)] == [f"2026-03-01 12:00:0{n}" for n in (4, 3, 2, 1, 0)]
        await d.press("escape")
        await d.on(FleetScreen)


async def test_an_empty_trail() -> None:
    async with driving(FakeBackend()) as d:
        await at_audit(d)
        await d.see("No records yet")
        await d.press("enter", "y")
        assert isinstance(d.screen, AuditScreen)


async def test_a_trail_that_cannot_be_read_says_why() -> None:
    backend = FakeBackend(trail_error=AuditError("The trail cannot be read.", "Look at its permissions."))
    async with driving(backend) as d:
        await at_audit(d)
        await d.see("The trail cannot be read.", "Look at its permissions.")
        backend.trail_error, backend.chain = None, trail()
        await d.press("r")
        await d.see("5 records")


async def test_a_bug_while_it_is_read_shows() -> None:
    async with driving(FakeBackend(trail_error=TypeError("oops"))) as d:
        await at_audit(d)
        await d.until(lambda: any("TypeError: oops" in n for n in d.notifications))


async def test_the_screen_answers_while_the_trail_is_read() -> None:
    backend = FakeBackend(chain=trail())
    with backend.hold("records"):
        async with driving(backend) as d:
            await at_audit(d)
            await d.see("reading the trail")
            await d.press("escape")
            await d.on(FleetScreen)
            backend.release()


async def test_search_looks_into_row_values_too() -> None:
    async with driving(FakeBackend(chain=trail())) as d:
        await at_audit(d)
        await d.see("5 records")
        await d.press("slash")
        await d.type("r-1")  # the displaced row's number, in another case
        await d.until(lambda: len(rows(d)) == 1)
        assert "intent" in rows(d)[0][2]
        await d.see("1 of 5 records")
        await d.press("enter")
        assert d.screen.focused is d.screen.query_one("#audit-records")
        await d.press("escape")
        await d.until(lambda: len(rows(d)) == 5)
        d.screen.query_one(Input).value = "nowhere at all"
        await d.until(lambda: rows(d) == [])


async def test_keys_that_come_in_a_burst_reach_whom_they_are_meant_for() -> None:
    """Search, text and two times Enter: the second opened nothing, because it went to the box that had been left."""
    chain = trail()
    async with driving(FakeBackend(chain=chain)) as d:
        await at_audit(d)
        await d.see("5 records")
        d.burst("slash", *"r-1", "enter", "enter")
        await d.on(RecordScreen)
        await d.see(chain.records[2].id)
        await d.press("escape")
        await d.see("1 of 5 records have 'r-1'")
        d.burst("escape", "slash", *"r-1/y", "enter", "y")  # the last y is a key of the list again, the others are text
        await d.see("0 of 5 records have 'r-1/y'")
        await d.press("escape")
        await d.see(" 5 records")


async def test_copying_an_id() -> None:
    chain = trail()
    async with driving(FakeBackend(chain=chain)) as d:
        await at_audit(d)
        await d.see("5 records")
        await d.press("down", "y")
        await d.until(lambda: d.app.clipboard == chain.records[3].id)


async def test_a_record_with_the_images_of_its_rows_and_its_undo() -> None:
    chain = trail()
    plan = plan_of(diagnosis_of())
    async with driving(FakeBackend(chain=chain), size=LARGE) as d:
        await at_audit(d)
        await d.see("5 records")
        await d.press("down", "down", "enter")
        await d.on(RecordScreen)
        intent = chain.records[2]
        await d.see(
            intent.id, intent.hash, "feedbeef0001", "dba@desk", "Deleted row of shop.orders", "R-1", "local-write"
        )
        await d.see(plan.steps[0].sql, plan.steps[0].undo_sql)
        await d.press("u")
        await d.until(lambda: plan.steps[0].undo_sql in d.app.clipboard)
        await d.press("y")
        await d.until(lambda: d.app.clipboard.startswith("{"))
        assert json.loads(d.app.clipboard)["payload"]["digest"] == plan.digest
        await d.press("j")
        await d.see('"digest":')
        await d.press("j")
        await d.see("Deleted row of shop.orders")
        await d.press("escape")
        await d.on(AuditScreen)
        assert d.screen.query_one("#audit-records", DataTable).cursor_row == 2


async def at_undo(d: Driver) -> None:
    await at_audit(d)
    await d.see("5 records")
    await d.press("down", "down", "enter")
    await d.see("Deleted row of shop.orders")
    await d.press("U")
    await d.on(UndoDialog)


async def test_a_repair_is_undone_when_it_is_wanted_twice() -> None:
    chain = trail()
    async with driving(FakeBackend(chain=chain), size=LARGE) as d:
        await at_undo(d)
        await d.see("insert in shop.orders", "'R-1'", "differs from its source")
        await d.press("enter")  # on Cancel
        await d.on(RecordScreen)
        intent = chain.records[2].id
        assert [c for c in d.backend.calls if c.startswith("undo")] == [f"undo {intent} None"]
        await d.press("U")
        await d.see("differs from its source")
        await d.press("right", "enter")
        await d.see("Undone: 1 row brought back.")
        assert len([c for c in d.backend.calls if c.startswith("undo")]) == 3
        await d.press("right", "enter")  # there is no second time
        await d.on(RecordScreen)


async def test_an_undo_that_writes_on_the_source_wants_the_table_s_name() -> None:
    part = SourceWrite("a" * 36, (written(ORDERS, (9, "R-1", None), None),))
    async with driving(FakeBackend(chain=trail(), on_source=part), size=LARGE) as d:
        await at_undo(d)
        await d.see("delete in shop.orders on the source", "'R-1'", "(no row)", "do not come back. Its key is taken.")
        await d.see("Undo: type undo shop.orders")
        await d.press("right", "enter")  # there is one button yet: nothing is done
        await d.on(RecordScreen)
        await d.press("U")
        await d.see("Undo: type undo shop.orders")
        do = d.screen.query_one("#do", Button)
        await d.type("undo shop.order")
        assert do.disabled
        await d.press("s")
        await d.until(lambda: not do.disabled)
        await d.press("enter", "enter")
        await d.see("Undone: 1 row brought back.")
        assert [c.split()[-1] == "None" for c in d.backend.calls if c.startswith("undo")] == [True, True, False]
        assert not d.screen.query_one("#writing-name", Input).display


async def test_what_is_in_the_way_of_an_undo_is_shown_and_nothing_offered() -> None:
    backend = FakeBackend(chain=trail(), in_the_way=("its key PRIMARY (3) is taken by the row [b]3[/b]",))
    async with driving(backend, size=LARGE) as d:
        await at_undo(d)
        await d.see("Cannot undo: 1 row is in the way.", "its key PRIMARY (3) is taken by the row [b]3[/b]")
        assert d.screen.query_one("#do", Button).disabled
        await d.press("escape")
        await d.on(RecordScreen)
        await d.press("n")  # settings: nothing that could be undone
        await d.press("U")
        assert isinstance(d.screen, RecordScreen)


async def test_from_one_record_to_its_neighbours() -> None:
    chain = trail()
    async with driving(FakeBackend(chain=chain)) as d:
        await at_audit(d)
        await d.see("5 records")
        await d.press("enter")
        await d.see(chain.records[4].id)
        for record in chain.records[3::-1]:
            await d.press("n")
            await d.see(record.id)
        await d.press("n")  # there is none
        await d.see(chain.records[0].id)
        await d.press("p")
        await d.see(chain.records[1].id)


async def test_an_altered_record_is_marked() -> None:
    chain = trail()
    chain.records[2] = replace(chain.records[2], replica="db9")
    chain.records[3] = replace(chain.records[3], payload="{broken")
    async with driving(FakeBackend(chain=chain)) as d:
        await at_audit(d)
        await d.see("5 records", "ALTERED")
        await d.press("down", "down", "enter")
        await d.see("DOES NOT FIT")
        await d.press("p")
        await d.see("The payload cannot be read", "{broken")
        await d.press("u")  # there is no undo in it
        assert isinstance(d.screen, RecordScreen)
