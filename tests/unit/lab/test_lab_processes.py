"""Processes told from later ones with the same number. The processes are real; they only sleep."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from replfix.lab import processes
from replfix.lab.processes import ProcessRef

SLEEP = "import time; time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); {SLEEP}"


def start(data: Path, code: str = SLEEP) -> ProcessRef:
    data.mkdir(parents=True)
    return processes.start([sys.executable, "-c", code, f"--datadir={data}"], data.parent / "log")


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "lab" / "source" / "data"
    yield path
    processes.end(processes.servers_under(tmp_path / "lab"))


def test_a_process_is_found_by_its_command_line_and_ended(data: Path, tmp_path: Path) -> None:
    ref = start(data)
    assert processes.alive(ref, data)
    assert processes.servers_under(tmp_path / "lab") == {data: ref}
    assert processes.servers_under(tmp_path) == {}
    assert os.getsid(ref.pid) == ref.pid  # Ctrl-C in our terminal does not reach it
    processes.end({data: ref})
    assert not processes.alive(ref, data)
    for _ in range(500):  # without its command line already, and not a zombie yet
        if processes.started_at(ref.pid) is None:
            break
        time.sleep(0.02)
    assert processes.started_at(ref.pid) is None


def test_a_number_that_is_anothers_is_left_alone(data: Path, tmp_path: Path) -> None:
    ref = start(data)
    other = tmp_path / "other" / "source" / "data"
    processes.end({data: ProcessRef(ref.pid, "another boot/17")})
    processes.end({other: ref})
    assert processes.alive(ref, data)


def test_one_that_ignores_sigterm_is_killed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.1)
    ref = start(data, STUBBORN)
    while (data.parent / "log").read_text() != "ready\n":
        pass
    killed: list[int] = []
    processes.end({data: ref}, killed.append)
    assert killed == [ref.pid]
    assert not processes.alive(ref, data)


def test_no_such_process(data: Path) -> None:
    assert processes.started_at(2**22 + 7) is None
    assert processes.arguments(2**22 + 7) == ()
    processes.end({data: ProcessRef(2**22 + 7, "x")})


def test_one_that_becomes_another_program_runs_on(data: Path) -> None:
    """A script around the server, which ends in ``exec``: Linux shows no command line for a moment."""
    again = 'if [ "$1" -gt 0 ]; then exec /bin/sh "$0" "$(($1 - 1))" "$2"; fi; sleep 600'
    script = data.parent / "mysqld"
    data.mkdir(parents=True)
    script.write_text(again)
    ref = processes.start(["/bin/sh", str(script), "300", f"--datadir={data}"], data.parent / "log")
    try:
        while processes.arguments(ref.pid)[2] != "0":
            assert processes.alive(ref, data)
    finally:
        os.killpg(ref.pid, signal.SIGKILL)
