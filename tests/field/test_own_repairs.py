"""The replica stops on a row that an earlier repair, or its undo, took out or put there: replfix does not log what it does to rows,
and the diagnosis took that for the work of a stranger of whom nothing is known. Its own audit trail has the record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.field.staging import diagnosed, resolved, run, stage
from tests.integration.running import replfix
from tests.samples import checked

TABLE = ("CREATE TABLE t (id INT PRIMARY KEY, u VARCHAR(20) UNIQUE)", "INSERT INTO t VALUES (1, 'one')")
LOCAL = ("INSERT INTO t VALUES (9, 'x')",)
FAILING = ("UPDATE t SET u = 'x' WHERE id = 1",)
STRANGERS = {"unlogged-write", "unlogged-on-source", "unknown-author"}


def causes(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {cause["code"]: cause for cause in document["causes"]}


def own(document: dict[str, Any], what: str, records: list[str], strategy: str) -> None:
    found = causes(document)
    assert next(iter(found)) == "repaired-before"
    (line,) = found["repaired-before"]["evidence"]
    assert line.startswith(f"replfix {what} on the replica at ")
    assert any(f"record {record} ({strategy})" in line for record in records)
    assert not STRANGERS & set(found)


def test_a_row_that_a_repair_took_out(any_pair: Lab, tmp_path: Path) -> None:
    stage(any_pair, TABLE, LOCAL, FAILING)
    assert "repaired-before" not in causes(diagnosed(any_pair).document)
    repair = resolved(any_pair).document["rounds"][0]["audit_id"]
    with any_pair.source.session() as source:
        source.execute("SET sql_log_bin = 0")
        source.execute("INSERT INTO shop.t VALUES (9, 'z')")
        source.execute("SET sql_log_bin = 1")
        source.execute("DELETE FROM shop.t WHERE id = 9")
    wait_until_stopped(any_pair.replica)
    own(diagnosed(any_pair).document, "took the shop.t row id = 9 out", [repair], "source-wins")
    checked(any_pair, "a row that a repair took out")
    written = any_pair.config_file.read_text()
    for url in (f"sqlite:///{tmp_path}/none.db", "mysql://nobody:none@127.0.0.1:1/audit"):
        config = tmp_path / "replfix.toml"
        config.write_text(written.partition("[audit]")[0] + f'[audit]\nurl = "{url}"\n')
        ran = replfix("diagnose", "replica1", "--config", str(config), "--json")
        assert ran.code == 3, ran.out + ran.err
        assert "repaired-before" not in causes(ran.document)
        assert "missing-row" in causes(ran.document)
    assert not (tmp_path / "none.db").exists()
    resolved(any_pair, "SELECT * FROM shop.t ORDER BY id")


def test_a_row_that_an_undo_put_there(pair: Lab) -> None:
    stage(pair, TABLE, LOCAL, FAILING)
    repair = resolved(pair).document["rounds"][0]["audit_id"]
    with pair.source.session() as source:
        source.execute("UPDATE shop.t SET u = 'y' WHERE id = 1")
    pair.wait_until_applied()
    back = run(pair, "undo", repair, "--yes")
    assert back.code == 0, back.out + back.err
    with pair.source.session() as source:
        source.execute("INSERT INTO shop.t VALUES (9, 'nine')")
    wait_until_stopped(pair.replica)
    own(diagnosed(pair).document, "put the shop.t row id = 9 there", back.document["audit_ids"], "undo")
    write_locally(pair.replica, "UPDATE shop.t SET u = 'stranger' WHERE id = 9", logged=False)
    found = causes(diagnosed(pair).document)
    assert "repaired-before" not in found, "somebody has changed it since"
    assert STRANGERS & set(found)
    resolved(pair, "SELECT * FROM shop.t ORDER BY id")
