"""One incident from the top to the strategies, the values in full, the whole transaction, and what is polled meanwhile."""

from __future__ import annotations

import stat
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.remedies.errant_transactions import Errant
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.rows.row_values import NOT_LOGGED, Json
from replfix.errors import ConnectError, ReplicationError
from replfix.tui.screens.errant import ErrantScreen
from replfix.tui.screens.fleet import FleetScreen
from replfix.tui.screens.incident import IncidentScreen
from replfix.tui.screens.plan import PlanScreen
from replfix.tui.screens.transaction import TransactionScreen
from replfix.tui.widgets.line_list import LineList
from replfix.tui.widgets.long_text import LongText
from replfix.tui.widgets.side_by_side import SideBySide
from replfix.tui.widgets.value_dialog import ValueDialog
from tests.tui.backend import (
    HEALTHY,
    NEXT_GTID,
    Chain,
    FakeBackend,
    diagnosis_of,
    failing,
    many,
    running,
    stands,
    stopped_by_hand,
    strays_of,
)
from tests.tui.driving import Driver, driving
from tests.unit.making import column, inserted, key, table

LARGE = (120, 60)

KINDS = table(
    "shop.kinds",
    [
        column("id"),
        column("body", "text", charset="utf8mb4", collation="utf8mb4_0900_ai_ci"),
        column("picture", "blob", nullable=True),
        column("document", "json", nullable=True),
        column("note", "varchar", nullable=True, charset="utf8mb4", collation="utf8mb4_0900_ai_ci"),
    ],
    [key("PRIMARY", "id")],
)
DOCUMENT = Json('{"a": 1, "b": [true, null]}')


def kinds() -> Diagnosis:
    """A row with values of every kind."""
    incoming = (1, "one\ntwo " + "long " * 40, bytes(range(64)), DOCUMENT, None)
    return diagnosis_of([inserted(KINDS, *incoming)], [(1, "other", b"\x00\xff", Json("[]"), "NULL")], of=KINDS)


async def opened(d: Driver) -> IncidentScreen:
    await d.on(IncidentScreen)
    await d.see("Options")
    assert isinstance(d.screen, IncidentScreen)
    return d.screen


async def to_value(d: Driver, row: int, column_: int) -> None:
    """Put the cursor of the rows side by side on one value."""
    rows = d.screen.query_one(SideBySide)
    rows.focus()
    rows.move_cursor(row=row, column=column_, animate=False)
    await d.pilot.pause()


# --- what is shown ---


async def test_the_whole_story_from_the_top() -> None:
    found = diagnosis_of(unknowns=("The binlog before binlog.000001 is gone.",))
    async with driving(FakeBackend.broken(found), size=LARGE) as d:
        await opened(d)
        text = d.text
        story = [
            "db2: the default channel is stopped by error 1062 in Write_rows on shop.orders",
            "Why",
            "local-write (high confidence)",
            "The replica's own binlog has the insert",
            "Open questions",
            "The binlog before binlog.000001 is gone.",
            "Conflicts: 1",
            "source-wins (recommended)",
        ]
        at = [text.find(words) for words in story]
        assert -1 not in at, story[at.index(-1)]
        assert at == sorted(at)
        assert all(risk[:60] in text for risk in found.proposals[0].risks)


async def test_rows_side_by_side_with_differences_marked_by_a_symbol() -> None:
    async with driving(FakeBackend.broken()) as d:
        await opened(d)
        lines = {line.split()[1]: line for line in d.text.splitlines() if line.split()[:1] in (["≠"], ["key"])}
        assert lines["number"].split() == ["≠", "number", "'A-3'", "'R-1'", "(no", "row)"]
        assert lines["total"].split() == ["≠", "total", "9.50", "1.00", "(no", "row)"]
        assert lines["id"].split() == ["key", "id", "3", "3", "(no", "row)"]
        head = next(line for line in d.text.splitlines() if "incoming" in line and "source now" in line)
        assert head.split() == ["column", "incoming", "replica", "source", "now"]


