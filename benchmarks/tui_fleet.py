"""Does the fleet screen stay quick with 500 replicas polled every second, and does its memory stay where it is?

    python -m benchmarks.tui_fleet [--minutes 3] [--replicas 500] [--sort state|lag|…] [--grouped]

The real app runs on a pseudo terminal in a process of its own, on a simulated fleet: every poll takes some
milliseconds (a few of them a second), lag changes with every poll, channels break and recover, some replicas never
answer; their sources are asked too, and some of those do not answer either. Arrow keys are written to the terminal; the answer is there when the screen with the moved cursor has been
written back. Prints percentiles with the machine's load, and the resident memory over time. Exit code 1 when the 95th
percentile is over 100 ms.
"""

from __future__ import annotations

import argparse
import fcntl
import multiprocessing
import os
import pty
import random
import select
import statistics
import struct
import sys
import termios
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from rich.console import RenderableType
from textual.screen import Screen

from replfix import tui
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ReplicaStatus
from replfix.core.replication.source_gap import SourceGap
from replfix.errors import ConnectError
from replfix.tui.app import ReplfixApp
from replfix.tui.screens.fleet import SORTS, FleetScreen
from replfix.tui.widgets.row_table import RowTable
from tests.tui.backend import FakeBackend, failing, fleet, running, stands
from tests.unit.making import SOURCE

COLUMNS, LINES = 200, 60
WANTED_MS = 100.0
SETTLE_SECONDS = 30.0  # until memory is looked at: caches fill
ANSWER_SECONDS = 10.0
PAGE_DOWN = b"\x1b[6~"
KEYS = (b"\x1b[B", b"\x1b[A")  # down, up


class SimulatedFleet(FakeBackend):
    def poll(self, name: str) -> ReplicaStatus:
        number = int(name[2:])
        if number % 50 == 7:
            time.sleep(3600)  # a host that is gone without a word
        chance = random.random()
        time.sleep(random.uniform(0.001, 0.02) if chance < 0.97 else random.uniform(0.3, 1.5))
        if number % 20 == 3:
            raise ConnectError(f"Cannot connect to {name}:3306: connection refused.")
        if chance < 0.03:
            return stands(failing())
        return stands(running(random.randrange(600)))

    def source_gaps(self, name: str) -> Mapping[str, SourceGap]:
        if int(name[2:]) % 50 == 9:
            time.sleep(random.uniform(1.0, 10.0))
            raise ConnectError(f"The source of {name} does not answer.")
        time.sleep(random.uniform(0.005, 0.05))
        return {"": SourceGap(GtidSet.parse(f"{SOURCE}:6-{random.randrange(7, 9000)}"), OnlyHere(GtidSet()))}


class Measured(ReplfixApp):
    """Says when the screen with the cursor on another row has been written; of a key that moved nothing, None."""

    CSS_PATH = str(Path(tui.__file__).with_name("app.tcss"))

    def __init__(self, backend: FakeBackend, tell: Connection, sort: str, grouped: bool) -> None:
        super().__init__(backend, open_incident=False, animate=False)
        self._tell = tell
        self._wanted = sort, grouped
        self._moved = False
        self._started = False

    def moved(self, row_before: int, row: int) -> None:
        self._moved = row != row_before
        if not self._moved:
            self._tell.send(None)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if not isinstance(screen, FleetScreen) or not screen.is_mounted or screen.selected is None:
            return
        if not self._started:
            self._started = True
            screen._sort, screen._grouped = self._wanted
            self._tell.send(None)
        elif self._moved:
            self._moved = False
            self._tell.send(time.monotonic())


def _measured() -> None:
    """Let the app know of every move of the cursor by a key."""
    go = RowTable._go

    def wrapped(self: RowTable, number: int) -> None:
        before = self.cursor
        go(self, number)
        cast("Measured", self.app).moved(before, self.cursor)

    RowTable._go = wrapped  # type: ignore[method-assign]


def _child(replicas: int, sort: str, grouped: bool, tell: Connection, terminal: int) -> None:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(terminal, fd)
    for fd, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        stream = open(fd, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - Textual reads from it and writes to it
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    _measured()
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    Measured(SimulatedFleet(fleet(replicas), poll_seconds=1.0), tell, sort, grouped).run()


def _drain(fd: int, seen: list[int]) -> None:
    """What a terminal emulator does: take everything at once."""
    while True:
        try:
            ready, _, _ = select.select([fd], [], [], 1.0)
            if ready:
                seen[0] += len(os.read(fd, 1 << 16))
        except OSError:
            return


def resident_mb(pid: int) -> float:
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def load() -> str:
    return " ".join(f"{each:.1f}" for each in os.getloadavg())


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--replicas", type=int, default=500)
    parser.add_argument("--sort", choices=tuple(SORTS), default=next(iter(SORTS)))
    parser.add_argument("--grouped", action="store_true")
    options = parser.parse_args()

    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    hear, tell = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=_child, args=(options.replicas, options.sort, options.grouped, tell, terminal), daemon=True
    )
    process.start()
    assert process.pid is not None
    os.close(terminal)
    written = [0]
    threading.Thread(target=_drain, args=(controller, written), daemon=True).start()

    if not hear.poll(60):
        raise SystemExit(f"The app did not start; it wrote {written[0]} bytes.")
    hear.recv()
    latencies: list[float] = []
    memory: list[tuple[float, float]] = []
    lost = 0
    began = time.monotonic()
    end = began + options.minutes * 60
    print(f"{options.replicas} replicas, sorted by {options.sort}, {COLUMNS}x{LINES}, {os.cpu_count()} processors")
    while (now := time.monotonic()) < end:
        if now - began > SETTLE_SECONDS and (not memory or now - memory[-1][0] >= 10):
            memory.append((now, resident_mb(process.pid)))
            print(f"  {now - began:5.0f} s  {memory[-1][1]:7.1f} MB  {len(latencies)} keys  load {load()}", flush=True)
        time.sleep(random.uniform(0.05, 0.45))
        pressed = time.monotonic()
        os.write(controller, PAGE_DOWN if not latencies else random.choice(KEYS))
        if not hear.poll(ANSWER_SECONDS):
            lost += 1
        elif (at := hear.recv()) is not None:
            latencies.append((at - pressed) * 1000)
    process.terminate()

    p50, p95, p99 = (percentile(latencies, p) for p in (50, 95, 99))
    print(f"{len(latencies)} keys: median {p50:.1f} ms, 95th percentile {p95:.1f} ms, 99th {p99:.1f} ms, at most")
    print(f"{max(latencies):.1f} ms; not answered in {ANSWER_SECONDS:.0f} s: {lost}; load {load()}")
    print(f"written to the terminal: {written[0] / 2**20:.1f} MB")
    if len(memory) > 2:
        third = max(1, len(memory) // 3)
        first = statistics.mean(mb for _, mb in memory[:third])
        last = statistics.mean(mb for _, mb in memory[-third:])
        minutes = (memory[-1][0] - memory[0][0]) / 60
        print(
            f"memory: first third {first:.1f} MB, last third {last:.1f} MB: {last - first:+.1f} MB in {minutes:.1f} min"
        )
    return 0 if p95 <= WANTED_MS and not lost else 1


if __name__ == "__main__":
    sys.exit(main())
