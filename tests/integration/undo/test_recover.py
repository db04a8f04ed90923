"""Runs that are ended with kill -9 at one point after the other, and what `recover` makes of what they left."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from replfix.audit import SqlTrail
from replfix.core.trail.audit_record import RecordKind
from replfix.lab import scenarios
from replfix.lab.proof import Snapshot, prove, snapshot
from replfix.lab.topology import Lab
from tests.integration.running import environment, replfix
from tests.integration.undo.test_undo import Command, Document
from tests.waiting import until

# The command in a process of its own that ends itself, as kill -9 would, when it comes to the call that is named:
# before it, or with a plus right after it.
DYING = """
import importlib, os, signal, sys
point, *args = sys.argv[1:]
after = point.endswith("+")
path, name = point.rstrip("+").split(":")
owner = importlib.import_module(path)
*inside, name = name.split(".")
for each in inside:
    owner = getattr(owner, each)
real = getattr(owner, name)
def dying(*given, **named):
    if after:
        real(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, dying)
from replfix.cli.app import run
run(args)
"""

REHEARSAL = "replfix.mysql.write.repair:HeldChannel.rehearse"
BEFORE_COMMIT = "replfix.workflow.apply.repair_round:_check_guards"
COMMITTED = "replfix.mysql.write.repair:HeldChannel.apply+"
APPLIED = "replfix.workflow.apply.apply_modes:verify"


def killed(lab: Lab, point: str, *args: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DYING, point, *args, "--yes", "--config", str(lab.config_file)],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(),
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr


def recovered(command: Command) -> list[Document]:
    for _ in range(100):  # until the server has noticed that the client is gone, and lets go of its lock
        code, document = command("recover")
        if code != 4:
            break
        time.sleep(0.1)
    assert code == 0, document
    found: list[Document] = document["replicas"][0]["recovered"]
    return found


def assert_protected(lab: Lab, before: Snapshot) -> None:
    after = snapshot(lab.replica)
    assert after.variables == before.variables


def outcome(command: Command, recovered: Document) -> dict[str, Any]:
    code, record = command("audit", "show", recovered["audit_id"])
    assert code == 0
    payload: dict[str, Any] = record["payload"]
    return payload


@pytest.fixture
def stopped(pair: Lab) -> tuple[Lab, Snapshot]:
    healthy = snapshot(pair.replica)
    (pair.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find("duplicate-unique").stage(pair)
    return pair, healthy


@pytest.mark.parametrize(("point", "result"), [(REHEARSAL, None), (BEFORE_COMMIT, "not applied")])
def test_before_the_commit(stopped: tuple[Lab, Snapshot], point: str, result: str | None) -> None:
    lab, healthy = stopped
    before = snapshot(lab.replica)
    command = Command(lab)
    killed(lab, point, "resolve", "replica1")
    assert snapshot(lab.replica).variables != before.variables, "the test is about settings that were left changed"
    found = recovered(command)
    assert snapshot(lab.replica) == before
    assert [f["message"].startswith("Put back") for f in found] == [True] + [False] * (result is not None)
    if result is not None:
        assert outcome(command, found[1])["result"] == result
    assert recovered(command) == []
    assert command("audit", "verify")[0] == 0
    code, refused = command("undo", found[-1]["audit_id"], "--yes")
    assert code == 4, refused
    assert command("resolve", "replica1", "--yes")[0] == 0
    assert all(proven.holds for proven in prove(lab.source, lab.replica, healthy))


def test_after_the_commit_the_next_run_goes_on(any_pair: Lab) -> None:
    lab, command = any_pair, Command(any_pair)
    healthy = snapshot(lab.replica)
    (lab.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find("duplicate-unique").stage(lab)
    killed(lab, COMMITTED, "resolve", "replica1")
    found = recovered(command)
    assert_protected(lab, healthy)
    told = outcome(command, found[-1])
    assert told["result"] == "applied, not verified"
    assert "as the plan leaves them" in told["detail"]
    assert "'replfix resolve' goes on" in found[-1]["next"]
    code, resolved = command("resolve", "replica1", "--yes")
    assert (code, resolved["displaced_rows"]) == (0, 0)
    assert all(proven.holds for proven in prove(lab.source, lab.replica, healthy))
    assert command("audit", "verify")[0] == 0


def test_after_the_commit_it_can_be_undone_instead(stopped: tuple[Lab, Snapshot]) -> None:
    lab, _ = stopped
    before = snapshot(lab.replica)
    command = Command(lab)
    killed(lab, COMMITTED, "resolve", "replica1")
    found = recovered(command)
    assert snapshot(lab.replica).checksums != before.checksums
    killed(lab, COMMITTED, "undo", found[-1]["audit_id"])
    again = recovered(command)
    assert outcome(command, again[-1])["result"] == "undone"
    assert snapshot(lab.replica) == before, "as if the repair had never been"
    code, refused = command("undo", found[-1]["audit_id"], "--yes")
    assert (code, "undone already" in refused["error"]["message"]) == (4, True)


def test_a_channel_that_waits_behind_the_transaction_is_started(stopped: tuple[Lab, Snapshot]) -> None:
    lab, healthy = stopped
    command = Command(lab)
    killed(lab, APPLIED, "resolve", "replica1")
    found = recovered(command)
    assert outcome(command, found[-1])["result"] == "applied and verified"
    assert "started" in found[-1]["next"]
    assert all(proven.holds for proven in prove(lab.source, lab.replica, healthy))


def test_a_run_that_is_still_at_work_is_left_alone(stopped: tuple[Lab, Snapshot]) -> None:
    lab, _ = stopped
    command = Command(lab)
    killed(lab, COMMITTED, "resolve", "replica1")
    with lab.replica.session() as other:
        until(lambda: other.scalar("SELECT GET_LOCK('replfix:', 0)") == "1", "the killed client's lock")
        code, document = command("recover")
        assert code == 4
        assert "Another replfix is working" in document["replicas"][0]["error"]["message"]
    assert [f["message"].split()[0] for f in recovered(command)] == ["Put", "The"]


@pytest.mark.parametrize("forged", [{"super_read_only": "0"}, {"local_infile": "1"}, {"read_only": "0"}])
def test_a_forged_record_of_settings_changes_nothing(pair: Lab, forged: dict[str, str]) -> None:
    """A run takes protection away and puts it back; what else a record says was never a run's."""
    with pair.replica.session() as session:
        before = session.rows("SHOW GLOBAL VARIABLES")
        uuid = session.scalar("SELECT @@global.server_uuid")
    trail = SqlTrail.open(f"sqlite:///{pair.directory / 'audit.db'}")
    content = {"server_uuid": uuid, "variables": forged}
    record = trail.append(RecordKind.SETTINGS, incident="i", replica="replica1", channel="", payload=content)
    ran = replfix("recover", "replica1", "--json", "--config", str(pair.config_file))
    assert ran.code == 0, ran.out
    assert "nothing was done" in ran.out
    assert record.id in ran.out
    with pair.replica.session() as session:
        changes = set(before) ^ set(session.rows("SHOW GLOBAL VARIABLES"))
    assert {name for name, _ in changes} <= {"gtid_executed"}
