"""What every screen has: help, palette, log, themes, no colour, no animation, and no failure in silence."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from rich.style import Style
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Button, DataTable

from replfix.config.model import Tui
from replfix.errors import ConnectError
from replfix.tui.app import ReplfixApp, checked
from replfix.tui.palette import THEME_NAMES
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
from replfix.tui.screens.undo import UndoDialog
from replfix.tui.terminal_filters import BLACK, PALETTE, WANTED, WHITE, ratio, shown
from replfix.tui.widgets.line_list import LineList
from replfix.tui.widgets.row_table import RowTable
from replfix.tui.widgets.value_dialog import ValueDialog
from tests.tui.backend import BROKEN, FakeBackend, many, strays_of
from tests.tui.driving import Driver, driving
from tests.tui.test_audit import trail

Reach = Callable[[Driver], Awaitable[object]]


async def _incident(d: Driver) -> None:
    await d.on(IncidentScreen)
    await d.see("Conflicts")


async def _fleet(d: Driver) -> None:
    await _incident(d)
    await d.press("escape")
    await d.on(FleetScreen)
    await d.see("✗ error")


async def _transaction(d: Driver) -> None:
    await _incident(d)
    await d.press("t")
    await d.on(TransactionScreen)
    await d.see("in conflict")


async def _errant(d: Driver) -> None:
    await _incident(d)
    await d.press("e")
    await d.on(ErrantScreen)
    await d.see("! Errant: 3 transactions")


async def _value(d: Driver) -> None:
    await _incident(d)
    d.screen.query_one("#conflict-rows").focus()
    await d.press("v")
    await d.on(ValueDialog)


async def _plan(d: Driver) -> None:
    await _incident(d)
    await d.press("p", "h")
    await d.on(PlanScreen)
    await d.see("Rehearsed:")


async def _confirm(d: Driver) -> None:
    await _plan(d)
    await d.press("a")
    await d.on(ConfirmDialog)


async def _audit(d: Driver) -> None:
    await _fleet(d)
    await d.press("A")
    await d.on(AuditScreen)
    await d.see("5 records")


async def _record(d: Driver) -> None:
    await _audit(d)
    await d.press("down", "down", "enter")
    await d.on(RecordScreen)
    await d.see("feedbeef0001")


async def _undo(d: Driver) -> None:
    await _record(d)
    await d.press("U")
    await d.on(UndoDialog)
    await d.see("differs from its source")


async def _log(d: Driver) -> None:
    await _plan(d)
    await d.press("L")
    await d.on(LogScreen)
    await d.see("Rehearsing the plan")


WAYS: dict[type[Screen[Any]], Reach] = {
    FleetScreen: _fleet,
    IncidentScreen: _incident,
    TransactionScreen: _transaction,
    ErrantScreen: _errant,
    ValueDialog: _value,
    PlanScreen: _plan,
    ConfirmDialog: _confirm,
    AuditScreen: _audit,
    RecordScreen: _record,
    UndoDialog: _undo,
    LogScreen: _log,
}
every_screen = pytest.mark.parametrize("screen", WAYS, ids=lambda s: s.__name__)


def backend() -> FakeBackend:
    return FakeBackend.broken(many(8), chain=trail(), strays=strays_of("shop"))


def bindings(screen: type[Screen[Any]]) -> list[Binding]:
    own = [b for b in (*screen.BINDINGS, *ReplfixApp.BINDINGS) if isinstance(b, Binding)]
    assert own
    return own


# --- help, palette, footer ---


@every_screen
async def test_what_every_screen_has(screen: type[Screen[Any]]) -> None:
    """One start of the app for all: at 80 by 24, at 200 by 60, with its keys, help and palette, and with workers that fail."""
    async with driving(backend(), size=(80, 24)) as d:
        await WAYS[screen](d)
        lines = d.text.splitlines()
        assert len(lines) == 24
        assert re.search(r"\besc\b|Filter|Quit", d.text), "the keys that work now are in the footer"
        await d.pilot.resize_terminal(200, 60)
        await d.until(lambda: len(d.text.splitlines()) == 60)
        assert isinstance(d.screen, screen)
        await d.pilot.resize_terminal(120, 70)
        active = {a.binding.id for a in d.screen.active_bindings.values() if a.enabled}
        _the_palette_has_every_action(d, screen, active)
        await _text_can_be_read_in_every_theme(d)
        await _nothing_has_a_colour_without_colours(d)
        await _help_has_every_key(d, screen, active)
        await _a_failed_worker_shows(d)


async def _help_has_every_key(d: Driver, screen: type[Screen[Any]], active: set[str | None]) -> None:
    await d.press("f1")
    await d.on(HelpScreen)
    await d.see("This screen")
    for binding in screen.BINDINGS:
        assert isinstance(binding, Binding)
        if binding.description and binding.id in active:
            assert d.shows(binding.description, binding.tooltip), binding
    await d.press("escape")
    await d.on(screen)
    if not issubclass(screen, ConfirmDialog):  # there, letters go to the table's name
        await d.press("question_mark")
        await d.on(HelpScreen)
        await d.press("escape")
        await d.on(screen)


def _the_palette_has_every_action(d: Driver, screen: type[Screen[Any]], active: set[str | None]) -> None:
    offered = {command.title for command in d.app.get_system_commands(d.screen)}
    for binding in bindings(screen):
        assert binding.id, f"{binding} has no id"
        assert binding.tooltip or not binding.show, f"{binding.id} does not say what it does"
        if binding.id in active and binding.description:
            assert binding.description in offered
    assert {f"Theme: {name}" for name in THEME_NAMES} <= offered


async def _a_failed_worker_shows(d: Driver) -> None:
    def fails(words: str) -> None:
        raise LookupError(words)

    for node, words in ((d.screen, "of the screen"), (d.app, "of the app")):
        node.run_worker(lambda words=words: fails(words), thread=True, exit_on_error=False)
        await d.see("This is a bug in replfix", f"LookupError: {words}")
        assert any(words in text for _, text in d.app.journal.lines())


async def test_the_palette_runs_what_is_chosen() -> None:
    async with driving(backend()) as d:
        await _fleet(d)
        await d.press("ctrl+p")
        await d.until(lambda: not isinstance(d.screen, FleetScreen))
        await d.type("audit")
        await d.see("Audit", "key: A")
        await d.until(lambda: d.screen.query("OptionList").first().option_count >= 1)  # type: ignore[attr-defined]
        await d.press("enter")
        await d.on(AuditScreen)


async def test_ids_are_not_used_twice() -> None:
    ids = [b.id for screen in WAYS for b in screen.BINDINGS if isinstance(b, Binding)]
    ids += [b.id for b in ReplfixApp.BINDINGS if isinstance(b, Binding)]
    assert len(ids) == len(set(ids))


async def test_a_terminal_that_changes_its_size() -> None:
    async with driving(backend(), size=(200, 60)) as d:
        await _incident(d)
        for size in ((80, 24), (40, 10), (20, 5), (200, 60)):
            await d.pilot.resize_terminal(*size)
            await d.until(partial(lambda height: len(d.text.splitlines()) == height, size[1]))
        await d.see("Conflicts")


# --- the log ---


async def test_the_log_follows_what_happens() -> None:
    async with driving(backend()) as d:
        await _fleet(d)
        await d.press("L")
        await d.on(LogScreen)
        await d.see("Nothing happened yet")
        d.app.journal.add("first thing")
        await d.see("first thing", "1 line")
        d.app.journal.add("second thing")
        await d.see("second thing", "2 lines")
        await d.press("y")
        await d.until(lambda: "first thing" in d.app.clipboard and "second thing" in d.app.clipboard)
        await d.press("escape")
        await d.on(FleetScreen)


async def test_every_error_is_in_the_log() -> None:
    async with driving(backend()) as d:
        await _fleet(d)
        d.app.say_error(ConnectError("Lost it.", "Look."))
        await d.press("L")
        await d.see("Lost it. Look.")


# --- a bug in a worker ---


async def test_an_error_on_purpose_is_no_bug() -> None:
    def fails() -> None:
        raise ConnectError("Lost it.", "Look.")

    async with driving(backend()) as d:
        await _fleet(d)
        d.app.run_worker(fails, thread=True, exit_on_error=False)
        await d.see("Lost it.", "Look.")
        assert "bug" not in d.text


# --- colours ---


def styles(d: Driver) -> Iterator[tuple[str, Style]]:
    """Every text on the screen, boxes and bars left out, with its style."""
    for strip in d.screen._compositor.render_strips():
        for segment in strip:
            if segment.style is not None and segment.text.strip() and not 0x2500 <= ord(segment.text[0]) < 0x25A0:
                yield segment.text, segment.style


async def _drawn_anew(d: Driver) -> None:
    """After the theme was changed: the app applies its styles by itself."""
    await d.pilot.pause()
    d.screen.refresh(layout=True)
    await d.pilot.pause()


async def _text_can_be_read_in_every_theme(d: Driver) -> None:
    before = d.app.theme
    drawn = set()
    for theme in THEME_NAMES:
        d.app.theme = theme
        await _drawn_anew(d)
        drawn.add("".join(str(style) for _, style in styles(d)))
        dark = d.app.current_theme.dark
        front, back = (PALETTE[7], BLACK) if dark else (BLACK, WHITE)
        found = list(styles(d))
        assert len(found) > 3
        for text, style in found:
            contrast = ratio(shown(style.color, front), shown(style.bgcolor, back))
            assert contrast >= WANTED - 0.01, f"{theme}: {text!r} {style}: {contrast:.1f}"
        if not theme.startswith("ansi"):
            assert any(style.color is not None for _, style in found)
    assert len(drawn) > len(THEME_NAMES) // 2, "each theme was on the screen"
    d.app.theme = before


async def _nothing_has_a_colour_without_colours(d: Driver) -> None:
    """And the place of the cursor, or the button with the focus, is a text attribute."""
    before = d.app.theme
    d.app.no_color, d.app.theme = True, "ansi-dark"
    await _drawn_anew(d)
    for text, style in styles(d):
        for colour in (style.color, style.bgcolor):
            assert colour is None or colour.is_default, (text, style)
    if isinstance(d.screen.focused, RowTable | DataTable | LineList | Button):
        assert any(style.reverse for _, style in styles(d))
    d.app.no_color, d.app.theme = False, before
    await _drawn_anew(d)


async def test_states_are_words_and_symbols_without_any_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with driving(backend()) as d:
        await _incident(d)
        await d.see("✗ db2", "≠", "✔ source-wins", "! ")
        await d.press("escape")
        await d.see("✗ error")


async def test_a_theme_that_nobody_knows_is_said_and_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLFIX_THEME", "no-such-theme")
    async with driving(backend()) as d:
        await _fleet(d)
        assert d.app.theme == "replfix-dark"
        assert any("REPLFIX_THEME=no-such-theme: there is no such theme" in n for n in d.notifications)


async def test_a_console_with_sixteen_colours_gets_its_own_and_plain_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    monkeypatch.delenv("COLORTERM")
    async with driving(backend()) as d:
        assert d.app.theme == "ansi-dark"
        await d.on(IncidentScreen)
        await d.see("x db2", "! ", "+ source-wins")
        d.text.encode("latin-1")
        await d.press("escape")
        await d.see("x error")


async def test_the_next_theme_goes_round() -> None:
    async with driving(backend()) as d:
        await _fleet(d)
        seen = []
        for _ in THEME_NAMES:
            seen.append(d.app.theme)
            await d.press("ctrl+t")
            await d.until(partial(lambda before: d.app.theme != before, seen[-1]))
        assert sorted(seen) == sorted(THEME_NAMES)
        assert d.app.theme == seen[0]


async def test_no_animation_when_asked() -> None:
    async with driving(backend(), animate=False) as d:
        assert d.app.animation_level == "none"
        await _incident(d)
        await d.press("end")
        await d.pilot.pause()
        assert not d.app.animator._animations, "nothing moves by itself"


# --- what the configuration changes ---


async def test_configured_keys_work_and_are_in_the_help_and_the_sentences() -> None:
    settings = checked(Tui(keys={"incident.plan": "f5", "app.audit": "w"}, theme="replfix-light"))
    async with driving(backend(), settings=settings) as d:
        await _incident(d)
        assert d.app.theme == "replfix-light"
        await d.see("f5 shows the plan of source-wins")
        await d.press("p", "A")
        await d.pilot.pause()
        assert isinstance(d.screen, IncidentScreen)
        await d.press("f1")
        await d.see("f5", "What the highlighted option would do")
        await d.press("escape", "f5")
        await d.on(PlanScreen)
        await d.press("w")
        await d.on(AuditScreen)


async def test_a_channel_that_stops_rings_and_notifies_once_where_that_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    fake = FakeBackend(("db1", "db2"))
    async with driving(fake, open_incident=False) as d:
        await d.see("2 ✔ running")
        written: list[str] = []
        assert d.app._driver is not None
        monkeypatch.setattr(d.app._driver, "write", written.append)
        fake.answers["db1"] = BROKEN
        await d.see("1 ✗ error")
        assert written == [], "off, until somebody wants it"
        await d.press("b", "b")
        await d.until(lambda: any("a bell and a notification (osc9)" in n for n in d.notifications))
        fake.answers["db2"] = BROKEN
        await d.see("2 ✗ error")
        await d.polled("db2")
        assert [text for text in written if "]9;" in text] == [
            "\x1b]9;db2, the default channel: error 1062 Write_rows on shop.orders key orders.PRIMARY\x07"
        ]
        assert sum("db1, the default channel: error" in text for _, text in d.app.journal.lines()) == 1
        await d.press("b")
        await d.until(lambda: any("When a channel stops: nothing." in n for n in d.notifications))


# --- leaving ---


async def test_q_leaves_from_every_depth_and_stops_the_polling() -> None:
    async with driving(backend()) as d:
        await _transaction(d)
        await d.press("q")
        await d.until(lambda: d.app._exit)
    assert d.app.watch_._stop.is_set()


async def test_leaving_does_not_wait_for_a_replica_that_hangs() -> None:
    fake = FakeBackend(("db1", "db2"))
    with fake.hold("poll db1"):
        async with driving(fake) as d:
            await d.see("1 ✔ running")
            await d.press("q")
            await d.until(lambda: d.app._exit)
            fake.release()
