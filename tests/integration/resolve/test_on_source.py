"""keep-both and replica-wins on real servers, through the command line; plain SQL judges both servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from replfix.config import load
from replfix.core.plan.outcome import Outcome
from replfix.errors import Stale
from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.lab_state import LabServer
from replfix.lab.proof import snapshot
from replfix.lab.replicate import executed, transaction, wait_until_stopped
from replfix.lab.replicate import write_locally as logged_locally
from replfix.lab.topologies.wiring import follow
from replfix.lab.topology import Lab
from replfix.wiring import servers, trails
from replfix.workflow.operation import Operation
from replfix.workflow.resolution import resolve as workflow
from tests.integration.proxy import Break, Proxy
from tests.integration.resolve.test_strategies import write, write_locally
from tests.integration.running import Ran, replfix
from tests.integration.undo.test_recover import APPLIED, killed, outcome, recovered
from tests.integration.undo.test_undo import Command
from tests.waiting import until

ORDERS = (
    "CREATE TABLE d.o (id INT AUTO_INCREMENT PRIMARY KEY, no VARCHAR(20) UNIQUE, v VARCHAR(40), at TIMESTAMP(3) NULL "
    "ON UPDATE CURRENT_TIMESTAMP(3))"
)
WRITTEN = "replfix.mysql.write.source_session:SourceSession.write+"
TOLD = "replfix.workflow.apply.write_on_source:SourceWriter._record+"


def rows(server: LabServer, table: str = "d.o") -> list[tuple[str, ...]]:
    with server.session() as session:
        return session.rows(f"SELECT * FROM {table} ORDER BY 1, 2")


def staged(lab: Lab, *tables: str, local: tuple[str, ...] = (), then: tuple[str, ...]) -> None:
    """Stopped: ``local`` is on the replica only, ``then`` one transaction of the source."""
    (lab.directory / "audit.db").unlink(missing_ok=True)
    write(lab.source, "CREATE DATABASE d", *tables)
    lab.wait_until_applied()
    write_locally(lab.replica, *local)
    with lab.source.session() as session:
        transaction(session, *then)
    wait_until_stopped(lab.replica)


def two_writers(lab: Lab) -> None:
    staged(
        lab,
        ORDERS,
        "INSERT INTO d.o (no, v) VALUES ('A', 'both')",
        local=("INSERT INTO d.o (id, no, v, at) VALUES (2, 'R', 'local', '2026-01-02 03:04:05.678')",),
        then=("INSERT INTO d.o (no, v) VALUES ('S', 'source')",),
    )
    write(lab.source, "INSERT INTO d.o (no, v) VALUES ('T', 'later')")


def resolve(lab: Lab, strategy: str, *options: str) -> Ran:
    return replfix("resolve", "replica1", "--strategy", strategy, *options, "--config", str(lab.config_file), "--json")


def why_not(lab: Lab, strategy: str) -> str:
    """The reason, and that asking for it all the same changes nothing."""
    before = snapshot(lab.source), snapshot(lab.replica)
    ran = resolve(lab, strategy, "--yes")
    assert ran.code == 4, ran.out + ran.err
    assert (snapshot(lab.source), snapshot(lab.replica)) == before
    return str(ran.document["message"])


def judge(lab: Lab, table: str = "d.o") -> list[tuple[str, ...]]:
    """Both servers hold the same rows, and nothing was written on the replica that it did not get from its source."""
    lab.wait_until_applied()
    held = rows(lab.source, table)
    assert rows(lab.replica, table) == held
    with lab.source.session() as source, lab.replica.session() as replica:
        assert not executed(replica) - executed(source), "an errant transaction was made"
        assert speaking(replica).read_only(replica)
    return held


def source_steps(ran: Ran) -> list[dict[str, Any]]:
    (round_,) = ran.document["rounds"]
    return [step for step in round_["steps"] if step["server"] == "source"]


def test_both_rows_of_two_writers_are_kept(any_pair: Lab) -> None:
    lab, command = any_pair, Command(any_pair)
    two_writers(lab)
    before = rows(lab.source), rows(lab.replica)
    dry = resolve(lab, "keep-both", "--dry-run")
    assert dry.code == 3, dry.out + dry.err
    (planned,) = source_steps(dry)
    assert (planned["kind"], planned["new_key"], planned["target"]["id"]) == ("insert", "id", None)
    assert (rows(lab.source), rows(lab.replica)) == before

    ran = resolve(lab, "keep-both", "--yes")
    assert ran.code == 0, ran.out + ran.err
    held = judge(lab)
    assert [row[1] for row in held] == ["A", "S", "T", "R"]
    new = held[-1][0]
    assert held[-1] == (new, "R", "local", "2026-01-02 03:04:05.678")
    (step,) = source_steps(ran)
    assert (str(step["target"]["id"]), ran.document["rounds"][0]["on_source"]) == (new, "seen")
    assert f"seen there and on the replica: a new row of d.o with id {new}" in ran.document["message"]

    intent = ran.document["rounds"][0]["audit_id"]
    stood = snapshot(lab.source), snapshot(lab.replica)
    code, looked = command("undo", intent, "--dry-run")
    assert (code, looked["outcome"], looked["on_source"]) == (3, "rehearsed", "not_written")
    assert [(s["server"], s["kind"]) for s in looked["steps"]] == [("source", "delete")]
    assert "its key PRIMARY (2) is taken by the row 2. Then only the audit trail" in " ".join(looked["risks"])
    assert (snapshot(lab.source), snapshot(lab.replica)) == stood

    code, undone = command("undo", intent, "--yes")
    assert (code, undone["outcome"], undone["on_source"]) == (0, "undone", "seen"), undone
    assert undone["digest"] == looked["digest"]
    assert [row[1] for row in judge(lab)] == ["A", "S", "T"]
    code, again = command("undo", intent, "--yes")
    assert (code, "undone already" in again["error"]["message"]) == (4, True)
    assert recovered(command) == []
    assert command("audit", "verify")[0] == 0


def test_the_replica_s_values_come_to_every_server(any_pair: Lab) -> None:
    """Inserted rows that collide, an updated one that differs, and a deleted one that differs, in one transaction; and back."""
    lab = any_pair
    staged(
        lab,
        ORDERS,
        "INSERT INTO d.o VALUES (1, 'A', 'one', NULL), (3, 'C', 'three', NULL), (4, 'D', 'four', NULL)",
        local=(
            "INSERT INTO d.o VALUES (2, 'R', 'local', NULL), (9, 'S5', 'local', NULL)",
            "UPDATE d.o SET v = 'corrected' WHERE id = 3",
            "UPDATE d.o SET v = 'wanted' WHERE id = 4",
        ),
        then=(
            "INSERT INTO d.o VALUES (2, 'S', 'source', NULL), (5, 'S5', 'source', NULL)",
            "UPDATE d.o SET v = 'changed' WHERE id = 3",
            "DELETE FROM d.o WHERE id = 4",
        ),
    )
    before, wanted = rows(lab.source), [row[:3] for row in rows(lab.replica)]
    ran = resolve(lab, "replica-wins", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert [row[:3] for row in judge(lab)] == wanted
    kinds = [(s["kind"], (s["target"] or s["current"])["id"]) for s in source_steps(ran)]
    assert kinds == [("delete", 5), ("update", 2), ("update", 3), ("insert", 9), ("insert", 4)]
    assert "loses its values of no, v" in " ".join(ran.document["rounds"][0]["risks"])

    code, undone = Command(lab)("undo", ran.document["rounds"][0]["audit_id"], "--yes")
    assert (code, undone["outcome"], undone["on_source"]) == (0, "undone", "seen"), undone
    assert "On the replica the displaced rows do not come back" in " ".join(undone["risks"])
    assert judge(lab) == before


def test_a_key_that_nobody_can_make_up(pair: Lab) -> None:
    """keep-both says which one; replica-wins takes the row out that holds it on the source."""
    staged(
        pair,
        ORDERS,
        local=("INSERT INTO d.o (id, no, v) VALUES (70001, 'A-1', 'local')",),
        then=("INSERT INTO d.o (no, v) VALUES ('A-1', 'source')",),
    )
    reason = why_not(pair, "keep-both")
    assert "beside the row 1: both have the same no (unique key no)" in reason
    ran = resolve(pair, "replica-wins", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert [row[:3] for row in judge(pair)] == [("70001", "A-1", "local")]
    assert [s["kind"] for s in source_steps(ran)] == ["delete", "insert"]


def test_a_new_value_is_taken_on_neither_server(pair: Lab) -> None:
    """The replica's own rows reach beyond the source's counter; a key over two columns is free with one of them."""
    offset = "SET GLOBAL auto_increment_increment = 10, GLOBAL auto_increment_offset = 3"
    write(pair.source, offset)
    try:
        staged(
            pair,
            "CREATE TABLE d.o (region INT, id INT AUTO_INCREMENT, v VARCHAR(20), PRIMARY KEY (region, id), KEY (id))",
            local=("INSERT INTO d.o VALUES (1, 3, 'local'), (1, 13, 'next'), (1, 40, 'beyond')",),
            then=("INSERT INTO d.o (region, v) VALUES (1, 'source')",),
        )
        ran = resolve(pair, "keep-both", "--yes")
    finally:
        write(pair.source, "SET GLOBAL auto_increment_increment = 1, GLOBAL auto_increment_offset = 1")
    assert ran.code == 0, ran.out + ran.err
    pair.wait_until_applied()
    assert rows(pair.source) == [("1", "3", "source"), ("1", "43", "local")]
    assert rows(pair.replica) == [
        ("1", "3", "source"), ("1", "13", "next"), ("1", "40", "beyond"), ("1", "43", "local"),
    ]  # fmt: skip


FAMILY = (
    "CREATE TABLE d.o (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20))",
    "CREATE TABLE d.c (id INT AUTO_INCREMENT PRIMARY KEY, o INT, v VARCHAR(20), FOREIGN KEY c_o (o) REFERENCES d.o (id) "
    "ON DELETE CASCADE)",
    "CREATE TABLE d.g (c INT, n INT, PRIMARY KEY (c, n), FOREIGN KEY g_c (c) REFERENCES d.c (id) ON DELETE RESTRICT)",
    "CREATE TABLE d.n (id INT PRIMARY KEY, o INT, FOREIGN KEY n_o (o) REFERENCES d.o (id) ON DELETE SET NULL)",
    "INSERT INTO d.o VALUES (1, 'both')",
    "INSERT INTO d.c VALUES (1, 1, 'both')",
)
LOCAL_FAMILY = (
    "INSERT INTO d.o VALUES (2, 'local')",
    "INSERT INTO d.c VALUES (2, 2, 'local'), (7, 2, 'local too')",
    "INSERT INTO d.g VALUES (2, 1), (7, 1), (7, 2)",
    "INSERT INTO d.n VALUES (1, 2)",
)


def test_children_of_two_writers_follow_their_parent(any_pair: Lab) -> None:
    """The source gave the same keys to other rows. What the replica has of its own comes to every server, as a family."""
    lab = any_pair
    then = (
        "INSERT INTO d.o VALUES (2, 'source')",
        "INSERT INTO d.c VALUES (2, 2, 'source')",
        "INSERT INTO d.g VALUES (2, 9)",
    )
    staged(lab, *FAMILY, local=LOCAL_FAMILY, then=then)
    ran = resolve(lab, "keep-both", "--yes")
    assert ran.code == 0, ran.out + ran.err
    (_, _, (new, _)) = judge(lab)
    assert judge(lab, "d.o") == [("1", "both"), ("2", "source"), (new, "local")]
    children = judge(lab, "d.c")
    by_text = {v: (key, o) for key, o, v in children}
    assert by_text["source"] == ("2", "2")
    assert by_text["local"][1] == by_text["local too"][1] == new
    grandchildren = [
        (by_text["local"][0], "1"),
        (by_text["local too"][0], "1"),
        (by_text["local too"][0], "2"),
        ("2", "9"),
    ]
    assert judge(lab, "d.g") == sorted(grandchildren, key=lambda row: (int(row[0]), int(row[1])))
    assert judge(lab, "d.n") == [("1", new)]


def test_a_parent_that_wins_brings_its_children(pair: Lab) -> None:
    staged(pair, *FAMILY, local=LOCAL_FAMILY, then=("INSERT INTO d.o VALUES (2, 'source')",))
    wanted = {table: rows(pair.replica, table) for table in ("d.o", "d.c", "d.g", "d.n")}
    ran = resolve(pair, "replica-wins", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert {table: judge(pair, table) for table in wanted} == wanted


def test_what_only_the_source_can_tell_ends_the_rehearsal_there(pair: Lab) -> None:
    """A child that the replica has too many: its parent is deleted on the source."""
    restricting = FAMILY[1].replace("CASCADE", "RESTRICT")
    then = ("DELETE FROM d.c WHERE id = 1", "DELETE FROM d.o WHERE id = 1")
    staged(pair, FAMILY[0], restricting, *FAMILY[4:], local=("INSERT INTO d.c VALUES (7, 1, 'local')",), then=then)
    before = snapshot(pair.source), snapshot(pair.replica)
    ran = resolve(pair, "replica-wins", "--yes")
    assert ran.code == 4, ran.out + ran.err
    assert "The source rejects its part of the plan" in ran.document["error"]["message"]
    assert "1452" in ran.document["error"]["message"]
    assert (snapshot(pair.source), snapshot(pair.replica)) == before


def test_two_servers_that_follow_each_other(pair: Lab) -> None:
    """The source stops on the same two rows, and leaves out what came to it under the new key."""
    source, replica = pair.source, pair.replica
    (pair.directory / "audit.db").unlink(missing_ok=True)
    write(source, "CREATE DATABASE d", ORDERS)
    pair.wait_until_applied()
    try:
        follow(source, replica)
        for server in (source, replica):
            write(server, "STOP REPLICA SQL_THREAD")
        logged_locally(replica, "INSERT INTO d.o (id, no) VALUES (1, 'R')")
        write(source, "INSERT INTO d.o (id, no) VALUES (1, 'S')")
        for server in (source, replica):
            write(server, "START REPLICA SQL_THREAD")
            wait_until_stopped(server)
        ran = resolve(pair, "keep-both", "--yes")
        assert ran.code == 0, ran.out + ran.err
        assert "Leave it out there (skip)" in " ".join(ran.document["rounds"][0]["risks"])
        there = ("--replica", f"mysql://replfix:replfix@{source.host}:{source.port}", "--config", str(pair.config_file))
        ran = replfix("resolve", *there, "--strategy", "skip", "--yes", "--json")
        assert ran.code == 0, ran.out + ran.err
        pair.wait_until_applied()
        assert [row[1] for row in rows(source)] == ["S", "R"]
        assert rows(source) == rows(replica)
        with source.session() as one, replica.session() as other:
            assert executed(one) == executed(other)
    finally:
        write(source, "STOP REPLICA", "RESET REPLICA ALL")


def test_what_speaks_against_it_is_said_before_anything_is_changed(pair: Lab) -> None:
    two_writers(pair)
    for statement, back, words in (
        ("SET GLOBAL read_only = ON", "SET GLOBAL read_only = OFF", "does not accept writes: read_only is on"),
    ):
        write(pair.source, statement)
        try:
            assert words in why_not(pair, "keep-both")
        finally:
            write(pair.source, back)
    write(pair.source, "SET sql_log_bin = 0", "REVOKE INSERT ON *.* FROM replfix@'%'")
    try:
        before = snapshot(pair.replica)
        ran = resolve(pair, "keep-both", "--yes")
        assert (ran.code, "GRANT INSERT ON `d`.`o`" in ran.document["error"]["hint"]) == (6, True), ran.out
        assert snapshot(pair.replica) == before
        doctor = replfix("doctor", "replica1", "--config", str(pair.config_file), "--json").document
        (check,) = [c for c in doctor["checks"] if c["code"] == "source-writes"]
        assert check["fix"] == "SET SESSION sql_log_bin = 0; GRANT INSERT ON *.* TO `replfix`@`%`;"
    finally:
        write(pair.source, "SET sql_log_bin = 0", "GRANT INSERT ON *.* TO replfix@'%'")


def test_whether_the_source_is_a_replica_takes_one_privilege_there(pair: Lab) -> None:
    two_writers(pair)
    write(pair.source, "SET sql_log_bin = 0", "REVOKE REPLICATION CLIENT ON *.* FROM replfix@'%'")
    grant = "SET SESSION sql_log_bin = 0; GRANT REPLICATION CLIENT ON *.* TO `replfix`@`%`;"
    try:
        assert grant in why_not(pair, "keep-both")
        doctor = replfix("doctor", "replica1", "--config", str(pair.config_file), "--json").document
        assert [c["fix"] for c in doctor["checks"] if c["code"] == "source-writes"] == [grant]
    finally:
        write(pair.source, "SET sql_log_bin = 0", "GRANT REPLICATION CLIENT ON *.* TO replfix@'%'")


def test_generated_columns_are_what_the_source_makes_of_the_new_keys(any_pair: Lab) -> None:
    """A column over the AUTO_INCREMENT one, which MariaDB allows, is logged before the row has its number."""
    lab = any_pair
    with lab.source.session() as session:
        of = "id" if session.is_mariadb else "v"
    made = (
        f"CREATE TABLE d.o (id INT AUTO_INCREMENT PRIMARY KEY, v INT, w INT AS ({of} * 10) VIRTUAL, x INT AS (w + 1) VIRTUAL)",
        "CREATE TABLE d.c (id INT PRIMARY KEY, o INT, g INT AS (o * 10) STORED, FOREIGN KEY (o) REFERENCES d.o (id))",
    )
    local = ("INSERT INTO d.o (id, v) VALUES (1, 7), (2, 8)", "INSERT INTO d.c (id, o) VALUES (1, 2)")
    staged(lab, *made, local=local, then=("INSERT INTO d.o (v) VALUES (7)",))
    (conflict,) = replfix("diagnose", "replica1", "--config", str(lab.config_file), "--json").document["conflicts"]
    assert conflict["differences"] == [], "it is the source's own row"
    assert conflict["incoming"] == conflict["replica_row"], "with what its number makes of the generated columns"
    assert resolve(lab, "source-wins", "--yes").code == 0
    write(lab.source, "INSERT INTO d.o (v) VALUES (9)")
    wait_until_stopped(lab.replica)
    ran = resolve(lab, "keep-both", "--yes")
    assert ran.code == 0, ran.out + ran.err
    held = judge(lab)
    new = held[2][0]
    assert [row[1] for row in held] == ["7", "9", "8"]
    assert [row[2:] for row in held] == [
        (f"{by}0", f"{by}1") for by in ((row[0] if of == "id" else row[1]) for row in held)
    ]
    assert judge(lab, "d.c") == [("1", new, f"{new}0")]


AUDITED = (
    "CREATE TABLE d.log (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(40))",
    "CREATE TABLE d.counted (what VARCHAR(20) PRIMARY KEY, n INT)",
    "CREATE TRIGGER d.audit AFTER INSERT ON d.o FOR EACH ROW INSERT INTO log (what) VALUES (CONCAT(NEW.v, ' ', NEW.id))",
    "CREATE TRIGGER d.count_log AFTER INSERT ON d.log FOR EACH ROW "
    "INSERT INTO `counted` VALUES ('log', 1) ON DUPLICATE KEY UPDATE n = n + 1",
)


def test_triggers_of_the_source_fire_as_the_plan_lists_them(any_pair: Lab) -> None:
    """They fired for the local write on the replica too, so the rows that they wrote there are in the way as well."""
    lab, values = any_pair, "INSERT INTO d.o (no, v) VALUES "
    staged(
        lab,
        ORDERS,
        *AUDITED,
        values + "('A', 'both')",
        local=(values + "('R', 'local')",),
        then=(values + "('S', 'source')",),
    )
    tables = ("d.o", "d.log", "d.counted")
    before = [rows(server, table) for server in (lab.source, lab.replica) for table in tables]
    dry = resolve(lab, "keep-both", "--dry-run")
    assert dry.code == 3, dry.out + dry.err
    assert [rows(server, table) for server in (lab.source, lab.replica) for table in tables] == before
    risks = " ".join(dry.document["rounds"][0]["risks"])
    assert "d.audit (AFTER INSERT on d.o), d.count_log (AFTER INSERT on d.log)" in risks

    ran = resolve(lab, "keep-both", "--yes")
    assert ran.code == 0, ran.out + ran.err
    new = judge(lab)[-1][0]
    assert [row[1] for row in judge(lab)] == ["A", "S", "R"]
    assert [row[1] for row in judge(lab, "d.log")] == ["both 1", "source 2", f"local {new}", "local 2"]
    assert judge(lab, "d.counted") == [("log", "4")]


def test_triggers_of_which_nobody_can_tell_how_far_they_reach(pair: Lab) -> None:
    two_writers(pair)
    there = (
        "CREATE TABLE d.fast (id INT) ENGINE=MyISAM",
        "CREATE TABLE d.log (id INT)",
        "CREATE VIEW d.seen AS SELECT * FROM d.fast",
        "CREATE PROCEDURE d.home() DELETE FROM d.fast",
        "CREATE FUNCTION d.tell() RETURNS INT DETERMINISTIC RETURN 1",
        "CREATE TRIGGER d.deep AFTER INSERT ON d.log FOR EACH ROW INSERT INTO fast VALUES (1)",
    )
    unlogged = "SET sql_log_bin = 0"
    write(pair.source, unlogged, *there)
    for body, words in (
        ("INSERT INTO d.fast VALUES (NEW.id)", "names the table that keeps no transactions d.fast"),
        ("INSERT INTO `log` VALUES (1)", "The trigger d.deep (AFTER INSERT on d.log) names the table that keeps no"),
        ("INSERT INTO seen VALUES (1)", "names the view, sequence or versioned table d.seen"),
        ("CALL home()", "has CALL in its text"),
        ("SET @a = TELL()", "names the routine d.tell"),
    ):
        write(pair.source, unlogged, f"CREATE TRIGGER d.t AFTER INSERT ON d.o FOR EACH ROW {body}")
        try:
            assert words in why_not(pair, "keep-both")
        finally:
            write(pair.source, unlogged, "DROP TRIGGER d.t")
    changing = "CREATE TRIGGER d.t BEFORE INSERT ON d.o FOR EACH ROW SET NEW.v = UPPER(NEW.v)"
    write(pair.source, unlogged, changing)
    before = snapshot(pair.source), snapshot(pair.replica)
    ran = resolve(pair, "keep-both", "--yes")
    assert ran.code == 4, ran.out + ran.err
    assert "it differs in v. What changes it can be d.t (BEFORE INSERT on d.o)" in ran.document["error"]["message"]
    assert (snapshot(pair.source), snapshot(pair.replica)) == before
    write(pair.source, unlogged, "DROP TRIGGER d.t")

    # One that comes after the diagnosis does not fire unlisted.
    with pytest.raises(Stale, match=r"not what was diagnosed any more: d\.t \(BEFORE INSERT on d\.o\)"):
        resolving(
            pair,
            "keep-both",
            "Rehearsing what is written on the source",
            lambda: write(pair.source, unlogged, changing),
        )
    write(pair.source, unlogged, "DROP TRIGGER d.t")
    failed = resolving(pair, "keep-both", "START REPLICA until", lambda: write(pair.source, unlogged, changing))
    assert "What fires on the source is not what was diagnosed any more" in failed.message
    assert [row[1] for row in judge(pair)] == ["A", "S", "T"]


@contextmanager
def interposed(lab: Lab, at: str, do: Callable[[], None]) -> Iterator[Operation]:
    """Within this process, with something done when the run says what it is about to do; once."""
    done: list[str] = []

    def progress(step: object) -> None:
        if at in str(step) and not done:
            done.append(at)
            do()

    config = load(str(lab.config_file))
    with servers.TargetConnections(config.target("replica1")) as wired:
        trail = trails.open_trail(config)
        try:
            yield trails.operation(wired, trail, progress)
        finally:
            trail.close()
            assert done


def resolving(lab: Lab, strategy: str, at: str, do: Callable[[], None]) -> Outcome:
    with interposed(lab, at, do) as operation:
        return workflow(
            operation, strategy=strategy, channel=None, max_rounds=5, dry_run=False, confirm=lambda *_: True
        )


def test_a_row_of_the_source_that_changes_before_ends_it_and_after_the_repair_is_not_overwritten(pair: Lab) -> None:
    two_writers(pair)
    before = snapshot(pair.replica)

    def change(value: str) -> Callable[[], None]:
        return lambda: write(pair.source, f"UPDATE d.o SET v = '{value}' WHERE id = 2")

    with pytest.raises(Stale, match="is no longer what was diagnosed: v, at changed"):
        resolving(pair, "replica-wins", "Rehearsing what is written on the source", change("sooner"))
    assert snapshot(pair.replica) == before

    failed = resolving(pair, "replica-wins", "START REPLICA until", change("meanwhile"))
    assert failed.result.value == "failed"
    assert "Nothing was written on the source: On the source a row of d.o is no longer what" in failed.message
    assert [row[1:3] for row in judge(pair)] == [("A", "both"), ("S", "meanwhile"), ("T", "later")]
    ran = replfix("audit", "show", str(failed.rounds[0].audit_id), "--config", str(pair.config_file))
    assert ran.code == 0
    assert "'R', 'local'" in ran.out


@pytest.mark.parametrize(
    ("point", "told", "kept"),
    [(APPLIED + "+", "not_written", False), (TOLD, "not_written", False), (WRITTEN, "written", True)],
    ids=["before", "on record", "committed"],
)
def test_killed_between_the_two_parts(pair: Lab, point: str, told: str, kept: bool) -> None:
    command = Command(pair)
    two_writers(pair)
    killed(pair, point, "resolve", "replica1", "--strategy", "keep-both")
    found = recovered(command)
    payload = outcome(command, found[-1])
    assert (payload["on_source"], payload["result"]) == (told, "applied and verified")
    assert ("On the source it was written: a new row of d.o with id" in found[-1]["message"]) is kept
    assert [row[1] for row in judge(pair)] == ["A", "S", "T", *(["R"] if kept else [])]
    code, undone = command("undo", found[-1]["audit_id"], "--yes")
    assert (code, undone["outcome"]) == ((0, "undone") if kept else (4, "refused")), undone
    assert [row[1] for row in judge(pair)] == ["A", "S", "T"]
    assert recovered(command) == []
    assert command("audit", "verify")[0] == 0


@pytest.mark.parametrize(("how", "told"), [(Break.RESET, "not_written"), (Break.LAST, "written")])
def test_the_connection_is_lost_while_the_source_commits(pair: Lab, tmp_path: Path, how: Break, told: str) -> None:
    command = Command(pair)
    two_writers(pair)
    left = ["A", "S", "T", *(["R"] if told == "written" else [])]

    def arrived() -> None:
        until(lambda: [row[1] for row in rows(pair.source)] == left)

    with Proxy((pair.source.host, pair.source.port), "Query COMMIT", how, arrived) as wire:
        account = f'user = "{REPLFIX.name}"\ndefaults_file = "{pair.directory / "my.cnf"}"\nssl_mode = "DISABLED"\nget_server_public_key = true\n'
        config = tmp_path / "replfix.toml"
        config.write_text(
            f'[audit]\nurl = "sqlite:///{pair.directory / "audit.db"}"\n'
            f'[replicas.replica1]\nhost = "{pair.replica.host}"\nport = {pair.replica.port}\nsource = "it"\n{account}'
            f'[sources.it]\nhost = "127.0.0.1"\nport = {wire.port}\n{account}'
        )
        ran = replfix("resolve", "replica1", "--strategy", "keep-both", "--yes", "--config", str(config), "--json")
    assert (ran.code, ran.document["outcome"]) == (5, "failed"), ran.out + ran.err
    assert ran.document["rounds"][0]["on_source"] == "unknown"
    assert "It is not known whether its part was written on the source" in ran.document["message"]
    found = recovered(command)
    payload = outcome(command, found[-1])
    assert (payload["on_source"], payload["result"]) == (told, "applied and verified")
    assert [row[1] for row in judge(pair)] == left
