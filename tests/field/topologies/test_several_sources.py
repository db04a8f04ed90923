"""A replica of two sources that write the same table: a row of one is in the way of the other's.

keep-both and replica-wins wrote it on the source whose transaction failed, while the other source still had it: they are refused.
What becomes of it after source-wins is seen here: the other source's next change of that key is made to this one's row, in silence.
"""

from __future__ import annotations

from typing import Any

import pytest

import tests.waiting as waiting
from replfix.lab.flavours import speaking
from replfix.lab.lab_state import LabServer
from tests.conftest import Arranged
from tests.field.topologies.connected import ROW_EVENTS, Connected, execute, execute_on_a_replica, purge, rows

pytestmark = pytest.mark.servers

QUESTION = "SELECT id, v FROM shop.t ORDER BY id"
TABLE = (
    "SET sql_log_bin = 0",
    "CREATE DATABASE shop",
    "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20))",
    "SET sql_log_bin = 1",
    ROW_EVENTS,
)


def until_stopped(replica: LabServer, channel: str) -> None:
    def stopped() -> bool:
        with replica.session() as session:
            state = speaking(session).channel_state(session, channel)
        return state is not None and state.error is not None

    waiting.until(stopped, f"the channel {channel} does not stop")


def fan_in(arranged: Arranged) -> Connected:
    world = Connected(arranged("multi-source", as_shipped=True))
    east, west, replica = world.servers
    for server in (east, west):
        execute(server, *TABLE)
    execute_on_a_replica(replica, *TABLE)
    return world


def proposals(world: Connected) -> dict[str, dict[str, Any]]:
    ran = world.run("diagnose", world.servers[2].name, "--channel", "west", "--json")
    assert ran.code == 3, ran.err
    return {each["name"]: each for each in ran.document["strategies"]}


def test_the_other_sources_row_is_not_written_on_this_one(arranged: Arranged) -> None:
    world = fan_in(arranged)
    east, west, replica = world.servers
    execute(east, ROW_EVENTS, "INSERT INTO shop.t VALUES (4, 'e1'), (5, 'e1')")
    waiting.until(lambda: len(rows(replica, QUESTION)) == 2, "the rows of east never came")
    execute(west, ROW_EVENTS, "INSERT INTO shop.t VALUES (4, 'w1'), (5, 'w1')")
    until_stopped(replica, "west")
    found = proposals(world)
    for strategy in ("keep-both", "replica-wins"):
        assert not found[strategy]["allowed"]
        assert "another source" in found[strategy]["reason"]
        ran = world.run("resolve", replica.name, "--channel", "west", "--yes", "--strategy", strategy)
        assert ran.code == 4, ran.out + ran.err
    assert rows(west, QUESTION) == [("4", "w1"), ("5", "w1")]
    assert any("another source" in risk and "without an error" in risk for risk in found["source-wins"]["risks"])
    ran = world.run("resolve", replica.name, "--channel", "west", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert rows(replica, QUESTION) == [("4", "w1"), ("5", "w1")]

    # As the risk says: the other source's changes of these keys reach this source's rows.
    execute(east, ROW_EVENTS, "UPDATE shop.t SET v = 'e2' WHERE id = 4", "DELETE FROM shop.t WHERE id = 5")
    waiting.until(lambda: rows(replica, QUESTION) == [("4", "e2")], "the changes of east never came")
    assert world.run("status", replica.name).code == 0
    assert rows(west, QUESTION) == [("4", "w1"), ("5", "w1")]


def test_whose_row_it_is_may_be_unknown(arranged: Arranged) -> None:
    """A row that the replica's binlog does not tell of any more can be another source's: it is not written on this one. One that
    was written on the replica itself can be."""
    world = fan_in(arranged)
    east, west, replica = world.servers
    execute(east, ROW_EVENTS, "INSERT INTO shop.t VALUES (4, 'e1')")
    waiting.until(lambda: len(rows(replica, QUESTION)) == 1, "the row of east never came")
    with replica.session() as session:
        purge(session)
    execute_on_a_replica(replica, ROW_EVENTS, "INSERT INTO shop.t VALUES (6, 'replica')")
    execute(west, ROW_EVENTS, "INSERT INTO shop.t VALUES (4, 'w1')")
    until_stopped(replica, "west")
    reason = proposals(world)["replica-wins"]["reason"]
    assert "may be one of another source" in reason
    ran = world.run("resolve", replica.name, "--channel", "west", "--yes")
    assert ran.code == 0, ran.out + ran.err
    execute(west, ROW_EVENTS, "INSERT INTO shop.t VALUES (6, 'w1')")
    until_stopped(replica, "west")
    assert proposals(world)["replica-wins"]["allowed"]
