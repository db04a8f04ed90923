"""A log that is still written is followed: as it grows, when it is rotated or truncated, until Ctrl-C; and its rate."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

from replfix.cli.app import INTERRUPTED, cli, run
from replfix.cli.commands import explain
from replfix.core.explain.log.log_time import seconds_of
from replfix.core.explain.log.rate import MOST, RateCount
from replfix.errors import UsageError
from replfix.present.rate_text import new_errors, rate_chart, rate_sentences
from replfix.workflow.explain import log_source
from replfix.workflow.explain.explanations import LogCount
from replfix.workflow.explain.log_source import Finished, FollowedFile, FollowedPipe
from tests.waiting import until


def line(value: object, second: int = 0) -> str:
    return f"2026-11-30 03:{second // 60:02}:{second % 60:02} ERROR Duplicate entry '{value}' for key 'users.email'\n"


class Steps:
    """What happens to the log each time that there is nothing to read; after the last one the following ends."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self.left = list(steps)

    def __call__(self, _: float) -> bool:
        if not self.left:
            return True
        self.left.pop(0)()
        return False


def append(path: Path, text: str) -> Callable[[], object]:
    def write() -> None:
        with path.open("a") as log:
            log.write(text)

    return write


def followed(path: Path, *steps: Callable[[], object]) -> LogCount:
    count = LogCount()
    assert count.read(FollowedFile(str(path), Steps(*steps)), lambda: None)
    return count


def test_a_file_that_grows_is_rotated_and_truncated(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text(line(1))

    def rotate() -> None:
        path.rename(tmp_path / "app.log.1")
        append(tmp_path / "app.log.1", line(4, 4))()  # by a writer that has it open still
        path.write_text(line(5, 5))

    log = followed(
        path,
        append(path, line(2, 2)[:30]),
        append(path, line(2, 2)[30:] + line(3, 3)),
        rotate,
        append(path, line(6, 6)),
        lambda: path.write_text(line(7, 7)[:40]),
        append(path, line(7, 7)[40:]),
    ).counted(None, follow=True)
    assert (log.errors, log.lines) == (7, 7)
    assert log.groups[0].last_seen == "2026-11-30 03:00:07"


def test_a_file_that_is_away_for_a_moment(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text(line(1) + "a line without its en")
    log = followed(path, path.unlink, lambda: path.write_text(line(2, 2))).counted(None, follow=True)
    assert log.errors == 2


def test_an_error_is_counted_once_though_it_comes_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("")
    trace = line("a").replace("ERROR", "ERROR SqlExceptionHelper :") + "org.X.Exception: failed\n"
    cause = "Caused by: java.sql.SQLException: Duplicate entry 'a' for key 'users.email'\n"
    log = followed(path, append(path, trace), append(path, "\tat a.b.C(D.java:1)\n"), append(path, cause))
    assert log.counts() == {"users.email": 1}
    assert log.counted(None, follow=True).repeated == 1


def test_a_pipe_that_somebody_writes_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_source, "POLLED", 0.0)
    reading, writing = os.pipe()
    count = LogCount()
    seen: list[dict[str, int]] = []
    steps = Steps(
        lambda: os.write(writing, line(1).encode()),
        lambda: seen.append(count.counts()),
        lambda: os.write(writing, line(2, 1).encode()),
        lambda: os.close(writing),
    )
    try:
        assert count.read(FollowedPipe(reading, steps), lambda: None)
    finally:
        os.close(reading)
    assert seen == [{"users.email": 1}]  # before the pipe ended
    assert count.counts() == {"users.email": 2}


def test_a_followed_log_can_be_without_errors(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("all is well\n")
    log = followed(path).counted(None, follow=True)
    assert (log.errors, log.groups, log.rate) == (0, (), None)
    with pytest.raises(UsageError):
        followed(path).counted(None)


@pytest.fixture
def own_signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("own_signals")
@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_prints_what_was_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    path = tmp_path / "app.log"
    path.write_text(line(1))

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(explain, "_wait", Steps(append(path, line(2, 2) + line(3, 70)), interrupt))
    args = ["explain", "--file", str(path), "--follow", *(["--json"] if as_json else [])]
    result = CliRunner().invoke(cli, args, standalone_mode=False)
    assert result.return_value == 0
    if as_json:
        surge = json.loads(result.output)["surge"]
        assert (surge["errors"], surge["followed_quiet_seconds"], surge["interrupted"]) == (3, 0, False)
        assert [bucket["count"] for bucket in surge["rate"]["buckets"]] == [2, 1]
    else:
        assert "users.email +1; 1 in all" in result.output
        assert "3 duplicate-key errors in 3 lines" in result.output


def test_ctrl_c_without_follow_loses_no_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "app.log"
    path.write_text(line(1) + line(2, 2))

    def chunks(self: Finished) -> Iterator[bytes | None]:
        yield self._raw.read()
        yield None
        raise KeyboardInterrupt

    monkeypatch.setattr(Finished, "chunks", chunks)
    result = CliRunner().invoke(cli, ["explain", "--file", str(path)], standalone_mode=False)
    assert result.return_value == INTERRUPTED
    assert "2 duplicate-key errors" in result.output
    assert "Interrupted: only the part that was read is counted." in result.output


def test_a_process_that_follows(tmp_path: Path) -> None:
    path, printed = tmp_path / "app.log", tmp_path / "printed"
    path.write_text(line(1))
    with printed.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "replfix", "explain", "--file", str(path), "--follow"], stdout=out, stderr=out
        )
        try:
            until(lambda: "; 1 in all" in printed.read_text(), "the first error")
            append(path, line(2, 2))()
            until(lambda: "; 2 in all" in printed.read_text(), "the second error")
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert "2 duplicate-key errors in 2 lines, on 1 key" in printed.read_text()


