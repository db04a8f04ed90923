"""One seed from nothing to the judgement: schema, work, divergence, ``resolve`` until it has caught up."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from replfix.errors import ServerError
from replfix.lab.flavours import speaking
from replfix.lab.replication import channel_state, executed
from replfix.lab.topology import Lab
from replfix.mysql.connection import Session
from tests.convergence.history import History, Moment
from tests.convergence.judge import Judge
from tests.convergence.refusals import reason_of
from tests.convergence.resolving import recorded, resolve_until_done
from tests.convergence.rows import State, Touch, look, touches
from tests.convergence.schema import SCHEMA, Drawing, Table, quoted
from tests.convergence.surroundings import Surroundings
from tests.convergence.workload import Workload

STRATEGY = "source-wins"
_LOOSE = "SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'"


@dataclass(slots=True)
class Verdict:
    """What became of one seed. ``wrong`` is empty when everything is as promised."""

    server: str
    seed: int
    wrong: list[str] = field(default_factory=list)
    refused: str = ""  # the name of the reason why a human was asked for
    said: str = ""  # replfix's words for it
    rounds: int = 0
    apart: int = 0
    displaced: int = 0
    conflicts: Counter[str] = field(default_factory=Counter)
    story: list[str] = field(default_factory=list)  # every statement that did something, in order


class World:
    def __init__(self, lab: Lab, seed: int) -> None:
        self._lab = lab
        self._rng = random.Random(seed)
        self._tables: list[Table] = []
        self._product = lab.provision.flavour.product
        self.verdict = Verdict(lab.provision.flavour.name, seed)

    def run(self) -> Verdict:
        """``lab`` is as good as new."""
        verdict = self.verdict
        with self._lab.source.session() as source, self._lab.replica.session() as replica:
            self._set_up(source)
            work = Workload(self._rng, self._tables)
            for _ in range(self._rng.randint(5, 14)):
                self._transaction(source, work, 3)
            self._lab.wait_until_applied()
            start = look(source, self._tables)
            self._diverge(replica, work)
            diverged = look(replica, self._tables)
            history = self._work(source, work, start)
            self._let_it_stop(source, replica)
            before = Surroundings.of(replica)
            with tempfile.TemporaryDirectory() as directory:
                trail = Path(directory, "trail.db")
                self._resolve(replica, trail)
                displaced = tuple(recorded(trail))
            if not verdict.refused and not verdict.wrong:
                self._lab.wait_until_applied()
            told, after = history.up_to(executed(replica)), look(replica, self._tables)
            judgement = Judge(self._tables, told, diverged, after, displaced, self._product == "MariaDB").judge()
            verdict.wrong += judgement.wrong
            verdict.apart, verdict.displaced = judgement.apart, judgement.displaced
            verdict.wrong += before.wrong_in(Surroundings.of(replica), executed(source))
        return verdict

    # --- both servers ---

    def _run(self, session: Session, *statements: str) -> int:
        found = 0
        for statement in statements:
            found = session.execute(statement)
            self.verdict.story.append(f"{self._name(session)}: {statement}")
        return found

    def _name(self, session: Session) -> str:
        return "source" if session.endpoint.port == self._lab.source.port else "replica"

    def _transaction(self, session: Session, work: Workload, most: int) -> None:
        self._run(session, "BEGIN")
        for _ in range(self._rng.randint(1, most)):
            self._try(session, work.statement())
        self._run(session, "COMMIT")

    def _try(self, session: Session, statement: str) -> bool:
        try:
            return self._run(session, statement) > 0
        except ServerError:  # on its own server it collides, and does nothing
            return False

    # --- the source ---

    def _set_up(self, source: Session) -> None:
        rng = self._rng
        self._run(source, f"CREATE DATABASE {SCHEMA}", f"USE {SCHEMA}", "SET SESSION time_zone = '+00:00'")
        self._run(source, f"SET GLOBAL binlog_row_metadata = {rng.choice(('MINIMAL', 'FULL'))}")
        if rng.random() < 0.2 and self._product == "MySQL":
            self._run(source, "SET SESSION binlog_transaction_compression = ON")
        if rng.random() < 0.5:
            self._run(source, _LOOSE)
        drawing, wanted = Drawing(rng, self._product), rng.randint(2, 5)
        while len(self._tables) < wanted:
            table = drawing.table(len(self._tables), self._tables)
            try:
                self._run(source, table.ddl)
            except ServerError:  # a server that does not take such a table
                continue
            self._tables.append(table)

    def _work(self, source: Session, work: Workload, start: State) -> History:
        history, state = History(start), start
        for _ in range(self._rng.randint(5, 18)):
            self._run(source, f"SET SESSION foreign_key_checks = {int(self._rng.random() < 0.95)}")
            self._run(source, "BEGIN")
            found = list[Touch]()
            for _ in range(self._rng.randint(1, 5)):
                if self._try(source, work.statement()):
                    now = look(source, self._tables)
                    found += touches(state, now)
                    state = now
            self._run(source, "COMMIT")
            history.moments.append(Moment(executed(source), state, tuple(found)))
        return history

    # --- the replica ---

    def _diverge(self, replica: Session, work: Workload) -> None:
        rng = self._rng
        replica.execute("STOP REPLICA SQL_THREAD")
        self._run(replica, f"USE {SCHEMA}", "SET SESSION time_zone = '+00:00'", _LOOSE)
        with speaking(replica).writable(replica):
            for _ in range(rng.randint(2, 9)):
                self._run(replica, f"SET SESSION sql_log_bin = {rng.randint(0, 1)}")
                self._run(replica, f"SET SESSION foreign_key_checks = {int(rng.random() < 0.7)}")
                self._transaction(replica, work, 3)
            self._run(replica, "SET SESSION sql_log_bin = 0")
            self._run(replica, "CREATE DATABASE fired", "CREATE TABLE fired.log (what VARCHAR(99))")
            for table in self._tables:
                for event in ("INSERT", "UPDATE", "DELETE"):
                    if rng.random() < 0.2:
                        self._trigger(replica, table, event)

    def _trigger(self, replica: Session, table: Table, event: str) -> None:
        name, timing = quoted(f"{table.name} {event}"), self._rng.choice(("BEFORE", "AFTER"))
        self._run(
            replica,
            f"CREATE TRIGGER {SCHEMA}.{name} {timing} {event} ON {table.sql} FOR EACH ROW "
            f"INSERT INTO fired.log VALUES ('{event}')",
        )

    def _let_it_stop(self, source: Session, replica: Session) -> None:
        replica.execute("START REPLICA SQL_THREAD")
        everything, deadline = executed(source), time.monotonic() + 30
        while time.monotonic() < deadline:
            state = channel_state(replica)
            if state is None or not state.applier_running or everything <= executed(replica):
                return
            time.sleep(0.02)
        self.verdict.wrong.append("the replica neither stopped nor caught up")

    def _resolve(self, replica: Session, trail: Path) -> None:
        verdict = self.verdict
        done = resolve_until_done(self._lab, STRATEGY, trail)
        verdict.rounds, verdict.conflicts = done.rounds, done.conflicts
        if done.failed:
            verdict.wrong.append(f"replfix failed: {done.failed}")
        if not done.refused:
            return
        verdict.said = done.refused
        verdict.refused = reason_of(done.refused) or ""
        if not verdict.refused:
            verdict.wrong.append(f"replfix asks for a human: {done.refused}")
        stands = look(replica, self._tables), executed(replica)
        again = resolve_until_done(self._lab, STRATEGY, trail)
        if again.rounds or not again.refused or stands != (look(replica, self._tables), executed(replica)):
            verdict.wrong.append(f"it was refused, and asked again not the same: {again.refused or again.failed}")
