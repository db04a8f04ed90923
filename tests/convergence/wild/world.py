"""One seed: definitions and rows change on the source while the replica has drifted and diverged; ``resolve`` until it has caught
up or a human is asked for, and then what a human is told."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.mariadb_gtid import MariadbGtidSet
from replfix.errors import ServerError
from replfix.lab.flavours import speaking
from replfix.lab.replicate import channel_state, executed, wait_until_received
from replfix.lab.topology import Lab
from replfix.mysql.connection import terms
from replfix.mysql.connection.session import Session
from tests.convergence.foretold import Stop, compared, foretell, is_asked, lines
from tests.convergence.resolving import recorded, resolve_until_done
from tests.convergence.schema import SCHEMA
from tests.convergence.surroundings import Surroundings
from tests.convergence.verdict import Verdict
from tests.convergence.wild.judge import Judge, Moment, Step, aimed_at, step_of
from tests.convergence.wild.live import State, look, tables
from tests.convergence.wild.richer import Richer, vectors_of
from tests.convergence.wild.settings import RICHER, Settings, arranged, drawn
from tests.convergence.wild.statements import Statements
from tests.following.follower import DIFFERS, Follower

CATCH_UP_SECONDS = 60
_POSITIONS = ("extra column", "missing column", "reordered", "renamed column", "missing table")
"""Kinds of drift behind which row events may land in other columns, or nowhere, without an error: the servers' own doing."""
_PASSED_OVER = ("or the server passed over it", "is not the transaction that the replica stopped on")
"""What is said where MariaDB's position went past a transaction that failed, because a parallel thread had prepared a later one
(10.11, 11.8)."""
_BY_HAND = "stopped without an error: somebody stopped it"


