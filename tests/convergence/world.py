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

STRATEGIES = ("source-wins",) * 5 + ("keep-both", "keep-both", "replica-wins")
"""How often each is drawn."""
CATCH_UP_SECONDS = 60
_LOOSE = "SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'"


@dataclass(slots=True)
class Verdict:
    """What became of one seed. ``wrong`` is empty when everything is as promised."""

    server: str
    seed: int
    strategy: str = ""
    wrong: list[str] = field(default_factory=list)
    refused: str = ""  # the name of the reason why a human was asked for
    gave_way: bool = False  # the strategy drawn was refused somewhere; source-wins did the rest
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
        # Drawn apart, so that a seed stays the same schema and work.
        strategy = random.Random(f"strategy {seed}").choice(STRATEGIES)
        self.verdict = Verdict(lab.provision.flavour.name, seed, strategy)

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
            replica.execute("START REPLICA SQL_THREAD")
            self._caught_up(source, replica)
            before = Surroundings.of(replica)
            with tempfile.TemporaryDirectory() as directory:
                trail = Path(directory, "trail.db")
                self._resolve(source, replica, trail)
                displaced = tuple(recorded(trail))
            self._add_what_replfix_wrote(source, history)
            told, after = history.up_to(executed(replica)), look(replica, self._tables)
            judgement = Judge(
                self._tables,
                told,
                diverged,
                after,
                displaced,
                keys_find_rows=self._product == "MariaDB",
                both_kept=verdict.strategy == "keep-both" and not verdict.gave_way,
            ).judge()
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

    def _caught_up(self, source: Session, replica: Session) -> bool:
        """Waits until it has caught up, or stopped."""
        everything, deadline = executed(source), time.monotonic() + CATCH_UP_SECONDS
        while time.monotonic() < deadline:
            state = channel_state(replica)
            if everything <= executed(replica):
                return True
            if state is None or not state.applier_running:
                return False
            time.sleep(0.02)
        raise TimeoutError("the replica neither stopped nor caught up")

    # --- resolve ---

    def _resolve(self, source: Session, replica: Session, trail: Path) -> None:
        verdict = self.verdict
        for strategy in dict.fromkeys((verdict.strategy, "source-wins")):
            done = resolve_until_done(self._lab, strategy, trail, lambda: self._caught_up(source, replica))
            verdict.rounds += done.rounds
            verdict.conflicts += done.conflicts
            if done.failed:
                verdict.wrong.append(f"{strategy} failed: {done.failed}")
            if not done.refused:
                return
            self._ask_again(source, replica, strategy, trail)
            verdict.gave_way = True
        verdict.said = done.refused
        verdict.refused = reason_of(done.refused) or ""
        if not verdict.refused:
            verdict.wrong.append(f"replfix asks for a human: {done.refused}")

    def _ask_again(self, source: Session, replica: Session, strategy: str, trail: Path) -> None:
        """What is refused changes nothing, and is refused again."""
        servers = (source, replica)
        stands = [(look(server, self._tables), executed(server)) for server in servers]
        again = resolve_until_done(self._lab, strategy, trail, lambda: self._caught_up(source, replica))
        now = [(look(server, self._tables), executed(server)) for server in servers]
        if again.rounds or not again.refused or stands != now:
            self.verdict.wrong.append(
                f"{strategy} was refused, and not the same again: {again.refused or again.failed or 'done'}"
            )

    def _add_what_replfix_wrote(self, source: Session, history: History) -> None:
        """As one more transaction of the source, behind all others."""
        last, now = history.moments[-1], executed(source)
        if now != last.executed:
            state = look(source, self._tables)
            history.moments.append(Moment(now, state, tuple(touches(last.state, state))))
