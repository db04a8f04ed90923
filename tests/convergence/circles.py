"""Worlds of seeds from 3,000,000 on: two primaries write the same keys while neither applies, then each stops on what the other wrote.

``resolve`` is run on one side or the other, with a strategy drawn for each round; where it names another one, that is done. In the end
both have the same rows, and whatever an application inserted is there, or in the trail.
"""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from replfix.lab.replication import channel_state, executed, wait_until_received
from replfix.lab.state import Server
from replfix.lab.topology import Lab
from tests.convergence.verdict import Verdict
from tests.field.topologies.connected import ROW_EVENTS, execute, rows, start_appliers, stop_appliers
from tests.integration.running import Ran, replfix
from tests.skipping import may_skip

FIRST = 3_000_000
ROUNDS = 40
CATCH_UP_SECONDS = 60
STILL_SECONDS = 1.0
_STRATEGIES = ("source-wins",) * 3 + ("keep-both", "replica-wins")
_ALL = "SELECT id, u, v FROM conv.t ORDER BY id"
_NEW = "SELECT id, u, v FROM conv.t WHERE id >= 20"
_SHARED = range(20, 26)
_TO_DELETE = range(9, 13)


class World:
    def __init__(self, lab: Lab, seed: int) -> None:
        self._pair = lab
        self._lab = lab
        self._rng = random.Random(seed)
        self._inserted: set[str] = set()
        self.verdict = Verdict(lab.provision.flavour.name, seed, "drawn for each round")

    def run(self) -> Verdict:
        """The lab's first two servers are a pair again afterwards."""
        as_shipped = self._rng.random() < 0.7
        self.verdict.varied = ("two primaries", "as shipped") if as_shipped else ("two primaries",)
        self._lab = self._pair.arranged("dual-primary", as_shipped=as_shipped)
        a, b = self._lab.servers[:2]
        try:
            with may_skip(a, b):
                self._between(a, b)
        finally:
            self._pair.arranged()
        return self.verdict

    def _between(self, a: Server, b: Server) -> None:
        self._run(
            a,
            "CREATE DATABASE conv",
            "CREATE TABLE conv.t (id INT AUTO_INCREMENT PRIMARY KEY, u INT NULL, v VARCHAR(20), UNIQUE KEY (u))",
            f"INSERT INTO conv.t VALUES {', '.join(f'({n}, NULL, {n})' for n in range(1, 13))}",
        )
        self._settle(a, b)
        for earlier in self._trail.parent.glob(f"{self._trail.name}*"):
            earlier.unlink()
        stop_appliers(a, b)
        for side, server in enumerate((a, b)):
            for number in range(self._rng.randint(2, 6)):
                self._transaction(server, side, number)
        self._inserted = {v for server in (a, b) for _, _, v in rows(server, _NEW)}
        wait_until_received(a, b)
        wait_until_received(b, a)
        start_appliers(a, b)
        if self._resolved(a, b):
            self._judge(a, b)

    # --- the applications ---

    def _transaction(self, server: Server, side: int, number: int) -> None:
        statements = [self._statement(side, f"{'ab'[side]}{number}{n}") for n in range(self._rng.choice((1, 1, 1, 2)))]
        self._run(server, ROW_EVENTS, "BEGIN", *statements, "COMMIT")

    def _statement(self, side: int, value: str) -> str:
        rng = self._rng
        own = 2 * rng.randint(0, 3) + 1 + side  # 1 to 8: each server updates and deletes its own
        draw = rng.random()
        if draw < 0.6:
            u = rng.choice(("NULL", "NULL", *map(str, range(100, 103))))
            return f"INSERT IGNORE INTO conv.t VALUES ({rng.choice(_SHARED)}, {u}, '{value}')"
        if draw < 0.75:
            return f"UPDATE conv.t SET v = '{value}' WHERE id = {own}"
        if draw < 0.85:
            return f"DELETE FROM conv.t WHERE id = {own}"
        return f"DELETE FROM conv.t WHERE id = {rng.choice(_TO_DELETE)}"

    # --- resolve ---

    def _resolved(self, a: Server, b: Server) -> bool:
        for _ in range(ROUNDS):
            self._settle(a, b)
            stopped = [server for server in (a, b) if not self._runs(server)]
            if not stopped:
                return True
            server, strategy = self._rng.choice(stopped), self._rng.choice(_STRATEGIES)
            ran = self._resolve(server, strategy)
            if ran.code == 4 and strategy != "source-wins":
                ran = self._resolve(server, "source-wins")
            if ran.code == 4 and "--strategy skip" in ran.out and "by hand" not in ran.out:
                ran = self._resolve(server, "skip")
            if ran.code == 4:
                self.verdict.said, self.verdict.human = ran.out + ran.err, "two primaries"
                return False
            if ran.code not in (0, 3):
                self.verdict.wrong.append(f"{server.name}: {ran.code}: {ran.out}{ran.err}")
                return False
            self.verdict.rounds += 1
        self.verdict.wrong.append(f"the channels stopped more than {ROUNDS} times")
        return False

    def _resolve(self, server: Server, strategy: str) -> Ran:
        options = ("--yes", "--json", "--max-rounds", "1", "--strategy", strategy)
        ran = replfix("resolve", server.name, *options, "--config", str(self._lab.config_file))
        self.verdict.story.append(f"{server.name}: resolve --strategy {strategy}: {ran.code}")
        return ran

    def _runs(self, server: Server) -> bool:
        with server.session() as session:
            state = channel_state(session)
            return state is not None and state.applier_running

    def _settle(self, a: Server, b: Server) -> None:
        """Until each has what the other has, or has stopped."""
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while time.monotonic() < deadline:
            with a.session() as first, b.session() as second:
                equal = executed(first) <= executed(second) and executed(second) <= executed(first)
            if equal or not (self._runs(a) or self._runs(b)) or self._still(a, b):
                return
        raise TimeoutError("the servers neither stopped nor caught up")

    def _still(self, a: Server, b: Server) -> bool:
        """Nothing is applied any more, though one of them runs: the other has stopped, or MariaDB's set lacks what was left out."""

        def seen() -> list[str]:
            found = []
            for server in (a, b):
                with server.session() as session:
                    found.append(str(executed(session)))
            return found

        before = seen()
        time.sleep(STILL_SECONDS)
        return seen() == before

    # --- the judge ---

    def _judge(self, a: Server, b: Server) -> None:
        here, there = rows(a, _ALL), rows(b, _ALL)
        if here != there:
            self.verdict.wrong.append(f"the servers differ: {sorted(set(here) ^ set(there))}")
        known = {row[2] for row in here} | set(self._on_record())
        self.verdict.wrong += [f"{value} is nowhere, and not in the trail" for value in sorted(self._inserted - known)]
        with a.session() as first, b.session() as second:
            if not first.is_mariadb and str(executed(first)) != str(executed(second)):
                self.verdict.wrong.append(f"executed: {executed(first)} and {executed(second)}")

    @property
    def _trail(self) -> Path:
        return Path(self._lab.directory, "audit.db")

    def _on_record(self) -> Iterator[str]:
        """The values of rows that were displaced or left out."""
        if not self._trail.exists():
            return
        with closing(sqlite3.connect(self._trail)) as connection:
            for (payload,) in connection.execute("SELECT payload FROM audit_record WHERE kind = 'intent'"):
                plan = json.loads(payload)["plan"]
                steps = (*plan["steps"], *plan.get("on_source", {}).get("steps", ()))
                images = [step["current"] for step in steps]
                images += [row["after"] for row in plan.get("left_out", {}).get("rows", ())]
                yield from (image["v"] for image in images if image is not None)

    def _run(self, server: Server, *statements: str) -> None:
        execute(server, *statements)
        self.verdict.story += [f"{server.name}: {statement}" for statement in statements]
