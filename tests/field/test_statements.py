"""Transactions that are logged as statements, as MariaDB logs them by default: of several only the first was read, and called the
only one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from replfix.errors import ServerError
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests import waiting
from tests.integration.running import Ran, replfix
from tests.skipping import may_skip

TABLE = "CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, k INT UNIQUE)"


def write(server: LabServer, *statements: str) -> None:
    with server.session() as session:
        for statement in statements:
            session.execute(statement)


def rows(server: LabServer) -> list[tuple[object, ...]]:
    with server.session() as session:
        return session.rows("SELECT id, k FROM shop.t ORDER BY id")


def _arrived(replica: LabServer) -> bool:
    with suppress(ServerError):  # no such table yet
        return bool(rows(replica))
    return False


def stage(lab: Lab, *statements: str, format_: str = "STATEMENT") -> None:
    (lab.directory / "audit.db").unlink(missing_ok=True)
    write(lab.source, "CREATE DATABASE shop", TABLE, "INSERT INTO shop.t VALUES (1, 1)")
    waiting.until(lambda: _arrived(lab.replica))
    write_locally(lab.replica, "INSERT INTO shop.t VALUES (5, 5)", logged=False)
    write(lab.source, f"SET SESSION binlog_format = {format_}", *statements)
    wait_until_stopped(lab.replica)


def run(lab: Lab, *command: str) -> Ran:
    return replfix(*command, "--config", str(lab.config_file))


SEVERAL = (
    "INSERT INTO shop.t VALUES (2, 2)",
    "UPDATE shop.t SET k = 77 WHERE id = 1",
    "INSERT INTO shop.t (k) VALUES (30)",
    "INSERT INTO shop.t VALUES (5, 6)",
)


def test_every_statement_is_read_and_kept(any_pair: Lab) -> None:
    stage(any_pair, "BEGIN", *SEVERAL, "COMMIT", "INSERT INTO shop.t VALUES (9, 9)")
    found = run(any_pair, "diagnose", "replica1", "--json").document
    assert found["statement"]["text"] == SEVERAL[-1], "the one that failed, not the first one"
    texts = [advice["text"] for advice in found["advice"]]
    assert texts[0].startswith("The transaction has 4 statements. This one failed")
    assert "INSERT INTO `shop`.`t` (`id`, `k`) VALUES (5, 5);" in texts[1]
    assert [loss["number"] for loss in found["advice"][1]["loses"]] == [1]
    with may_skip(any_pair.replica):
        ran = run(any_pair, "resolve", "replica1", "--strategy", "skip", "--yes", "--json")
    assert ran.code == 0, ran.out + ran.err
    (round_,) = ran.document["rounds"]
    expected = [*SEVERAL[:2], f"SET insert_id = 3; {SEVERAL[2]}", SEVERAL[3]]
    assert round_["left_out_statements"] == expected
    waiting.until(lambda: rows(any_pair.replica) == [("1", "1"), ("5", "5"), ("9", "9")])
    shown = run(any_pair, "audit", "show", round_["audit_id"]).out
    assert [text for text in expected if text not in " ".join(shown.split())] == []


def test_the_row_that_a_statement_meets_is_deleted_by_hand_and_the_statement_runs(any_pair: Lab) -> None:
    stage(any_pair, "UPDATE shop.t SET k = 5 WHERE id = 1", format_="MIXED")
    found = run(any_pair, "diagnose", "replica1", "--json").document
    (remedy,) = [advice for advice in found["advice"] if advice["sql"]]
    assert (remedy["where"], remedy["leads_to"]["code"]) == ("replica", "next-row")
    assert [(loss["number"], loss["what"]) for loss in remedy["loses"]] == [(1, "row")]
    write(any_pair.replica, *remedy["sql"])
    waiting.until(lambda: rows(any_pair.replica) == [("1", "5")])
    assert run(any_pair, "diagnose", "replica1").code == 0


def test_of_a_statement_that_may_meet_its_own_rows_no_row_is_deleted(any_pair: Lab) -> None:
    """Without row 5 it would be rejected all the same: it gives rows 1 and 5 one value."""
    stage(any_pair, "UPDATE shop.t SET k = 5 WHERE id < 9")
    found = run(any_pair, "diagnose", "replica1", "--json").document
    assert not any(advice["sql"] for advice in found["advice"])
    assert any("changes an unknown number of rows here" in unknown for unknown in found["unknowns"])


def test_a_row_event_beside_statements_is_a_row_conflict(any_pair: Lab) -> None:
    """UUID() makes a mixed log switch to rows for that one statement."""
    stage(
        any_pair,
        "BEGIN",
        "UPDATE shop.t SET k = 77 WHERE id = 1",
        "INSERT INTO shop.t SELECT 5, IF(UUID() IS NULL, 1, 6)",
        "COMMIT",
        format_="MIXED",
    )
    found = run(any_pair, "diagnose", "replica1", "--json").document
    (conflict,) = found["conflicts"]
    assert (conflict["kind"], conflict["replica_row"]["id"]) == ("duplicate", 5)
    refused = {strategy["name"]: strategy["reason"] for strategy in found["strategies"] if not strategy["allowed"]}
    assert "1 statement beside its rows" in refused["source-wins"]
    assert "skip" not in refused
    dry = run(any_pair, "resolve", "replica1", "--strategy", "skip", "--dry-run", "--json")
    if dry.code != 6:  # MariaDB's skip counter takes SUPER
        (round_,) = dry.document["rounds"]
        assert round_["left_out_statements"] == ["UPDATE shop.t SET k = 77 WHERE id = 1"]
        assert [row["after"]["id"] for row in round_["left_out"]] == [5]
    (remedy,) = [advice for advice in found["advice"] if advice["sql"]]
    write(any_pair.replica, *remedy["sql"])
    waiting.until(lambda: rows(any_pair.replica) == [("1", "77"), ("5", "6")])


def test_a_row_that_a_later_statement_makes_like_the_replicas_is_not_exchanged(any_pair: Lab) -> None:
    """The source follows nobody: it has its row from its own statement, which the backlog holds without rows."""
    later = ("SET SESSION binlog_format = STATEMENT", "UPDATE shop.t SET k = 5 WHERE id = 5")
    stage(any_pair, "INSERT INTO shop.t VALUES (5, 6)", *later, format_="ROW")
    done = run(any_pair, "resolve", "replica1", "--yes", "--json")
    assert (done.code, done.document["outcome"]) == (0, "resolved"), done.out + done.err
    waiting.until(lambda: rows(any_pair.replica) == rows(any_pair.source) == [("1", "1"), ("5", "5")])


def test_a_statement_without_checks_is_found(any_pair: Lab) -> None:
    """As a dump or a migration runs it. MariaDB shows these settings before the statement, in its relay log."""
    checks = "SET SESSION unique_checks = 0, foreign_key_checks = 0"
    stage(any_pair, checks, "UPDATE shop.t SET k = 5 WHERE id = 1")
    found = run(any_pair, "diagnose", "replica1", "--json").document
    assert found["statement"]["text"] == "UPDATE shop.t SET k = 5 WHERE id = 1"
    assert [strategy["name"] for strategy in found["strategies"] if strategy["allowed"]] == ["skip"]


def test_a_row_that_the_source_has_too_is_not_deleted_for_an_update(any_pair: Lab) -> None:
    """The UPDATE finds no row on the source, and the replica's own row 5 here."""
    stage(any_pair, "UPDATE shop.t SET k = 1 WHERE id = 5")
    found = run(any_pair, "diagnose", "replica1", "--json").document
    assert found["statement"]["text"] == "UPDATE shop.t SET k = 1 WHERE id = 5"
    assert [advice["sql"] for advice in found["advice"] if advice["sql"]] == []
    assert any("is the same on the source" in unknown for unknown in found["unknowns"])