async def test_only_what_differs() -> None:
    async with driving(FakeBackend.broken()) as d:
        await opened(d)
        await to_value(d, 1, 2)
        await d.press("d")
        await d.until(lambda: d.screen.query_one(SideBySide).row_count == 2)
        await d.press("d")
        await d.until(lambda: d.screen.query_one(SideBySide).row_count == 3)


async def test_every_conflict_of_the_transaction_is_in_the_list() -> None:
    async with driving(FakeBackend.broken(many(30)), size=LARGE) as d:
        await opened(d)
        await d.see("Conflicts: 15")
        conflicts = d.screen.query_one("#conflict-list", LineList)
        assert conflicts.count == 15
        conflicts.focus()
        for number in range(1, 16):
            await d.see(f"'R-{2 * number - 1}'")
            assert conflicts.cursor == number - 1
            await d.press("down")
        assert not conflicts.has_focus, "past the last one the focus goes on to the rows"


async def test_a_conflict_by_the_mouse() -> None:
    async with driving(FakeBackend.broken(many(6)), size=LARGE) as d:
        await opened(d)
        await d.pilot.click("#conflict-list", offset=(6, 2))
        await d.see("'R-5'")


async def test_a_strategy_that_is_not_possible_says_why() -> None:
    bare = replace(diagnosis_of().evidence, transaction=None, reconciliation=None, tables={}, source_rows=())
    from replfix.core.conclude import conclude

    found = conclude(replace(bare, unknowns=("Transaction 6 is not in the binlog any more.",)))
    async with driving(FakeBackend.broken(found)) as d:
        await opened(d)
        await d.see("source-wins (not possible)", "not in the binlog any more", "No strategy repairs this")
        await d.press("p", "t")
        assert isinstance(d.screen, IncidentScreen)
        d.screen.query_one("#strategy-list").focus()
        await d.press("down", "enter")
        await d.until(lambda: any("not possible here" in n for n in d.notifications))
        assert isinstance(d.screen, IncidentScreen)


async def test_p_shows_the_plan_of_the_recommended_strategy() -> None:
    async with driving(FakeBackend.broken()) as d:
        await opened(d)
        await d.press("p")
        await d.on(PlanScreen)
        await d.see("source-wins for")
        await d.press("escape")
        await d.on(IncidentScreen)


async def test_p_opens_what_is_highlighted() -> None:
    async with driving(FakeBackend.broken(), size=LARGE) as d:
        await opened(d)
        await d.see("p shows the plan of source-wins: 1 step")
        d.screen.query_one("#strategy-list").focus()
        await d.press("end")
        await d.see("p shows the plan of skip")
        await d.press("p")
        await d.on(PlanScreen)
        await d.see("skip for")
        await d.press("escape", "up")
        await d.see("replica-wins cannot be done here")
        await d.press("p")
        await d.until(lambda: any("replica-wins is not possible here" in n for n in d.notifications))
        assert isinstance(d.screen, IncidentScreen)


async def test_a_healthy_channel() -> None:
    async with driving(FakeBackend()) as d:
        await d.see("1 ✔ running")
        await d.press("enter")
        await d.see("db2: the default channel is running. There is nothing to resolve.", "Receiver: running")


async def test_errors_in_words_and_what_to_do_next() -> None:
    errors = (
        ConnectError("Cannot connect to source:3306: refused.", "Check that it is up."),
        ReplicationError(
            "The applier of the channel is stopped without an error: somebody stopped it.", "START REPLICA."
        ),
    )
    backend = FakeBackend(answers={"db2": stands(stopped_by_hand())}, diagnoses={("db2", ""): errors[0]})
    async with driving(backend) as d:
        await d.see("■ stopped")
        await d.press("enter")
        for error in errors:
            backend.diagnoses[("db2", "")] = error
            await d.press("r")
            await d.see(error.message, error.hint, "Channel: ■ stopped")
            await d.press("p", "t", "m")  # there is nothing to plan, to show or to save
            assert isinstance(d.screen, IncidentScreen)


