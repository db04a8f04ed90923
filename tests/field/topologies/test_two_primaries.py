"""Two servers that follow each other, or three in a ring, write the same key while neither applies: each stops on the other's row.

'resolve' on each side, with the default, exchanged the rows for good; keep-both on one and then the default on the other took
the first one's row from the server that had written it. The second side finds what the first has decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

import tests.waiting as waiting
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import executed, wait_until_stopped
from tests.conftest import Arranged, Labs
from tests.field.topologies.connected import (
    ROW_EVENTS,
    Connected,
    execute,
    execute_on_a_replica,
    has,
    meet,
    rows,
    start_appliers,
    stop_appliers,
)
from tests.skipping import may_skip

pytestmark = pytest.mark.servers

TABLE = ("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20))")
QUESTION = "SELECT id, v FROM shop.t ORDER BY id"


@pytest.fixture(autouse=True)
def skipping(any_server: str, labs: Labs) -> Iterator[None]:
    with may_skip(*labs(any_server, 2).servers):
        yield


def two(arranged: Arranged, *, on_a: str = "(3, 'a')", on_b: str = "(3, 'b')", domains: bool = False) -> Connected:
    """Both stopped on the row of the other."""
    world = Connected(arranged("dual-primary", as_shipped=True))
    a, b = world.servers[:2]
    for server in (a, b) if domains else ():
        with server.session() as session:
            if session.is_mariadb:
                session.execute("SET GLOBAL gtid_domain_id = @@global.server_id")
    execute(a, *TABLE, "INSERT INTO shop.t VALUES (1, 'both')")
    world.around(a, b)
    meet(a, f"INSERT INTO shop.t VALUES {on_a}", b, f"INSERT INTO shop.t VALUES {on_b}")
    return world


def proposals(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in document["strategies"]}


def refused(world: Connected, server: LabServer) -> dict[str, Any]:
    """source-wins would exchange the rows: it is refused, nothing changes, and skip is named."""
    before = rows(server, QUESTION)
    document = world.diagnosed(server)
    source_wins = proposals(document)["source-wins"]
    assert not source_wins["allowed"]
    assert "would exchange" in source_wins["reason"]
    assert "--strategy skip" in source_wins["reason"]
    assert "Nothing is lost" in proposals(document)["skip"]["reason"]
    for strategy in ("source-wins", "keep-both", "replica-wins"):
        assert world.run("resolve", server.name, "--yes", "--strategy", strategy).code == 4
    assert rows(server, QUESTION) == before
    return document


def equal_in_the_end(world: Connected, expected: list[tuple[str, ...]]) -> None:
    """Both tables hold that, both channels take what is written next, and nothing is errant."""
    servers = [server for server in world.servers if server.role.follows]
    for number, server in enumerate(servers, 1):
        execute(server, ROW_EVENTS, f"INSERT INTO shop.t VALUES ({100 + number}, 'next')")
        expected = [*expected, (str(100 + number), "next")]
        world.until_equal(QUESTION, expected, servers)
    ran = world.run("status", "--json")
    states = [channel for replica in ran.document["replicas"] for channel in replica["channels"]]
    assert [(s["errant_gtid_set"], s["in_transit_gtid_set"], s["applier_running"]) for s in states] == [
        ("", "", True)
    ] * len(servers)


@pytest.mark.parametrize("first", ["source-wins", "keep-both", "replica-wins", "skip"])
def test_both_sides_stopped_on_one_key(arranged: Arranged, first: str) -> None:
    world = two(arranged)
    a, b = world.servers[:2]
    at_first = world.diagnosed(b)
    assert [c["code"] for c in at_first["causes"]][:1] == ["local-write"]
    assert any("would exchange the rows" in risk for risk in proposals(at_first)["source-wins"]["risks"])
    world.resolved(b, "--strategy", first)
    if first == "skip":
        assert rows(a, QUESTION) == [("1", "both"), ("3", "a")]
        world.resolved(a)
        equal_in_the_end(world, [("1", "both"), ("3", "b")])
        return
    if first == "replica-wins":
        world.resolved(a)
        equal_in_the_end(world, [("1", "both"), ("3", "b")])
        return
    document = refused(world, a)
    (cause,) = [c for c in document["causes"] if c["code"] == "local-write"]
    assert "written on the replica" in cause["evidence"][0]
    assert "unlogged-on-source" not in [c["code"] for c in document["causes"]]
    (own,) = [c for c in document["causes"] if c["code"] == "repaired-before"]
    assert own["evidence"][0].startswith("replfix took the shop.t row id = 3 out on the source at ")
    world.resolved(a, "--strategy", "skip")
    kept: list[tuple[str, ...]] = [("1", "both"), ("3", "a")]
    if first == "keep-both":
        kept += rows(b, "SELECT id, v FROM shop.t WHERE id > 3")
        assert [v for _, v in kept] == ["both", "a", "b"]
    equal_in_the_end(world, kept)


def test_a_domain_for_each_server(arranged: Arranged) -> None:
    """On MariaDB, as it asks for where several servers are written to."""
    world = two(arranged, domains=True)
    a, b = world.servers[:2]
    world.resolved(b)
    refused(world, a)
    world.resolved(a, "--strategy", "skip")
    equal_in_the_end(world, [("1", "both"), ("3", "a")])


def test_an_update_and_a_delete_of_one_row(arranged: Arranged) -> None:
    """The server that deleted applies nothing of the update, and the other has applied the delete: leaving it out is all."""
    world = Connected(arranged("dual-primary", as_shipped=True))
    a, b = world.servers[:2]
    execute(a, *TABLE, "INSERT INTO shop.t VALUES (1, 'both'), (2, 'both')")
    world.around(a, b)
    stop_appliers(a, b)
    execute(a, ROW_EVENTS, "DELETE FROM shop.t WHERE id = 2")
    execute(b, ROW_EVENTS, "UPDATE shop.t SET v = 'b' WHERE id = 2")
    start_appliers(b)
    with a.session() as session:
        wanted = executed(session)
    waiting.until(lambda: has(b, wanted), "the delete never came")
    start_appliers(a)
    wait_until_stopped(a)
    refused(world, a)
    world.resolved(a, "--strategy", "skip")
    equal_in_the_end(world, [("1", "both")])


def test_the_server_that_deleted_is_resolved_first(arranged: Arranged) -> None:
    """Its delete comes to the other one in turn: with the row put back for the update, it would be here alone, without an error."""
    world = Connected(arranged("dual-primary", as_shipped=True))
    a, b = world.servers[:2]
    execute(a, *TABLE, "INSERT INTO shop.t VALUES (1, 'both'), (2, 'both')")
    world.around(a, b)
    stop_appliers(a, b)
    execute(a, ROW_EVENTS, "DELETE FROM shop.t WHERE id = 2")
    execute(b, ROW_EVENTS, "UPDATE shop.t SET v = 'b' WHERE id = 2")
    start_appliers(a)
    wait_until_stopped(a)
    source_wins = proposals(world.diagnosed(a))["source-wins"]
    assert not source_wins["allowed"]
    assert "this server has deleted the row 2 of shop.t itself" in source_wins["reason"]
    world.resolved(a, "--strategy", "skip")
    start_appliers(b)
    equal_in_the_end(world, [("1", "both")])


def test_the_other_rows_of_such_a_transaction(arranged: Arranged) -> None:
    """On MySQL 'skip' carries them out under its GTID; where that cannot be done, the statements are printed."""
    world = two(arranged, on_b="(3, 'b'), (40, 'b too')")
    a, b = world.servers[:2]
    world.resolved(b)
    document = world.diagnosed(a)
    skip = proposals(document)["skip"]
    if document["advice"]:
        rows_first, then = document["advice"]
        assert "replfix resolve --strategy skip" in then["text"]
        execute(a, *rows_first["sql"])
        assert "Nothing is lost" in proposals(world.diagnosed(a))["skip"]["reason"]
    else:
        assert "its other 1 row carried out under its GTID" in skip["reason"]
    ran = world.resolved(a, "--strategy", "skip")
    (left_out,) = ran["rounds"][0]["left_out"][:1]
    assert left_out["after"] == {"id": 3, "v": "b"}
    equal_in_the_end(world, [("1", "both"), ("3", "a"), ("40", "b too")])


def test_a_row_of_the_source_that_was_mended_by_hand(arranged: Arranged) -> None:
    """Not in a circle: somebody has given the source the replica's row with sql_log_bin=0. The same holds."""
    world = Connected(arranged("pair"))
    source, replica = world.servers[:2]
    execute(source, *TABLE)
    world.around(source, replica)
    execute_on_a_replica(replica, "SET sql_log_bin = 0", "INSERT INTO shop.t VALUES (3, 'replica')")
    execute(source, ROW_EVENTS, "INSERT INTO shop.t VALUES (3, 'source')")
    wait_until_stopped(replica)
    assert proposals(world.diagnosed(replica))["source-wins"]["allowed"]
    execute(source, "SET sql_log_bin = 0", "UPDATE shop.t SET v = 'replica' WHERE id = 3")
    refused(world, replica)
    execute(source, "UPDATE shop.t SET v = 'source' WHERE id = 3", "SET sql_log_bin = 0")


