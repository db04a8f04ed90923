"""``replfix audit`` as it is typed: what is printed where, and the exit code."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from replfix.audit import SqlTrail
from replfix.cli.app import run
from replfix.cli.audit_text import list_table
from replfix.core.trail.audit_record import RecordKind
from replfix.core.trail.record_summary import with_results
from tests.places import ROOT

HOSTILE = "[/b]\x1b[31mred\u202e"
STEPS: list[dict[str, Any]] = [
    {
        "kind": "delete",
        "schema": "shop",
        "table": "orders",
        "sql": "DELETE FROM `shop`.`orders` WHERE `id`=7",
        "undo_sql": "INSERT INTO `shop`.`orders` VALUES (7)",
        "current": {"id": 7, "note": HOSTILE, "blob": {"base64": "AAE="}, "paid": None, "word": "NULL"},
        "target": None,
    },
    {
        "kind": "update",
        "schema": "shop",
        "table": "orders",
        "sql": "UPDATE `shop`.`orders` SET `note`='b'",
        "undo_sql": "UPDATE `shop`.`orders` SET `note`='a'",
        "current": {"id": 8, "note": "a", "more": {"not_logged": True}},
        "target": {"id": 8, "note": "b", "more": {"not_logged": True}},
    },
]


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("REPLFIX_CONFIG", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "state" / "replfix" / "audit.db"


@pytest.fixture
def ids() -> list[str]:
    """A trail of two incidents."""
    trail = SqlTrail.open(None, author="dba@here")
    plan = {"plan": {"strategy": "source-wins", "steps": STEPS, "guards": ["the row is as shown"], "risks": []}}
    made = [trail.append(RecordKind.INTENT, incident="inc-1", replica="uuid-1", channel="", payload=plan)]
    made.append(trail.append(RecordKind.OUTCOME, incident="inc-1", replica="uuid-1", channel="", payload={"ok": True}))
    made.append(trail.append(RecordKind.REFUSED, incident="inc-2", replica="uuid-2", channel="c", payload={"why": "x"}))
    return [record.id for record in made]


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        connection.commit()


Output = pytest.CaptureFixture[str]


def test_list(ids: list[str], capsys: Output) -> None:
    assert run(["audit", "list"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[1:]] == ids
    for words in ("source-wins: 2 rows deleted or changed, shop.orders", "no outcome on record", "dba@here"):
        assert words in out
    assert run(["audit", "list", "--limit", "1", "--incident", "inc-1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "replfix.audit-list/1"
    (record,) = document["records"]
    assert (record["id"], record["kind"], record["incident"]) == (ids[1], "outcome", "inc-1")
    assert "payload" not in record
    assert run(["audit", "list", "--kind", "intent", "--json"]) == 0
    (intent,) = json.loads(capsys.readouterr().out)["records"]
    assert (intent["strategy"], intent["errno"], intent["tables"]) == ("source-wins", None, ["shop.orders"])
    assert (intent["displaced_rows"], intent["result"]) == (2, None)


@pytest.mark.parametrize("width", [20, 60, 80, 100, 119, 120, 200])
def test_ids_and_outcomes_are_whole_at_every_width(ids: list[str], width: int) -> None:
    trail = SqlTrail.open(None, author="dba@here")
    payload: dict[str, object] = {"plan": {"strategy": "keep-both", "errno": 1062, "steps": STEPS}, "digest": "d"}
    intent = trail.append(RecordKind.INTENT, incident="inc-3", replica="db2", channel="", payload=payload)
    ended: dict[str, object] = {"digest": "d", "result": "applied and verified", "detail": ""}
    trail.append(RecordKind.OUTCOME, incident="inc-3", replica="db2", channel="", payload=ended)
    records = list(with_results(trail.records(newest_first=True)))[::-1]
    console = Console(file=StringIO(), width=width)
    console.print(list_table(records, width))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for each in (*ids, intent.id):
        assert each in text
    if width >= 80:
        for word in ("keep-both,", "1062:", "shop.orders", "verified", "db2", "dba@here"):
            assert word in text


def test_an_intent_has_the_last_outcome_of_its_own_plan(path: Path) -> None:
    """Of a run that was killed: unknown first, and what 'recover' found out later; beside another plan of the same incident."""
    trail = SqlTrail.open(None, author="dba@here")

    def append(kind: RecordKind, **payload: object) -> None:
        trail.append(kind, incident="i", replica="r", channel="", payload=payload)

    append(RecordKind.INTENT, digest="gap")
    append(RecordKind.OUTCOME, digest="gap", result="caught up")
    append(RecordKind.INTENT, digest="a")
    append(RecordKind.OUTCOME, digest="a", result="unknown")
    append(RecordKind.OUTCOME, digest="a", result="applied and verified")
    append(RecordKind.INTENT, digest="a")
    found = [(record.kind, result) for record, result in with_results(trail.records(newest_first=True))][::-1]
    assert [result for kind, result in found if kind == "intent"] == ["caught up", "applied and verified", None]
    assert {result for kind, result in found if kind == "outcome"} == {None}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--replica", "uuid-2"], [2]),
        (["--replica", "uuid"], [0, 1, 2]),
        (["--incident", "inc-1", "--kind", "intent"], [0]),
        (["--since", "1h"], [0, 1, 2]),
        (["--since", "2020-01-01"], [0, 1, 2]),
        (["--since", "2999-01-01T00:00+02:00"], []),
    ],
)
def test_a_selection(ids: list[str], capsys: Output, options: list[str], expected: list[int]) -> None:
    assert run(["audit", "list", "--json", *options]) == 0
    records = json.loads(capsys.readouterr().out)["records"]
    assert [record["id"] for record in records] == [ids[n] for n in expected]


@pytest.mark.parametrize("since", ["yesterday", "", "5", "99999d9", "999999d"])
def test_a_time_that_is_none(since: str, capsys: Output) -> None:
    assert run(["audit", "list", "--since", since]) == 2
    assert "no time" in capsys.readouterr().err


def test_a_trail_that_does_not_exist_yet(path: Path, capsys: Output) -> None:
    assert run(["audit", "list"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "No records" in captured.err
    assert run(["audit", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == []
    assert run(["audit", "verify"]) == 0
    assert run(["audit", "export"]) == 0
    assert not path.parent.exists()


def test_show(ids: list[str], capsys: Output) -> None:
    assert run(["audit", "show", ids[0][:5]]) == 0
    out = capsys.readouterr().out
    for text in ("dba@here", "inc-1", "source-wins", STEPS[0]["sql"], STEPS[1]["undo_sql"], "shop.orders", "UTC"):
        assert str(text) in out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert r"'[/b]\x1b[31mred\u202e'" in out  # neither markup nor control characters
    assert "'NULL'" in out  # the word, beside NULL
    assert "0x0001" in out
    assert "(not logged)" in out
    assert out.index(str(STEPS[1]["undo_sql"])) < out.index(str(STEPS[0]["undo_sql"]))  # taken back in reverse


def test_show_of_a_record_without_a_plan(ids: list[str], capsys: Output) -> None:
    assert run(["audit", "show", ids[2]]) == 0
    assert "why" in capsys.readouterr().out


def test_show_as_json_has_the_whole_record(ids: list[str], capsys: Output) -> None:
    assert run(["audit", "show", ids[0], "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "replfix.audit-record/1"
    assert document["payload"]["plan"]["steps"] == STEPS
    assert document["sound"] is True


@pytest.mark.parametrize(("wanted", "words"), [("0" * 12, "No record"), ("xyz", "no record id")])
def test_show_of_what_is_not_there(ids: list[str], capsys: Output, wanted: str, words: str) -> None:
    assert run(["audit", "show", wanted]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert "audit list" in captured.err
    assert captured.out == ""


def test_show_of_an_altered_record(ids: list[str], path: Path, capsys: Output) -> None:
    change(path, "UPDATE audit_record SET author = 'mallory' WHERE seq = 1")
    assert run(["audit", "show", ids[0]]) == 0
    assert "DOES NOT FIT" in capsys.readouterr().out
    change(path, """UPDATE audit_record SET payload = '{"a":"\\ud800"}' WHERE seq = 1""")
    assert run(["audit", "show", ids[0]]) == 4
    assert "altered" in capsys.readouterr().err


def test_verify(ids: list[str], path: Path, capsys: Output) -> None:
    assert run(["audit", "verify"]) == 0
    assert f"3 records, the last is {ids[2]}" in capsys.readouterr().out
    change(path, "UPDATE audit_record SET payload = '{}' WHERE seq = 2")
    assert run(["audit", "verify"]) == 5
    out = capsys.readouterr().out
    assert "NOT WHOLE" in out
    assert f"record 2 ({ids[1]}) was changed" in out
    assert run(["audit", "verify", "--json"]) == 5
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "replfix.audit-verify/1"
    assert document["whole"] is False
    assert document["first_broken"]["id"] == ids[1]
    assert document["first_broken"]["kind"] == "changed"


def test_an_export_verifies_by_itself(
    ids: list[str], tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["audit", "export"]) == 0
    captured = capfdbinary.readouterr()
    assert [json.loads(line)["hash"][:12] for line in captured.out.splitlines()] == ids
    assert ids[2].encode() in captured.err
    exported = tmp_path / "trail.jsonl"
    exported.write_bytes(captured.out)
    assert run(["audit", "verify", "--file", str(exported), "--head", ids[2]]) == 0
    exported.write_bytes(captured.out.replace(b'"ok":true', b'"ok":null'))
    assert run(["audit", "verify", "--file", str(exported)]) == 5
    assert f"record 2 ({ids[1]}) was changed".encode() in capfdbinary.readouterr().out
    exported.write_bytes(b"".join(captured.out.splitlines(keepends=True)[:2]))
    assert run(["audit", "verify", "--file", str(exported)]) == 0
    assert run(["audit", "verify", "--file", str(exported), "--head", ids[2]]) == 5


def test_an_exported_selection(ids: list[str], tmp_path: Path, capsys: Output) -> None:
    target = tmp_path / "one.jsonl"
    assert run(["audit", "export", "--incident", "inc-2", "--output", str(target), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "schema": "replfix.audit-export/1",
        "trail": document["trail"],
        "output": str(target),
        "records": 1,
        "last_id": ids[2],
    }
    assert run(["audit", "verify", "--file", str(target)]) == 5
    assert "records 1 to 2 are missing" in capsys.readouterr().out
    assert run(["audit", "verify", "--file", str(target), "--partial"]) == 0


def test_an_exported_file_is_private_and_replaces_only_files(
    ids: list[str], path: Path, tmp_path: Path, capsys: Output
) -> None:
    target = tmp_path / "trail.jsonl"
    target.write_text("old")
    target.chmod(0o644)
    before = os.umask(0)
    try:
        assert run(["audit", "export", "--output", str(target)]) == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_bytes().count(b"\n") == 3
    for wrong in ("/dev/null", str(path), str(tmp_path / "none" / "x"), str(tmp_path)):
        assert run(["audit", "export", "--output", wrong]) == 2, wrong
    assert run(["audit", "verify"]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["state", "trail.jsonl"]


def test_an_export_that_fails_leaves_the_old_file(ids: list[str], path: Path, tmp_path: Path, capsys: Output) -> None:
    target = tmp_path / "trail.jsonl"
    target.write_text("old")
    change(path, "UPDATE audit_record SET payload = x'80' WHERE seq = 2")
    assert run(["audit", "export", "--output", str(target)]) == 4
    assert target.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["state", "trail.jsonl"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "--file", "none.jsonl"],
        ["verify", "--head", "abcd"],
        ["verify", "--partial"],
        ["list", "--limit", "0"],
        ["list", "--kind", "x"],
        ["show"],
        ["nonsense"],
    ],
)
def test_wrong_usage(arguments: list[str], capsys: Output) -> None:
    assert run(["audit", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Next:" in captured.err


@pytest.mark.parametrize("arguments", [["list"], ["show", "abcd"], ["verify"], ["export"]])
def test_a_trail_that_cannot_be_read(path: Path, arguments: list[str], capsys: Output) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("not a database " * 100)
    assert run(["audit", *arguments]) == 4
    captured = capsys.readouterr()
    assert "no SQLite database" in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_the_trail_of_the_configuration(ids: list[str], tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "other.toml").write_text(f'[audit]\nurl = "sqlite:///{tmp_path}/other.db"\n')
    assert run(["audit", "list", "--json", "--config", str(tmp_path / "other.toml")]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "schema": "replfix.audit-list/1",
        "trail": f"{tmp_path}/other.db",
        "records": [],
    }
    (tmp_path / "other.toml").write_text('[audit]\nurl = "oracle://u:hunter2@h/d"\n')
    assert run(["audit", "list", "--config", str(tmp_path / "other.toml")]) == 2
    error = capsys.readouterr().err
    assert "'oracle'" in error
    assert "hunter2" not in error


@pytest.mark.parametrize("arguments", [[], ["list"], ["show"], ["verify"], ["export"]])
def test_help_has_examples_and_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from replfix.cli.app import run; code = run(sys.argv[1:]); "
        "heavy = {'rich', 'pydantic', 'sqlalchemy', 'textual', 'pymysql'} & set(sys.modules); "
        "sys.exit(f'loaded: {heavy}' if heavy else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "audit", *arguments, "--help"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert "Examples:" in done.stdout


def test_pruning_moves_records_to_a_file(ids: list[str], tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "old.jsonl"
    arguments = ["audit", "prune", "--before", "2100-01-01", "--output", str(out)]
    assert run(arguments) == 4  # not confirmed
    assert not out.exists()
    capsys.readouterr()
    assert run([*arguments, "--yes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["records"] == len(out.read_text().splitlines()) > 0
    assert told["through"] == json.loads(out.read_text().splitlines()[-1])["hash"][:12]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert run(["audit", "verify"]) == 0
    assert run([*arguments, "--yes"]) == 2  # the file is there, and is not written over
    assert run(["audit", "verify", "--file", str(out), "--head", told["through"]]) == 0
