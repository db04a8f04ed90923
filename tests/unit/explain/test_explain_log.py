"""Logs of any size are counted by key, each error once, in little memory, with the shape that tells what is going on."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from replfix.cli.app import cli, run
from replfix.core.explain.log.log_time import time_of
from replfix.core.explain.surge import Group, Shape
from replfix.errors import UsageError
from replfix.workflow.explain import log_source
from replfix.workflow.explain.explanations import Counted, explain_log
from replfix.workflow.explain.log_source import CHUNK, Finished
from tests.unit.explain.test_explain_recognise import SAMPLES, read


def counted(text: str | bytes) -> Counted:
    return of(io.BytesIO(text.encode() if isinstance(text, str) else text))


def of(stream: io.BufferedIOBase) -> Counted:
    return explain_log(Finished(stream), None, lambda _: None)


def only(text: str) -> Group:
    groups = counted(text).groups
    assert len(groups) == 1
    return groups[0]


def line(value: object, second: int = 0, key: str = "orders.PRIMARY") -> str:
    return f"2026-11-20 10:00:{second:02}.{second:03} ERROR Error 1062 (23000): Duplicate entry '{value}' for key '{key}'\n"


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        ([7], Shape.SINGLE),
        ([7] * 9, Shape.REPEATED),
        (range(100, 120), Shape.INCREASING),
        ([1, 2, 4, 3, 5, 6, 7, 9, 8, 10, 11, 12], Shape.INCREASING),  # two threads
        (["a", "b"] * 10, Shape.FEW_REPEATED),
        ([f"user{n * 7919 % 100}@example.org" for n in range(50)], Shape.MANY_DISTINCT),
        ([n * 7919 % 101 for n in range(50)], Shape.MANY_DISTINCT),
    ],
)
def test_the_shape_of_the_values(values: list[object], shape: Shape) -> None:
    found = only("".join(line(value, n) for n, value in enumerate(values)))
    assert (found.shape, found.count) == (shape, len(values))


def test_first_and_last_are_as_the_log_writes_them() -> None:
    found = only(line(1, 3) + "2026-11-20 10:00:30 INFO well\n" + line(2, 9) + line(3, 11))
    assert (found.first_seen, found.last_seen) == ("2026-11-20 10:00:03.003", "2026-11-20 10:00:11.011")
    assert found.examples == ("1", "2", "3")


def test_a_trace_that_tells_an_error_three_times_counts_once() -> None:
    trace = (
        "2026-11-20 10:00:01 ERROR could not save\n"
        "java.sql.X: Duplicate entry 'bob' for key 'users.name'\n\tat a.b.C(D.java:1)\n\n"
        "Caused by: java.sql.SQLIntegrityConstraintViolationException: Duplicate entry 'bob' for key 'users.name'\n"
        "\tat a.b.C(D.java:1)\nCaused by: java.sql.X: Duplicate entry 'bob' for key 'users.name'\n"
    )
    found = only(trace * 4)
    assert (found.count, found.first_seen, found.shape) == (4, "2026-11-20 10:00:01", Shape.REPEATED)


def test_lines_of_one_error_under_one_time_count_once() -> None:
    batch = (
        "2026-09-16 04:13:04.177 ERROR 7 --- Batch : [java.sql.X: Duplicate entry '3' for key 'PRIMARY'], SQL: insert into `r` (`id`) values (?)\n"
        "2026-09-16 04:13:04.177  WARN 7 --- SqlExceptionHelper : SQL Error: 1062, SQLState: 23000\n"
        "2026-09-16 04:13:04.177 ERROR 7 --- SqlExceptionHelper : Duplicate entry '3' for key 'PRIMARY'\n"
    )
    log = counted(batch + batch.replace("04.177", "05.001"))
    assert log.errors == 2
    assert log.groups[0].table == "r"


def test_lines_without_times_are_counted_one_by_one() -> None:
    assert only("Duplicate entry '1' for key 'a'\n" * 5).count == 5


def test_postgresql_tells_an_error_in_three_lines() -> None:
    text = (
        '2026-07-14 17:21:23 UTC [30] ERROR:  duplicate key value violates unique constraint "t_pkey"\n'
        "2026-07-14 17:21:23 UTC [30] DETAIL:  Key (id)=({n}) already exists.\n"
        "2026-07-14 17:21:23 UTC [30] STATEMENT:  INSERT INTO t VALUES ({n}, '')\n"
    )
    found = only("".join(text.replace("{n}", str(n)) for n in range(10, 16)))
    assert (found.count, found.shape, found.table, found.examples) == (6, Shape.INCREASING, "t", ("10", "11", "12"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_every_sample_is_found_in_the_middle_of_a_log(path: Path) -> None:
    text, expected = read(path)
    quiet = "2026-11-20 09:00:00 INFO all is well\n" * 50
    log = counted(quiet + text + "\n" + quiet)
    assert expected["key"] in {group.key for group in log.groups}


@pytest.mark.parametrize("chunk", [100, 777, 40_000, CHUNK])
def test_where_the_pieces_of_a_file_end_does_not_matter(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(log_source, "CHUNK", chunk)
    quiet = "2026-11-20 10:00:00.500 INFO a line that says nothing, with some words in it to make it longer\n"
    text = "".join(quiet * (n % 7) + line(n, n % 60) for n in range(400))
    log = counted(text)
    assert (log.errors, log.lines, log.bytes) == (400, text.count("\n"), len(text))
    assert (log.groups[0].first_seen, log.groups[0].shape) == ("2026-11-20 10:00:00.000", Shape.INCREASING)


class Endless(io.BufferedIOBase):
    """``size`` bytes that are made as they are read, and ``last``."""

    def __init__(self, piece: bytes, size: int, last: bytes) -> None:
        self.piece, self.left, self.at, self.last = piece, size, 0, last

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        given = self.read1(len(buffer))
        buffer[: len(given)] = given
        return len(given)

    def read1(self, size: int = -1) -> bytes:
        if not self.left:
            given, self.last = self.last, b""
            return given
        given = (self.piece * (size // len(self.piece) + 2))[self.at : self.at + min(size, self.left)]
        self.left -= len(given)
        self.at = (self.at + len(given)) % len(self.piece)
        return given


@pytest.mark.parametrize(
    "piece",
    [b"x" * 1000, b"2026-11-20 10:00:00 all is well\n", b"y" * 300_000 + b"Duplicate entry '1' for key 'a' "],
    ids=["one long line", "lines", "errors in one long line"],
)
def test_memory_does_not_grow_with_the_log(piece: bytes) -> None:
    last = line("last").encode()
    tracemalloc.start()
    try:
        log = of(Endless(piece, 30_000_000, last))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert log.bytes == 30_000_000 + len(last)
    assert log.errors == 1 + (b"Dup" in piece) * (30_000_000 // len(piece))
    assert peak < 12_000_000


def test_many_keys_and_values_are_counted_in_little_memory() -> None:
    text = "".join(line(n, n % 60, key=f"t{n}.k") for n in range(2_500)) + "".join(
        line(f"v{n}", n % 60) for n in range(3)
    )
    log = counted(text)
    assert (log.errors, len(log.groups), log.not_grouped) == (2_503, 2_000, 503)


def test_a_packed_log(tmp_path: Path) -> None:
    path = tmp_path / "app.log.1"
    path.write_bytes(gzip.compress("".join(line(n) for n in range(30)).encode()))
    result = CliRunner().invoke(cli, ["explain", "--file", str(path)], standalone_mode=False)
    assert "30 duplicate-key errors in 30 lines" in result.output


def test_a_damaged_log_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "app.log.gz"
    path.write_bytes(gzip.compress("".join(line(n * 7919) for n in range(20_000)).encode())[:20_000])
    result = CliRunner().invoke(cli, ["explain", "--file", str(path)], standalone_mode=False)
    assert "The file is damaged" in result.output


def test_a_log_from_stdin() -> None:
    result = CliRunner().invoke(cli, ["explain", "--file", "-"], input=line(1) + line(1, 2), standalone_mode=False)
    assert "2 duplicate-key errors" in result.output


def test_a_log_without_an_error_and_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="1 line"):
        counted("all is well\n")
    assert run(["explain", "--file", str(tmp_path / "nothing")]) == 2
    assert run(["explain", "--file", str(tmp_path)]) == 2
    assert run(["explain"]) == 2
    assert run(["explain", "a", "b", "--file", "c"]) == 2


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-20T10:00:01.332Z x", "2026-11-20T10:00:01.332Z"),
        ("[2026-11-20T10:00:01.332114+01:00] x", "2026-11-20T10:00:01.332114+01:00"),
        ("2026-11-20 10:00:01,332 x", "2026-11-20 10:00:01,332"),
        ("2026/11/20 10:00:01 [error]", "2026/11/20 10:00:01"),
        ("2026-07-14 17:21:23 PDT [1]", "2026-07-14 17:21:23 PDT"),
        ("Nov  3 10:00:01 web1 app[3]:", "Nov  3 10:00:01"),
        ('10.0.0.1 - - [20/Nov/2026:10:00:01 +0000] "GET', "20/Nov/2026:10:00:01 +0000"),
        ("[16-Feb-2026 11:20:36 UTC] WordPress", "16-Feb-2026 11:20:36 UTC"),
        ("[Tue May 19 18:07:15 2015] [error]", "Tue May 19 18:07:15 2015"),
        ("161121 12:19:56 [ERROR]", "161121 12:19:56"),
        ('{"level":50,"time":1700000000000,"msg":"x"}', "2023-11-14T22:13:20.000+00:00"),
        ('{"msg":"x","ts":"2026-11-20T10:00:01.332Z"}', "2026-11-20T10:00:01.332Z"),
        ("30.11.2026 03:00:01.5 x", "30.11.2026 03:00:01.5"),
        ("[11/30/2026 03:00:01 PM] x", "11/30/2026 03:00:01 PM"),
        ("E1130 03:00:01.123456       1 main.go:55] x", "E1130 03:00:01.123456"),
        ("1764471601.121 ERROR x", "1764471601.121"),
        ("  03:00:01 ERROR x", "03:00:01"),
        ("2026-11-30  3:00:01 30485 [ERROR] x", "2026-11-30  3:00:01"),
        ("2026-11-30 03:00:01 INFO x", "2026-11-30 03:00:01"),
        ("2026-11-30 03:00:01 WARN x", "2026-11-30 03:00:01"),
        ("2026-11-30 03:00:01 POST /orders", "2026-11-30 03:00:01"),
        ("2026-11-30 03:00:01 CEST x", "2026-11-30 03:00:01 CEST"),
        ('{"__REALTIME_TIMESTAMP":"1764471601123456"}', "2025-11-30T03:00:01.123+00:00"),
        ('{"timestampSeconds":1764471601}', "2025-11-30T03:00:01.000+00:00"),
        ("no time here 123456", None),
        ("port 03:00 is no clock", None),
    ],
)
def test_times(text: str, time: str | None) -> None:
    assert time_of(text) == time