@pytest.mark.parametrize("middle_first", [True, False])
def test_a_ring_of_three(arranged: Arranged, middle_first: bool) -> None:
    """b takes a's row; it comes to c, which had b's from b itself; a, whose source is c, finds at b that its row was taken."""
    world = Connected(arranged("ring", as_shipped=True))
    a, b, c = world.servers
    execute(a, *TABLE, "INSERT INTO shop.t VALUES (1, 'both')")
    world.around()
    stop_appliers(a, b)
    execute(a, ROW_EVENTS, "INSERT INTO shop.t VALUES (3, 'a')")
    execute(b, ROW_EVENTS, "INSERT INTO shop.t VALUES (3, 'b')")
    start_appliers(a, b)
    wait_until_stopped(b)
    wait_until_stopped(a)
    world.resolved(b)
    wait_until_stopped(c)
    found = world.diagnosed(c)
    assert not proposals(found)["keep-both"]["allowed"], "the row came from b"
    for server in (c, a) if middle_first else (a, c):
        if server is a:
            refused(world, a)
            world.resolved(a, "--strategy", "skip")
        else:
            world.resolved(c)
    equal_in_the_end(world, [("1", "both"), ("3", "a")])


def test_a_key_that_all_three_have_written(arranged: Arranged) -> None:
    """c would take b's row, which is gone at b for a's: applied there, each of the three ended with another one."""
    world = Connected(arranged("ring", as_shipped=True))
    a, b, c = world.servers
    execute(a, *TABLE, "INSERT INTO shop.t VALUES (1, 'both')")
    world.around()
    stop_appliers(a, b, c)
    for server, value in ((a, "a"), (b, "b"), (c, "c")):
        execute(server, ROW_EVENTS, f"INSERT INTO shop.t VALUES (3, '{value}')")
    start_appliers(a, b, c)
    for server in (a, b, c):
        wait_until_stopped(server)
    for strategy in ("keep-both", "replica-wins"):
        assert "In a circle of 3 servers" in proposals(world.diagnosed(b))[strategy]["reason"]
    (repair,) = world.resolved(b)["audit_ids"][:1]
    source_wins = proposals(world.diagnosed(c))["source-wins"]
    assert not source_wins["allowed"]
    assert "does not have the row 3 of shop.t any more as the transaction left it" in source_wins["reason"]
    assert world.run("resolve", c.name, "--yes", "--strategy", "skip").code in (0, 3)
    wait_until_stopped(c)
    world.resolved(c)
    refused(world, a)
    world.resolved(a, "--strategy", "skip")
    equal_in_the_end(world, [("1", "both"), ("3", "a")])

    # As the refusal of keep-both says: b's row, under a new key, on every server.
    ran = world.run("undo", repair, "--yes", "--json")
    assert ran.code == 4, ran.out
    (kept,) = [offer for offer in ran.document["advice"] if offer["sql"]]
    execute(a if kept["where"] == "source" else c, *kept["sql"])
    for server in world.servers:
        waiting.until(
            partial(lambda at: "b" in [v for _, v in rows(at, QUESTION)], server), f"the row never came to {server}"
        )
