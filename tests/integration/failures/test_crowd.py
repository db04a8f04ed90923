"""Many operators at once on one channel: one of them proceeds, the others are told who holds it. Judged by plain SQL."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from replfix.config import load
from replfix.core.plan.outcome import Result
from replfix.core.trail.audit_record import RecordKind
from replfix.errors import Busy, Stale
from replfix.lab.proof import prove, snapshot
from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from replfix.tui.backend import WiredBackend
from replfix.wiring import trails
from tests.integration.running import Ran, replfix
from tests.integration.undo.test_recover import BEFORE_COMMIT, COMMITTED, killed

OPERATORS = 8
ROUNDS = 20
FEWER = 3


@dataclass(frozen=True)
class Told:
    kind: str
    payload: dict[str, Any]


class Crowd:
    """One conflict after the other on a pair. Of each, the replica's row is in the way of both rows of the source's
    transaction, by different keys, and is displaced."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.trail = lab.directory / "audit.db"
        self.trail.unlink(missing_ok=True)
        with lab.source.session() as session:
            session.execute("CREATE DATABASE shop")
            session.execute("CREATE TABLE shop.t (id INT PRIMARY KEY, u INT UNIQUE, who VARCHAR(20))")
        lab.wait_until_applied()
        self.before = snapshot(lab.replica)
        self.number = 0

    def conflict(self) -> int:
        """The id of the displaced row of a fresh one."""
        self.number += 10
        n = self.number
        write_locally(self.lab.replica, f"INSERT INTO shop.t VALUES ({n}, {n + 1}, 'replica')", logged=False)
        with self.lab.source.session() as session:
            session.execute(f"INSERT INTO shop.t VALUES ({n}, {n}, 'source'), ({n + 1}, {n + 1}, 'source')")
        wait_until_stopped(self.lab.replica)
        return n

    def at_once(self, *commands: Sequence[str]) -> list[Ran]:
        ready = Barrier(len(commands))

        def run(command: Sequence[str]) -> Ran:
            ready.wait(30)
            config = () if "--config" in command else ("--config", str(self.lab.config_file))
            return replfix(*command, "--json", *config)

        with ThreadPoolExecutor(len(commands)) as operators:
            return list(operators.map(run, commands))

    def told(self, trail: Path | None = None) -> list[Told]:
        trail = trail or self.trail
        if not trail.exists():
            return []
        with closing(sqlite3.connect(trail)) as db:
            return [
                Told(k, json.loads(p)) for k, p in db.execute("SELECT kind, payload FROM audit_record ORDER BY seq")
            ]

    def judge(self, told: Sequence[Told], displaced: int, intents: int = 1) -> None:
        """Equal and running, nothing errant, settings as before; so many intents, which keep the row, and their ends."""
        self.lab.wait_until_applied()
        assert not [p for p in prove(self.lab.source, self.lab.replica, self.before) if not p.holds]
        plans = [t.payload["plan"] for t in told if t.kind == RecordKind.INTENT]
        kept = [plan for plan in plans if plan["steps"] and plan["steps"][0]["current"]["id"] == displaced]
        assert len(kept) == intents
        ends = [t.payload["result"] for t in told if t.kind == RecordKind.OUTCOME]
        assert ends[-1] == "applied and verified"
        assert len(plans) == len(ends)
        kinds = Counter(t.kind for t in told)
        assert kinds[RecordKind.SETTINGS] == kinds[RecordKind.SETTINGS_RESTORED]


RESOLVE = ("resolve", "replica1", "--yes")


def turned_away(ran: Ran) -> bool:
    """Whether it came too late to do anything: told who holds the channel, or what has changed; or nothing was left."""
    document = ran.document
    if ran.code == 0:
        return bool(document["outcome"] == "nothing_to_do")
    assert ran.code == 4, ran.out + ran.err
    words = document["error"]["message"] if "error" in document else document["message"]
    assert ("Another replfix" in words and "connection" in words) or "changed since" in words, words
    return True


def one_proceeds(ran: Sequence[Ran]) -> None:
    done = [r.document for r in ran if not turned_away(r)]
    assert [(d["outcome"], d["displaced_rows"]) for d in done] == [("resolved", 1)]


@pytest.fixture
def crowd(pair: Lab) -> Crowd:
    return Crowd(pair)


def test_eight_operators_who_share_a_trail(any_pair: Lab) -> None:
    crowd, seen = Crowd(any_pair), 0
    for _ in range(ROUNDS if "super_read_only" in crowd.before.variables else 2):  # there are several of MariaDB
        displaced = crowd.conflict()
        one_proceeds(crowd.at_once(*[RESOLVE] * OPERATORS))
        told = crowd.told()
        crowd.judge(told[seen:], displaced)
        seen = len(told)
    assert replfix("audit", "verify", "--config", str(crowd.lab.config_file)).code == 0


