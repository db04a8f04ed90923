"""Children of rows that a plan takes out, or gives another key: kept, moved along or displaced too, and no cascade fires."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest

from replfix.config import load
from replfix.core.plan.plan import Step, StepKind
from replfix.core.schema.table import TableName
from replfix.errors import RehearsalFailed, Stale
from replfix.lab.proof import snapshot
from replfix.lab.replicate import transaction, wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from replfix.wiring import servers
from replfix.workflow.apply.repair_round import plan_of
from replfix.workflow.investigate.investigation import investigate
from tests.integration.running import replfix

P = "CREATE TABLE d.p (id INT PRIMARY KEY, u INT UNIQUE, note VARCHAR(20))"
LOCAL = "INSERT INTO d.p VALUES (9, 1, 'local')"
REPLACED = "INSERT INTO d.p VALUES (9, 2, 'source')"  # another row with that key
TAKEN = "INSERT INTO d.p VALUES (5, 1, 'source')"  # no row with that key


def child(rules: str, name: str = "c", parent: str = "p") -> str:
    return (
        f"CREATE TABLE d.{name} (id INT PRIMARY KEY, p INT, CONSTRAINT {name}_{parent} FOREIGN KEY (p) REFERENCES "
        f"d.{parent} (id) {rules})"
    )


def nameless(rules: str) -> str:
    return f"CREATE TABLE d.c (p INT, v VARCHAR(9), CONSTRAINT c_p FOREIGN KEY (p) REFERENCES d.p (id) {rules})"


CODED = (
    "CREATE TABLE d.p (id INT PRIMARY KEY, code VARCHAR(9) UNIQUE)",
    "CREATE TABLE d.c (id INT PRIMARY KEY, code VARCHAR(9), CONSTRAINT c_p FOREIGN KEY (code) REFERENCES d.p (code) "
    "ON UPDATE CASCADE ON DELETE CASCADE)",
)


@dataclass(frozen=True)
class Case:
    setup: tuple[str, ...]
    local: tuple[str, ...]  # on the replica, not logged
    failing: str
    left: dict[str, list[tuple[str | None, ...]]]  # tables of the replica afterwards
    displaced: int
    kept: int = 0


CASES = {
    "a parent that comes back keeps its children": Case(
        (P, child("ON DELETE CASCADE ON UPDATE CASCADE"), child("ON DELETE SET NULL", "n"), child("", "r")),
        (LOCAL, "INSERT INTO d.c VALUES (1, 9), (2, 9), (3, NULL)", "INSERT INTO d.n VALUES (1, 9)",
         "INSERT INTO d.r VALUES (1, 9)"),
        REPLACED,
        {"p": [("9", "2", "source")], "c": [("1", "9"), ("2", "9"), ("3", None)], "n": [("1", "9")], "r": [("1", "9")]},
        displaced=1,
        kept=4,
    ),
    "children go with a parent that does not, and theirs with them": Case(
        (P, child("ON DELETE CASCADE"), child("", "g", "c")),
        (LOCAL, "INSERT INTO d.c VALUES (1, 9), (2, 9)", "INSERT INTO d.g VALUES (1, 2), (2, 2)"),
        TAKEN,
        {"p": [("5", "1", "source")], "c": [], "g": []},
        displaced=5,
    ),
    "a child that may lose its parent stays without": Case(
        (P, child("ON DELETE SET NULL")),
        (LOCAL, "INSERT INTO d.c VALUES (1, 9)"),
        TAKEN,
        {"p": [("5", "1", "source")], "c": [("1", None)]},
        displaced=2,
    ),
    "a child of the source's goes back to its parent": Case(
        (P, child("ON DELETE CASCADE"), "INSERT INTO d.p VALUES (1, 8, 'both')", "INSERT INTO d.c VALUES (1, 1)"),
        (LOCAL, "UPDATE d.c SET p = 9", "INSERT INTO d.c VALUES (2, 9)"),
        TAKEN,
        {"p": [("1", "8", "both"), ("5", "1", "source")], "c": [("1", "1")]},
        displaced=3,
    ),
    "a row of the source gets its key back, and its children follow": Case(
        (*CODED, "INSERT INTO d.p VALUES (1, 'a')", "INSERT INTO d.c VALUES (1, 'a')"),
        ("UPDATE d.p SET code = 'x'", "INSERT INTO d.c VALUES (2, 'x')"),
        "INSERT INTO d.p VALUES (2, 'x')",
        {"p": [("1", "a"), ("2", "x")], "c": [("1", "a"), ("2", "a")]},
        displaced=3,
    ),
    "a parent that only the source has left comes back": Case(
        (*CODED, "INSERT INTO d.p VALUES (4, 'k')", "INSERT INTO d.c VALUES (1, 'k')"),
        ("DELETE FROM d.c", "DELETE FROM d.p", "INSERT INTO d.p VALUES (9, 'k')", "INSERT INTO d.c VALUES (1, 'k')"),
        "INSERT INTO d.p VALUES (9, 'z')",
        {"p": [("4", "k"), ("9", "z")], "c": [("1", "k")]},
        displaced=1,
    ),
    "another spelling of a key is the same key": Case(
        CODED,
        ("INSERT INTO d.p VALUES (9, 'key')", "INSERT INTO d.c VALUES (1, 'key')"),
        "INSERT INTO d.p VALUES (8, 'KEY')",
        {"p": [("8", "KEY")], "c": [("1", "key")]},
        displaced=1,
        kept=1,
    ),
    "a table that references itself": Case(
        ("CREATE TABLE d.p (id INT PRIMARY KEY, boss INT, u INT UNIQUE, CONSTRAINT boss FOREIGN KEY (boss) REFERENCES d.p (id) "
         "ON DELETE CASCADE)", "INSERT INTO d.p VALUES (1, NULL, 11), (2, 1, 12)"),
        ("INSERT INTO d.p VALUES (9, 9, 1), (10, 9, 2), (11, 10, 3), (12, 1, 4)", "DELETE FROM d.p WHERE id = 2"),
        "INSERT INTO d.p VALUES (5, 1, 1)",
        {"p": [("1", None, "11"), ("5", "1", "1"), ("12", "1", "4")]},
        displaced=3,
    ),
    "tables that reference each other": Case(
        ("CREATE TABLE d.p (id INT PRIMARY KEY, u INT UNIQUE, c INT)", child("ON DELETE CASCADE"),
         "ALTER TABLE d.p ADD CONSTRAINT p_c FOREIGN KEY (c) REFERENCES d.c (id)"),
        ("INSERT INTO d.p VALUES (9, 1, NULL)", "INSERT INTO d.c VALUES (7, 9)", "UPDATE d.p SET c = 7"),
        "INSERT INTO d.p VALUES (5, 1, NULL)",
        {"p": [("5", "1", None)], "c": []},
        displaced=2,
    ),
    "a transaction whose foreign keys nobody checked": Case(
        (P, child("")),
        (LOCAL, "INSERT INTO d.c VALUES (1, 9)"),
        "SET foreign_key_checks = 0; INSERT INTO d.c VALUES (2, 5), (3, 77); INSERT INTO d.p VALUES (9, 2, 'source'), (5, 1, 'source'); "
        "SET foreign_key_checks = 1",
        {"p": [("5", "1", "source"), ("9", "2", "source")], "c": [("1", "9"), ("2", "5"), ("3", "77")]},
        displaced=1,
        kept=1,
    ),
    "a transaction that cascades itself": Case(
        (P, child("ON UPDATE CASCADE ON DELETE CASCADE"), "INSERT INTO d.p VALUES (1, 8, 'both'), (2, 7, 'both')",
         "INSERT INTO d.c VALUES (1, 1), (2, 2)"),
        (LOCAL, "INSERT INTO d.c VALUES (3, 9), (4, 1)"),
        "UPDATE d.p SET id = 11 WHERE id = 1; DELETE FROM d.p WHERE id = 2; INSERT INTO d.p VALUES (9, 2, 'source')",
        {"p": [("9", "2", "source"), ("11", "8", "both")], "c": [("1", "11"), ("3", "9"), ("4", "11")]},
        displaced=1,
        kept=1,
    ),
    "what has no parent on the source has none here": Case(
        (P, child(""), "SET foreign_key_checks = 0", "INSERT INTO d.c VALUES (1, 9), (2, 77)", "SET foreign_key_checks = 1"),
        (LOCAL, "UPDATE d.c SET p = 9"),
        TAKEN,
        {"p": [("5", "1", "source")], "c": [("1", "9"), ("2", "77")]},
        displaced=2,
        kept=1,
    ),
    "what the transaction writes without foreign key checks needs no parent": Case(
        (P, child("")),
        (LOCAL,),
        f"{TAKEN}; SET foreign_key_checks = 0; INSERT INTO d.c VALUES (1, 9); SET foreign_key_checks = 1",
        {"p": [("5", "1", "source")], "c": [("1", "9")]},
        displaced=1,
    ),
    "a row that the source has deleted since is there until then": Case(
        (P, child(""), "INSERT INTO d.p VALUES (1, 8, 'both')"),
        ("UPDATE d.p SET u = 1",),
        f"{TAKEN}; COMMIT; BEGIN; INSERT INTO d.c VALUES (1, 1); COMMIT; BEGIN; DELETE FROM d.c; DELETE FROM d.p WHERE id = 1",
        {"p": [("5", "1", "source")], "c": []},
        displaced=1,
    ),
    "rows without a name go with their parent, all that are the same": Case(
        (P, nameless("ON DELETE CASCADE")),
        (LOCAL, "INSERT INTO d.c VALUES (9, 'x'), (9, 'x'), (9, 'y'), (NULL, 'x')"),
        TAKEN,
        {"p": [("5", "1", "source")], "c": [(None, "x")]},
        displaced=4,
    ),
    "rows without a name lose their parent": Case(
        (P, nameless("ON DELETE SET NULL")),
        (LOCAL, "INSERT INTO d.c VALUES (9, 'x'), (9, 'x'), (9, 'y')"),
        TAKEN,
        {"p": [("5", "1", "source")], "c": [(None, "x"), (None, "x"), (None, "y")]},
        displaced=4,
    ),
    "a row without a name that the source has too keeps its parent": Case(
        (P, nameless(""), "INSERT INTO d.p VALUES (1, 8, 'both')", "INSERT INTO d.c VALUES (1, 'x')"),
        ("UPDATE d.p SET u = 1", "INSERT INTO d.c VALUES (1, 'x')"),
        TAKEN,
        {"p": [("1", "8", "both"), ("5", "1", "source")], "c": [("1", "x"), ("1", "x")]},
        displaced=1,
    ),
    "a table that only the replica has": Case(
        (P,),
        (LOCAL, child("ON DELETE CASCADE", "own"), "INSERT INTO d.own VALUES (1, 9)"),
        TAKEN,
        {"p": [("5", "1", "source")], "own": []},
        displaced=2,
    ),
}  # fmt: skip


BY_STATEMENT = {
    "a repair by statement does not cascade either": Case(
        ("CREATE TABLE d.p (id INT PRIMARY KEY, u INT UNIQUE, at VARCHAR(9) COMPRESSED)", child("ON DELETE CASCADE"), child("", "n")),
        ("INSERT INTO d.p VALUES (9, 1, '::1'), (8, 2, '::1')", "INSERT INTO d.c VALUES (1, 9), (2, 8)", "INSERT INTO d.n VALUES (1, 8)"),
        "INSERT INTO d.p VALUES (9, 2, '::2')",
        {"p": [("9", "2", "::2")], "c": [("1", "9")], "n": []},
        displaced=4,
        kept=1,
    ),
}  # fmt: skip
"""MariaDB's: of compressed columns, no row events are made."""


