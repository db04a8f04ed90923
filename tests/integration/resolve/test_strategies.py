"""The strategies beside source-wins on real servers, through the command line; plain SQL judges."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import executed, wait_until_stopped
from replfix.lab.topologies import no_gtid
from replfix.lab.topology import Lab
from tests.integration.running import Ran, replfix
from tests.integration.undo.test_recover import killed
from tests.waiting import until

COUNTER_SET = "replfix.mysql.write.repair:HeldChannel.set_skip_counter+"

TABLE = ("CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, k INT UNIQUE, v VARCHAR(40))")


def write(server: LabServer, *statements: str) -> None:
    with server.session() as session:
        for statement in statements:
            session.execute(statement)


def write_locally(server: LabServer, *statements: str) -> None:
    with server.session() as session, speaking(session).writable(session):
        session.execute("SET sql_log_bin = 0")
        for statement in statements:
            session.execute(statement)


def rows(server: LabServer, table: str = "d.t") -> list[tuple[str, ...]]:
    with server.session() as session:
        return session.rows(f"SELECT * FROM {table} ORDER BY 1")


def arrived(lab: Lab, row: tuple[str, ...]) -> None:
    until(lambda: row in rows(lab.replica))


def table_on_both(lab: Lab, *held: str) -> None:
    (lab.directory / "audit.db").unlink(missing_ok=True)
    write(lab.source, *TABLE, *held, "INSERT INTO d.t VALUES (99, 99, 'both')")
    until(lambda: bool(_there(lab.replica)))
    arrived(lab, ("99", "99", "both"))


def _there(server: LabServer) -> list[tuple[str, ...]]:
    with server.session() as session:
        return session.rows("SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd' AND TABLE_NAME = 't'")


def counter(server: LabServer) -> str:
    with server.session() as session:
        return str(session.query("SHOW GLOBAL VARIABLES LIKE '%skip_counter'")[0]["Value"])


def skip(lab: Lab, *options: str) -> Ran:
    return replfix(
        "resolve", "replica1", "--strategy", "skip", *options, "--config", str(lab.config_file), "--json"
    )  # fmt: skip


def left_out(lab: Lab, audit_id: str) -> dict[str, Any]:
    ran = replfix("audit", "show", audit_id, "--config", str(lab.config_file), "--json")
    assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)["payload"]["plan"]["left_out"]
    return found


@pytest.fixture
def replicating(any_pair: Lab) -> Iterator[Lab]:
    yield any_pair
    with any_pair.replica.session() as session:
        if session.is_mariadb:
            session.execute("SET sql_log_bin = 0")
            session.execute(f"REVOKE SUPER ON *.* FROM '{REPLFIX.name}'@'%'")


def allow(lab: Lab) -> None:
    """On MariaDB the skip counter takes SUPER, which replfix does without otherwise; nothing is changed before."""
    with lab.replica.session() as session:
        if not session.is_mariadb:
            return
        ran = skip(lab, "--yes")
        assert (ran.code, "SUPER" in ran.out + ran.err) == (6, True), ran.out + ran.err
        session.execute("SET sql_log_bin = 0")
        session.execute(f"GRANT SUPER ON *.* TO '{REPLFIX.name}'@'%'")


def test_all_rows_of_the_transaction_are_left_out_and_the_replica_goes_on(replicating: Lab) -> None:
    lab = replicating
    table_on_both(lab, "INSERT INTO d.t VALUES (7, 7, 'old'), (8, 8, 'goes')")
    write_locally(lab.replica, "INSERT INTO d.t VALUES (1, 11, 'local')")
    write(
        lab.source,
        "BEGIN",
        "INSERT INTO d.t VALUES (1, 1, 'source')",
        "UPDATE d.t SET v = 'new' WHERE id = 7",
        "DELETE FROM d.t WHERE id = 8",
        "COMMIT",
        "INSERT INTO d.t VALUES (2, 2, 'later')",
    )
    wait_until_stopped(lab.replica)
    before = rows(lab.replica)
    allow(lab)

    dry = skip(lab, "--dry-run")
    assert dry.code == 3, dry.out + dry.err
    assert rows(lab.replica) == before
    with lab.source.session() as source, lab.replica.session() as replica:
        assert executed(source) - executed(replica)

    ran = skip(lab, "--yes")
    assert ran.code == 0, ran.out + ran.err
    (round_,) = ran.document["rounds"]
    assert (round_["rehearsed"], round_["applied"], round_["verified"]) == (True, True, True)
    assert round_["steps"] == []
    assert [(row["kind"], row["before"], row["after"]) for row in round_["left_out"]] == [
        ("insert", None, {"id": 1, "k": 1, "v": "source"}),
        ("update", {"id": 7, "k": 7, "v": "old"}, {"id": 7, "k": 7, "v": "new"}),
        ("delete", {"id": 8, "k": 8, "v": "goes"}, None),
    ]
    assert left_out(lab, round_["audit_id"])["rows"] == round_["left_out"]
    arrived(lab, ("2", "2", "later"))
    assert rows(lab.replica) == sorted([*before, ("2", "2", "later")], key=lambda row: int(row[0]))
    with lab.source.session() as source, lab.replica.session() as replica:
        assert not executed(source) - executed(replica), "the transaction counts as executed"
        speaks = speaking(replica)
        assert set(speaks.read_only(replica)) <= {True, None}
        assert counter(lab.replica) == "0"
        state = speaks.channel_state(replica)
        assert state is not None
        assert state.applier_running
        assert state.receiver_running


def test_one_run_leaves_one_transaction_out_and_source_wins_takes_the_next(pair: Lab) -> None:
    lab = pair
    table_on_both(lab)
    write_locally(lab.replica, "INSERT INTO d.t VALUES (1, 11, 'local'), (2, 22, 'local')")
    write(lab.source, "INSERT INTO d.t VALUES (1, 1, 'source')", "INSERT INTO d.t VALUES (2, 2, 'source')")
    wait_until_stopped(lab.replica)
    ran = skip(lab, "--yes")
    assert (ran.code, ran.document["outcome"]) == (3, "needs_human"), ran.err
    assert len(ran.document["rounds"]) == 1
    assert ("2", "22", "local") in rows(lab.replica)
    ran = replfix("resolve", "replica1", "--yes", "--config", str(lab.config_file), "--json")
    assert ran.code == 0, ran.out + ran.err
    assert rows(lab.replica)[:2] == [("1", "11", "local"), ("2", "2", "source")]


def test_a_statement_that_fails_is_shown_in_full_and_left_out(pair: Lab) -> None:
    table_on_both(pair)
    write_locally(pair.replica, "CREATE TABLE d.made (id INT PRIMARY KEY, here INT)")
    statement = "CREATE TABLE d.made (id INT PRIMARY KEY, there VARCHAR(10) COMMENT 'it''s')"
    write(pair.source, statement, "INSERT INTO d.t VALUES (2, 2, 'later')")
    wait_until_stopped(pair.replica)
    ran = skip(pair, "--yes")
    assert ran.code == 0, ran.out + ran.err
    (round_,) = ran.document["rounds"]
    assert round_["left_out_statement"] == statement
    assert left_out(pair, round_["audit_id"])["statement"] == statement
    arrived(pair, ("2", "2", "later"))
    with pair.replica.session() as session:
        assert "`here`" in str(session.rows("SHOW CREATE TABLE d.made")[0][1])


@pytest.fixture
def positioned(pair: Lab) -> Iterator[Lab]:
    no_gtid.connect(pair.source, pair.replica)
    try:
        yield pair
    finally:
        no_gtid.undo(pair.source, pair.replica)


def test_without_gtids_the_skip_counter_passes_over_rows_and_statements(positioned: Lab) -> None:
    lab = positioned
    table_on_both(lab)
    write_locally(lab.replica, "INSERT INTO d.t VALUES (1, 11, 'local')", "CREATE TABLE d.made (here INT PRIMARY KEY)")
    write(
        lab.source,
        "BEGIN",
        "INSERT INTO d.t VALUES (3, 3, 'lost')",
        "INSERT INTO d.t VALUES (1, 1, 'source')",
        "COMMIT",
        "INSERT INTO d.t VALUES (4, 4, 'between')",
        "CREATE TABLE d.made (there INT PRIMARY KEY)",
        "INSERT INTO d.t VALUES (2, 2, 'later')",
    )
    wait_until_stopped(lab.replica)
    first = skip(lab, "--yes")
    assert (first.code, first.document["outcome"]) == (3, "needs_human"), first.out + first.err
    killed(lab, COUNTER_SET, "resolve", "replica1", "--strategy", "skip")
    assert counter(lab.replica) == "1"
    ran = replfix("recover", "replica1", "--config", str(lab.config_file), "--json")
    assert ran.code == 0, ran.out + ran.err
    assert counter(lab.replica) == "0"
    write(lab.replica, "SET GLOBAL sql_replica_skip_counter = 1")
    other = skip(lab, "--yes")
    assert other.code == 4, other.out + other.err
    assert "is about to skip a transaction" in other.err
    write(lab.replica, "SET GLOBAL sql_replica_skip_counter = 0")
    second = skip(lab, "--yes")
    assert second.code == 0, second.out + second.err
    arrived(lab, ("2", "2", "later"))
    assert [row[0] for row in rows(lab.replica)] == ["1", "2", "4", "99"]
    with lab.replica.session() as session:
        assert "`here`" in str(session.rows("SHOW CREATE TABLE d.made")[0][1])