def test_eight_hosts_with_a_trail_each(crowd: Crowd, tmp_path: Path) -> None:
    """What they have in common is the replica alone."""
    trails = [tmp_path / f"{n}.db" for n in range(OPERATORS)]
    commands = []
    for trail in trails:
        config = trail.with_suffix(".toml")
        config.write_text(crowd.lab.config_file.read_text().replace(str(crowd.trail), str(trail)))
        commands.append((*RESOLVE, "--config", str(config)))
    seen = [0] * OPERATORS
    for _ in range(FEWER):
        displaced = crowd.conflict()
        one_proceeds(crowd.at_once(*commands))
        told = [crowd.told(trail) for trail in trails]
        crowd.judge([t for n, all_ in zip(seen, told, strict=True) for t in all_[n:]], displaced)
        seen = [len(all_) for all_ in told]
    assert sum(seen) > 0
    assert not crowd.trail.exists()


def test_the_terminal_ui_and_commands(crowd: Crowd) -> None:
    """What its screens call, with a plan that was shown before."""
    config = load(str(crowd.lab.config_file))
    backend = WiredBackend(config, [config.target("replica1")], lambda _: None)
    seen = 0
    with closing(backend), ThreadPoolExecutor(1) as screen:
        for _ in range(FEWER):
            displaced = crowd.conflict()
            diagnosis = backend.investigate("replica1", None, lambda _: None)
            assert diagnosis is not None
            plan = next(p.plan for p in diagnosis.proposals if p.plan is not None)
            applied = screen.submit(backend.carry_out, "replica1", plan, lambda _: None)
            ran = crowd.at_once(*[RESOLVE] * 3)
            error = applied.exception()
            if error is None:
                assert applied.result().result is Result.RESOLVED
                assert all(map(turned_away, ran))
            else:
                assert isinstance(error, Busy | Stale)
                one_proceeds(ran)
            told = crowd.told()
            crowd.judge(told[seen:], displaced)
            seen = len(told)
    assert trails.open_trail(config).verify().whole


def test_undo_and_resolve(crowd: Crowd) -> None:
    """The repair of one conflict is taken back while the next one is resolved: both happen, one after the other, or one
    of them is told who holds the channel."""
    lab = crowd.lab
    for _ in range(FEWER):
        displaced = crowd.conflict()
        first = replfix(*RESOLVE, "--json", "--config", str(lab.config_file)).document
        with lab.source.session() as session:
            session.execute("DELETE FROM shop.t")  # its place is free again
        lab.wait_until_applied()
        crowd.conflict()
        undo = ("undo", first["rounds"][0]["audit_id"], "--yes")
        undone, *resolved = crowd.at_once(undo, RESOLVE, RESOLVE)
        codes = [undone.code, *(r.code for r in resolved)]
        assert {0} <= set(codes) <= {0, 4}, codes
        for busy in (r.document for r in (undone, *resolved) if r.code == 4):
            assert "Another replfix" in busy["error"]["message"] or "changed since" in busy["error"]["message"], busy
        assert replfix(*RESOLVE, "--config", str(lab.config_file)).code == 0
        with lab.replica.session() as session:
            there = session.rows(f"SELECT who FROM shop.t WHERE id = {displaced}")
            assert there == ([("replica",)] if undone.code == 0 else [])
        lab.wait_until_applied()
        missing = {"CHECKSUM TABLE is equal on both servers"} if undone.code == 0 else set()
        wrong = {p.what for p in prove(lab.source, lab.replica, crowd.before) if not p.holds}
        assert wrong == missing
        write_locally(lab.replica, f"DELETE FROM shop.t WHERE id = {displaced}", logged=False)
    ends = [(t.payload.get("undoes") is not None, t.payload["result"]) for t in crowd.told() if t.kind == "outcome"]
    assert set(ends) <= {(True, "undone"), (False, "applied and verified")}


@pytest.mark.parametrize(("point", "intents"), [(BEFORE_COMMIT, 2), (COMMITTED, 1)])
def test_recover_and_resolve_after_a_kill(crowd: Crowd, point: str, intents: int) -> None:
    """Nobody steps on what another one puts right. In the end everything is told, once, and put back."""
    displaced = crowd.conflict()
    killed(crowd.lab, point, "resolve", "replica1")
    ran = crowd.at_once(("recover",), RESOLVE, RESOLVE, ("recover",), RESOLVE)
    assert {r.code for r in ran} <= {0, 4}, ran
    for _ in range(100):  # until the server has noticed that the killed client is gone
        if replfix(*RESOLVE, "--config", str(crowd.lab.config_file)).code == 0:
            break
        time.sleep(0.1)
    told = crowd.told()
    assert sum("recovered" in t.payload for t in told) == 1, "the killed run's story was ended once"
    crowd.judge(told, displaced, intents)
