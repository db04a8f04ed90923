"""How the terminal UI is opened from the command line: when, on what, and what is asked for before."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from replfix.cli.app import run
from replfix.cli.commands import lab_demo, tui
from replfix.config import Config, Target
from replfix.core.connection.endpoint import Endpoint
from replfix.lab import replicate, topology
from replfix.lab.proof import Proven
from tests.places import ROOT

Output = pytest.CaptureFixture[str]


class Opened:
    """Stands in for the app: remembers on what it was opened."""

    def __init__(self) -> None:
        self.targets: list[Target] | None = None
        self.animate = True

    def __call__(self, _config: Config, targets: list[Target], animate: bool) -> int:
        self.targets, self.animate = targets, animate
        return 0

    @property
    def names(self) -> list[str] | None:
        return None if self.targets is None else [target.name for target in self.targets]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    opened = Opened()
    monkeypatch.setattr(tui, "_open", opened)
    return opened


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tui, "on_terminal", lambda: True)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "replfix.toml"
    file.write_text('[replicas.db2]\nhost = "10.0.0.2"\n[replicas.db3]\nhost = "10.0.0.3"\n')
    return file


def test_without_a_terminal_it_is_the_help(opened: Opened, capsys: Output) -> None:
    assert run([]) == 0
    assert "Usage: replfix" in capsys.readouterr().out
    assert opened.names is None


@pytest.mark.parametrize("args", [["--demo"], ["--config", "x.toml"], ["--replica", "mysql://h"], ["--no-animation"]])
def test_asked_for_without_a_terminal_it_says_what_it_needs(args: list[str], opened: Opened, capsys: Output) -> None:
    assert run(args) == 2
    assert "needs a terminal" in capsys.readouterr().err
    assert opened.names is None


@pytest.mark.usefixtures("terminal")
class TestOnATerminal:
    def test_it_opens_on_every_configured_replica(self, opened: Opened, config: Path) -> None:
        assert run(["--config", str(config)]) == 0
        assert opened.names == ["db2", "db3"]
        assert opened.animate

    def test_it_opens_on_one_replica_without_a_configuration(self, opened: Opened) -> None:
        arguments = ["--replica", "mysql://u:p@10.0.0.9", "--source", "mysql://u:p@10.0.0.1", "--no-animation"]
        assert run(["--config", os.devnull, *arguments]) == 0
        assert opened.targets is not None
        (target,) = opened.targets
        assert (target.replica.host, target.source and target.source.host) == ("10.0.0.9", "10.0.0.1")
        assert not opened.animate

    def test_no_replica_is_an_error_that_says_how(self, opened: Opened, capsys: Output) -> None:
        assert run(["--config", os.devnull]) == 2
        error = capsys.readouterr().err
        for words in ("--replica mysql://", "[replicas.NAME]", "replfix --demo", "replfix --help"):
            assert words in error
        assert opened.names is None

    def test_a_source_for_several_replicas_is_refused(self, opened: Opened, config: Path, capsys: Output) -> None:
        assert run(["--config", str(config), "--source", "mysql://10.0.0.1"]) == 2
        assert "several replicas" in capsys.readouterr().err
        assert opened.names is None

    def test_a_demo_has_servers_of_its_own(self, opened: Opened, config: Path, capsys: Output) -> None:
        assert run(["--demo", "--config", str(config)]) == 2
        assert "servers of its own" in capsys.readouterr().err

    def test_an_unknown_scenario_starts_nothing(self, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
        monkeypatch.setattr(topology, "up", lambda *_: pytest.fail("started"))
        assert run(["--demo", "two-writer"]) == 2
        assert "two-writers" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("args", "wanted", "server"),
        [
            (["--demo"], "duplicate-primary", None),
            (["--demo", "two-writers"], "two-writers", None),
            (["--demo=x"], "x", None),
            (["--demo", "--server", "mariadb"], "duplicate-primary", "mariadb"),
        ],
    )
    def test_a_demo_of_choice(
        self, monkeypatch: pytest.MonkeyPatch, args: list[str], wanted: str, server: str | None
    ) -> None:
        demo = Mock(return_value=0)
        monkeypatch.setattr(tui, "open_demo", demo)
        assert run(args) == 0
        demo.assert_called_once_with(wanted, server=server, animate=True)

    def test_a_server_is_for_a_demo(self, opened: Opened, capsys: Output) -> None:
        assert run(["--server", "mariadb"]) == 2
        assert "--demo" in capsys.readouterr().err

    @pytest.mark.parametrize(("args", "in_tui"), [([], True), (["--no-tui"], False), (["--json"], False)])
    def test_lab_demo_opens_it_unless_told_otherwise(
        self, monkeypatch: pytest.MonkeyPatch, args: list[str], in_tui: bool
    ) -> None:
        demo, played = Mock(return_value=0), Mock(return_value=0)
        monkeypatch.setattr(tui, "open_demo", demo)
        monkeypatch.setattr(lab_demo, "_play", played)
        for name in ("replfix.lab.topology.up", "replfix.lab.topology.down", "replfix.lab.staging.stage"):
            monkeypatch.setattr(name, Mock())
        assert run(["lab", "demo", *args]) == 0
        assert (demo.called, played.called) == (in_tui, not in_tui)


@pytest.mark.parametrize("args", [["--demo=x", "status"], ["--no-animation", "lab", "status"]])
def test_its_options_before_a_command_are_not_passed_over_in_silence(args: list[str], capsys: Output) -> None:
    assert run(args) == 2
    error = capsys.readouterr().err
    assert "is written before the command" in error
    assert "which does not take it" in error


def test_scenarios_are_completed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "replfix"],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ, "_REPLFIX_COMPLETE": "bash_complete", "COMP_WORDS": "replfix --demo two-w", "COMP_CWORD": "2",
            "PYTHONPATH": str(ROOT),
        },
    )  # fmt: skip
    assert "two-writers" in done.stdout


# --- passwords ---


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], list[str]]:
    """Give it the answers; returns what was asked for."""

    def answering(answers: list[str]) -> list[str]:
        questions: list[str] = []

        def ask(endpoint: Endpoint) -> str:
            questions.append(f"{endpoint.user}@{endpoint.host}")
            return answers.pop(0)

        monkeypatch.setattr("replfix.cli.open_servers.ask_password", ask)
        return questions

    return answering


def test_each_account_is_asked_for_once_and_enter_repeats_the_answer(
    asked: Callable[[list[str]], list[str]], capsys: Output
) -> None:
    questions = asked(["secret", "", "other"])
    source = Endpoint("s", 3306, "dba", None)
    asking = tui._Asking()
    targets = [Target(n, Endpoint(n, 3306, "dba", None), source, None) for n in ("a", "b")]
    first, second = (asking.with_source(target) for target in targets)
    assert questions == ["dba@a", "dba@s", "dba@b"]
    passwords = [
        e.password.reveal() for e in (first.replica, first.source, second.source, second.replica) if e and e.password
    ]
    assert passwords == ["secret", "secret", "secret", "other"]
    assert "secret" not in "".join(capsys.readouterr())


def test_nothing_is_asked_for_what_is_known(asked: Callable[[list[str]], list[str]]) -> None:
    questions = asked([])
    target = Target("a", Endpoint("a", 3306, None, None), Endpoint("s", 3306, None, None), None)
    assert tui._Asking().with_source(target) == target
    assert questions == []


# --- after the demo ---


@pytest.mark.parametrize(
    ("applier_running", "holds", "code", "words"),
    [
        (False, True, 0, "replica1 is still stopped"),
        (True, True, 0, "Every part of it holds."),
        (True, False, 5, "Not every part of it holds."),
    ],
)
def test_after_a_demo_it_says_how_the_replica_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: Output, applier_running: bool, holds: bool, code: int, words: str
) -> None:
    state = SimpleNamespace(applier_running=applier_running, error=SimpleNamespace(errno=1062))
    monkeypatch.setattr(replicate, "channel_state", lambda _: state)
    monkeypatch.setattr("replfix.lab.proof.prove", lambda *_: (Proven("tables", holds, "seen\x1b"),))

    class Session:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    lab = SimpleNamespace(source=None, replica=SimpleNamespace(name="replica1", session=Session))
    assert tui._say_how_it_stands(lab, None) == code  # type: ignore[arg-type]
    out = capsys.readouterr().out
    assert words in out
    assert "\x1b[" not in out.replace("\x1b[1m", "").replace("\x1b[0m", "")
