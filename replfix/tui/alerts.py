"""A bell, or a notification of the desktop, when a channel stops that was running."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

from replfix.present.channel_state import State, called, error_of
from replfix.present.safe_text import visible
from replfix.tui.watch import Seen

LONGEST = 200  # characters of a notification
_WELL = {State.RUNNING, State.CONNECTING}
_ALARMING = {State.ERROR, State.STOPPED, State.UNREACHABLE}


class Desktop(enum.StrEnum):
    """How a terminal is asked for a notification of the desktop."""

    OFF = "off"
    OSC9 = "osc9"  # iTerm2, WezTerm, Windows Terminal, Ghostty, kitty
    OSC777 = "osc777"  # urxvt, foot, VTE, Ghostty


class Alerts:
    """Compares each poll with the one before it. What is already stopped at the first poll is no news."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], State] = {}

    def look(self, seen: Iterable[Seen]) -> list[tuple[str, str]]:
        """Return the replica and a text for each channel that has stopped since, or whose replica does not answer any more."""
        return [(each.name, text) for each in seen for text in self._look(each)]

    def _look(self, seen: Seen) -> Iterator[str]:
        if seen.error is not None:
            channels = [channel for name, channel in self._states if name == seen.name] or [""]
            states = dict.fromkeys(channels, State.UNREACHABLE)
        else:
            states = seen.states()
        lost = False
        for channel, state in states.items():
            before = self._states.get((seen.name, channel))
            self._states[(seen.name, channel)] = state
            if before not in _WELL or state not in _ALARMING or lost:
                continue
            lost = state is State.UNREACHABLE  # of all channels at once: that is one piece of news
            yield _text(seen, channel, state)


def _text(seen: Seen, channel: str, state: State) -> str:
    if seen.error is not None:
        return f"{seen.name}: {state.word}: {seen.error.message}"
    status = seen.status.channel(channel) if seen.status is not None else None
    error = error_of(status) if status is not None else ""
    return f"{seen.name}, {called(channel)}: {state.word}{f' {error}' if error else ''}"


def sequence(how: Desktop, text: str, *, tmux: bool) -> str:
    """Return what is written to the terminal for a notification; nothing for ``OFF``.

    The text may come from a server: its control characters are spelt out. tmux hands on what it is asked to.
    """
    plain = visible(text, keep_newlines=False)[:LONGEST]
    match how:
        case Desktop.OSC9:
            written = f"\x1b]9;{plain}\x07"
        case Desktop.OSC777:
            written = f"\x1b]777;notify;replfix;{plain.replace(';', ',')}\x07"
        case _:
            return ""
    return f"\x1bPtmux;{written.replace(chr(27), chr(27) * 2)}\x1b\\" if tmux else written
