"""``replfix errant``: several errant transactions of different kinds, each with what became of its rows."""

from __future__ import annotations

from typing import Any

from replfix.lab.flavours import speaking
from replfix.lab.replicate import write_locally
from replfix.lab.topology import Lab
from tests.field.topologies.connected import purge
from tests.integration.running import replfix

EQUAL, DIFFERENT, UNDETERMINED = "equal", "different", "undetermined"


def examined(lab: Lab, code: int) -> dict[str, Any]:
    ran = replfix("errant", "replica1", "--config", str(lab.config_file), "--json")
    assert ran.code == code, ran.err
    return ran.document


def unlogged(lab: Lab, *statements: str) -> None:
    with lab.source.session() as session:
        session.execute("SET sql_log_bin = 0")
        for statement in statements:
            session.execute(statement)


def test_each_kind_and_what_became_of_its_rows(any_pair: Lab) -> None:
    with any_pair.source.session() as source:
        for statement in (
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY, a VARCHAR(20))",
            "CREATE TABLE d.nokey (x INT)",
            "INSERT INTO d.t VALUES (1, 'one'), (2, 'two')",
        ):
            source.execute(statement)
    any_pair.wait_until_applied()
    none = examined(any_pair, 0)
    assert (none["errant"]["gtid_set"], none["advice"], none["looked_at"]["complete"]) == ("", [], True)

    write_locally(any_pair.replica, "INSERT INTO d.t VALUES (7, 'purged')")
    with any_pair.replica.session() as session:
        purge(session)
        mariadb = session.is_mariadb
    write_locally(
        any_pair.replica,
        "INSERT INTO d.t VALUES (3, 'same')",
        "UPDATE d.t SET a = 'changed' WHERE id = 1",
        "CREATE TABLE d.own (x INT PRIMARY KEY)",
        "INSERT INTO d.nokey VALUES (1)",
    )
    with any_pair.replica.session() as session, speaking(session).writable(session):
        session.execute("SET SESSION binlog_format = STATEMENT")
        session.execute("DELETE FROM d.t WHERE id = 2")
    unlogged(any_pair, "INSERT INTO d.t VALUES (3, 'same')")

    found = examined(any_pair, 3)
    by_gtid = {one["gtid"]: one for one in found["errant"]["transactions"]}
    told = [
        (one["verdict"], by_gtid[one["gtid"]]["statement"], by_gtid[one["gtid"]]["rows"]) for one in found["verdicts"]
    ]
    assert told[:5] == [
        (UNDETERMINED, "DELETE FROM d.t WHERE id = 2", 0),
        (UNDETERMINED, None, 1),
        (UNDETERMINED, "CREATE TABLE d.own (x INT PRIMARY KEY)", 0),
        (DIFFERENT, None, 1),
        (EQUAL, None, 1),
    ]
    assert found["purged_gtid_set"] != ""
    assert len(told) == (5 if mariadb else 6)  # MariaDB's sets do not show that there was one
    (row,) = found["rows"]
    assert (row["key"], row["replica_row"], row["source_row"], row["differences"]) == (
        {"id": "1"},
        {"id": 1, "a": "changed"},
        {"id": 1, "a": "one"},
        ["a"],
    )
    assert found["rows_equal"] == 1
    assert [(each["table"], "no key" in each["reason"]) for each in found["not_compared"]] == [("nokey", True)]
    assert not found["looked_at"]["complete"]
    assert [option["name"] for option in found["options"]] == [
        "revert",
        "keep",
        "empty-transactions",
        "rebuild",
        "leave",
    ]
    assert found["advice"][0]["loses"] == [{"number": 1, "what": "row", "of": "d.t"}]
    assert "Unknown, and not dealt with" in found["advice"][0]["text"]

    checks = replfix("doctor", "replica1", "--config", str(any_pair.config_file), "--json").document["checks"]
    assert [c["verdict"] for c in checks if c["code"] == "errant-transactions"] == ["warning"]

    keep = found["advice"][2]
    assert keep["where"] == found["source"]
    with any_pair.source.session() as source:
        for statement in keep["sql"]:
            source.execute(statement)
        assert source.rows("SELECT a FROM d.t WHERE id = 1") == [("changed",)]
        source.execute("INSERT INTO d.t VALUES (9, 'later')")
    any_pair.wait_until_applied()
    assert examined(any_pair, 0)["errant"]["gtid_set"] == ""
    ran = replfix("errant", "replica1", "--config", str(any_pair.config_file))
    assert "Every transaction of this replica is its source's too." in ran.out
