"""Heads of a trail kept outside of it, and what is found by them when the trail itself is whole."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from replfix.audit import SqlTrail, anchors
from replfix.audit.anchors import AnchorFile, AnchorStore, SystemLog
from replfix.cli.app import run
from replfix.core.trail.audit_record import Breakage, RecordKind
from replfix.core.trail.trail_anchor import Anchor, anchor_of
from replfix.errors import AuditError

Output = pytest.CaptureFixture[str]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("REPLFIX_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "audit.db"


@pytest.fixture
def config(path: Path, tmp_path: Path) -> str:
    file = tmp_path / "config.toml"
    file.write_text(f'[audit]\nurl = "sqlite:///{path}"\nanchor = ["kept.anchors"]\n')
    return str(file)


def opened(path: Path) -> SqlTrail:
    return SqlTrail.open(f"sqlite:///{path}", author="dba@here")


def fill(path: Path, *words: str) -> None:
    with closing(opened(path)) as trail:
        for word in words:
            trail.append(RecordKind.REFUSED, incident="i", replica="r", channel="", payload={"reason": word})


def head(path: Path) -> Anchor:
    found = opened(path).anchor()
    assert found is not None
    return found


def cut(path: Path, last: int) -> None:
    """As somebody does who knows where the end is kept."""
    with closing(sqlite3.connect(path)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(f"DELETE FROM audit_record WHERE seq > {last}")
        connection.execute(
            "UPDATE audit_head SET (seq, hash) = (SELECT seq, hash FROM audit_record ORDER BY seq DESC LIMIT 1)"
        )
        connection.commit()


def broken(path: Path, *known: Anchor) -> list[tuple[Breakage, int]]:
    return [(each.kind, each.seq) for each in opened(path).verify(known).breaks]


def test_a_trail_that_was_cut_off(path: Path) -> None:
    fill(path, "a", "b", "c", "d")
    kept = head(path)
    assert broken(path, kept) == []
    fill(path, "e")
    assert broken(path, kept) == [], "it goes on"
    cut(path, 2)
    assert broken(path) == [], "the trail alone is whole"
    assert broken(path, kept) == [(Breakage.REMOVED, 3)]


def test_a_trail_that_was_written_anew(path: Path) -> None:
    fill(path, "a", "b", "c")
    early, kept = replace(head(path), seq=1, hash=next(iter(opened(path).records())).hash), head(path)
    cut(path, 1)
    fill(path, "other", "c", "d")
    assert broken(path) == []
    assert broken(path, early, kept) == [(Breakage.CHANGED, 3)]
    path.unlink()
    assert broken(path, kept) == [(Breakage.REMOVED, 1)], "there is nothing any more"
    fill(path, "a", "b", "c")
    assert broken(path, kept, early) == [(Breakage.CHANGED, 1), (Breakage.CHANGED, 3)]


def test_what_was_pruned_is_not_missed(path: Path) -> None:
    fill(path, "a", "b", "c")
    kept = [replace(head(path), seq=r.seq, hash=r.hash) for r in opened(path).records()]
    trail = opened(path)
    trail.prune(list(trail.records())[1], {})
    assert broken(path, *kept) == []
    assert broken(path, replace(kept[1], hash="0" * 64)) == [(Breakage.CHANGED, 2)]


def test_a_file_is_appended_to(path: Path, tmp_path: Path) -> None:
    fill(path, "a")
    place = AnchorFile(tmp_path / "kept")
    assert place.read() == ()
    place.add(head(path))
    fill(path, "b")
    place.add(head(path))
    assert [anchor.seq for anchor in place.read()] == [1, 2]
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o600
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    for bad in ("fifo", "link", "none/there", "."):
        with pytest.raises(AuditError):
            AnchorFile(tmp_path / bad).add(head(path))
    assert len(place.read()) == 2


def test_the_systems_log(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a daemon gets, and writes behind a time and a host, is read as an anchor again."""
    fill(path, "a")
    monkeypatch.setattr(anchors, "_SYSLOG_SOCKETS", (str(tmp_path / "log"),))
    with pytest.raises(AuditError, match="does not take the anchor"):
        SystemLog().add(head(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(tmp_path / "log"))
        kept = head(path)
        SystemLog().add(kept)
        got = daemon.recv(4096).decode()
    assert got.startswith("<85>replfix[")
    line = f"Mar  1 12:30:07 ops1 {got[4:]}\n"
    assert anchor_of(line) == kept
    (tmp_path / "messages").write_text(f"Mar  1 12:30:06 ops1 sshd[1]: replfix audit anchor {{}}\n{line}")
    assert AnchorFile(tmp_path / "messages").read() == (kept,)
    kept_by_the_system: AnchorStore = SystemLog()
    assert kept_by_the_system.read() is None


@pytest.mark.parametrize(
    "line", ["", "replfix audit anchor", 'replfix audit anchor {"seq": 1}', "replfix audit anchor [1]"]
)
def test_what_is_no_anchor(line: str) -> None:
    assert anchor_of(line) is None


def test_the_commands(path: Path, config: str, tmp_path: Path, capsys: Output) -> None:
    kept, other = tmp_path / "kept.anchors", tmp_path / "other.anchors"
    assert run(["audit", "anchor", "--config", config]) == 0
    assert not kept.exists(), "an empty trail has no head"
    fill(path, "a", "b", "c")
    assert run(["audit", "anchor", "--config", config]) == 0
    assert run(["audit", "anchor", "--to", str(other), "--json", "--config", config]) == 0
    out = capsys.readouterr().out
    document = json.loads(out[out.index("{") :])
    assert (document["anchor"]["seq"], document["kept"], document["failed"]) == (3, [str(other)], [])
    assert run(["audit", "verify", "--config", config]) == 0
    assert "3 records, 1 anchor, the last" in capsys.readouterr().out
    assert run(["audit", "verify", "--anchor", str(other), "--json", "--config", config]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["anchors"], document["anchors_read"]) == (2, [str(other), str(kept)])

    assert run(["audit", "anchor", "--to", str(tmp_path), "--to", str(other), "--config", config]) == 4
    assert "Not kept in" in capsys.readouterr().err
    assert len(other.read_text().splitlines()) == 2, "every place is tried"

    cut(path, 2)
    assert run(["audit", "verify", "--config", config]) == 5
    assert "cut off" in capsys.readouterr().out
    plain = tmp_path / "plain.toml"
    plain.write_text(f'[audit]\nurl = "sqlite:///{path}"\n')
    assert run(["audit", "verify", "--config", str(plain)]) == 0, "without an anchor nobody can tell"
    assert run(["audit", "verify", "--anchor", str(other), "--config", str(plain)]) == 5
    assert run(["audit", "anchor", "--config", str(plain)]) == 2
    (tmp_path / "nothing").write_text("no anchor\n")
    assert run(["audit", "verify", "--anchor", str(tmp_path / "nothing"), "--config", str(plain)]) == 2
    assert run(["audit", "verify", "--file", str(other), "--anchor", str(other)]) == 2


def test_a_broken_trail_is_not_anchored(path: Path, config: str, tmp_path: Path, capsys: Output) -> None:
    fill(path, "a", "b")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER audit_record_no_update")
        connection.execute("UPDATE audit_record SET author = 'x' WHERE seq = 1")
        connection.commit()
    assert run(["audit", "anchor", "--config", config]) == 5
    assert not (tmp_path / "kept.anchors").exists()


def test_pruning_is_anchored(path: Path, config: str, tmp_path: Path, capsys: Output) -> None:
    fill(path, "a", "b")
    prune = ["audit", "prune", "--before", "2999-01-01", "--yes", "--output"]
    assert run([*prune, str(tmp_path / "old.jsonl"), "--config", config]) == 0
    (anchor,) = AnchorFile(tmp_path / "kept.anchors").read()
    assert anchor == replace(head(path), anchored_at=anchor.anchored_at, author=anchor.author)
    assert run(["audit", "verify", "--config", config]) == 0


def test_a_file_found_in_passing_names_no_place(path: Path, tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "replfix.toml").write_text('[audit]\nanchor = ["/tmp/mine"]\n')
    assert run(["audit", "verify"]) == 2
    assert "audit.anchor" in capsys.readouterr().err
