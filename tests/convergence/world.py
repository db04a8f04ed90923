"""One seed from nothing to the judgement: schema, work, divergence, ``resolve`` until it has caught up."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from replfix.core.conflicts.ahead.forecast import Forecast
from replfix.core.replication.gtid import GtidSet
from replfix.errors import ServerError
from replfix.lab.flavours import speaking
from replfix.lab.replicate import channel_state, executed
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.convergence import variation
from tests.convergence.foretold import Stop, compared, foretell, is_asked, lines
from tests.convergence.history import History, Moment
from tests.convergence.judge import Judge
from tests.convergence.left_out import JudgeOfSkips, Skipped, logged
from tests.convergence.refusals import reason_of
from tests.convergence.resolving import ONE_BY_ONE, ROUNDS, recorded, resolve_until_done, skipped
from tests.convergence.rows import State, Touch, look, touches
from tests.convergence.schema import SCHEMA, Drawing, Table, quoted
from tests.convergence.surroundings import Surroundings
from tests.convergence.verdict import Verdict
from tests.convergence.wider import SAVE, TAKE_BACK, Wider
from tests.convergence.workload import Workload

CATCH_UP_SECONDS = 60
_LOOSE = "SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'"


class World:
    def __init__(self, lab: Lab, seed: int) -> None:
        self._lab = lab
        self._rng = random.Random(seed)
        self._tables: list[Table] = []
        self._product = lab.provision.flavour.product
        self._varied = variation.drawn(seed, self._product)
        self.verdict = Verdict(lab.provision.flavour.name, seed, self._varied.strategy)
        self.verdict.varied = tuple(self._varied.in_words())
        self._caught: bool = False

    @property
    def _by_number(self) -> bool:
        """Nothing but a number that each transaction writes tells what the replica has applied."""
        return self._varied.by_position and self._product == "MySQL"

    def run(self) -> Verdict:
        """``lab`` is as good as new, and is so afterwards but for rows and channels."""
        self.verdict.story += self.verdict.varied
        with (
            variation.arranged(self._lab, self._varied),
            self._lab.source.session() as source,
            self._lab.replica.session() as replica,
        ):
            self._run_between(source, replica)
        return self.verdict

    def _run_between(self, source: Session, replica: Session) -> None:
        verdict = self.verdict
        self._set_up(source)
        work = (Wider if self._varied.wide else Workload)(self._rng, self._tables)
        for _ in range(self._rng.randint(5, 14)):
            self._transaction(source, work, 3)
        if not self._caught_up(source, replica) and not self._stopped_while_equal(source, replica):
            return
        start = look(source, self._tables)
        self._diverge(replica, work)
        diverged = look(replica, self._tables)
        history = self._work(source, work, start)
        ahead = foretell(self._lab) if is_asked() else None
        replica.execute("START REPLICA SQL_THREAD")
        self._caught_up(source, replica)
        before = Surroundings.of(replica)
        with tempfile.TemporaryDirectory() as directory:
            trail = Path(directory, "trail.db")
            stops = self._resolve(source, replica, trail)
            if ahead is not None:
                self._hold_against(ahead, stops)
            displaced, skips = tuple(recorded(trail)), tuple(skipped(trail))
        self._add_what_replfix_wrote(source, history)
        applied = self._applied(replica, {skip.name for skip in skips})
        told = history.as_applied(
            applied, {skip.name for skip in skips}, {table.name for table in self._tables if not table.identity}
        )
        judgement = Judge(
            self._tables,
            told,
            diverged,
            look(replica, self._tables),
            displaced,
            keys_find_rows=self._product == "MariaDB",
            both_kept=verdict.strategy == "keep-both" and not verdict.gave_way,
            whole_rows=self._varied.whole_rows,
            whole_documents=self._varied.whole_documents,
            repaired=verdict.strategy != "skip" or verdict.gave_way,
            cascades_logged=speaking(replica).logs_cascades(replica),
        ).judge()
        verdict.wrong += judgement.wrong
        verdict.apart, verdict.displaced, verdict.left_out = judgement.apart, judgement.displaced, len(skips)
        verdict.wrong += before.wrong_in(Surroundings.of(replica), executed(source))
        if self._varied.wide:
            verdict.wrong += self._judge_of_skips(replica, history, diverged, skips, applied).wrong()

    def _judge_of_skips(
        self,
        replica: Session,
        history: History,
        diverged: State,
        skips: tuple[Skipped, ...],
        applied: Callable[[Moment], bool],
    ) -> JudgeOfSkips:
        return JudgeOfSkips(
            self._tables,
            history.moments,
            diverged,
            skips,
            {moment.name for moment in history.moments if applied(moment)},
            None if self._by_number else logged(replica),
            empty_ones=self._product == "MySQL",
            cascades_logged=speaking(replica).logs_cascades(replica),
        )

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

    def _try(self, session: Session, statement: str) -> int | None:
        """How many rows it found; None when it failed."""
        try:
            return self._run(session, statement)
        except ServerError:  # on its own server it collides, and does nothing
            return None

    # --- the source ---

    def _set_up(self, source: Session) -> None:
        rng = self._rng
        self._run(source, f"CREATE DATABASE {SCHEMA}", f"USE {SCHEMA}", "SET SESSION time_zone = '+00:00'")
        self._run(source, f"SET GLOBAL binlog_row_metadata = {rng.choice(('MINIMAL', 'FULL'))}")
        if rng.random() < 0.2 and self._product == "MySQL":
            self._run(source, "SET SESSION binlog_transaction_compression = ON")
        if rng.random() < 0.5:
            self._run(source, _LOOSE)
        if self._by_number:
            self._run(source, "CREATE DATABASE marks", "CREATE TABLE marks.done (n INT PRIMARY KEY)")
        drawing, wanted = Drawing(rng, self._product, partitions=self._varied.wide), rng.randint(2, 5)
        while len(self._tables) < wanted:
            table = drawing.table(len(self._tables), self._tables)
            try:
                self._run(source, table.ddl)
            except ServerError:  # a server that does not take such a table
                continue
            self._tables.append(table)

    def _work(self, source: Session, work: Workload, start: State) -> History:
        history, state, before = History(start), start, executed(source)
        for number in range(1, self._rng.randint(5, 18) + 1):
            self._run(source, f"SET SESSION foreign_key_checks = {int(self._rng.random() < 0.95)}")
            self._run(source, "BEGIN")
            if self._by_number:
                self._run(source, f"INSERT INTO marks.done VALUES ({number})")
            found, saved, rewrites = list[Touch](), (0, state), set[str]()
            for _ in range(self._rng.randint(1, 5)):
                statement = work.statement()
                done = self._try(source, statement)
                if statement == SAVE:
                    saved = len(found), state
                elif statement == TAKE_BACK and done is not None:
                    state = saved[1]
                    del found[saved[0] :]
                elif done:
                    rewrites |= self._rewritten(statement)
                    now = look(source, self._tables)
                    found += touches(state, now)
                    state = now
            self._run(source, "COMMIT")
            after = executed(source)
            history.add(self._name_of(source, after - before), after - before, state, found, rewrites)
            history.executed = after
            before = after
        return history

    def _rewritten(self, statement: str) -> set[str]:
        """The table in which it may have changed rows to what they were in the end: two times in one statement, or deleted and
        written again."""
        if not (statement.startswith("REPLACE") or "ON DUPLICATE KEY" in statement):
            return set()
        return {table.name for table in self._tables if f" INTO {table.sql} " in statement}

    def _name_of(self, source: Session, gtids: GtidSet) -> str:
        """Of the transaction that was committed last."""
        if self._by_number:
            at = speaking(source).log_end(source)
            return f"{at.log_file}:{at.pos}"
        return str(gtids)

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
        everything, deadline = self._end(source), time.monotonic() + CATCH_UP_SECONDS
        while time.monotonic() < deadline:
            state = channel_state(replica)
            self._caught = everything <= self._at(replica)
            if self._caught:
                return True
            if state is None or not state.applier_running:
                return False
            time.sleep(0.02)
        raise TimeoutError("the replica neither stopped nor caught up")

    def _end(self, source: Session) -> Any:
        """Where the source is, to be compared with what ``_at`` says of the replica."""
        if not self._by_number:
            return executed(source)
        at = speaking(source).log_end(source)
        return at.log_file, at.pos

    def _at(self, replica: Session) -> Any:
        if not self._by_number:
            return executed(replica)
        at = replica.query("SHOW REPLICA STATUS")[0]
        return at["Relay_Source_Log_File"], int(at["Exec_Source_Log_Pos"])

    def _applied(self, replica: Session, left_out: Collection[str]) -> Callable[[Moment], bool]:
        """Which transactions of the source the replica has got past."""
        if not self._by_number:
            done = executed(replica)
            return lambda moment: moment.gtids <= done
        numbers = {int(number) for (number,) in replica.rows("SELECT n FROM marks.done")}
        return lambda moment: self._caught or moment.number in numbers or moment.name in left_out

    # --- resolve ---

    def _hold_against(self, ahead: Forecast, stops: list[Stop]) -> None:
        """Other strategies leave other rows than those that were foretold: there only the first stop counts."""
        as_foretold = self.verdict.strategy == "source-wins"
        said = compared(ahead, stops if as_foretold else stops[:1], to_the_end=as_foretold and self._caught)
        self.verdict.foretold, self.verdict.unforetold = said.hits, said.unknown
        self.verdict.wrong += lines(said, ahead)

    def _resolve(self, source: Session, replica: Session, trail: Path) -> list[Stop]:
        verdict, stops = self.verdict, list[Stop]()
        for strategy in dict.fromkeys((verdict.strategy, "source-wins")):
            done = resolve_until_done(
                self._lab,
                strategy,
                trail,
                lambda: self._caught_up(source, replica),
                self._varied.skips or ROUNDS,
                ahead=verdict.seed % ONE_BY_ONE != 0,
            )
            verdict.rounds += done.rounds
            verdict.conflicts += done.conflicts
            stops += done.stops
            if done.failed:
                verdict.wrong.append(f"{strategy} failed: {done.failed}")
            if not done.refused and not done.enough:
                return stops
            if done.refused:
                self._ask_again(source, replica, strategy, trail)
            verdict.gave_way = True
        self._left_to_a_human(done.refused)
        return stops

    def _stopped_while_equal(self, source: Session, replica: Session) -> bool:
        """The applier has faults of its own: replfix carries the transaction out in its place, or says why not. Whether the
        story goes on."""
        with tempfile.TemporaryDirectory() as directory:
            done = resolve_until_done(
                self._lab, "source-wins", Path(directory, "trail.db"), lambda: self._caught_up(source, replica)
            )
        self.verdict.rounds = done.rounds
        if done.refused or done.failed:
            self._left_to_a_human(done.refused or done.failed)
            return False
        if look(source, self._tables) != look(replica, self._tables):
            self.verdict.wrong.append("what was carried out in the applier's place is not what the source did")
        return True

    def _left_to_a_human(self, said: str) -> None:
        self.verdict.said = said
        self.verdict.refused = reason_of(said) or ""
        if not self.verdict.refused:
            self.verdict.wrong.append(f"replfix asks for a human: {said}")

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
        before = history.executed
        now, state = executed(source), look(source, self._tables)
        if now != before or state != history.state:
            history.add("what replfix wrote", now - before, state, tuple(touches(history.state, state)))
