"""A repair taken back on real servers, judged by plain SQL."""

from __future__ import annotations

from typing import Any

from replfix.lab import scenarios
from replfix.lab.proof import snapshot
from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.integration.running import replfix

Document = dict[str, Any]


class Command:
    """``replfix … --json``: its exit code and its document."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def __call__(self, *args: str) -> tuple[int, Document]:
        ran = replfix(*args, "--json", "--config", str(self._lab.config_file))
        return ran.code, ran.document


def rows(lab: Lab, where: str) -> list[dict[str, Any]]:
    with lab.replica.session() as session:
        return session.query(f"SELECT * FROM shop.{where}")


def on_source(lab: Lab, *statements: str) -> None:
    with lab.source.session() as session:
        for statement in statements:
            session.execute(statement)
    lab.wait_until_applied()


def test_a_displaced_row_comes_back_once_its_place_is_free(any_pair: Lab) -> None:
    lab, command = any_pair, Command(any_pair)
    scenarios.find("duplicate-unique").stage(lab)
    before = rows(lab, "orders WHERE id = 70001")
    assert len(before) == 1
    code, resolved = command("resolve", "replica1", "--yes")
    assert code == 0
    repaired = snapshot(lab.replica)

    # Every record of the story leads to the same repair, and the source's row is in the way.
    intent = resolved["rounds"][0]["audit_id"]
    for audit_id in {resolved["audit_ids"][0], intent, resolved["audit_ids"][-1]}:
        code, refused = command("undo", audit_id, "--yes")
        assert (code, refused["outcome"], refused["undoes"]) == (4, "refused", intent)
    assert "order_no (A-1005) is taken by the row 5" in refused["in_the_way"][0]
    assert snapshot(lab.replica) == repaired

    on_source(lab, "DELETE FROM shop.orders WHERE id = 5")
    never = "CREATE TRIGGER shop.never BEFORE INSERT ON shop.orders FOR EACH ROW SIGNAL SQLSTATE '45000'"
    write_locally(lab.replica, never, logged=False)
    free = snapshot(lab.replica)
    code, looked = command("undo", intent[:6], "--dry-run")
    assert (code, looked["outcome"], looked["dry_run"]) == (3, "rehearsed", True)
    assert command("undo", intent)[0] == 4, "nobody confirmed it"
    assert snapshot(lab.replica) == free

    code, undone = command("undo", intent, "--yes")
    assert (code, undone["outcome"]) == (0, "undone"), undone
    assert rows(lab, "orders WHERE id = 70001") == before
    after = snapshot(lab.replica)
    assert (after.executed, after.variables) == (free.executed, free.variables), "not logged, and protected as before"
    assert {t for t in after.checksums if after.checksums[t] != free.checksums[t]} == {"shop.orders"}

    code, again = command("undo", intent, "--yes")
    assert code == 4
    assert "undone already" in again["error"]["message"]
    assert snapshot(lab.replica) == after
    assert command("audit", "verify")[0] == 0
    assert command("recover")[1]["replicas"] == [{"name": "replica1", "recovered": [], "error": None}]


def test_a_row_that_changed_since_is_left_alone(pair: Lab) -> None:
    """A missing row was put back, and the transaction changed it: to take it out now would lose that."""
    command = Command(pair)
    scenarios.find("missing-row-update").stage(pair)
    code, resolved = command("resolve", "replica1", "--yes")
    assert code == 0
    before = snapshot(pair.replica)
    code, refused = command("undo", resolved["rounds"][0]["audit_id"], "--yes")
    assert (code, refused["outcome"]) == (4, "refused")
    assert "The row 3 of shop.orders was changed since the repair: status, note" in refused["in_the_way"][0]
    assert snapshot(pair.replica) == before


EVERY_TYPE = {
    "a": ("BIGINT UNSIGNED", "18446744073709551615"),
    "b": ("DECIMAL(30,10)", "-12345678901234567890.0123456789"),
    "c": ("FLOAT", "0.1"),
    "d": ("DOUBLE", "-1.7976931348623157e308"),
    "e": ("BIT(9)", "b'101010101'"),
    "f": ("DATE", "'9999-12-31'"),
    "g": ("DATETIME(6)", "'2026-03-05 12:30:00.000001'"),
    "h": ("TIMESTAMP(3) NULL", "'2026-03-05 12:30:00.123'"),
    "i": ("TIME(2)", "'-838:59:58.99'"),
    "j": ("YEAR", "2026"),
    "k": ("CHAR(5)", "'é '"),
    "l": ("TEXT", "_utf8mb4 0xF09F9980000A1B5B3331E280AE"),
    "m": ("BINARY(4)", "0xFF00"),
    "n": ("BLOB", "0x00FFFE27"),
    "o": ("ENUM('x','y')", "'y'"),
    "p": ("SET('x','y','z')", "'x,z'"),
    "q": ("JSON", """'{"a": [1, 1.5, null, true, "é"], "zz": 12345678901234567890}'"""),
    "s": ("VARCHAR(10) CHARACTER SET latin1", "'ü'"),
    "t": ("VARBINARY(5)", "''"),
    "u": ("INT GENERATED ALWAYS AS (id + 1) STORED", None),
    "v": ("DOUBLE", "NULL"),
}


def test_every_type_of_value_comes_back_as_it_was(any_pair: Lab) -> None:
    lab, command = any_pair, Command(any_pair)
    columns = ", ".join(f"{name} {of}" for name, (of, _) in EVERY_TYPE.items())
    on_source(
        lab,
        "CREATE DATABASE shop",
        f"CREATE TABLE shop.types (id INT PRIMARY KEY, w VARCHAR(9) NOT NULL UNIQUE, {columns})",
    )
    given = {name: value for name, (_, value) in EVERY_TYPE.items() if value is not None}
    write_locally(
        lab.replica,
        f"INSERT INTO shop.types (id, w, {', '.join(given)}) VALUES (7, 'w', {', '.join(given.values())})",
        logged=False,
    )
    before = rows(lab, "types")
    with lab.source.session() as session:
        session.execute("INSERT INTO shop.types (id, w) VALUES (1, 'w')")
    wait_until_stopped(lab.replica)
    code, resolved = command("resolve", "replica1", "--yes")
    assert code == 0, resolved["message"]
    on_source(lab, "DELETE FROM shop.types")
    assert rows(lab, "types") == []
    code, undone = command("undo", resolved["rounds"][0]["audit_id"], "--yes")
    assert (code, undone["outcome"]) == (0, "undone"), undone
    assert rows(lab, "types") == before
