"""What a large transaction takes: counted by Python's own allocator, so that no machine makes a difference."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import pytest

from replfix.config import load
from replfix.lab.replicate import transaction, wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from replfix.wiring import servers, trails
from replfix.workflow.resolution import resolve

MIB = 1 << 20


@dataclass(frozen=True)
class Large:
    table: str
    local: str  # one row in the way
    statements: tuple[str, ...]  # of one transaction
    unit: int  # rows, or bytes of events and of the row in the way
    most: float  # bytes for each


def _numbers(rows: int) -> Iterable[str]:
    for first in range(1, rows, 1000):
        yield "INSERT INTO d.t VALUES " + ", ".join(
            f"({n}, {n}, 'a note of row {n}', '2026-01-02 03:04:05')" for n in range(first, first + 1000)
        )


CASES = {
    "many rows": Large(
        "id INT PRIMARY KEY, u INT UNIQUE, note VARCHAR(60), at DATETIME",
        "INSERT INTO d.t VALUES (1000000, 7, 'local', NULL)",
        tuple(_numbers(2000)),
        2000,
        3200,
    ),
    "large rows": Large(
        "id INT PRIMARY KEY, u INT UNIQUE, doc LONGBLOB",
        f"INSERT INTO d.t VALUES (1000000, 1, REPEAT('y', {MIB}))",
        tuple(f"INSERT INTO d.t VALUES ({n}, {n}, REPEAT('x', {MIB}))" for n in range(1, 5)),
        5 * MIB,
        11,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_resolution_holds_at_once_is_in_proportion(pair: Lab, name: str) -> None:
    of = CASES[name]
    (pair.directory / "audit.db").unlink(missing_ok=True)
    with pair.source.session() as source:
        source.execute("CREATE DATABASE d")
        source.execute(f"CREATE TABLE d.t ({of.table})")
        pair.wait_until_applied()
        write_locally(pair.replica, of.local, logged=False)
        transaction(source, *of.statements)
    wait_until_stopped(pair.replica)
    wait_until_received(pair.source, pair.replica)
    config = load(str(pair.config_file))
    with servers.TargetConnections(config.target("replica1")) as wired:
        trail = trails.open_trail(config)
        run = partial(
            resolve,
            trails.operation(wired, trail, lambda _: None),
            strategy="source-wins",
            channel=None,
            max_rounds=1,
            confirm=lambda *_: True,
        )
        run(dry_run=True)  # modules are loaded, and connections have their buffers
        gc.collect()
        tracemalloc.start()
        try:
            run(dry_run=False)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            trail.close()
    pair.wait_until_applied()
    assert peak < of.most * of.unit, f"{peak / of.unit:.1f} bytes for each"
