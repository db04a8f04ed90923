"""Several workers without an order of commits: transactions behind the failing one are applied already, GTIDs tell which."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replfix.core.replication.gtid import GtidSet
from replfix.lab.replicate import executed, wait_until_received, wait_until_stopped
from replfix.lab.topology import Lab
from tests.integration.resolve.test_without_gtids import row_held, rows, until_row, write, write_locally
from tests.integration.running import replfix


@pytest.fixture
def unordered(pair: Lab) -> Iterator[Lab]:
    (pair.directory / "audit.db").unlink(missing_ok=True)
    write(pair.replica, "STOP REPLICA", "SET GLOBAL replica_preserve_commit_order = OFF", "START REPLICA")
    write(pair.source, "CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, k INT UNIQUE, v VARCHAR(40))")
    pair.wait_until_applied()
    try:
        yield pair
    finally:
        write(pair.replica, "STOP REPLICA", "SET GLOBAL replica_preserve_commit_order = ON")


def test_several_workers_fail_with_holes_behind_them(unordered: Lab) -> None:
    write_locally(unordered.replica, *(f"INSERT INTO d.t VALUES ({n}, {n}, 'local')" for n in (3, 9)))
    write(unordered.replica, "STOP REPLICA SQL_THREAD")
    write(unordered.source, *(f"INSERT INTO d.t VALUES ({n}, {n}, 'source')" for n in range(1, 13)))
    wait_until_received(unordered.source, unordered.replica)
    with row_held(unordered, 3):
        write(unordered.replica, "START REPLICA SQL_THREAD")
        until_row(unordered, 7)
    failing = wait_until_stopped(unordered.replica)
    with unordered.replica.session() as session, unordered.source.session() as source:
        holes = executed(source) - executed(session)
        origin = next(iter(holes.uuids()))
        assert any(behind in executed(session) for behind in (f"{origin}:{n}" for n in range(6, 15))), "no hole"

    ran = replfix("diagnose", "replica1", "--config", str(unordered.config_file), "--json")
    first = ran.document["transaction"]["gtid"]
    assert first == f"{origin}:5", "of several workers' errors, the earliest in the log"
    ran = replfix("resolve", "replica1", "--yes", "--config", str(unordered.config_file), "--json")
    assert ran.code == 0, ran.out + ran.err
    rounds = [GtidSet.parse(r["gtid"]) for r in ran.document["rounds"]]
    assert [str(r) for r in rounds] == [f"{origin}:5", f"{origin}:11"], failing
    assert ran.document["displaced_rows"] == 2, "nothing that was committed is applied again"
    unordered.wait_until_applied()
    assert rows(unordered.replica) == rows(unordered.source)
