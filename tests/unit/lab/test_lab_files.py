"""Files that several processes share."""

from __future__ import annotations

import io
import multiprocessing
import stat
import threading
import time
from pathlib import Path

import pytest

from replfix.lab.narration import Lines
from replfix.lab.shared_files import directory_made_whole, locked, write_whole


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "f"
    write_whole(file, "old\n", mode=0o640)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "new \udcff")
    assert file.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_directory_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / ".partial-dead").mkdir()
    (tmp_path / ".partial-dead" / "x").touch()

    def interrupted() -> None:
        with directory_made_whole(tmp_path / "d") as building:
            (building / "half").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    with directory_made_whole(tmp_path / "d") as building:
        (building / "whole").touch()
    assert [p.name for p in (tmp_path / "d").iterdir()] == ["whole"]


def _count(directory: Path, times: int) -> None:
    for _ in range(times):
        with locked(directory / "sub" / "lock", remove=True):
            counter = directory / "counter"
            number = int(counter.read_text())
            time.sleep(0.001)
            counter.write_text(str(number + 1))


def test_one_holder_at_a_time_also_when_the_lock_file_comes_and_goes(tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("0")
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_count, args=(tmp_path, 40)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    assert (tmp_path / "counter").read_text() == "160"
    assert not (tmp_path / "sub" / "lock").exists()


def test_waiting_is_told(tmp_path: Path) -> None:
    told = threading.Event()
    entered = threading.Event()

    def second() -> None:
        with locked(tmp_path / "lock", told.set):
            entered.set()

    with locked(tmp_path / "lock"):
        other = threading.Thread(target=second)
        other.start()
        assert told.wait(10)
        assert not entered.is_set()
    other.join(10)
    assert entered.is_set()


def test_progress_in_a_log_is_a_few_lines() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    for done in range(1, 61):
        lines.progress("unpacked", done, 60)
    lines.say("ready")
    assert stream.getvalue().count("\n") == 6
    assert stream.getvalue().endswith("unpacked: 60 of 60\nready\n")