async def test_a_bug_is_shown_on_the_screen_and_never_silent() -> None:
    backend = FakeBackend.broken()
    backend.diagnoses[("db2", "")] = KeyError("no such thing")
    async with driving(backend) as d:
        await d.see("This is a bug in replfix: KeyError", "no such thing")
        await d.until(lambda: any("This is a bug in replfix" in n for n in d.notifications))
        assert any("KeyError" in text for _, text in d.app.journal.lines())
        backend.diagnoses[("db2", "")] = diagnosis_of()
        await d.press("r")
        await d.see("local-write")


# --- values ---


async def test_a_value_in_full() -> None:
    async with driving(FakeBackend.broken(kinds()), size=LARGE) as d:
        await opened(d)
        await to_value(d, 1, 2)
        await d.press("v")
        await d.on(ValueDialog)
        await d.see("shop.kinds.body", "incoming (1 of 3)", "208 characters", "one↵", "two long")
        await d.press("right")
        await d.see("replica (2 of 3)", "other")
        await d.press("right")
        await d.see("source now (3 of 3)", "(no row)")
        await d.press("right")
        await d.see("incoming (1 of 3)")
        await d.press("left")
        await d.see("source now (3 of 3)")
        await d.press("escape")
        await d.on(IncidentScreen)


async def test_bytes_json_null_and_its_text() -> None:
    async with driving(FakeBackend.broken(kinds()), size=LARGE) as d:
        await opened(d)
        await to_value(d, 2, 2)
        await d.press("v")
        await d.see("64 bytes", "00 01 02 03", "0123456789")
        await d.press("escape")
        await to_value(d, 3, 2)
        await d.press("enter")
        await d.see('"a": 1,', '"b": [')
        await d.press("escape")
        await to_value(d, 4, 2)
        await d.press("v")
        await d.see("incoming (1 of 3)   no value", "NULL")
        await d.press("right")
        await d.see("replica (2 of 3)   4 characters")
        await d.press("escape")
        note = next(line for line in d.text.splitlines() if " note " in line)
        assert note.split()[2:4] == ["NULL", "'NULL'"], "NULL and the text are told apart"


async def test_copying_a_value_takes_all_of_it() -> None:
    async with driving(FakeBackend.broken(kinds()), size=LARGE) as d:
        await opened(d)
        for row, wanted in (
            (1, "one\ntwo " + "long " * 40),
            (2, "0x" + bytes(range(64)).hex().upper()),
            (3, DOCUMENT.text),
            (4, "NULL"),
        ):
            await to_value(d, row, 2)
            await d.press("y")
            await d.until(partial(lambda text: d.app.clipboard == text, wanted), wanted[:20])
        await to_value(d, 1, 4)
        await d.press("y")
        await d.until(lambda: any("There is no value to copy" in n for n in d.notifications))
        assert d.app.clipboard == "NULL"


async def test_a_column_that_was_not_logged() -> None:
    found = diagnosis_of(
        [inserted(KINDS, 1, "a", NOT_LOGGED, NOT_LOGGED, None)], [(1, "b", b"", DOCUMENT, None)], of=KINDS
    )
    async with driving(FakeBackend.broken(found), size=LARGE) as d:
        await opened(d)
        await d.see("(not logged)")
        await to_value(d, 2, 2)
        await d.press("v")
        await d.see("(not logged)")


async def test_a_value_of_a_megabyte_opens_and_scrolls() -> None:
    long = "".join(f"{n:07} " for n in range(125_000))
    found = diagnosis_of([inserted(KINDS, 1, long, None, None, None)], [(1, "x", None, None, None)], of=KINDS)
    async with driving(FakeBackend.broken(found), size=LARGE) as d:
        await opened(d)
        await to_value(d, 1, 2)
        await d.press("v")
        await d.see("1,000,000 characters", "0000000 0000001")
        d.screen.query_one(LongText).scroll_end(animate=False)
        await d.see("0124999")


