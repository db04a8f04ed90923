"""The terminal UI: one app, one watch over all replicas, screens on top."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter, NoColor
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from replfix.config.model import Tui
from replfix.core.words import suggestion
from replfix.errors import ConfigError, ReplfixError
from replfix.present.channel_state import State, state_of
from replfix.present.safe_text import visible
from replfix.tui.activity_log import Journal
from replfix.tui.alerts import Alerts, Desktop, sequence
from replfix.tui.backend import Backend
from replfix.tui.keys import check_keys
from replfix.tui.messages import Polled
from replfix.tui.palette import THEME_NAMES, next_theme, system_commands
from replfix.tui.screen import ReplfixDialog, ReplfixScreen
from replfix.tui.screens.advisor import AdvisorScreen
from replfix.tui.screens.audit import AuditScreen
from replfix.tui.screens.confirm import ConfirmDialog
from replfix.tui.screens.errant import ErrantScreen
from replfix.tui.screens.fleet import FleetScreen
from replfix.tui.screens.forecast import ForecastScreen
from replfix.tui.screens.help import HelpScreen
from replfix.tui.screens.incident import IncidentScreen
from replfix.tui.screens.log import LogScreen
from replfix.tui.screens.plan import PlanScreen
from replfix.tui.screens.record import RecordScreen
from replfix.tui.screens.recover import RecoverDialog
from replfix.tui.screens.transaction import TransactionScreen
from replfix.tui.screens.undo import UndoDialog
from replfix.tui.terminal_filters import PlainSymbols, Readable, lacking
from replfix.tui.themes import THEMES
from replfix.tui.thread_work import BUG
from replfix.tui.watch import Watch
from replfix.tui.widgets.filter_box import FilterBox
from replfix.tui.widgets.row_table import RowTable
from replfix.tui.widgets.side_by_side import SideBySide
from replfix.tui.widgets.text_dialog import TextDialog
from replfix.tui.widgets.value_dialog import ValueDialog

WITH_KEYS = (
    FleetScreen, IncidentScreen, PlanScreen, ConfirmDialog, TransactionScreen, ErrantScreen, ForecastScreen, AuditScreen, RecordScreen,
    UndoDialog, RecoverDialog, AdvisorScreen, LogScreen, HelpScreen, ValueDialog, TextDialog, RowTable, SideBySide,
)  # fmt: skip
"""Every class whose keys the configuration can change."""
DRAW_SECONDS = 0.25  # how often the screen takes over what was polled


DEFAULTS = Tui()


class ReplfixApp(App[None]):
    """``backend`` does everything that is not drawing. ``animate=False`` for tests and slow terminals."""

    TITLE = "replfix"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Quit (waits for a running apply)"),
        Binding("question_mark,f1", "help", "Help", key_display="?", id="app.help", tooltip="Keys of this screen"),
        Binding("A", "audit", "Audit", id="app.audit", tooltip="Everything that was done, with row images"),
        Binding(
            "K", "advisor", "Advisor", id="app.advisor", tooltip="How the servers keep their keys apart", show=False
        ),
        Binding("L", "log", "Log", id="app.log", tooltip="What happened since the start", show=False),
        Binding(
            "b", "alerts", "Alerts", id="app.alerts", tooltip="When a channel stops: a bell, a notification", show=False
        ),
        Binding("ctrl+t", "next_theme", "Theme", id="app.theme", tooltip="The next theme", show=False),
        Binding("ctrl+l", "redraw", "Redraw", id="app.redraw", tooltip="Draw the screen anew", show=False),
    ]

    def __init__(
        self, backend: Backend, *, open_incident: bool = True, animate: bool = True, settings: Tui = DEFAULTS
    ) -> None:
        super().__init__()
        self._settings = settings
        self.configured_keys = settings.keys
        self._alerts = Alerts()
        self._bell = settings.bell
        self._desktop = Desktop(settings.desktop)
        if not animate:
            self.animation_level = "none"
        term = os.environ.get("TERM", "")
        self._readable = Readable(
            lambda: self.current_theme.dark, lambda: self.native_ansi_color, without_dim=term.startswith("linux")
        )
        encoding = lacking(term, getattr(sys.__stderr__, "encoding", None) or "utf-8")
        self._symbols = [PlainSymbols(encoding)] if encoding else []
        self.backend = backend
        self.watch_ = Watch(backend)
        self.journal = Journal()
        self._open_incident = open_incident
        self._last_action: dict[str, str] = {}
        self._applying: str | None = None
        self._at_work_on = ""
        self._quit_when_safe = False

    def on_mount(self) -> None:
        if self.read_only:
            self.title = f"{self.TITLE} (read-only)"
        for theme in THEMES:
            self.register_theme(theme)
        few_colours = self.no_color or self.console.color_system == "standard"
        wanted = os.environ.get("REPLFIX_THEME") or self._settings.theme or ""
        self.theme = wanted if wanted in THEME_NAMES else "ansi-dark" if few_colours else "replfix-dark"
        if wanted and wanted not in THEME_NAMES:
            near = suggestion(wanted, THEME_NAMES, "Themes")
            text = visible(f"REPLFIX_THEME={wanted[:80]}: there is no such theme. {near}")
            self.notify(text, severity="warning", timeout=15, markup=False)
        self.set_keymap(self.configured_keys)
        self.push_screen(FleetScreen())
        self.watch_.start()
        self.set_interval(DRAW_SECONDS, self._draw)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what everything that is drawn passes through on its way to the terminal."""
        if self.no_color:  # Textual's own filter makes greys of colours: black on black with the terminal's palette
            return [NoColor(), *self._symbols]
        return [*super().get_line_filters(), self._readable, *self._symbols]

    def on_unmount(self) -> None:
        self.watch_.stop()

    def _draw(self) -> None:
        """Hand over what was polled to every screen on the stack: polling goes on while a dialog is open."""
        if not self.is_running:  # it ends: screens have lost their parts already
            return
        seen = self.watch_.take_changed()
        if not seen:
            return
        message = Polled(seen)
        for screen in self.screen_stack:
            if isinstance(screen, ReplfixScreen | ReplfixDialog) and screen.is_mounted:
                screen.polled(message)
        for name, text in self._alerts.look(seen):
            self._alert(name, text)
        if self._open_incident:
            self._open_first(message)

    def _alert(self, name: str, text: str) -> None:
        self.journal.add(text)
        if name == self._at_work_on:  # replfix itself stops and starts its channels now
            return
        if self._bell:
            self.bell()
        if self._driver is not None and (written := sequence(self._desktop, text, tmux="TMUX" in os.environ)):
            self._driver.write(written)
            self._driver.flush()

    def action_alerts(self) -> None:
        """Go on from nothing to the bell, then to bell and notification, then to nothing."""
        configured = Desktop(self._settings.desktop)
        if not self._bell:
            self._bell = True
        elif self._desktop is Desktop.OFF:
            self._desktop = configured if configured is not Desktop.OFF else Desktop.OSC9
        else:
            self._bell, self._desktop = False, Desktop.OFF
        how = [
            word
            for word, on in (("a bell", self._bell), (f"a notification ({self._desktop})", self._desktop != "off"))
            if on
        ]
        self.notify(f"When a channel stops: {' and '.join(how) or 'nothing'}.", timeout=3)

    def _open_first(self, message: Polled) -> None:
        """Open the first channel found stopped, once, and only while nobody has gone anywhere."""
        if len(self.screen_stack) > 2:
            self._open_incident = False
            return
        for seen in message.seen:
            for channel in seen.channels:
                if state_of(channel) is State.ERROR:
                    self._open_incident = False
                    self.open_incident(seen.name, channel.name)
                    return

    def open_incident(self, name: str, channel: str) -> None:
        """Show that channel of the replica; the screen begins with an investigation."""
        self.push_screen(IncidentScreen(name, channel))

    def on_key(self, event: events.Key) -> None:
        """Take keys that nobody took; after this, bindings are looked for."""
        if isinstance(self.focused, FilterBox) and self.focused.late(event):
            event.prevent_default()

    # --- what every screen can ask for ---

    def action_help(self) -> None:
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_audit(self) -> None:
        if not isinstance(self.screen, AuditScreen):
            self.push_screen(AuditScreen())

    def action_advisor(self) -> None:
        if not isinstance(self.screen, AdvisorScreen):
            self.push_screen(AdvisorScreen())

    def action_log(self) -> None:
        if not isinstance(self.screen, LogScreen):
            self.push_screen(LogScreen())

    def action_redraw(self) -> None:
        self.refresh(layout=True)

    def action_next_theme(self) -> None:
        self.theme = next_theme(self)
        self.notify(f"Theme: {self.theme}", timeout=2)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        return system_commands(self, screen)

    @property
    def read_only(self) -> str:
        """Why nothing may be written, in words; empty where it may."""
        return f"{self.backend.read_only} is set" if self.backend.read_only else ""

    def unless_read_only(self, possible: bool) -> bool | None:
        """Return what ``check_action`` gives for an action that writes: shown and disabled where nothing may be written."""
        return None if possible and self.read_only else possible

    def last_action(self, name: str) -> str:
        """Return what was done last on that replica since the start, in a few words."""
        return self._last_action.get(name, "")

    def note_action(self, name: str, what: str) -> None:
        """Record what was done on that replica, for the list and the log, and poll it at once."""
        self._last_action[name] = what
        self.journal.add(f"{name}: {what}")
        self.watch_.poll_now(name)

    # --- an apply is not interrupted ---

    def begin_applying(self, what: str, replica: str) -> None:
        """Let quitting wait until ``end_applying``; ``what`` names the work in the message."""
        self._applying = f"{what} {replica}"
        self._at_work_on = replica

    def end_applying(self) -> None:
        """Exit now where the user wanted to quit meanwhile."""
        self._applying = None
        self._at_work_on = ""
        if self._quit_when_safe:
            self.exit()

    async def action_quit(self) -> None:
        if self._applying is None:
            self.exit()
            return
        self._quit_when_safe = True
        self.notify(f"{self._applying}: leaving when it has come to a safe point.", severity="warning", timeout=30)

    # --- workers ---

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Show every failed worker, here alone: none fails in silence."""
        if event.state is not WorkerState.ERROR or event.worker.error is None:
            return
        error = event.worker.error
        if isinstance(error, ReplfixError):
            self.say_error(error)
        else:
            text = f"{type(error).__name__}: {error}"
            self.journal.add(f"Bug: {text}")
            self.notify(visible(text), title=BUG, severity="error", timeout=20, markup=False)

    def say_error(self, error: ReplfixError) -> None:
        """Show the error as a notification, cut where it is long; the log has all of it."""
        self.journal.add(f"{error.message} {error.hint}".strip())
        text = visible("\n".join(_cut(part) for part in (error.message, error.hint) if part))
        self.notify(text, title="Error", severity="error", timeout=15, markup=False)


def checked(settings: Tui) -> Tui:
    """Return the settings with keys as Textual takes them. ConfigError for an unknown theme, action or key."""
    if settings.theme is not None and settings.theme not in THEME_NAMES:
        raise ConfigError(
            f"[tui] theme: there is no theme {settings.theme[:80]!r}.", f"There are {', '.join(THEME_NAMES)}."
        )
    return settings.model_copy(update={"keys": check_keys(settings.keys, WITH_KEYS, ReplfixApp)})


def _cut(text: str) -> str:
    """Cut a text for a notification, which must not cover the screen; the log has all of it."""
    return text if len(text) <= 400 else f"{text[:400]}…"
