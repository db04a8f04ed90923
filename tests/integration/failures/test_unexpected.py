"""A bug at one point of a command after the other: an error that nothing expects. What it may have changed is said, found out and put right."""

from __future__ import annotations

from pathlib import Path

import pytest

from replfix.audit import SqlTrail
from replfix.lab import scenarios
from replfix.lab.proof import Snapshot, prove, snapshot
from replfix.lab.topology import Lab
from tests.integration.failures.dying import RAISED
from tests.integration.running import Ran, replfix
from tests.integration.undo.test_recover import COMMITTED, killed

RESOLVE = ("resolve", "replica1", "--yes")


def raised(lab: Lab, tmp_path: Path, at: str, time: int, *command: str) -> Ran:
    log = str(tmp_path / "points")
    ran = replfix(*command, "--config", str(lab.config_file), dying=(log, at, RAISED, time))
    assert "a bug, here" in ran.out + ran.err, (Path(log).read_text(), ran)
    return ran


@pytest.fixture
def stopped(any_pair: Lab) -> tuple[Lab, Snapshot]:
    healthy = snapshot(any_pair.replica)
    (any_pair.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find("duplicate-unique").stage(any_pair)
    return any_pair, healthy


def judge(lab: Lab, healthy: Snapshot) -> None:
    """Whatever it was: recover and resolve end it."""
    config = ("--config", str(lab.config_file))
    assert replfix("recover", "replica1", *config).code == 0
    assert snapshot(lab.replica).variables == healthy.variables
    assert replfix(*RESOLVE, *config).code == 0
    assert all(proven.holds for proven in prove(lab.source, lab.replica, healthy))
    assert SqlTrail.open(f"sqlite:///{lab.directory / 'audit.db'}").verify().whole


@pytest.mark.parametrize(
    ("at", "time", "code"),
    [
        ("sent SHOW", 1, 1),  # before anything: a bug, and no more
        ("sent BINLOG", 2, None),  # in the rehearsal; only MySQL has switched a setting by then
        ("trail INSERT INTO audit_record", 2, None),
        ("sent COMMIT", 1, 5),
        ("answered COMMIT", 1, 5),
        ("answered START REPLICA", 1, 5),
    ],
)
def test_a_bug_in_the_middle_of_a_resolution(
    stopped: tuple[Lab, Snapshot], tmp_path: Path, at: str, time: int, code: int | None
) -> None:
    lab, healthy = stopped
    ran = raised(lab, tmp_path, at, time, *RESOLVE)
    recorded = {record.kind for record in SqlTrail.open(f"sqlite:///{lab.directory / 'audit.db'}").records()}
    expected = code or (5 if recorded & {"settings", "intent"} else 1)
    assert ran.code == expected, ran
    assert ("'replfix recover" in ran.err) == (expected == 5)
    judge(lab, healthy)


def test_a_bug_in_the_middle_of_a_recovery(pair: Lab, tmp_path: Path) -> None:
    """Here the settings are put back for what another run has recorded."""
    healthy = snapshot(pair.replica)
    (pair.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find("duplicate-unique").stage(pair)
    killed(pair, COMMITTED, "resolve", "replica1")
    ran = raised(pair, tmp_path, "answered SET GLOBAL super_read_only", 1, "recover", "replica1")
    assert ran.code == 5, ran
    assert "'replfix recover" in ran.out
    judge(pair, healthy)


def test_a_bug_when_the_outcome_is_printed(pair: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    healthy = snapshot(pair.replica)
    (pair.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find("duplicate-unique").stage(pair)
    from replfix.cli.app import run
    from replfix.cli.commands import resolve

    def broken(*_: object) -> None:
        raise RuntimeError("a bug, here")

    monkeypatch.setattr(resolve, "print_page", broken)
    assert run([*RESOLVE, "--config", str(pair.config_file)]) == 5
    assert all(proven.holds for proven in prove(pair.source, pair.replica, healthy))