def stage(lab: Lab, cases: dict[str, Case]) -> None:
    """Each case in a schema of its own, d0, d1, …: the replica stops on each of them in turn."""
    (lab.directory / "audit.db").unlink(missing_ok=True)
    here = [[_in(n, s) for s in (case.failing, *case.setup)] for n, case in enumerate(cases.values())]
    with lab.source.session() as source:
        for n, (_, *setup) in enumerate(here):
            for statement in (f"CREATE DATABASE d{n}", *setup):
                source.execute(statement)
    lab.wait_until_applied()
    write_locally(lab.replica, *(_in(n, s) for n, case in enumerate(cases.values()) for s in case.local), logged=False)
    with lab.source.session() as source:
        for failing, *_ in here:
            transaction(source, *failing.split("; "))
    wait_until_stopped(lab.replica)
    wait_until_received(lab.source, lab.replica)


def _in(number: int, statement: str) -> str:
    return statement.replace(" d.", f" d{number}.")


def rows(lab: Lab, number: int, tables: Iterable[str]) -> dict[str, list[tuple[str | None, ...]]]:
    with lab.replica.session() as session:
        return {name: session.rows(f"SELECT * FROM d{number}.{name} ORDER BY 1, 2") for name in tables}


def test_families_are_kept_or_go_as_a_whole(any_pair: Lab) -> None:
    with any_pair.source.session() as source:
        cases = CASES | (BY_STATEMENT if "MariaDB" in source.server_version else {})
    stage(any_pair, cases)
    held = [rows(any_pair, n, case.left) for n, case in enumerate(cases.values())]
    before = snapshot(any_pair.replica)
    resolving = (
        "resolve",
        "replica1",
        "--yes",
        "--no-ahead",
        "--max-rounds",
        "25",
        "--config",
        str(any_pair.config_file),
    )
    ran = replfix(*resolving, "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
    any_pair.wait_until_applied()
    assert snapshot(any_pair.replica).variables == before.variables
    for number, (name, case) in enumerate(cases.items()):
        done = ran.document["rounds"][number]
        assert rows(any_pair, number, case.left) == case.left, name
        images = [(s["table"], _text(s["current"])) for s in done["steps"] if s["current"]]
        gone = [(t, row) for t, there in held[number].items() for row in there if row not in case.left[t]]
        assert {*images} <= {*gone}, name
        assert {*images} == {*gone} or "cascades itself" in name, name
        assert (len(images), len(done["kept"])) == (case.displaced, case.kept), name
        assert not [k for k in done["kept"] if (k["table"], _text(k["row"])) in gone], name
        assert any("loses keys that are referenced" in r for r in done["risks"]) == (case.displaced + case.kept > 1), (
            name
        )


def _text(row: dict[str, object]) -> tuple[str | None, ...]:
    return tuple(None if value is None else str(value) for value in row.values())


KEPT = {"kept": CASES["a parent that comes back keeps its children"]}


def test_a_child_that_the_plan_does_not_name_is_noticed(pair: Lab) -> None:
    """Written since the diagnosis, without a parent when the transaction is through, or without one from the start."""
    stage(pair, KEPT)
    with servers.TargetConnections(load(str(pair.config_file)).target("replica1")) as wired:
        diagnosis = investigate(wired.replica, wired.source_of, None)
        assert diagnosis is not None
        plan, _ = plan_of(diagnosis, "source-wins")
        transaction, tables = diagnosis.evidence.transaction, diagnosis.evidence.tables
        assert plan is not None
        assert transaction is not None
        empty = replace(transaction, changes=(), raw=replace(transaction.raw, statements=()))
        child = Step(StepKind.INSERT, TableName("d0", "c"), ("id", "p"), None, (8, 77), "INSERT …", "")
        with wired.replica.repair("") as repair, repair.alone(), repair.writable(repair.settings()):
            with pytest.raises(Stale, match=r"2 rows of d0\.c that the plan does not name reference a row of d0\.p"):
                repair.rehearse(replace(plan, kept=()), transaction, tables)
            with pytest.raises(RehearsalFailed, match=r"2 rows of d0\.c would be left without a parent"):
                repair.rehearse(plan, empty, tables)
            with pytest.raises(
                RehearsalFailed, match=r"writes references d0\.p \(77\) by c_p, and there is no such row"
            ):
                repair.rehearse(replace(plan, steps=(*plan.steps, child)), transaction, tables)
            repair.rehearse(plan, transaction, tables)


def test_too_many_children_are_counted_and_refused(pair: Lab) -> None:
    stage(pair, KEPT)
    many = "WITH RECURSIVE n (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM n WHERE n < 1007) SELECT n, 9 FROM n"
    write_locally(pair.replica, f"INSERT INTO d0.c {many}", logged=False)
    before = snapshot(pair.replica)
    ran = replfix("resolve", "replica1", "--yes", "--config", str(pair.config_file), "--json")
    assert (ran.code, ran.document["outcome"]) == (4, "needs_human")
    assert "1,002 rows of 127.0.0.1" in ran.document["message"]
    assert "at most 1,000 are planned for" in ran.document["message"]
    assert snapshot(pair.replica) == before


def test_an_undo_brings_a_family_back_and_leaves_no_orphans(pair: Lab) -> None:
    missing = Case(
        (P, child(""), "INSERT INTO d.p VALUES (1, 1, 'both')"),
        ("DELETE FROM d.p",),
        "INSERT INTO d.c VALUES (1, 1)",
        {},
        0,
    )
    gone = CASES["children go with a parent that does not, and theirs with them"]
    stage(pair, {"gone": gone, "missing": missing})
    before = rows(pair, 0, gone.left)
    config = str(pair.config_file)
    ran = replfix("resolve", "replica1", "--yes", "--no-ahead", "--config", config, "--json")
    assert ran.document["outcome"] == "resolved", ran.out + ran.err
    family, parent = (done["audit_id"] for done in ran.document["rounds"])
    refused = replfix("undo", parent, "--yes", "--config", config, "--json")
    assert (refused.code, refused.document["in_the_way"]) == (
        4,
        ["1 row of d1.c (1) references by c_p a row of d1.p that the undo would take out or give another key."],
    )
    with pair.source.session() as source:
        source.execute("DELETE FROM d0.p")
    pair.wait_until_applied()
    ran = replfix("undo", family, "--yes", "--config", config, "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "undone"), ran.out + ran.err
    assert rows(pair, 0, gone.left) == before


def test_a_family_is_kept_without_the_source_too(pair: Lab) -> None:
    stage(pair, KEPT)
    nobody = "mysql://replfix:replfix@127.0.0.1:1"
    ran = replfix("resolve", "replica1", "--source", nobody, "--yes", "--config", str(pair.config_file), "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
    assert rows(pair, 0, KEPT["kept"].left) == KEPT["kept"].left
