"""A plan: rehearsed before it is applied, applied only after a question whose default is no, and never when it is stale."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

from textual.events import Key, Paste
from textual.widgets import Button, Input

from replfix.core.incident.source_feasibility import SourceFeasibility
from replfix.core.plan.outcome import Result
from replfix.core.rows.lookup import by_key
from replfix.errors import ConnectError, RehearsalFailed, Stale
from replfix.tui.screens.confirm import ConfirmDialog
from replfix.tui.screens.fleet import FleetScreen
from replfix.tui.screens.incident import IncidentScreen
from replfix.tui.screens.plan import PlanScreen
from replfix.tui.screens.record import RecordScreen
from replfix.tui.screens.undo import UndoDialog
from tests.tui.backend import (
    HEALTHY,
    NEXT_GTID,
    STEPS,
    Chain,
    FakeBackend,
    diagnosis_of,
    failing,
    many,
    missing_row,
    not_verified,
    plan_of,
    stands,
)
from tests.tui.driving import Driver, driving
from tests.unit.making import ORDERS, SOURCE

LARGE = (120, 60)
NAME = "shop.orders"


async def at_plan(d: Driver) -> PlanScreen:
    await d.on(IncidentScreen)
    await d.see("Options")
    await d.press("p")
    await d.on(PlanScreen)
    await d.see("Not rehearsed yet")
    assert isinstance(d.screen, PlanScreen)
    return d.screen


async def rehearsed(d: Driver) -> PlanScreen:
    screen = await at_plan(d)
    await d.press("h")
    await d.see("Rehearsed:")
    return screen


async def asked(d: Driver) -> ConfirmDialog:
    await rehearsed(d)
    await d.press("a")
    await d.on(ConfirmDialog)
    assert isinstance(d.screen, ConfirmDialog)
    return d.screen


async def applied(d: Driver, name: str = NAME) -> None:
    """Up to the key that begins the apply."""
    screen = await asked(d)
    screen.query_one(Input).value = name
    screen.query_one(Input).focus()
    await d.until(lambda: not apply_button(d).disabled)
    await d.press("enter", "enter")


def apply_button(d: Driver) -> Button:
    return d.screen.query_one("#apply", Button)


def carried_out(backend: FakeBackend) -> bool:
    return any(call.startswith("carry_out") for call in backend.calls)


# --- what is shown ---


async def test_everything_that_will_be_done() -> None:
    found = diagnosis_of()
    plan = plan_of(found)
    async with driving(FakeBackend.broken(found), size=LARGE) as d:
        await at_plan(d)
        text = d.text
        assert plan.steps[0].sql in text
        assert plan.steps[0].undo_sql in text
        assert plan.digest in text
        for sentence in (*(guard.in_words for guard in plan.guards), *plan.risks):
            assert sentence[:80] in text
        assert "START REPLICA" in text
        assert "'R-1'" in text


async def test_each_step_shows_its_own_sql_rows_and_undo() -> None:
    found = many(12)
    async with driving(FakeBackend.broken(found), size=LARGE) as d:
        await at_plan(d)
        await d.see("7 steps")
        for step in plan_of(found).steps:
            await d.see(step.sql, step.undo_sql)
            await d.press("down")
        await d.until(lambda: "Undo" not in d.text)  # at START REPLICA


async def test_copying_sql() -> None:
    found = many(4)
    steps = plan_of(found).steps
    async with driving(FakeBackend.broken(found), size=LARGE) as d:
        await at_plan(d)
        await d.press("y")
        await d.until(lambda: d.app.clipboard == f"{steps[0].sql};")
        await d.press("down", "y")
        await d.until(lambda: d.app.clipboard == f"{steps[1].sql};")
        await d.press("Y")
        everything = "\n".join([*(f"{s.sql};" for s in steps), "START REPLICA;"])
        await d.until(lambda: d.app.clipboard == everything)


# --- rehearsal ---


async def test_nothing_is_applied_before_it_was_rehearsed() -> None:
    backend = FakeBackend.broken()
    async with driving(backend) as d:
        screen = await at_plan(d)
        assert apply_button(d).disabled
        await d.press("a")
        assert d.screen is screen
        await d.press("h")
        await d.see("Rehearsed:")
        assert not apply_button(d).disabled
        assert backend.calls == ["investigate db2 ''", "rehearse db2"]


async def test_a_rehearsal_shows_its_progress_and_can_be_waited_for_only() -> None:
    backend = FakeBackend.broken()
    with backend.hold("rehearse"):
        async with driving(backend) as d:
            screen = await at_plan(d)
            await d.press("h")
            await d.see("▶ Rehearsing the plan")
            await d.press("h", "escape", "a")
            assert d.screen is screen
            assert backend.calls.count("rehearse db2") == 1
            backend.release()
            await d.see("✔ Rehearsing the plan", "Rehearsed:")


async def test_a_failed_rehearsal_says_why_and_nothing_can_be_applied() -> None:
    backend = FakeBackend.broken()
    async with driving(backend) as d:
        screen = await at_plan(d)
        for error, words in (
            (
                RehearsalFailed("In the rehearsal: row 7 is in the way.", "Look at it."),
                ("row 7 is in the way.", "Look at it."),
            ),
            (ConnectError("Lost."), ("Lost.",)),
            (IndexError("oops"), ("This is a bug in replfix: IndexError: oops",)),
        ):
            backend.rehearsal = error
            await d.press("h")
            await d.see(*words, "nothing was changed")
            assert apply_button(d).disabled
            await d.press("a")
            assert d.screen is screen
        backend.rehearsal = None  # and again, when the reason is gone
        await d.press("h")
        await d.see("Rehearsed:")
        assert not carried_out(backend)


# --- the question ---


async def test_the_question_has_cancel_as_its_default_and_can_be_left() -> None:
    backend = FakeBackend.broken()
    async with driving(backend) as d:
        screen = await asked(d)
        assert screen.focused is screen.query_one("#cancel")
        for key in ("enter", "escape"):
            await d.press(key)
            await d.on(PlanScreen)
            await d.see("Rehearsed:")
            await d.press("a")
            await d.on(ConfirmDialog)
        assert not carried_out(backend)


async def test_rows_that_are_displaced_ask_for_the_tables_name() -> None:
    backend = FakeBackend.broken()
    async with driving(backend) as d:
        screen = await asked(d)
        await d.see(NAME)
        assert apply_button(d).disabled
        for wrong in ("shop.order", "orders", "SHOP.ORDERS"):
            screen.query_one(Input).value = wrong
            await d.pilot.pause()
            assert apply_button(d).disabled, wrong
        screen.query_one(Input).value = ""
        screen.query_one("#cancel").focus()
        await d.type(NAME)  # letters go to the name wherever the focus is
        await d.until(lambda: not apply_button(d).disabled)
        assert not carried_out(backend)
        await d.press("enter", "enter")
        await d.see("Resolved")
        assert carried_out(backend)


async def test_a_plan_that_displaces_nothing_asks_for_no_name() -> None:
    backend = FakeBackend.broken(missing_row())
    async with driving(backend) as d:
        screen = await asked(d)
        assert not screen.query(Input)
        assert screen.focused is screen.query_one("#cancel")
        await d.press("right", "enter")
        await d.see("Resolved")


async def test_what_is_written_on_the_source_is_shown_apart_and_asks_for_the_tables_name() -> None:
    held = by_key(ORDERS, ORDERS.unique_keys[0], (3, None, None))
    assert held is not None
    side = SourceFeasibility(SOURCE, tables={ORDERS.name: ORDERS}, holders={held: ((3, "A-3", Decimal("9.50")),)})
    found = diagnosis_of(on_source=side)
    backend = FakeBackend.broken(found)
    async with driving(backend, size=LARGE) as d:
        await d.on(IncidentScreen)
        await d.see("keep-both (possible)", "replica-wins (possible)", "Inserts 1 row on the source (shop.orders).")
        d.screen.query_one("#strategy-list").focus()
        await d.press("down", "enter")
        await d.on(PlanScreen)
        await d.see("keep-both for", "On the source: INSERT INTO `shop`.`orders`", "gets the source's next value of id")
        await d.press("down", "down")
        await d.see("Row of shop.orders on the source: inserted", "LAST_INSERT_ID()")
        await d.press("Y")
        await d.until(lambda: "INSERT INTO `shop`.`orders` (`id`, `number`, `total`) VALUES (NULL," in d.app.clipboard)
        await d.press("h")
        await d.see("replica and source carried out their parts of the plan")
        await d.press("a")
        await d.on(ConfirmDialog)
        await d.see("the source is written to", NAME)
        assert apply_button(d).disabled
        await d.type(NAME)
        assert apply_button(d).disabled, "another loss, another word"
        await d.press(*["backspace"] * len(NAME))
        await d.type(f"keep-both {NAME}")
        await d.until(lambda: not apply_button(d).disabled)
        await d.press("enter", "enter")
        await d.see("Resolved")
    assert [plan.strategy for plan in backend.carried_out] == ["keep-both"]


async def test_what_is_left_out_is_listed_and_asks_for_the_tables_name() -> None:
    backend = FakeBackend.broken()
    async with driving(backend, size=LARGE) as d:
        await d.on(IncidentScreen)
        await d.see(
            "! skip (possible, 1 row left out)", "Leaves out 1 row of the transaction on this replica, for good."
        )
        d.screen.query_one("#strategy-list").focus()
        await d.press("end", "enter")
        await d.on(PlanScreen)
        await d.see("skip for", "Left out on this replica, for good", "insert shop.orders: (id=3", "gtid_next")
        await d.press("h")
        await d.see("the account is allowed to leave the transaction out")
        await d.press("a")
        await d.on(ConfirmDialog)
        await d.see("Leaves out 1 row of the transaction on this replica, for good.", NAME)
        assert apply_button(d).disabled
        assert "the replica applies the transaction itself" not in d.text
        await d.type(f"skip {NAME}")
        await d.until(lambda: not apply_button(d).disabled)
        await d.press("enter", "enter")
        await d.see("! the transaction left out")
    assert any(call.startswith("carry_out") for call in backend.calls)


# --- a plan that does not fit any more ---


async def test_a_plan_goes_stale_while_the_question_is_open() -> None:
    """By which polls: tests/unit/faces/test_plan_staleness.py."""
    words = "fails on another transaction"
    backend = FakeBackend.broken()
    async with driving(backend) as d:
        screen = await asked(d)
        screen.query_one(Input).value = NAME
        await d.until(lambda: not apply_button(d).disabled)
        backend.answers["db2"] = stands(failing(gtid=NEXT_GTID))
        await d.see("cannot be applied any more", words)
        assert apply_button(d).disabled
        await d.press("right", "enter")  # whatever is pressed now
        await d.on(PlanScreen)
        await d.see("does not fit any more", words)
        await d.press("a")
        assert isinstance(d.screen, PlanScreen)
        assert apply_button(d).disabled
        assert not carried_out(backend)


async def test_it_goes_stale_under_a_focused_apply() -> None:
    """Enter is on its way to the button when the world changes: the focus moves to Cancel."""
    backend = FakeBackend.broken()
    async with driving(backend) as d:
        await asked(d)
        await d.type(NAME)
        await d.press("enter")
        assert d.screen.focused is apply_button(d)
        backend.answers["db2"] = HEALTHY
        await d.see("cannot be applied any more")
        assert d.screen.focused is d.screen.query_one("#cancel")
        await d.press("enter")
        await d.on(PlanScreen)
        assert not carried_out(backend)


async def test_stale_stays_stale_also_when_the_channel_fails_as_before() -> None:
    backend = FakeBackend.broken()
    before = backend.answers["db2"]
    async with driving(backend) as d:
        await rehearsed(d)
        backend.answers["db2"] = HEALTHY
        await d.see("does not fit any more")
        backend.answers["db2"] = before
        await d.polled()
        assert apply_button(d).disabled
        backend.diagnoses[("db2", "")] = many(8)
        await d.press("escape")
        await d.see("Conflicts: 4")  # diagnosed anew by itself


async def test_a_replica_that_falls_silent_makes_no_plan_stale() -> None:
    backend = FakeBackend.broken()
    async with driving(backend) as d:
        await rehearsed(d)
        before, backend.answers["db2"] = backend.answers["db2"], ConnectError("Lost db2:3306.")
        await d.see("? It was rehearsed, and cannot be applied now.", "db2 does not answer now: Lost db2:3306.")
        assert apply_button(d).disabled
        await d.press("a")
        assert isinstance(d.screen, PlanScreen)
        backend.answers["db2"] = before
        await d.see("✔ Rehearsed:")
        await d.press("a")
        await d.on(ConfirmDialog)
        await d.type(NAME)
        await d.until(lambda: not apply_button(d).disabled)
        backend.answers["db2"] = ConnectError("Lost db2:3306.")
        await d.see("does not answer now")
        assert apply_button(d).disabled
        backend.answers["db2"] = before
        await d.until(lambda: not apply_button(d).disabled)


async def test_read_only_is_in_the_title_and_nothing_is_rehearsed_or_applied() -> None:
    backend = FakeBackend.broken(read_only="--read-only")
    async with driving(backend) as d:
        await at_plan(d)
        await d.see("replfix (read-only)", "Neither rehearsed nor applied: --read-only is set.")
        assert apply_button(d).disabled
        await d.press("h", "a", "f1")
        await d.see("(not now: --read-only is set)")
        assert backend.calls == ["investigate db2 ''"]


async def test_from_resolved_to_its_record_and_its_undo() -> None:
    chain = Chain()
    intent = chain.resolution(diagnosis_of())
    async with driving(FakeBackend.broken(chain=chain)) as d:
        await applied(d)
        await d.see("Resolved")
        await d.press("i")
        await d.on(RecordScreen)
        await d.see(intent.hash)
        await d.press("escape", "U")
        await d.on(UndoDialog)
        await d.see("differs from its source")
        await d.press("escape", "escape")
        await d.on(IncidentScreen)
        await d.see("the default channel is running")
        await d.press("i")
        await d.see(intent.hash)
        await d.press("escape", "U")
        await d.see("differs from its source")
        assert [c for c in d.backend.calls if c.startswith("record")] == ["record abcdef012345"] * 4


async def test_at_80_columns_the_sql_comes_before_the_warnings_and_all_of_them_are_reached() -> None:
    found = diagnosis_of()
    plan = replace(
        plan_of(found), risks=tuple(f"Warning number {n} about something that is lost." for n in range(1, 9))
    )
    found = replace(found, proposals=(replace(found.proposals[0], plan=plan), *found.proposals[1:]))
    async with driving(FakeBackend.broken(found), size=(80, 24)) as d:
        await d.see("p shows the plan")
        await d.press("p")
        await d.see("! 8 warnings", "DELETE FROM `shop`.`orders` WHERE `id` = 3", "Step 1: exact SQL")
        assert "Warning number 1" not in d.text
        await d.press("h")
        await d.see("Rehearsed:")
        await d.press("a")
        await d.see("Warning number 1", "↓ more of it")
        await d.press("pagedown", "pagedown")
        await d.see("Warning number 8", plan.undo_outlook[-20:])
        await d.gone("↓ more of it")


async def test_the_workflow_has_the_last_word() -> None:
    """What no poll shows, a row that changed, is found when the plan is applied."""
    backend = FakeBackend.broken(application=Stale("Something changed since the plan was shown: a row.", "Look again."))
    async with driving(backend) as d:
        await applied(d)
        await d.see("does not fit any more", "a row.", "Look again.")
        assert apply_button(d).disabled
        await d.press("h", "a")
        assert backend.calls.count("rehearse db2") == 1


# --- apply ---


async def test_applied_step_by_step_with_what_was_checked() -> None:
    found = diagnosis_of()
    backend = FakeBackend.broken(found)
    with backend.hold(f"carry_out {STEPS[2]}"):
        async with driving(backend) as d:
            await applied(d)
            await d.see(f"✔ {STEPS[0]}", f"✔ {STEPS[1]}", f"▶ {STEPS[2]}", "this cannot be cancelled")
            await d.press("escape", "h", "a")
            assert isinstance(d.screen, PlanScreen)
            backend.release()
            await d.see(f"✔ {STEPS[3]}", "✔ Resolved", "✔ rehearsed, ✔ applied, ✔ verified", "abcdef012345")
            assert backend.carried_out == [plan_of(found)]
            assert backend.carried_out[0].digest == plan_of(found).digest
            await d.press("escape")
            await d.see("the default channel is running", "Outcome")
            await d.press("escape")
            await d.on(FleetScreen)
            await d.see("resolved 1 transaction", "✔ running")


async def test_applied_and_not_verified() -> None:
    found = diagnosis_of()
    async with driving(FakeBackend.broken(found, application=not_verified(plan_of(found)))) as d:
        await applied(d)
        await d.see("✗ Failed", "row 3 differs", "Look at the table.", "✘ not verified")
        await d.press("h", "a")
        assert isinstance(d.screen, PlanScreen)
        assert d.backend.calls.count("rehearse db2") == 1


async def test_applied_and_the_next_transaction_fails() -> None:
    found = diagnosis_of()
    done = replace(
        not_verified(plan_of(found)), result=Result.NEEDS_HUMAN, message="Done. Then: the channel stopped again."
    )
    backend = FakeBackend.broken(found, application=done)
    async with driving(backend, size=LARGE) as d:
        await applied(d)
        await d.see("! ", "the channel stopped again")
        backend.diagnoses[("db2", "")] = many(8)
        backend.answers["db2"] = stands(failing(gtid=NEXT_GTID))
        await d.press("escape")
        await d.see("Conflicts: 4")


async def test_refused_at_the_last_moment() -> None:
    backend = FakeBackend.broken(application=ConnectError("Lost the replica.", "Nothing was changed."))
    async with driving(backend) as d:
        await applied(d)
        await d.see("Not applied", "Lost the replica.", "Nothing was changed.")
        assert apply_button(d).disabled, "it is rehearsed again first"


async def test_a_bug_while_it_is_applied_shows_and_the_app_can_be_left() -> None:
    backend = FakeBackend.broken(application=MemoryError("oops"))
    async with driving(backend) as d:
        await applied(d)
        await d.see("This is a bug in replfix: MemoryError: oops", "audit trail")
        await d.press("q")
        await d.until(lambda: d.app._exit)


async def test_quitting_during_an_apply_waits_for_its_end() -> None:
    backend = FakeBackend.broken()
    with backend.hold("carry_out"):
        async with driving(backend) as d:
            await applied(d)
            await d.see(f"▶ {STEPS[3]}")
            active = d.screen.active_bindings
            assert active["q"].binding.action == active["ctrl+q"].binding.action == "quit"
            await d.press("q")
            await d.until(lambda: any("safe point" in n for n in d.notifications))
            await d.polled()
            assert not d.app._exit
            backend.release()
            await d.until(lambda: d.app._exit)
            assert carried_out(backend)


async def test_two_writes_at_once_are_refused() -> None:
    backend = FakeBackend(
        ("db2", "db3"),
        answers={"db2": stands(failing()), "db3": stands(failing())},
        diagnoses={("db2", ""): diagnosis_of(), ("db3", ""): diagnosis_of()},
    )
    async with driving(backend, open_incident=False) as d:
        await d.see("2 ✗ error")
        await d.press("enter")
        await at_plan(d)
        first = d.screen
        d.app.push_screen(PlanScreen("db3", diagnosis_of(), diagnosis_of().proposals[0]))
        await d.until(lambda: d.screen is not first)
        with backend.hold("rehearse"):
            await d.press("h")
            await d.see("▶ Rehearsing the plan")
            d.app.push_screen(PlanScreen("db2", diagnosis_of(), diagnosis_of().proposals[0]))
            await d.see("Not rehearsed yet")
            await d.press("h")
            await d.until(lambda: any("one at a time" in n for n in d.notifications))
            assert backend.calls.count("rehearse db2") == 0
        await d.until(lambda: all(w.is_finished for w in d.app.workers))


async def test_the_log_has_every_step() -> None:
    async with driving(FakeBackend.broken()) as d:
        await applied(d)
        await d.see("Resolved")
        said = [text for _, text in d.app.journal.lines()]
        assert [f"db2: {step}" for step in STEPS] == [line for line in said if line.removeprefix("db2: ") in STEPS][-4:]
        assert "db2: resolved 1 transaction" in said


async def test_letters_typed_fast_keep_their_order() -> None:
    """Later ones are on their way before the first has moved the focus from Cancel to the name: at any distance."""
    async with driving(FakeBackend.broken()) as d:
        screen = await asked(d)
        box = screen.query_one(Input)
        for turns in range(16):
            box.value = ""
            screen.set_focus(screen.query_one("#cancel"))
            await d.pilot.pause()
            for letter in NAME:
                d.app.post_message(Key("full_stop" if letter == "." else letter, letter))
                for _ in range(turns):
                    await asyncio.sleep(0)
            await d.until(lambda: len(box.value) == len(NAME))
            assert box.value == NAME, f"{turns} turns of the loop between two letters"


async def test_the_name_can_be_pasted() -> None:
    async with driving(FakeBackend.broken()) as d:
        screen = await asked(d)
        d.app.post_message(Paste(NAME))
        await d.until(lambda: screen.query_one(Input).value == NAME)
        assert not apply_button(d).disabled