@pytest.mark.usefixtures("own_signals")
def test_follow_needs_a_log_that_can_be_read(tmp_path: Path) -> None:
    assert run(["explain", "--follow", "x"]) == 2
    assert run(["explain", "--follow", "--file", str(tmp_path / "nothing")]) == 2
    (tmp_path / "app.log.gz").write_bytes(gzip.compress(line(1).encode()))
    assert run(["explain", "--follow", "--file", str(tmp_path / "app.log.gz")]) == 2


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": lambda text: zstandard.compress(text),
}


@pytest.mark.parametrize("name", PACKED)
def test_a_packed_log_in_several_parts_and_one_that_ends_early(name: str) -> None:
    """``cat a.gz b.gz`` is one file, too. What ends early is read up to there."""
    pack = PACKED[name]
    parts = ["".join(line(n * 7919, n % 3600) for n in range(begin, begin + 800)).encode() for begin in (0, 800)]
    whole = b"".join(map(pack, parts))
    count = LogCount()
    count.read(Finished(io.BytesIO(whole)), lambda: None)
    log = count.counted(None)
    assert (log.errors, log.damaged) == (1600, None)
    count = LogCount()
    source = Finished(io.BytesIO(whole[:-500]))
    count.read(source, lambda: None)
    damaged = count.counted(None)
    assert damaged.damaged
    assert 800 <= damaged.errors < 1600


def test_a_small_part_of_zstandard_does_not_fill_the_memory() -> None:
    packed = zstandard.compress(b"all is well\n" * 2_000_000)
    sizes = [len(chunk) for chunk in Finished(io.BytesIO(packed + zstandard.compress(b"x"))).chunks() if chunk]
    assert sum(sizes) == 24_000_001
    assert max(sizes) <= log_source.CHUNK


def test_a_text_on_stdin_that_is_too_long_is_not_cut_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain, "MOST_READ", 1024 * 1024)
    text = line(1) + "x" * 1024 * 1024
    result = CliRunner().invoke(cli, ["explain", "-"], input=text, standalone_mode=False)
    assert isinstance(result.exception, UsageError)
    assert "longer than 1 MB" in result.exception.message
    assert "--file -" in str(result.exception.hint)


