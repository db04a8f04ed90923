"""A replica made from a copy that came without its GTIDs (mysqldump --set-gtid-purged=OFF, files without their position): the source
sends everything again, and each transaction meets what it wrote."""

from __future__ import annotations

from typing import Any

from replfix.core.sql import string
from replfix.lab.replicate import executed, wait_until_stopped
from replfix.lab.topology import Lab
from tests.field.staging import diagnosed, rows
from tests.samples import checked

ROWS = "SELECT id, v FROM shop.t ORDER BY id"


def write(lab: Lab, *statements: str) -> None:
    with lab.source.session() as source:
        for statement in statements:
            source.execute(statement)


def without_gtids(lab: Lab) -> None:
    """As a copy that was loaded without its GTIDs leaves a replica, before it is started for the first time."""
    (lab.directory / "audit.db").unlink(missing_ok=True)
    with lab.replica.session() as replica:
        for statement in ("STOP REPLICA", "RESET BINARY LOGS AND GTIDS", "RESET REPLICA", "START REPLICA"):
            replica.execute(statement)
    wait_until_stopped(lab.replica)


def causes(lab: Lab) -> dict[str, Any]:
    return {cause["code"]: cause for cause in diagnosed(lab).document["causes"]}


def test_a_copy_that_came_without_its_gtids(pair: Lab) -> None:
    write(pair, "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)")
    write(pair, *(f"INSERT INTO shop.t VALUES ({i}, {i})" for i in range(1, 5)), "UPDATE shop.t SET v = 9 WHERE id = 1")
    pair.wait_until_applied()
    with pair.source.session() as source:
        held = str(executed(source))
    without_gtids(pair)
    shown = diagnosed(pair).document
    cause = next(cause for cause in shown["causes"] if cause["code"] == "copy-without-gtids")
    assert (shown["error"]["errno"], cause["confidence"]) == (1007, "high")
    checked(pair, "a copy without its GTIDs")
    (remedy,) = shown["advice"]
    assert "gtid_purged" in remedy["text"]
    assert not remedy["sql"]  # the set is not guessed
    with pair.replica.session() as replica:
        for statement in ("STOP REPLICA", f"SET GLOBAL gtid_purged = {string('+' + held)}", "START REPLICA"):
            replica.execute(statement)
    write(pair, "INSERT INTO shop.t VALUES (5, 5)")
    pair.wait_until_applied()
    assert rows(pair.replica, ROWS) == rows(pair.source, ROWS)


def test_an_object_made_by_hand_on_a_new_replica_is_no_copy(pair: Lab) -> None:
    """The schema is there, and a table with rows of its own: what the source's transactions wrote is not."""
    write(pair, "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)")
    pair.wait_until_applied()
    write(pair, *(f"INSERT INTO shop.t VALUES ({i}, {i})" for i in range(1, 5)))
    pair.wait_until_applied()
    with pair.replica.session() as replica:
        for statement in (
            "SET GLOBAL super_read_only = OFF",
            "UPDATE shop.t SET v = 7",
            "SET GLOBAL super_read_only = ON",
        ):
            replica.execute(statement)
    without_gtids(pair)
    assert "copy-without-gtids" not in causes(pair)