def _advice_without_a_table(lab: Lab, format_: str, *several: str) -> list[dict[str, Any]]:
    """What is printed for one transaction of these statements, where the replica has lost the table shop.o."""
    write(
        lab.source, "CREATE DATABASE shop", TABLE, "CREATE TABLE shop.o LIKE shop.t", "INSERT INTO shop.t VALUES (1, 1)"
    )
    waiting.until(lambda: _arrived(lab.replica))
    write_locally(lab.replica, "DROP TABLE shop.o", logged=False)
    write(lab.source, f"SET SESSION binlog_format = {format_}", "BEGIN", *several, "COMMIT")
    wait_until_stopped(lab.replica)
    found: list[dict[str, Any]] = run(lab, "diagnose", "replica1", "--json").document["advice"]
    return found


def test_a_missing_table_is_not_copied_for_one_statement_of_several(any_pair: Lab) -> None:
    """The copy has what that statement does, and the others would go with it: their transaction was left out as a whole."""
    several = (
        "INSERT INTO shop.t VALUES (2, 2)",
        "DELETE FROM shop.o WHERE id = 1",
        "INSERT INTO shop.t VALUES (3, 3)",
    )
    advice = _advice_without_a_table(any_pair, "STATEMENT", *several)
    assert not [remedy for remedy in advice if remedy["sql"]], advice
    assert any("transaction has more than that" in remedy["text"] for remedy in advice), advice


def test_a_missing_table_is_not_copied_for_rows_beside_a_statement(any_pair: Lab) -> None:
    # UUID() is written as a row where the format is MIXED.
    several = ("INSERT INTO shop.t VALUES (2, 2)", "INSERT INTO shop.o VALUES (1, LENGTH(UUID()))")
    advice = _advice_without_a_table(any_pair, "MIXED", *several)
    assert "left-out" not in [(remedy["leads_to"] or {}).get("code") for remedy in advice], advice
