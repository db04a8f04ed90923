"""Servers that follow each other: what one of them wrote and another has not applied yet is on its way, and not errant.

Two primaries both delete rows while neither applies; each then stops with error 1032, and the transaction of each is called
errant on the other, with SQL that makes it empty there: followed, that delete never reaches the other server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from replfix.lab.flavours import speaking
from replfix.lab.replicate import wait_until_received
from replfix.lab.topologies.wiring import follow
from tests.conftest import Arranged
from tests.field.topologies.connected import (
    Connected,
    execute,
    execute_on_a_replica,
    meet,
    purge,
    rows,
    start_appliers,
    stop_appliers,
)
from tests.integration.running import replfix

pytestmark = pytest.mark.servers

TABLE = ("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, ts INT)")
ROWS = "INSERT INTO shop.t VALUES (1, 1), (2, 2), (3, 3)"


def states(config: str | Path) -> dict[str, dict[str, Any]]:
    ran = replfix("status", "--json", "--config", str(config))
    return {replica["name"]: replica["channels"][0] for replica in ran.document["replicas"]}


def test_what_the_other_primary_has_not_applied_yet(arranged: Arranged) -> None:
    world = Connected(arranged("dual-primary", as_shipped=True))
    a, b = world.servers[:2]
    execute(a, *TABLE, ROWS)
    world.around(a, b)
    meet(a, "DELETE FROM shop.t WHERE ts < 2", b, "DELETE FROM shop.t WHERE ts < 3")
    for server in (a, b):
        state = states(world.lab.config_file)[server.name]
        assert state["errant_gtid_set"] == ""
        assert state["in_transit_gtid_set"]
        found = world.diagnosed(server)["errant"]
        assert (found["gtid_set"], found["ways"], found["undecided_gtid_set"]) == ("", [], "")
        (one,) = found["in_transit"]
        assert "has received them" in one["how"]
        assert "its applier has stopped with error 1032" in one["how"]
        text = world.run("diagnose", server.name).out
        assert "On the way to the source, not errant" in text
        assert "gtid_next" not in text
        assert "gtid_seq_no" not in text
    for server in (a, b):
        world.resolved(server)
    world.around(a, b)
    for server in (a, b):
        assert rows(server, "SELECT id FROM shop.t") == [("3",)]
        state = states(world.lab.config_file)[server.name]
        assert (state["errant_gtid_set"], state["in_transit_gtid_set"]) == ("", "")


def test_how_far_it_has_come(arranged: Arranged) -> None:
    """When the other's receiver is stopped, and when it can never be fetched any more."""
    world = Connected(arranged("dual-primary"))
    a, b = world.servers[:2]
    execute(a, *TABLE)
    world.around(a, b)
    execute(a, "STOP REPLICA")
    execute(b, ROWS)
    (one,) = world.diagnosed(b, 0)["errant"]["in_transit"]
    assert "has not received all of them yet; its receiver is stopped" in one["how"]
    with b.session() as session:
        purge(session)
    state = states(world.lab.config_file)[b.name]
    assert (bool(state["errant_gtid_set"]), state["in_transit_gtid_set"]) == (True, ""), "it is gone"


def test_a_ring_of_three(arranged: Arranged, tmp_path: Path) -> None:
    """What the second writes comes to its source, the first, through the third."""
    world = Connected(arranged("ring"))
    first, second, third = world.servers
    execute(first, *TABLE)
    world.around()
    stop_appliers(third)
    execute(second, ROWS)
    wait_until_received(second, third)
    found = world.diagnosed(second, 0)["errant"]
    assert (found["gtid_set"], found["ways"]) == ("", [])
    (one,) = found["in_transit"]
    assert one["how"].count("replicates from") == 2

    # Without an account for the third server it is not asked: nothing is known, and nothing is printed to run.
    alone = tmp_path / "alone.toml"
    written = world.lab.config_file.read_text()
    alone.write_text(written.replace(f"port = {third.port}", "port = 1"))
    ran = replfix("diagnose", second.name, "--config", str(alone), "--json")
    found = ran.document["errant"]
    assert (found["gtid_set"], found["in_transit"], found["ways"]) == ("", [], [])
    assert found["undecided_gtid_set"]
    assert "not in the configuration" in found["notes"][0]
    assert states(alone)[second.name]["errant_gtid_set"] is None
    stop_appliers(first)
    start_appliers(third)
    world.around(second, third)
    wait_until_received(third, first)
    ran = replfix("diagnose", second.name, "--config", str(alone), "--json")
    (one,) = ran.document["errant"]["in_transit"]
    assert "has received them; its applier is stopped" in one["how"], "that the first says itself"
    start_appliers(first)
    world.around()
    assert states(world.lab.config_file)[second.name]["in_transit_gtid_set"] == ""


def test_a_replica_that_is_ahead_of_the_middle_of_a_chain(arranged: Arranged) -> None:
    """It read from the top before: what the middle has not applied yet comes there from the top. A write on it does not, and
    is errant."""
    world = Connected(arranged("chain"))
    top, middle, below = world.servers
    execute(top, *TABLE)
    world.around()
    stop_appliers(middle)
    execute(top, ROWS)
    for source in (top, middle):
        with below.session() as session:
            speaking(session).remove_channels(session)
        follow(below, source)
        world.around(top, below)
    state = states(world.lab.config_file)[below.name]
    assert (state["errant_gtid_set"], bool(state["in_transit_gtid_set"])) == ("", True)
    start_appliers(middle)
    world.around(top, middle)
    execute(below, "START REPLICA")  # MariaDB's receiver was refused (1236): it was ahead of the middle
    world.around()
    execute_on_a_replica(below, "INSERT INTO shop.t VALUES (9, 9)")
    found = world.diagnosed(below, 0)["errant"]
    assert (bool(found["gtid_set"]), found["in_transit"], found["undecided_gtid_set"]) == (True, [], "")
    empty = found["ways"][0]
    assert (empty["name"], empty["where"]) == ("empty-transactions", f"{top.host}:{top.port}")
    execute(top, *empty["sql"])
    world.around()
    for server in (middle, below):
        assert states(world.lab.config_file)[server.name]["errant_gtid_set"] == ""
    execute(top, "INSERT INTO shop.t VALUES (10, 10)")
    world.around()


def test_what_a_ring_has_lost_before_the_next_server_fetched_it(arranged: Arranged) -> None:
    """The source would get the empty transactions, and nobody would pass them on: the next server is where they are needed."""
    world = Connected(arranged("ring", as_shipped=True))
    first, second, third = world.servers
    execute(first, *TABLE)
    world.around()
    execute(third, "STOP REPLICA")
    execute(second, "INSERT INTO shop.t VALUES (4, 4)")
    with second.session() as session:
        purge(session)
        mariadb = session.is_mariadb
    execute(second, "INSERT INTO shop.t VALUES (5, 5)")
    ran = world.run("errant", second.name, "--json")
    assert ran.code == 3
    assert any("error 1236" in sentence for sentence in ran.document["consequences"])
    (empty,) = (each for each in ran.document["advice"] if (each["leads_to"] or {}).get("code") == "not-errant")
    assert empty["where"] == f"{third.host}:{third.port}"
    execute(third, *empty["sql"])
    if mariadb:  # its position does not count what it logs itself
        assert "gets nothing of it from here" in empty["text"]
        return
    execute(third, "START REPLICA")
    world.around()
    assert [rows(server, "SELECT id FROM shop.t") for server in world.servers] == [[("5",)], [("4",), ("5",)], [("5",)]]
    assert states(world.lab.config_file)[second.name]["errant_gtid_set"] == ""