# --- the transaction ---


async def test_the_whole_transaction_is_one_key_away() -> None:
    async with driving(FakeBackend.broken(many(200)), size=(120, 40)) as d:
        await opened(d)
        await d.press("t")
        await d.on(TransactionScreen)
        await d.see("200 rows, 100 in conflict")
        rows = d.screen.query_one("#transaction-rows", LineList)
        assert rows.count == 200
        await d.press("n", "n")
        await d.until(lambda: rows.cursor == 4)
        await d.see("Row 5: insert in shop.orders", "'A-5'")
        await d.press("N")
        await d.until(lambda: rows.cursor == 2)
        await d.press("end")
        await d.see("Row 200: insert")
        await d.press("n")
        await d.until(lambda: any("No more conflicts" in n for n in d.notifications))
        await d.press("escape")
        await d.on(IncidentScreen)


async def test_a_hundred_thousand_rows_open_at_once() -> None:
    found = many(4)
    assert found.evidence.transaction is not None
    changes = found.evidence.transaction.changes * 25_000
    huge = replace(
        found, evidence=replace(found.evidence, transaction=replace(found.evidence.transaction, changes=changes))
    )
    async with driving(FakeBackend.broken(huge)) as d:
        await opened(d)
        await d.press("t")
        await d.see("100,000 rows")
        await d.press("end")
        await d.see("Row 100,000: insert")


# --- while it is open ---


async def test_the_screen_answers_while_it_is_diagnosed() -> None:
    backend = FakeBackend.broken()
    with backend.hold("investigate"):
        async with driving(backend) as d:
            await d.see("Reading transaction 6 from source:3306")
            await d.press("escape")
            await d.on(FleetScreen)
            backend.release()


async def test_of_two_investigations_only_the_later_one_is_shown() -> None:
    backend = FakeBackend.broken(many(8))
    with backend.hold("investigate"):
        async with driving(backend, size=LARGE) as d:
            await d.see("Reading transaction")
            backend.free("investigate")
            slow, backend.diagnoses[("db2", "")] = backend.diagnoses[("db2", "")], diagnosis_of()
            await d.press("r")
            await d.see("Conflicts: 1")
            backend.diagnoses[("db2", "")] = slow
            backend.release()
            await d.until(lambda: all(w.is_finished for w in d.app.workers))
            await d.polled()
            assert "Conflicts: 1 " in d.text


async def test_no_plan_is_opened_of_what_is_being_diagnosed_anew() -> None:
    backend = FakeBackend.broken()
    async with driving(backend) as d:
        await opened(d)
        with backend.hold("investigate"):
            await d.press("r")
            await d.see("Reading transaction")
            await d.press("p")
            d.screen.query_one("#strategy-list").focus()
            await d.press("down", "enter")
            await d.pilot.pause()
            assert isinstance(d.screen, IncidentScreen)
        await d.gone("Reading transaction")
        await d.press("p")
        await d.on(PlanScreen)


async def test_another_failing_transaction_is_diagnosed_by_itself() -> None:
    backend = FakeBackend.broken()
    async with driving(backend, size=LARGE) as d:
        await opened(d)
        backend.diagnoses[("db2", "")] = many(8)
        backend.answers["db2"] = stands(failing(gtid=NEXT_GTID))
        await d.see("Conflicts: 4")


async def test_a_channel_that_runs_again_is_said_to() -> None:
    backend = FakeBackend.broken()
    async with driving(backend) as d:
        await opened(d)
        backend.diagnoses[("db2", "")] = None
        backend.answers["db2"] = HEALTHY
        await d.see("the default channel is running")


async def test_a_change_that_is_no_other_transaction_is_a_notice() -> None:
    backend = FakeBackend.broken()
    async with driving(backend) as d:
        await opened(d)
        backend.answers["db2"] = stands(replace(failing(), receiver_errno=2003, receiver_message="refused"))
        await d.see("The channel has changed since this diagnosis", "local-write")
        assert len(d.backend.calls) == 1


