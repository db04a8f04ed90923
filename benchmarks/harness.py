"""How benchmarks measure: whole processes, medians, and each subject beside its peer in the same run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from replfix.lab import topology
from replfix.lab.topology import Lab

ROUNDS = 5
"""How often each subject runs; what is printed is the median."""

COLUMNS = (
    "id BIGINT UNSIGNED PRIMARY KEY, customer INT NOT NULL, state TINYINT NOT NULL, name VARCHAR(60) NOT NULL, "
    "street VARCHAR(300), total DECIMAL(10,2) NOT NULL, created DATETIME NOT NULL, changed TIMESTAMP(6) NOT NULL, "
    "weight DOUBLE NOT NULL, note TEXT"
)
"""Ten columns: integers, DECIMAL, DATETIME, TIMESTAMP, texts, a DOUBLE; one street in ten is NULL."""

VALUES = (
    "n, n % 9973, n % 7, CONCAT('customer ', n), IF(n % 10 = 0, NULL, CONCAT('street ', n % 100)), n % 100000 / 100, "
    "'2024-01-01' + INTERVAL n SECOND, '2024-06-01' + INTERVAL n * 1001 MICROSECOND, n / 7, CONCAT('a note on ', n)"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took."""

    wall: float  # seconds
    processor: float  # seconds, its own and its children's
    megabytes: float  # the most that was resident at once; no less than what the benchmark itself has
    code: int
    output: str


def run(command: Sequence[str], *, keep: bool = True, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a process to its end; with ``keep`` what it writes to stdout is kept."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if keep else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
        text=True,
    )
    output = process.stdout.read() if process.stdout is not None else ""
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stdout is not None:
        process.stdout.close()
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, process.returncode, output)


def measured(once: Callable[[], Cost], rounds: int = ROUNDS) -> Cost:
    """Return the medians of several runs."""
    return median([once() for _ in range(rounds)])


def median(costs: Sequence[Cost]) -> Cost:
    """Return the medians of several runs; the last run's output."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.processor for cost in costs),
        statistics.median(cost.megabytes for cost in costs),
        costs[-1].code,
        costs[-1].output,
    )


def in_child(work: Callable[[], object]) -> Cost:
    """Do the work in a process of its own, without the time that a start-up takes. Its memory is also this process's."""
    sys.stdout.flush()
    begun = time.perf_counter()
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    assert not status, "the work failed"
    wall = time.perf_counter() - begun
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, 0, "")


@dataclass(frozen=True, slots=True)
class Part:
    """One table of results; ``name`` is its place in docs/performance.md."""

    name: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    about: str  # what was measured

    def markdown(self) -> str:
        """Return the table as in the documentation."""
        lines = [self.heads, ("---",) + ("---:",) * (len(self.heads) - 1), *self.rows]
        return f"{self.about}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


@contextmanager
def lab(name: str, topology_name: str | None = None) -> Iterator[Lab]:
    """Run a source and a replica that flush nothing to disk, and remove them at the end."""
    try:
        started = topology.up(name, None if topology_name else 1, topology=topology_name)
        for each in started.servers:
            with each.session() as session:
                session.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 0")
                session.execute("SET GLOBAL sync_binlog = 0")
        yield started
    finally:
        topology.down(name)


@contextmanager
def replfix(servers: Lab) -> Iterator[Callable[..., Cost]]:
    """Yield what runs one of replfix's commands on a lab's replica, with a trail of its own."""
    with TemporaryDirectory() as state:

        def command(*words: str, expected: int = 0) -> Cost:
            cost = run(
                [sys.executable, "-m", "replfix", "--config", str(servers.config_file), *words],
                environment={"XDG_STATE_HOME": state, "PYTHONPATH": str(Path(__file__).parent.parent)},
            )
            assert cost.code == expected, cost
            return cost

        yield command
