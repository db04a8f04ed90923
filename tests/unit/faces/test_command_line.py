"""The command line as a whole: what may be before a command, several replicas, exit codes, names that are nearly right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.shell_completion import CompletionItem, ShellComplete

from replfix.cli import nagios
from replfix.cli.app import cli, run
from replfix.cli.documents.status import ChannelPart, ErrorPart, ReplicaPart, StatusDocument, UnreachablePart
from replfix.cli.exit_codes import worst

Output = pytest.CaptureFixture[str]
NOBODY = [f"mysql://replfix:x@127.0.0.1:{port}" for port in (1, 2)]  # nobody listens there


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("REPLFIX_CONFIG", "REPLFIX_USER", "REPLFIX_PASSWORD", "MYSQL_PWD", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config(home: Path, *names: str) -> str:
    file = home / "some.toml"
    file.write_text("".join(f'[replicas.{name}]\nhost = "127.0.0.1"\nport = 1\nuser = "u"\n' for name in names))
    file.chmod(0o600)
    return str(file)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["statsu"], "Did you mean 'status'?"),
        (["Diagnose", "db2"], "Did you mean 'diagnose'?"),
        (["xyzzy"], "Commands: status, diagnose"),
        (["audit", "lst"], "Did you mean 'list'?"),
        (["lab", "brek"], "Did you mean 'break'?"),
        (["lab", "break", "two-writer"], "Did you mean 'two-writers'?"),
        (["schema", "diagnose"], "Did you mean 'diagnosis'?"),
        (["resolve", "--replica", NOBODY[0], "--strategy", "source-win"], "Did you mean 'source-wins'?"),
        (["status", "--jsno"], "Did you mean '--json'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_name_that_is_nearly_right_gets_the_right_one(words: list[str], meant: str, capsys: Output) -> None:
    assert run(words) == 2
    assert meant in capsys.readouterr().err


def test_a_replica_that_is_nearly_right_too(home: Path, capsys: Output) -> None:
    assert run(["diagnose", "db-esat", "--config", config(home, "db-east", "db-west")]) == 2
    assert "Did you mean 'db-east'?" in capsys.readouterr().err


def test_common_options_may_be_before_the_command(home: Path, capsys: Output) -> None:
    assert run(["--config", config(home, "db2"), "--json", "status"]) == 6
    assert json.loads(capsys.readouterr().out)["schema"] == "replfix.error/1"
    assert run(["--json", "status", "--replica", NOBODY[0]]) == 6
    assert "127.0.0.1:1" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert run(["--replica", NOBODY[0], "status"]) == 6
    assert run(["--json", "audit", "list"]) == 0
    assert json.loads(capsys.readouterr().out.partition("}\n{")[0])


def test_after_the_command_counts_more(home: Path, capsys: Output) -> None:
    assert run(["--config", "/nowhere.toml", "status", "--config", config(home, "db2")]) == 6
    assert "nowhere" not in capsys.readouterr().err


@pytest.mark.parametrize("words", [["-u", "x", "schema"], ["--replica", NOBODY[0], "lab", "status"], ["--json"]])
def test_what_would_be_ignored_is_refused(words: list[str]) -> None:
    assert run(words) == 2


def test_every_replica_that_is_named_is_shown(capsys: Output) -> None:
    assert run(["status", "--json", "--replica", NOBODY[0], "--replica", NOBODY[1]]) == 6
    shown = json.loads(capsys.readouterr().out)
    assert [lost["port"] for lost in shown["unreachable"]] == [1, 2]
    assert run(["doctor", "--json", "--replica", NOBODY[0], "--replica", NOBODY[1]]) == 6
    assert [c["replica"] for c in json.loads(capsys.readouterr().out)["checks"]] == ["127.0.0.1:1", "127.0.0.1:2"]


@pytest.mark.parametrize("command", ["diagnose", "resolve"])
def test_none_of_several_is_dropped_in_silence(command: str, capsys: Output) -> None:
    assert run([command, "--replica", NOBODY[0], "--replica", NOBODY[1]]) == 2
    assert "one replica, and 2 were named" in capsys.readouterr().err


def test_which_replica_is_asked_with_the_names(home: Path, capsys: Output) -> None:
    assert run(["diagnose", "--config", config(home, "db2", "db3")]) == 2
    assert "Configured: db2, db3." in capsys.readouterr().err


def test_the_worst_counts() -> None:
    assert [worst(codes) for codes in ([], [0], [2, 0], [4, 2], [3, 4], [6, 3], [1, 6], [5, 1, 6, 3, 4, 2, 0])] == [
        0, 0, 2, 4, 3, 6, 1, 5,
    ]  # fmt: skip


def channel(**changes: object) -> ChannelPart:
    healthy: dict[str, object] = {
        "name": "", "source": "db1:3306", "receiver_running": True, "applier_running": True, "lag_seconds": 3, "error": None,
        "receiver_error": None, "executed_gtid_set": "", "errant_gtid_set": "", "in_transit_gtid_set": "",
    }  # fmt: skip
    return ChannelPart.model_validate({**healthy, **changes})


def status(*channels: ChannelPart, lost: bool = False) -> StatusDocument:
    replica = ReplicaPart(
        name="d'b|2", host="h", port=1, version="9", server_uuid="u", read_only=True, super_read_only=True, channels=list(channels)
    )  # fmt: skip
    unreachable = [UnreachablePart(name="db3", host="h", port=1, message="no\nanswer")] if lost else []
    return StatusDocument(replicas=[replica], unreachable=unreachable)


@pytest.mark.parametrize(
    ("document", "limits", "state", "line"),
    [
        (status(channel()), (None, None), 0, "REPLFIX OK - 1 channel running | 'db2'=3s;;;0"),
        (status(channel()), (3, 9), 1, "REPLFIX WARNING - d'b/2: lags by 3 s | 'db2'=3s;3;9;0"),
        (status(channel()), (1, 2), 2, "REPLFIX CRITICAL - d'b/2: lags by 3 s | 'db2'=3s;1;2;0"),
        (status(channel(lag_seconds=None)), (1, 2), 1, "REPLFIX WARNING - d'b/2: lag is unknown"),
        (status(channel(errant_gtid_set="u:1")), (None, None), 1, "REPLFIX WARNING - d'b/2: errant transactions u:1"),
        (status(channel(applier_running=False)), (None, None), 2, "REPLFIX CRITICAL - d'b/2: stopped"),
        (
            status(channel(applier_running=False, error=ErrorPart(errno=1062, message="a|b")), lost=True),
            (None, None),
            2,
            "REPLFIX CRITICAL - db3: no\\x0aanswer; d'b/2: stopped with error 1062: a/b",
        ),
    ],
)
def test_a_monitoring_plugin(
    document: StatusDocument, limits: tuple[int | None, int | None], state: int, line: str
) -> None:
    found = nagios.verdict(document, *limits)
    assert found[0] == state
    assert found[1].startswith(line)
    assert "\n" not in found[1]


@pytest.mark.parametrize("words", [["--foo"], ["--config", "/nowhere.toml"], ["--json", "--replica", NOBODY[0]]])
def test_what_is_wrong_with_the_check_is_unknown(words: list[str], capsys: Output) -> None:
    assert run(["status", "--nagios", *words]) == 3
    assert "REPLFIX UNKNOWN - " in capsys.readouterr().out


def test_a_server_that_cannot_be_reached_is_critical(capsys: Output) -> None:
    assert run(["status", "--nagios", "--replica", NOBODY[0]]) == 2
    assert capsys.readouterr().out.startswith("REPLFIX CRITICAL - 127.0.0.1:1: Cannot connect")


@pytest.mark.parametrize(
    ("words", "begun", "offered"),
    [
        ([], "st", ["status"]),
        (["config"], "", ["init", "show", "path", "check"]),
        (["resolve", "--strategy"], "ke", ["keep-both"]),
        (["help"], "conf", ["config", "configuration"]),
        (["diagnose"], "db", ["db-east", "db-west"]),
        (["status", "db-east"], "db-w", ["db-west"]),
        (["explain", "text"], "db-e", ["db-east"]),
    ],
)
def test_the_shell_completes(home: Path, words: list[str], begun: str, offered: list[str]) -> None:
    (home / "replfix.toml").write_text(Path(config(home, "db-east", "db-west")).read_text())
    (home / "replfix.toml").chmod(0o600)
    items: list[CompletionItem] = ShellComplete(cli, {}, "replfix", "_REPLFIX_COMPLETE").get_completions(words, begun)
    assert sorted(item.value for item in items) == sorted(offered)