def test_a_packed_text_on_stdin() -> None:
    result = CliRunner().invoke(cli, ["explain", "-"], input=lzma.compress(line(5).encode()), standalone_mode=False)
    assert "users.email" in result.output


@pytest.mark.parametrize(
    ("text", "other", "seconds"),
    [
        ("2026-11-30T03:00:59.9Z", "2026-11-30 03:01:00", 1),
        ("Nov 30 23:59:59", "Dec  1 00:00:01", 2),
        ("[30/Nov/2026:03:00:00 +0000]"[1:-1], "30-Nov-2026 03:00:05 UTC", 5),
        ("30.11.2026 03:00:00", "11/30/2026 03:00:07", 7),
        ("11/30/2026 12:00:00 AM", "11/30/2026 12:00:00 PM", 43_200),
        ("31/12/2026 03:00:00", "12/31/2026 03:00:00", 0),
        ("1764471601.121", "1764471602", 1),
        ("161121 12:19:56", "161121 12:20:56", 60),
        ("E1130 03:00:01.123456", "E1130 03:00:02.123456", 1),
        ("Tue May 19 18:07:15 2015", "Tue May 19 18:07:16 2015", 1),
        ("03:00:01", "03:00:02", 1),
    ],
)
def test_times_are_compared_on_the_log_s_own_clock(text: str, other: str, seconds: int) -> None:
    first, second = seconds_of(text), seconds_of(other)
    assert first is not None
    assert second is not None
    assert second - first == seconds


@pytest.mark.parametrize("text", ["no time", "99.99.2026 03:00:00", "2026-13-40 03:00:00", ""])
def test_what_is_no_time_is_none(text: str) -> None:
    assert seconds_of(text) is None


BEGIN = seconds_of("2026-11-30 03:00:00") or 0


def rated(*counts: int, every: int = 60) -> RateCount:
    count = RateCount()
    for minute, errors in enumerate(counts):
        for _ in range(errors):
            count.add(BEGIN + minute * every)
    return count


def test_errors_by_minute() -> None:
    rate = rated(2, 0, 6).rate("2026-11-30 03:47:00")
    assert rate is not None
    assert [(bucket.at, bucket.count) for bucket in rate.buckets] == [
        ("2026-11-30 03:00", 2),
        ("2026-11-30 03:01", 0),
        ("2026-11-30 03:02", 6),
    ]
    assert (rate.per_minute, rate.most_per_minute, rate.quiet, rate.goes_on) == (4, 6, 2700, False)
    assert rate_sentences(rate) == (
        "8 errors with a time, in 2 minutes: 4 a minute on average, 6 at most.",
        "The last one is 45 minutes before the end of the log.",
    )
    assert rate_chart(rate) == "2026-11-30 03:00 ▃ █ 2026-11-30 03:02  (1 minute each)"
    assert rate_chart(rate, blocks=False) == "2026-11-30 03:00 : # 2026-11-30 03:02  (1 minute each)"


def test_errors_that_go_on() -> None:
    rate = rated(3).rate("2026-11-30 03:00:30")
    assert rate is not None
    assert rate.goes_on
    assert rate_chart(rate) is None
    assert rate_sentences(rate)[1] == "They go on up to the end of the log."
    assert rate_sentences(rate, 90)[1] == "No error was written in the last 90 seconds."


@pytest.mark.parametrize("every", [60, 7_000, 1_000_000, 40_000_000])
def test_the_buckets_are_limited_in_number(every: int) -> None:
    rate = rated(*[1] * 400, every=every).rate(None)
    assert rate is not None
    assert len(rate.buckets) <= MOST
    assert sum(bucket.count for bucket in rate.buckets) == rate.timed == 400
    chart = rate_chart(rate)
    assert chart is None or len(chart) < 120


def test_what_is_new_names_the_largest_keys() -> None:
    counts = {f"t{n}.k": n for n in range(1, 8)}
    assert new_errors("03:00:01", {"t7.k": 3}, counts, None) == (
        "03:00:01  t6.k +6, t5.k +5, t4.k +4, t7.k +4, 3 more keys; 28 in all"
    )
