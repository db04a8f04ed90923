"""A chain: a repair of the middle is not logged, so the replica below keeps a conflict of its own, which is resolved there."""

from __future__ import annotations

import pytest

from replfix.lab.replicate import wait_until_stopped
from tests.conftest import Arranged
from tests.field.topologies.connected import ROW_EVENTS, Connected, execute, execute_on_a_replica, rows

pytestmark = pytest.mark.servers

QUESTION = "SELECT id, v FROM shop.t ORDER BY id"


def test_from_the_top_to_the_bottom(arranged: Arranged) -> None:
    world = Connected(arranged("chain", as_shipped=True))
    top, middle, below = world.servers
    execute(top, "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20))")
    world.around()
    execute_on_a_replica(middle, ROW_EVENTS, "INSERT INTO shop.t VALUES (3, 'middle')")
    world.until_equal(QUESTION, [("3", "middle")], [middle, below])
    execute_on_a_replica(below, "SET sql_log_bin = 0", "INSERT INTO shop.t VALUES (4, 'below')")
    execute_on_a_replica(middle, ROW_EVENTS, "INSERT INTO shop.t VALUES (4, 'middle')")
    wait_until_stopped(below)
    execute(top, ROW_EVENTS, "INSERT INTO shop.t VALUES (3, 'top')")
    wait_until_stopped(middle)

    said = " ".join(world.diagnosed(below)["unknowns"])
    assert "is itself a replica" in said
    assert f"{top.host}:{top.port}" in said
    assert world.diagnosed(middle)["errant"]["gtid_set"], "the middle's own writes"
    world.resolved(middle)
    assert rows(middle, QUESTION) == [("3", "top"), ("4", "middle")]
    assert world.run("resolve", below.name, "--yes").code == 0
    world.until_equal(QUESTION, [("3", "top"), ("4", "middle")], [middle, below])
    assert rows(top, QUESTION) == [("3", "top")]
