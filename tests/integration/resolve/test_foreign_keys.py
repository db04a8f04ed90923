"""1452 and 1451 on real servers: parents put back as the source had them then, children of the replica's own taken out."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from replfix.lab.proof import prove, snapshot
from replfix.lab.replicate import transaction, wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.integration.running import replfix

_TABLES = (
    "CREATE DATABASE d",
    "CREATE TABLE d.country (code CHAR(2) PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE d.city (id INT PRIMARY KEY, code CHAR(2), zip VARCHAR(10) COLLATE utf8mb4_0900_ai_ci, name VARCHAR(20), "
    "UNIQUE KEY place (code, zip), CONSTRAINT city_country FOREIGN KEY (code) REFERENCES d.country (code))",
    "CREATE TABLE d.shop (id INT PRIMARY KEY, code CHAR(2), zip VARCHAR(10) COLLATE utf8mb4_0900_ai_ci, boss INT, "
    "CONSTRAINT shop_city FOREIGN KEY (code, zip) REFERENCES d.city (code, zip), "
    "CONSTRAINT shop_boss FOREIGN KEY (boss) REFERENCES d.shop (id))",
    "CREATE TABLE d.note (city INT, text VARCHAR(20), CONSTRAINT note_city FOREIGN KEY (city) REFERENCES d.city (id))",
    "INSERT INTO d.country VALUES ('se', 'Sweden'), ('fi', 'Finland')",
    "INSERT INTO d.city VALUES (1, 'se', 'a1', 'Umea'), (2, 'fi', 'b2', 'Oulu'), (3, 'se', 'c3', 'Lund')",
    "INSERT INTO d.shop VALUES (1, 'se', 'a1', NULL)",
)


@dataclass(frozen=True)
class Case:
    local: tuple[str, ...]  # on the replica, not logged
    failing: tuple[str, ...]  # on the source, one transaction
    conflicts: tuple[tuple[str, str], ...]
    behind: tuple[tuple[str, ...], ...] = ()  # transactions of the source that come after it
    displaced: int = 0


CASES = {
    "one parent, changed on the source since": Case(
        ("DELETE FROM d.city WHERE id = 2",),
        ("INSERT INTO d.shop VALUES (2, 'fi', 'b2', NULL)",),
        (("missing", "city"),),
        (("UPDATE d.city SET name = 'later' WHERE id = 2",),),
    ),
    "its parent too": Case(
        ("DELETE FROM d.city WHERE id = 2", "DELETE FROM d.country WHERE code = 'fi'"),
        ("INSERT INTO d.shop VALUES (2, 'fi', 'b2', NULL)",),
        (("missing", "city"), ("missing", "country")),
    ),
    "a parent that is gone on the source now": Case(
        ("DELETE FROM d.city WHERE id = 2",),
        ("INSERT INTO d.shop VALUES (2, 'fi', 'b2', NULL)",),
        (("missing", "city"),),
        (("DELETE FROM d.shop WHERE id = 2",), ("DELETE FROM d.city WHERE id = 2",)),
    ),
    "several parents, one of the transaction's own": Case(
        ("DELETE FROM d.city WHERE id > 1",),
        (
            "INSERT INTO d.city VALUES (4, 'se', 'd4', 'Kiruna')",
            "INSERT INTO d.shop VALUES (2, 'fi', 'b2', NULL), (3, 'se', 'c3', 2), (4, 'se', 'd4', 3)",
        ),
        (("missing", "city"), ("missing", "city")),
    ),
    "a parent with another value of the key": Case(
        ("UPDATE d.city SET zip = 'x9' WHERE id = 2",),
        ("INSERT INTO d.shop VALUES (2, 'fi', 'b2', NULL)",),
        (("missing", "city"),),
        displaced=1,
    ),
    "another spelling of the parent's key": Case(
        ("DELETE FROM d.city WHERE id = 2",),
        ("INSERT INTO d.shop VALUES (2, 'fi', 'B2', NULL)",),
        (("missing", "city"),),
    ),
    "an update that moves to a parent": Case(
        ("DELETE FROM d.city WHERE id = 3",), ("UPDATE d.shop SET zip = 'c3' WHERE id = 1",), (("missing", "city"),)
    ),
    "a child too many": Case(
        ("INSERT INTO d.shop VALUES (7, 'fi', 'b2', NULL)",),
        ("DELETE FROM d.city WHERE id = 2",),
        (("extra", "shop"),),
        displaced=1,
    ),
    "children too many that no key names": Case(
        ("INSERT INTO d.note VALUES (2, 'local'), (2, 'local'), (2, 'other')",),
        ("DELETE FROM d.city WHERE id = 2",),
        (("extra", "note"),) * 3,
        displaced=3,
    ),
    "a child that the source has with another parent": Case(
        ("UPDATE d.shop SET code = 'fi', zip = 'b2' WHERE id = 1",),
        ("DELETE FROM d.city WHERE id = 2",),
        (("extra", "shop"),),
        displaced=1,
    ),
    "a key that changes": Case(
        ("INSERT INTO d.shop VALUES (7, 'fi', 'b2', NULL)",),
        ("UPDATE d.city SET zip = 'new' WHERE id = 2",),
        (("extra", "shop"),),
        displaced=1,
    ),
    "children of the transaction's own": Case(
        ("INSERT INTO d.shop VALUES (7, 'se', 'a1', NULL)",),
        ("DELETE FROM d.shop WHERE id = 1", "DELETE FROM d.city WHERE id = 1"),
        (("extra", "shop"),),
        displaced=1,
    ),
}


def stage(lab: Lab, case: Case) -> None:
    with lab.source.session() as source:
        for statement in _TABLES:
            source.execute(statement)
    lab.wait_until_applied()
    write_locally(lab.replica, *case.local, logged=False)
    with lab.source.session() as source:
        transaction(source, *case.failing)
        for statements in case.behind:
            transaction(source, *statements)
    wait_until_stopped(lab.replica)
    wait_until_received(lab.source, lab.replica)


@pytest.mark.parametrize("name", CASES)
def test_what_a_foreign_key_wants_is_there(pair: Lab, name: str) -> None:
    case, config = CASES[name], str(pair.config_file)
    stage(pair, case)
    before = snapshot(pair.replica)
    diagnosis = replfix("diagnose", "replica1", "--config", config, "--json").document
    assert diagnosis["error"]["errno"] in (1451, 1452)
    assert [(c["kind"], c["table"]) for c in diagnosis["conflicts"]] == list(case.conflicts)
    assert all(c["foreign_key"] for c in diagnosis["conflicts"])
    ran = replfix("resolve", "replica1", "--yes", "--config", config, "--json")
    assert ran.code == 0, ran.out + ran.err
    assert (len(ran.document["rounds"]), ran.document["displaced_rows"]) == (1, case.displaced)
    pair.wait_until_applied()
    assert not [p for p in prove(pair.source, pair.replica, before) if not p.holds]


def test_a_parent_that_nobody_knows_is_not_invented(pair: Lab) -> None:
    """It came to the source and went from it with nothing logged."""
    with pair.source.session() as source:
        for statement in _TABLES:
            source.execute(statement)
        for statement in (
            "SET sql_log_bin = 0",
            "INSERT INTO d.city VALUES (9, 'se', 'z9', 'x')",
            "SET sql_log_bin = 1",
        ):
            source.execute(statement)
        source.execute("INSERT INTO d.shop VALUES (9, 'se', 'z9', NULL)")
        for statement in ("SET sql_log_bin = 0", "SET foreign_key_checks = 0", "DELETE FROM d.city WHERE id = 9"):
            source.execute(statement)
    wait_until_stopped(pair.replica)
    before = snapshot(pair.replica)
    ran = replfix("resolve", "replica1", "--yes", "--config", str(pair.config_file), "--json")
    assert (ran.code, ran.document["outcome"]) == (4, "needs_human")
    assert "the parent was deleted without logging" in ran.document["message"]
    assert snapshot(pair.replica) == before


def test_what_was_written_without_foreign_key_checks_wants_no_parent_and_spares_children(pair: Lab) -> None:
    case = Case(
        ("INSERT INTO d.country VALUES ('no', 'local')",),
        (
            "SET foreign_key_checks = 0",
            "INSERT INTO d.shop VALUES (2, 'zz', 'z9', NULL)",
            "DELETE FROM d.city WHERE id = 1",
            "INSERT INTO d.country VALUES ('no', 'Norway')",
        ),
        (("duplicate", "country"),),
    )
    stage(pair, case)
    before = snapshot(pair.replica)
    ran = replfix("resolve", "replica1", "--yes", "--config", str(pair.config_file), "--json")
    assert ran.code == 0, ran.out + ran.err
    assert ran.document["displaced_rows"] == 1
    pair.wait_until_applied()
    assert not [p for p in prove(pair.source, pair.replica, before) if not p.holds]
