"""How far long work has come: the rate and the time left, how often a face says it, and the line on the terminal."""

from __future__ import annotations

from io import StringIO

import pytest

from replfix.cli import progress_line
from replfix.cli.output import narrate, narrate_advance
from replfix.cli.progress_line import ERASE, ProgressLine
from replfix.cli.stdio import BestEffortStream
from replfix.core.words import Advance
from replfix.present.progress_text import LISTED, REWRITTEN, WINDOW, Pace, span


def rows(done: int, total: int | None = 10_000, text: str = "Reading") -> Advance:
    return Advance(text, done, total, "rows")


def last_of(pace: Pace, *steps: tuple[float, Advance | str]) -> str | None:
    return [pace.said(step, now) for now, step in steps][-1]


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ([(0.0, rows(0))], "Reading: 0 of 10,000 rows"),
        ([(0.0, rows(0)), (0.5, rows(900))], "Reading: 900 of 10,000 rows"),  # too early for a rate
        ([(0.0, rows(0)), (2.0, rows(2_000))], "Reading: 2,000 of 10,000 rows, 1,000 rows/s, about 8 s left"),
        ([(0.0, rows(0)), (100.0, rows(10))], "Reading: 10 of 10,000 rows, 0.1 rows/s, about 27 h 45 min left"),
        ([(0.0, rows(500)), (2.0, rows(500))], "Reading: 500 of 10,000 rows"),  # nothing was done: no rate, no end
        ([(0.0, rows(0, None)), (2.0, rows(30, None))], "Reading: 30 rows, 15 rows/s"),
        ([(0.0, rows(0)), (4.0, rows(10_000))], "Reading: 10,000 of 10,000 rows, 2,500 rows/s"),
        (
            [(0.0, rows(0)), (4.0, rows(10_001))],
            "Reading: 10,001 of 10,000 rows, 2,500 rows/s",
        ),  # the total was a guess
        # another step, or the same one begun again, has a rate of its own
        ([(0.0, rows(0)), (4.0, rows(9_000)), (5.0, rows(0, text="Comparing"))], "Comparing: 0 of 10,000 rows"),
        ([(0.0, rows(0)), (4.0, rows(9_000)), (5.0, rows(10))], "Reading: 10 of 10,000 rows"),
        ([(0.0, rows(0)), (4.0, "Verifying"), (5.0, rows(10))], "Reading: 10 of 10,000 rows"),
        ([(0.0, "Verifying")], "Verifying"),
    ],
)
def test_the_line_of_a_step(steps: list[tuple[float, Advance | str]], line: str) -> None:
    assert last_of(Pace(0.0), *steps) == line


def test_the_rate_is_that_of_the_last_seconds() -> None:
    pace = Pace(0.0)
    fast = [pace.said(rows(1_000 * second), float(second)) for second in range(6)]
    slow = [pace.said(rows(5_000 + 10 * second), 5.0 + second) for second in range(int(WINDOW) + 2)]
    assert fast[-1] == "Reading: 5,000 of 10,000 rows, 1,000 rows/s, about 5 s left"
    assert slow[-1] == "Reading: 5,160 of 10,000 rows, 10 rows/s, about 8 min left"


@pytest.mark.parametrize(
    ("every", "first", "said"),
    [(REWRITTEN, 0.5, [0.5, 0.75, 1.0]), (0.5, None, [0.5, 1.0]), (LISTED, None, [])],
)
def test_how_often_a_step_is_said(every: float, first: float | None, said: list[float]) -> None:
    pace = Pace(every, first)
    times = [at / 8 for at in range(9)]
    assert [at for at in times if pace.said(rows(int(at * 100)), at) is not None] == said


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.1, "1 s"),
        (99, "99 s"),
        (100, "2 min"),
        (5_940, "99 min"),
        (6_000, "1 h 40 min"),
        (7_200, "2 h"),
        (3.6e6, "1,000 h"),
    ],
)
def test_a_time_in_words(seconds: float, words: str) -> None:
    assert span(seconds) == words


# --- on stderr ---


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the one line that there is."""
    clock = Clock()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "72")
    monkeypatch.delenv("NO_COLOR", raising=False)
    line = ProgressLine(clock.now)
    monkeypatch.setattr(progress_line, "PROGRESS_LINE", line)
    monkeypatch.setattr("replfix.cli.output.PROGRESS_LINE", line)
    return clock


def written(monkeypatch: pytest.MonkeyPatch, stream: StringIO) -> StringIO:
    err = BestEffortStream(stream, ends_with_reader=False, before=progress_line.PROGRESS_LINE.clear)
    monkeypatch.setattr("sys.stderr", err)
    return stream


def test_on_a_terminal_one_line_is_written_over_and_goes_before_anything_else(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    err = written(monkeypatch, Terminal())
    narrate("Asking the source")
    for clock.at in (0.0, 1.0, 1.1, 2.0):
        narrate(rows(int(clock.at * 1000), text="Comparing it with all of the rows"))
    narrate("Done")
    first, second = (
        f"Comparing it with…: {number},000 of 10,000 rows, 1,000 rows/s, about {10 - number} s left"
        for number in (1, 2)
    )
    assert err.getvalue() == f"Asking the source\n{first}{ERASE}{second}{ERASE}Done\n"


@pytest.mark.parametrize("setting", [("NO_COLOR", "1"), ("TERM", "dumb"), ("stream", "file")])
def test_elsewhere_a_line_now_and_then_without_escape_sequences(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, setting: tuple[str, str]
) -> None:
    if setting[0] != "stream":
        monkeypatch.setenv(*setting)
    err = written(monkeypatch, StringIO() if setting[0] == "stream" else Terminal())
    for second in range(21):
        clock.at = float(second)
        narrate(rows(second * 100))
    assert err.getvalue() == (
        "Reading: 1,000 of 10,000 rows, 100 rows/s, about 90 s left\n"
        "Reading: 2,000 of 10,000 rows, 100 rows/s, about 80 s left\n"
    )


def test_nothing_with_json_and_nothing_is_left_at_the_end(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    err = written(monkeypatch, Terminal())
    with progress_line.PROGRESS_LINE.shown(False):
        for clock.at in (0.0, 20.0):
            narrate(rows(5))
    assert err.getvalue() == ""
    with pytest.raises(KeyboardInterrupt), progress_line.PROGRESS_LINE.shown(True):
        for clock.at in (30.0, 31.0):
            narrate_advance("Asking the source")
            narrate_advance(rows(5))
        raise KeyboardInterrupt
    assert err.getvalue() == f"Reading: 5 of 10,000 rows{ERASE}"


def test_text_of_a_server_does_not_reach_the_terminal_as_it_is(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    err = written(monkeypatch, Terminal())
    for clock.at in (0.0, 1.0):
        narrate(rows(5, text="Reading \x1b]0;x\n mysql://u:secret@h/"))
    assert "\\x1b]0;x\\x0a" in err.getvalue()
    assert "secret" not in err.getvalue()
