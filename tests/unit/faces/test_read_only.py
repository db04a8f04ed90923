"""--read-only, REPLFIX_READ_ONLY and read_only in the configuration: nothing that writes gets as far as a server or the trail."""

from __future__ import annotations

from pathlib import Path

import pytest

from replfix import config
from replfix.cli.app import run
from replfix.core.connection.command_line import CommandLine, given
from replfix.core.trail.audit_record import RecordKind
from replfix.errors import ReadOnly
from replfix.wiring import trails

NOBODY = "mysql://replfix:x@127.0.0.1:1"  # refuses connections: what gets that far ends with 6
WRITING = (
    ["resolve", "--replica", NOBODY, "--yes"],
    ["resolve", "--replica", NOBODY, "--dry-run"],
    ["recover", "--replica", NOBODY],
    ["undo", "3f2a9c41d07e", "--replica", NOBODY, "--yes"],
    ["audit", "prune", "--before", "1d", "--output", "pruned.jsonl", "--yes"],
    ["audit", "anchor", "--to", "head"],
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("REPLFIX_CONFIG", "REPLFIX_READ_ONLY", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("words", WRITING, ids=" ".join)
def test_what_writes_is_refused(words: list[str], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*words, "--read-only"]) == 4
    assert "--read-only is set. Nothing was changed." in capsys.readouterr().err
    assert run(["--read-only", *words]) == 4
    assert not (home / "state").exists()
    assert not (home / "head").exists()


def test_what_reads_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["status", "--replica", NOBODY], ["diagnose", "--replica", NOBODY]):
        assert run(["--read-only", *words]) == 6
    assert "read-only" not in capsys.readouterr().err


@pytest.mark.parametrize(("value", "on"), [("1", True), ("yes", True), ("0", False), ("", False), ("off", False)])
def test_the_environment_asks_for_it_too(value: str, on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLFIX_READ_ONLY", value)
    assert config.load().read_only == ("$REPLFIX_READ_ONLY" if on else "")


def test_so_does_the_file_even_of_the_working_directory(home: Path) -> None:
    file = home / "replfix.toml"
    file.write_text("[defaults]\nread_only = true\n")
    file.chmod(0o600)
    assert config.load().read_only == f"read_only in {file}"


def test_a_trail_that_somebody_opens_by_another_door_takes_nothing(home: Path) -> None:
    with given(CommandLine(read_only=True)):
        trail = trails.open_trail(config.load())
    with pytest.raises(ReadOnly):
        trail.append(RecordKind.INTENT, incident="", replica="", channel="", payload={})
    assert not (home / "state").exists()
