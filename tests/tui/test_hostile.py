"""Whatever a server sends is text on the screen: no markup is obeyed, no control character reaches the terminal."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest

from replfix.core.conclude import conclude
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.trail.audit_record import RecordKind
from replfix.errors import ConnectError, RehearsalFailed
from replfix.present.safe_text import visible
from replfix.tui.screens.audit import AuditScreen
from replfix.tui.screens.confirm import ConfirmDialog
from replfix.tui.screens.errant import ErrantScreen
from replfix.tui.screens.fleet import FleetScreen
from replfix.tui.screens.help import HelpScreen
from replfix.tui.screens.incident import IncidentScreen
from replfix.tui.screens.log import LogScreen
from replfix.tui.screens.plan import PlanScreen
from replfix.tui.screens.record import RecordScreen
from replfix.tui.screens.transaction import TransactionScreen
from replfix.tui.widgets.side_by_side import SideBySide
from replfix.tui.widgets.text_dialog import TextDialog
from replfix.tui.widgets.value_dialog import ValueDialog
from tests.tui.backend import (
    Answer,
    Chain,
    FakeBackend,
    diagnosis_of,
    failing,
    not_verified,
    plan_of,
    running,
    stands,
    strays_of,
)
from tests.tui.driving import Driver, driving
from tests.unit.making import column, inserted, key, table

SIZE = (200, 60)

# What is hostile in the same way stands together: every test starts the app anew for each of them. Short things come
# first, for names and messages are cut.
VALUES = {
    "markup": "[/b] [ \\[b] \\\\ $p {x} [@click=app.quit]z[/] [/bold red] [bold red]loud[/bold red] %(y)s [link=http://x]y[/link]",
    "escapes and hidden": "\x1b[31m\u202er\x1b[0m\u2066\x9b31m\ufeff\x9d0;x\x9c\u200b\x1bc\x1b[2J\u200fa\x1b[H\u00ad\x1b]0;owned\x07"
    "\ue000\x1b]52;c;AAAA\x07\U000f0000e" + "\u0301" * 60,
    "controls and half characters": "a\x00b\x00\r\nb\ud800\x0bc\x0cd\udfff\u2028e\u2029f\x85g"
    + "".join(map(chr, (*range(32), 127, *range(128, 160)))),
    "wide": "請小心🛳" * 30,
    "megabyte": "[/b]\x1b" * 200_000,
}
HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
hostile = pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)


def assert_only_text(d: Driver) -> None:
    """Nothing on the screen would be obeyed, or hidden, by a terminal."""
    strips = d.screen._compositor.render_strips()
    for strip in strips:
        for segment in strip:
            bad = [c for c in segment.text if unicodedata.category(c) in HIDDEN]
            assert not bad, f"{bad} in {segment.text!r}"
            assert not segment.control
            link = segment.style.link if segment.style else None
            assert link is None, f"{segment.text!r} became a link to {link}"
            meta = segment.style.meta if segment.style else {}
            assert "@click" not in {k for k in meta if "quit" in str(meta[k])}, segment.text


def beginning(value: str, cells: int = 8) -> str:
    """The first characters as they have to stand on the screen."""
    return visible(value, keep_newlines=False)[:cells]


def diagnosis(value: str, *, everywhere: bool = True) -> Diagnosis:
    """One row in the way; the hostile text in values, names, messages and sentences."""
    word = value[:40].replace("\ud800", "").replace("\udfff", "") if everywhere else "plain"
    notes = table(
        f"shop.{word.replace('.', '_')}",
        [
            column("id"),
            column(f"c{word}", "text", charset="utf8mb4", collation="utf8mb4_bin"),
            column("b", "blob"),
        ],
        [key("PRIMARY", "id"), key(f"k{word}", f"c{word}")],
    )
    incoming = (1, value, value.encode("utf-8", "surrogatepass"))
    held = "r" + value.replace("\ud800", "").replace("\udfff", "")  # no server takes SQL with them
    found = diagnosis_of([inserted(notes, *incoming)], [(1, held, b"\x1b[31m")], of=notes, unknowns=(value[:500],))
    message = f"{found.evidence.error.message} {value[:500]}"
    error = replace(found.evidence.error, message=message, table=str(notes.name), key=value[:100])
    concluded = conclude(replace(found.evidence, error=error))
    return replace(concluded, causes=(Cause("local-write", Confidence.HIGH, value[:300], (value[:300],)),))


async def at_incident(d: Driver) -> None:
    await d.on(IncidentScreen)
    await d.see("Options")


# --- incident, value, transaction ---


@hostile
async def test_on_the_incident_screen_its_transaction_and_its_errant_transactions(value: str) -> None:
    found = diagnosis(value)
    backend = FakeBackend.broken(found, strays=strays_of(value))
    async with driving(backend, size=SIZE) as d:
        await at_incident(d)
        assert_only_text(d)
        assert f"'{beginning(value)}" in d.text
        await d.until(lambda: d.screen.query("#message"))
        d.screen.query_one("#message").collapsed = False  # type: ignore[attr-defined]
        await d.pilot.pause()
        assert_only_text(d)
        await d.press("t")
        await d.on(TransactionScreen)
        await d.see("1 in conflict")
        assert_only_text(d)
        assert f"'{beginning(value)}" in d.text
        await d.press("escape", "e")
        await d.on(ErrantScreen)
        await d.see("written on this replica itself")
        assert_only_text(d)
        assert f"'{beginning(value)}" in d.text


@hostile
async def test_a_value_in_full(value: str) -> None:
    async with driving(FakeBackend.broken(diagnosis(value, everywhere=False)), size=SIZE) as d:
        await at_incident(d)
        rows = d.screen.query_one(SideBySide)
        rows.focus()
        for row in (1, 2):  # text, bytes
            rows.move_cursor(row=row, column=2, animate=False)
            await d.press("v")
            await d.on(ValueDialog)
            assert_only_text(d)
            if row == 1:
                whole = visible(value.replace("\n", "↵\n")).split("\n")[0]
                assert whole[:60].rstrip() in d.text
                assert f"{len(value):,} character" in d.text
            await d.press("y")
            await d.press("escape")
            await d.on(IncidentScreen)
            assert_only_text(d)


# --- plan, confirm, outcome ---


@hostile
async def test_on_the_way_through_a_plan(value: str) -> None:
    found = diagnosis(value)
    plan = plan_of(found)
    failed = replace(not_verified(plan), message=value[:1000], hint=value[:1000])
    backend = FakeBackend.broken(found, steps=(value[:500],) * 4, application=failed)
    async with driving(backend, size=SIZE) as d:
        await at_incident(d)
        await d.press("p")
        await d.on(PlanScreen)
        await d.see("Not rehearsed yet")
        assert_only_text(d)
        assert visible(plan.steps[0].sql, keep_newlines=False)[:40] in d.text
        await d.press("h")
        await d.see("Rehearsed:")
        assert_only_text(d)
        await d.press("a")
        await d.on(ConfirmDialog)
        assert_only_text(d)
        box = d.screen.query_one("#confirm-name")
        box.value = visible(str(plan.steps[0].table), keep_newlines=False)  # type: ignore[attr-defined]
        box.focus()
        await d.until(lambda: not d.screen.query_one("#apply").disabled)
        await d.press("enter", "enter")
        await d.see("Failed")
        assert_only_text(d)
        await d.press("L")
        await d.on(LogScreen)
        await d.see("failed:")
        assert_only_text(d)


@hostile
async def test_errors(value: str) -> None:
    short = value[:1000]
    backend = FakeBackend.broken(rehearsal=RehearsalFailed(short, short))
    async with driving(backend, size=SIZE) as d:
        await at_incident(d)
        await d.press("p", "h")
        await d.see("Not rehearsed: nothing was changed")
        assert_only_text(d)
        d.app.say_error(ConnectError(short, short))
        await d.see("Error")
        assert_only_text(d)
        await d.press("escape")
        backend.diagnoses[("db2", "")] = ConnectError(short, short)
        await d.press("r")
        await d.see("State")
        assert_only_text(d)
        backend.diagnoses[("db2", "")] = KeyError(short)
        await d.press("r")
        await d.see("This is a bug in replfix: KeyError")
        assert_only_text(d)


# --- fleet ---


@hostile
async def test_in_the_fleet(value: str) -> None:
    word = value[:60]
    answers: dict[str, Answer] = {
        "db1": stands(running(name=word), failing(name=f"x{word}", words=value[:2000], table=f"a.{word}")),
        "db2": ConnectError(value[:2000], value[:2000]),
        word: stands(running()),
    }
    async with driving(FakeBackend(("db1", "db2", word), answers=answers), size=SIZE, open_incident=False) as d:
        await d.see("✗ error", "? unreachable", "2 ✔ running")
        assert_only_text(d)
        assert beginning(word, 6).rstrip() in d.text
        await d.press("v")  # the first one, with the error
        await d.on(TextDialog)
        await d.see("applier's error")
        assert_only_text(d)
        await d.press("escape", "g")
        await d.see("source source:3306")
        assert_only_text(d)
        await d.press("g", "home", "down", "enter")  # the unreachable one: a toast
        await d.until(lambda: d.notifications)
        await d.pilot.pause()
        assert isinstance(d.screen, FleetScreen)
        assert_only_text(d)
        await d.press("end", "enter")  # the replica of that name
        await d.see("There is nothing to resolve")
        assert_only_text(d)
        await d.press("question_mark")
        await d.on(HelpScreen)
        assert_only_text(d)


# --- audit ---


@hostile
async def test_in_the_audit_trail(value: str) -> None:
    clean = value.encode("utf-8", "replace").decode()
    chain = Chain()
    found = diagnosis(clean)
    chain.add(RecordKind.REFUSED, {"reason": clean, clean[:50]: clean}, replica=clean[:50], incident=clean[:12])
    chain.resolution(found, replica=clean[:30])
    async with driving(FakeBackend(chain=chain), size=SIZE) as d:
        await d.press("A")
        await d.on(AuditScreen)
        await d.see("5 records")
        assert_only_text(d)
        await d.press("enter")
        await d.on(RecordScreen)
        for _ in range(5):
            await d.press("n")
            await d.pilot.pause()
            assert_only_text(d)
            await d.press("j")
            await d.pilot.pause()
            assert_only_text(d)
            await d.press("j")
        await d.press("escape")
        await d.on(AuditScreen)
        await d.press("slash")
        d.screen.query_one("#audit-search").value = visible(clean[:30], keep_newlines=False)  # type: ignore[attr-defined]
        await d.until(lambda: "of 5 records" in d.text)
        assert_only_text(d)


async def test_what_is_typed_or_pasted_is_text_too() -> None:
    async with driving(FakeBackend(("db1", "[/b]"))) as d:
        await d.see("2 ✔ running")
        await d.press("slash")
        await d.press("left_square_bracket", "slash", "b", "right_square_bracket")
        await d.see("1 hidden")
        assert_only_text(d)


def test_the_values_are_hostile() -> None:
    """Otherwise the tests above prove nothing."""
    bad = [name for name, value in VALUES.items() if any(unicodedata.category(c) in HIDDEN for c in value)]
    assert {"escapes and hidden", "controls and half characters", "megabyte"} <= set(bad)
    assert len(VALUES["megabyte"]) == 1_000_000
