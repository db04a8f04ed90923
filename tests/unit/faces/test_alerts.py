"""What is news of a fleet, and how a terminal is told: no app is started."""

from __future__ import annotations

import pytest

from replfix.core.replication.replica_status import ChannelStatus, ReceiverState
from replfix.errors import ConnectError
from replfix.tui.alerts import LONGEST, Alerts, Desktop, sequence
from replfix.tui.watch import Seen
from tests.unit.making import channel, row_message, status

WELL = channel(applier_running=True)
FAILED = channel(applier_errno=1062, applier_message=row_message(1062, "Write_rows", "a.b", "Duplicate entry", ""))
BY_HAND = channel(receiver=ReceiverState.STOPPED)
LOST = ConnectError("Lost db2.")


def seen(*channels: ChannelStatus) -> Seen:
    return Seen("db2", 1, status(*channels), None)


SILENT = Seen("db2", 1, None, LOST)
ERROR = [("db2", "db2, the default channel: error 1062 Write_rows on a.b")]


@pytest.mark.parametrize(
    ("polls", "news"),
    [
        ([seen(FAILED)], []),  # it was so before anybody looked
        ([seen(WELL), seen(FAILED)], ERROR),
        ([seen(WELL), seen(FAILED), seen(FAILED)], ERROR),
        ([seen(WELL), seen(FAILED), seen(WELL), seen(FAILED)], ERROR * 2),
        ([seen(WELL), seen(BY_HAND)], [("db2", "db2, the default channel: stopped")]),
        ([seen(WELL), SILENT, SILENT], [("db2", "db2: unreachable: Lost db2.")]),
        ([seen(WELL, channel(name="eu", applier_running=True)), SILENT], [("db2", "db2: unreachable: Lost db2.")]),
        ([SILENT, seen(WELL), seen(FAILED)], ERROR),
        ([seen(BY_HAND), seen(FAILED)], []),  # it did not run
    ],
)
def test_what_is_news(polls: list[Seen], news: list[tuple[str, str]]) -> None:
    alerts = Alerts()
    assert [one for poll in polls for one in alerts.look([poll])] == news


@pytest.mark.parametrize(
    ("how", "tmux", "written"),
    [
        (Desktop.OFF, False, ""),
        (Desktop.OSC9, False, "\x1b]9;a;b\x07"),
        (Desktop.OSC777, False, "\x1b]777;notify;replfix;a,b\x07"),
        (Desktop.OSC9, True, "\x1bPtmux;\x1b\x1b]9;a;b\x07\x1b\\"),
    ],
)
def test_what_the_terminal_gets(how: Desktop, tmux: bool, written: str) -> None:
    assert sequence(how, "a;b", tmux=tmux) == written


def test_a_servers_message_cannot_end_the_sequence_or_begin_another() -> None:
    written = sequence(Desktop.OSC9, "x\x07\x1b]52;c;AAAA\x07\n\x9c\u202e" * 99, tmux=False)
    inside = written.removeprefix("\x1b]9;").removesuffix("\x07")
    assert len(inside) <= LONGEST
    assert inside.isascii()
    assert inside.isprintable()
