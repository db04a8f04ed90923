"""What only the replica has is shown with its content, also of a healthy channel, and its ways out are true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from replfix.lab import scenarios
from replfix.lab.flavours import speaking
from replfix.lab.replicate import write_locally
from replfix.lab.topology import Lab
from replfix.tui.backend import WiredBackend
from tests.integration.running import replfix


def diagnosed(lab: Lab, code: int = 0) -> dict[str, Any]:
    ran = replfix("diagnose", "replica1", "--config", str(lab.config_file), "--json")
    assert ran.code == code, ran.err
    return ran.document


def test_what_they_hold(any_pair: Lab) -> None:
    with any_pair.source.session() as source:
        source.execute("CREATE DATABASE d")
        source.execute("CREATE TABLE d.t (id INT PRIMARY KEY, a VARCHAR(20), b VARBINARY(9))")
        source.execute("INSERT INTO d.t VALUES (1, 'one', NULL), (2, 'two', x'00ff')")
    any_pair.wait_until_applied()
    nothing = {"gtid_set": "", "in_transit": [], "undecided_gtid_set": "", "transactions": [], "ways": [], "notes": []}
    assert diagnosed(any_pair)["errant"] == nothing
    write_locally(
        any_pair.replica,
        "INSERT INTO d.t VALUES (3, 'local', NULL)",
        "CREATE TABLE d.own (x INT)",
        "UPDATE d.t SET a = 'changed' WHERE id < 3",
    )
    with any_pair.replica.session() as session:
        server_id = int(session.scalar("SELECT @@server_id"))
        mariadb = session.is_mariadb
    document = diagnosed(any_pair)
    assert document["healthy"]
    found = document["errant"]["transactions"]
    assert len({one["gtid"] for one in found}) == 3
    update, ddl, insert = found
    assert {one["server_id"] for one in found} == {server_id}
    assert all(one["origin"].startswith("written on this replica itself") for one in found)
    if not mariadb:  # its log does not tell, but for statements
        assert all(f"by connection {one['thread_id']}" in one["origin"] for one in found)
    assert [(c["change"], c["before"], c["after"]) for c in update["changes"]] == [
        ("update", {"id": 1, "a": "one", "b": None}, {"id": 1, "a": "changed", "b": None}),
        ("update", {"id": 2, "a": "two", "b": {"base64": "AP8="}}, {"id": 2, "a": "changed", "b": {"base64": "AP8="}}),
    ]
    assert [(c["schema"], c["table"], c["after"]["id"]) for c in insert["changes"]] == [("d", "t", 3)]
    assert (update["rows"], insert["rows"], ddl["rows"], ddl["statement"]) == (2, 1, 0, "CREATE TABLE d.own (x INT)")
    empty, leave = document["errant"]["ways"]
    assert (empty["name"], leave["name"]) == ("empty-transactions", "leave")
    ran = replfix("diagnose", "replica1", "--config", str(any_pair.config_file))
    assert ran.code == 0
    for words in (
        "'replfix errant",
        "compares their rows",
        "replication is running",
        "update d.t: id=1, a='one' → 'changed', b=NULL",
        "CREATE TABLE d.own (x INT)",
    ):
        assert words in ran.out

    with any_pair.source.session() as session:  # as they are printed
        for statement in empty["sql"]:
            session.execute(statement)
        session.execute("INSERT INTO d.t VALUES (9, 'later', NULL)")
    any_pair.wait_until_applied()
    after = diagnosed(any_pair)
    assert (after["healthy"], after["errant"]["gtid_set"]) == (True, "")
    with any_pair.replica.session() as session:
        assert session.rows("SELECT id, a FROM d.t") == [
            ("1", "changed"),
            ("2", "changed"),
            ("3", "local"),
            ("9", "later"),
        ]


def test_the_ways_out_lead_out(pair: Lab) -> None:
    """Each statement is run as it is printed: the source commits nothing, and nothing is errant any more."""
    write_locally(pair.replica, "CREATE DATABASE own", "CREATE TABLE own.t (id INT PRIMARY KEY)")
    for n in range(25):
        write_locally(pair.replica, f"INSERT INTO own.t VALUES ({n})")
    errant = diagnosed(pair)["errant"]
    assert [one["changes"][0]["after"]["id"] for one in errant["transactions"]] == list(range(24, 4, -1))
    assert errant["notes"] == ["The newest 20 of 27 are shown."]
    empty, leave = errant["ways"]
    assert empty["where"] == str(pair.source).partition("(")[2].rstrip(")")
    with pair.replica.session() as session:
        assert session.rows(leave["sql"][0]) == [(errant["gtid_set"],)]
        session.execute("FLUSH BINARY LOGS")
        session.execute(f"PURGE BINARY LOGS TO '{session.query('SHOW BINARY LOGS')[-1]['Log_name']}'")
        assert session.rows(leave["sql"][0]) == [("",)]
    purged = diagnosed(pair)["errant"]["transactions"]
    assert len(purged) == 20
    assert {one["unknown"] for one in purged} == {"What is in it is unknown: purged from the replica's binlog."}
    with pair.source.session() as session:
        for statement in empty["sql"]:
            session.execute(statement)
    pair.wait_until_applied()
    assert diagnosed(pair)["errant"]["gtid_set"] == ""
    with pair.source.session() as session:
        session.execute("CREATE DATABASE on_it_goes")
    pair.wait_until_applied()


def test_what_the_source_has_lost(pair: Lab) -> None:
    with pair.source.session() as session:
        session.execute("CREATE DATABASE lost")
        pair.wait_until_applied()
        speaking(session).forget(session)
    (one,) = diagnosed_whatever(pair)["transactions"]
    assert (one["origin"], one["statement"]) == (
        "written on the source, which no longer has it",
        "CREATE DATABASE lost",
    )
    empty = diagnosed_whatever(pair)["ways"][0]
    assert "will give their numbers to other transactions" in empty["means"]


def diagnosed_whatever(lab: Lab) -> dict[str, Any]:
    """The receiver may have noticed or not."""
    found: dict[str, Any] = replfix("diagnose", "replica1", "--config", str(lab.config_file), "--json").document[
        "errant"
    ]
    return found


def test_beside_a_conflict_and_in_the_terminal_ui(pair: Lab, tmp_path: Path) -> None:
    scenarios.find("duplicate-primary").stage(pair)
    document = diagnosed(pair, 3)
    assert [c["code"] for c in document["causes"]] == ["local-write"]
    (one,) = document["errant"]["transactions"]
    assert one["gtid"] in document["causes"][0]["evidence"][0]
    from replfix.config import load

    config = load(str(pair.config_file))
    backend = WiredBackend(config, config.targets(), lambda _: None)
    try:
        shown = backend.errant("replica1", "")
        assert shown is not None
        assert [t.gtid for t in shown.transactions] == [one["gtid"]]
        gap = backend.source_gaps("replica1")[""]
        assert gap.only_here is not None
        assert (str(gap.only_here.errant), str(gap.backlog), gap.why) == (
            one["gtid"],
            document["transaction"]["gtid"],
            "",
        )
    finally:
        backend.close()