class World:
    def __init__(self, lab: Lab, seed: int) -> None:
        self._lab = lab
        self._rng = random.Random(seed)
        self._product = lab.provision.flavour.product
        self._drawn: Settings = drawn(seed, self._product)
        self._work = Statements(self._rng)
        self._richer = seed >= RICHER
        self._moments: list[Moment] = []
        self._drifted: set[str] = set()
        self._said: list[str] = []  # what replfix said and a human did
        self.verdict = Verdict(lab.provision.flavour.name, seed, "source-wins")
        self.verdict.varied = tuple(self._drawn.in_words())

    def run(self) -> Verdict:
        """``lab`` is as good as new, and is so afterwards but for rows, definitions and channels."""
        self.verdict.story += self.verdict.varied
        with ExitStack() as stack:
            stack.enter_context(arranged(self._lab, self._drawn))
            source = stack.enter_context(self._lab.source.session())
            replica = stack.enter_context(self._lab.replica.session())
            self._between(source, replica)
        return self.verdict

    def _between(self, source: Session, replica: Session) -> None:
        self._set_up(source)
        start = look(source)
        if not self._caught_up(source, replica):  # the applier has faults of its own
            self._resolve(source, replica, Path(self._lab.directory, "audit.db"))
            if self.verdict.human:
                return
        if look(replica) != start:
            self.verdict.wrong.append("the servers' rows differ before anything diverged")
            return
        self._diverge(replica)
        diverged = look(replica)
        self._backlog(source, start)
        ahead = foretell(self._lab) if is_asked() else None
        self._stop_receiver(replica)
        replica.execute("START REPLICA SQL_THREAD" if self._drawn.receiver == "runs" else "DO 0")
        if self._drawn.receiver == "runs":
            self._caught_up(source, replica)
        before = replace(Surroundings.of(replica), counters={})  # definitions change, and with them the counters
        trail = Path(self._lab.directory, "audit.db")  # of the lab's own configuration, which the follower uses
        for earlier in trail.parent.glob(f"{trail.name}*"):
            earlier.unlink()
        stops = self._resolve(source, replica, trail)
        if ahead is not None:
            said = compared(ahead, stops, to_the_end=not self.verdict.human)
            self.verdict.foretold, self.verdict.unforetold = said.hits, said.unknown
            self.verdict.wrong += lines(said, ahead)
        if self.verdict.human:
            self._follow()
        if self._product == "MariaDB" and any(words in self.verdict.said for words in _PASSED_OVER):
            return  # what the replica has applied, nothing tells
        displaced = tuple(recorded(trail))
        deleted = {place for said in self._said for place in aimed_at(said)}
        judge = Judge(start, diverged, frozenset(self._drifted), look(replica), displaced, deleted)
        self.verdict.wrong += judge.judge(self._applied(replica))
        self.verdict.wrong += before.wrong_in(Surroundings.of(replica), executed(source), self._said)
        self.verdict.apart, self.verdict.displaced = judge.apart, judge.displaced

    # --- the source ---

    def _set_up(self, source: Session) -> None:
        rng = self._rng
        if self._richer:
            self._work = Richer(rng, vectors_of(source))
        self._run(source, f"CREATE DATABASE {SCHEMA}", f"USE {SCHEMA}", "SET SESSION time_zone = '+00:00'")
        for _ in range(rng.randint(1, 3)):
            self._try(source, self._work.create())
        for _ in range(rng.randint(10, 25)):
            self._try(source, self._work.written(tables(source), plain=True))

    def _backlog(self, source: Session, state: State) -> None:
        rng = self._rng
        for number in range(rng.randint(6, 18)):
            found = tables(source)
            if not found:
                return
            if rng.random() < self._drawn.definitions:
                as_rows = self._format(source)
                for statement in self._work.altered(found):
                    state = self._moment(source, state, (statement,), as_rows=as_rows)
                continue
            as_rows = self._format(source)
            self._run(source, f"SET SESSION unique_checks = {int(rng.random() < 0.9)}")
            statements = tuple(self._work.written(found, plain=not as_rows) for _ in range(rng.choice((1, 1, 2, 3))))
            if as_rows and rng.random() < self._drawn.xa:
                state = self._xa(source, state, f"x{number}", statements)
            else:
                state = self._moment(source, state, statements, as_rows=as_rows)

    def _format(self, source: Session) -> bool:
        """Whether what follows is logged as rows."""
        chosen = self._rng.choice(self._drawn.formats)
        self._run(source, f"SET SESSION binlog_format = {chosen}")
        return chosen == "ROW"

    def _moment(self, source: Session, state: State, statements: tuple[str, ...], *, as_rows: bool) -> State:
        before = executed(source)
        one = len(statements) == 1
        if not one:
            self._run(source, "BEGIN")
        state, steps = self._steps(source, state, statements, as_rows=as_rows)
        if not one:
            self._run(source, "COMMIT")
        self._add(executed(source) - before, steps, state, as_rows=as_rows)
        return state

    def _xa(self, source: Session, state: State, name: str, statements: tuple[str, ...]) -> State:
        self._run(source, f"XA START '{name}'")
        begun = state
        state, steps = self._steps(source, state, statements, as_rows=True)
        self._run(source, f"XA END '{name}'")
        before = executed(source)
        self._run(source, f"XA PREPARE '{name}'")
        prepared = executed(source)
        self._add(prepared - before, (), begun, as_rows=True)
        self._run(source, f"XA COMMIT '{name}'")
        self._add(executed(source) - prepared, steps, state, as_rows=True)
        return state

    def _steps(
        self, source: Session, state: State, statements: tuple[str, ...], *, as_rows: bool
    ) -> tuple[State, tuple[Step, ...]]:
        steps: list[Step] = []
        for statement in filter(None, statements):
            if self._try(source, statement):
                now = look(source)
                steps.append(step_of(statement, state, now, as_rows=as_rows))
                state = now
        return state, tuple(steps)

    def _add(self, gtids: GtidSet, steps: tuple[Step, ...], state: State, *, as_rows: bool) -> None:
        if gtids:
            self._moments.append(Moment(str(gtids), steps, state, as_rows, gtids))

    # --- the replica ---

    def _diverge(self, replica: Session) -> None:
        rng = self._rng
        replica.execute("STOP REPLICA SQL_THREAD")
        with speaking(replica).writable(replica):
            self._run(replica, f"USE {SCHEMA}", "SET SESSION time_zone = '+00:00'")
            for _ in range(rng.randint(4, 14)):
                self._run(replica, f"SET SESSION sql_log_bin = {int(rng.random() < self._drawn.logged)}")
                self._try(replica, self._work.written(tables(replica), plain=False))
            self._run(replica, "SET SESSION sql_log_bin = 0")
            for _ in range(self._drawn.drifts):
                if found := tables(replica):
                    table, kind, statement = self._work.drifted(found)
                    if statement and self._try(replica, statement):
                        if kind in _POSITIONS:
                            self._drifted.add(table.name)
                        self.verdict.varied = (*self.verdict.varied, f"drift: {kind}")
            self._run(replica, "CREATE DATABASE fired", "CREATE TABLE fired.log (what VARCHAR(99))")

    def _stop_receiver(self, replica: Session) -> None:
        """As somebody does who meets a stopped replica, before asking anybody."""
        if self._drawn.receiver == "runs":
            return
        wait_until_received(self._lab.source, self._lab.replica)
        replica.execute("START REPLICA SQL_THREAD")
        with self._lab.source.session() as source:
            self._caught_up(source, replica)
        self._run(replica, "STOP REPLICA" if self._drawn.receiver == "both stopped" else "STOP REPLICA IO_THREAD")

    def _caught_up(self, source: Session, replica: Session) -> bool:
        everything, deadline = executed(source), time.monotonic() + CATCH_UP_SECONDS
        while time.monotonic() < deadline:
            if everything <= self._done(replica):
                return True
            state = channel_state(replica)
            if state is None or not state.applier_running:
                return False
            time.sleep(0.02)
        raise TimeoutError("the replica neither stopped nor caught up")

    def _done(self, replica: Session) -> GtidSet:
        if self._product == "MySQL":
            return executed(replica)
        return MariadbGtidSet.parse(str(replica.scalar(f"SELECT @@GLOBAL.{terms.APPLIED_POSITION}")))

    def _applied(self, replica: Session) -> list[Moment]:
        done = self._done(replica)
        return [moment for moment in self._moments if moment.gtids <= done]

    def _resolve(self, source: Session, replica: Session, trail: Path) -> list[Stop]:
        done = resolve_until_done(self._lab, "source-wins", trail, lambda: self._caught_up(source, replica))
        self.verdict.rounds, self.verdict.conflicts = done.rounds, done.conflicts
        if _BY_HAND in done.refused:
            self._run(replica, "START REPLICA")
            self._caught_up(source, replica)
            stops = done.stops
            done = resolve_until_done(self._lab, "source-wins", trail, lambda: self._caught_up(source, replica))
            done.stops[:0] = stops
            self.verdict.rounds += done.rounds
            self.verdict.conflicts += done.conflicts
        if done.failed:
            self.verdict.wrong.append(f"failed: {done.failed}")
        if done.refused:
            self.verdict.said = done.refused
            state = channel_state(replica)
            errno = state.error.errno if state is not None and state.error is not None else 0
            self.verdict.human = f"error {errno}" + (", drift" if self._drifted else "")
        return done.stops

    def _follow(self) -> None:
        """What replfix says, done by a human who does nothing else. Rows that nobody touched differ as before: the judge knows."""
        followed = Follower(self._lab).follow()
        self.verdict.story += followed.said
        self._said = [said.strip() for said in followed.said]
        self.verdict.story += [f"left: {followed.why}"] if followed.why else []
        self.verdict.remedies, self.verdict.end = followed.remedies, followed.end
        self.verdict.wrong += [fault for fault in followed.faults if not fault.startswith(DIFFERS)]

    # --- both ---

    def _run(self, session: Session, *statements: str) -> None:
        name = "source" if session.endpoint.port == self._lab.source.port else "replica"
        for statement in statements:
            session.execute(statement)
            self.verdict.story.append(f"{name}: {statement}")

    def _try(self, session: Session, statement: str) -> bool:
        try:
            self._run(session, statement)
        except ServerError:
            return False
        return True