async def test_a_replica_that_falls_silent_is_a_notice_that_goes_when_it_is_back() -> None:
    backend = FakeBackend.broken()
    before = backend.answers["db2"]
    async with driving(backend) as d:
        await opened(d)
        backend.answers["db2"] = ConnectError("Lost db2:3306.")
        await d.see("db2 does not answer now: Lost db2:3306.", "local-write")
        backend.answers["db2"] = before
        await d.gone("does not answer now")


async def test_other_channels_of_the_replica_do_not_matter() -> None:
    backend = FakeBackend.broken(diagnosis_of(name="eu"))
    async with driving(backend) as d:
        await opened(d)
        backend.answers["db2"] = stands(failing(name="us", gtid=NEXT_GTID), failing(name="eu"))
        await d.polled()
        assert "has changed" not in d.text
        backend.answers["db2"] = stands(running(name="us"), failing(name="eu"))
        await d.polled()
        assert len(backend.calls) == 1


# --- the report ---


async def test_the_report_is_saved_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with driving(FakeBackend.broken()) as d:
        await opened(d)
        await d.press("m")
        await d.until(lambda: list(tmp_path.iterdir()))
        (path,) = tmp_path.iterdir()
        assert path.name.startswith("replfix-incident-db2-")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_text("utf-8").startswith(
            "# db2: the default channel is stopped by error 1062 in `Write_rows` on `shop.orders`"
        )
        await d.until(lambda: any("Report saved" in n and path.name in n for n in d.notifications))


async def test_a_report_that_cannot_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "gone"
    place.mkdir()
    monkeypatch.setattr(Path, "cwd", lambda: place / "away")
    async with driving(FakeBackend.broken()) as d:
        await opened(d)
        await d.press("m")
        await d.until(lambda: any("Cannot write" in n for n in d.notifications))


async def test_errant_transactions_of_a_channel_that_runs_are_a_key_away() -> None:
    backend = FakeBackend(strays=strays_of("orders"))
    async with driving(backend, size=LARGE) as d:
        await d.on(FleetScreen)
        await d.see("running")
        await d.press("enter")
        await d.on(IncidentScreen)
        await d.press("e")
        await d.on(ErrantScreen)
        await d.see(
            "update shop.orders: v='orders', norders=1 → 2",
            "CREATE TABLE orders",
            "SET SESSION gtid_next",
            "Leave them:",
        )
        for strays, says in (
            (None, "Without GTIDs nobody knows"),
            (Errant(OnlyHere(GtidSet()), (), ()), "Every transaction of this replica is its source's too."),
            (ConnectError("The source is gone.", "Look there."), "Unknown: The source is gone."),
        ):
            backend.strays = strays
            await d.press("r")
            await d.see(says)
        await d.press("escape")
        await d.on(IncidentScreen)


async def test_what_an_interrupted_run_left_is_shown_and_put_right() -> None:
    chain = Chain()
    chain.resolution(diagnosis_of())
    left = (chain.records[0], chain.records[1])
    async with driving(FakeBackend.broken(left=left), size=LARGE) as d:
        await d.see("A run was interrupted on this replica")
        await d.press("R")
        await d.see("a run changed settings", "a run recorded what it was about", "still at work")
        await d.press("enter")  # on Cancel
        await d.on(IncidentScreen)
        assert "recover db2" not in d.backend.calls
        await d.see("A run was interrupted on this replica")
        await d.press("R")
        await d.see("still at work")
        await d.press("right", "enter")
        await d.see(f"settings of {left[0].id}: put right.", f"intent of {left[1].id}: put right.", "Go on.")
        await d.press("escape")
        await d.on(IncidentScreen)
        await d.gone("A run was interrupted on this replica")
        await d.press("R")
        assert isinstance(d.screen, IncidentScreen)
