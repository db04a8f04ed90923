"""What worlds of several servers share: every channel that stops is resolved, in a random order, until all of them run or those that
are left ask for a human.

A strategy is drawn for each round. Where it is refused source-wins takes its place; where that names another one, or ``diagnose``
prints what to run, that is done. What is refused is tried again once anything else was done anywhere.
"""

from __future__ import annotations

import json
import random
import re
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from replfix.core.replication.gtid import GtidSet
from replfix.lab.lab_state import LabServer, Role
from replfix.lab.replicate import channel_state, executed
from replfix.lab.topology import Lab
from tests.convergence.refusals import reason_of
from tests.convergence.verdict import Verdict
from tests.field.topologies.connected import ROW_EVENTS, execute, execute_on_a_replica, rows
from tests.following.follower import Follower, ways
from tests.integration.running import Ran, replfix
from tests.skipping import may_skip

ROUNDS = 60
CATCH_UP_SECONDS = 60
STILL_SECONDS = 1.5
"""Nothing is applied any more when it was not for so long: MariaDB's sets lack what was left out."""
_NAMED = re.compile(r"'replfix resolve --strategy (\S+)'")
_FIRST = re.compile(r"by hand|prints the statements")
"""Something else comes before that."""
_STAYS_THERE = "then the source has it, and this server does not"
_ANOTHER_FIRST = "it stopped on another transaction, which it applies in parallel"
"""Nothing is wrong then: the next round is about that one."""
_ONE_THREAD = "set the number of parallel threads to 0"

COLUMNS = "id INT AUTO_INCREMENT PRIMARY KEY, u INT NULL, v VARCHAR(20), UNIQUE KEY (u)"
FIRST_IDS = range(1, 13)
"""Rows that all servers hold when they begin."""
NEW_IDS = range(20, 26)
"""Few, so that servers meet."""

Row = tuple[str, ...]  # u, v
Table = Mapping[int, Row]


def rows_of(server: LabServer, table: str = "t") -> Table:
    return {int(number): tuple(rest) for number, *rest in rows(server, f"SELECT id, u, v FROM conv.{table}")}


def first_rows(ids: Iterable[int]) -> str:
    return ", ".join(f"({n}, NULL, {n})" for n in ids)


@dataclass(frozen=True, slots=True)
class Channel:
    source: LabServer
    replica: LabServer
    name: str = ""

    def __str__(self) -> str:
        return f"{self.replica.name} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class OnRecord:
    """A row that an intent in the trail says to take out, to change, or to leave out with its transaction."""

    table: str
    id: int
    row: Row
    left_out: bool
    transaction: str  # for which; its GTID
    stays_there: bool  # the plan says that the source takes this server's row, and has it then


class World(ABC):
    topology: ClassVar[str]
    title: ClassVar[str]
    strategies: ClassVar[Sequence[str]] = ("source-wins",) * 3 + ("keep-both", "replica-wins")

    def __init__(self, lab: Lab, seed: int) -> None:
        self._lab = lab
        self._rng = random.Random(seed)
        self._as_shipped = self._rng.random() < 0.7
        self._used: set[str] = set()  # strategies that did something
        self.verdict = Verdict(lab.provision.flavour.name, seed, "drawn for each round")
        self.verdict.varied = (self.title, "as shipped") if self._as_shipped else (self.title,)

    def run(self) -> Verdict:
        """The lab's servers are connected as the topology, as good as new before; and stay so."""
        self._lab = self._lab.arranged(self.topology, as_shipped=self._as_shipped)
        for earlier in self._trail.parent.glob(f"{self._trail.name}*"):
            earlier.unlink()
        if self._by_sets_alone and not self._as_shipped:  # a domain for each server
            threads = random.Random(f"threads {self.verdict.seed}").choice((0, 4))
            self.verdict.varied = (*self.verdict.varied, f"{threads} threads")
            for server in self._lab.replicas:
                _set_threads(server, threads)
        with may_skip(*self._lab.replicas):
            self._write()
            self._settle()
            self._strays = self._only_there()
            self._resolve_all()
            self.verdict.wrong += self._judge()
            for name, only in self._only_there().items():
                if not only - self._on_its_way(name) <= self._strays[name]:
                    self.verdict.wrong.append(f"{name}: errant: {only}, before {self._strays[name]}")
        return self.verdict

    @property
    @abstractmethod
    def _channels(self) -> Sequence[Channel]: ...

    @abstractmethod
    def _write(self) -> None:
        """Tables, and what the applications and others do; the channels run afterwards, or have stopped."""

    @abstractmethod
    def _judge(self) -> Iterator[str]:
        """What is not as it should be. A verdict with ``human`` has channels that are stopped."""

    # --- writes ---

    def _run(self, server: LabServer, *statements: str) -> None:
        execute(server, *statements)
        self._tell(server, statements)

    def _run_there(self, server: LabServer, *statements: str) -> None:
        """On a replica that is protected from writes."""
        execute_on_a_replica(server, *statements)
        self._tell(server, statements)

    def _tell(self, server: LabServer, statements: Iterable[str]) -> None:
        self.verdict.story += [f"{server.name}: {statement}" for statement in statements]

    def _transaction(self, server: LabServer, statements: Iterable[str]) -> None:
        self._run(server, ROW_EVENTS, "BEGIN", *statements, "COMMIT")

    def _u(self) -> str:
        return self._rng.choice(("NULL", "NULL", *map(str, range(100, 103))))

    # --- resolve ---

    def _resolve_all(self) -> None:
        refused: dict[Channel, str] = {}
        for _ in range(ROUNDS):
            self._settle()
            stopped = [channel for channel in self._channels if not self._runs(channel)]
            left = [channel for channel in stopped if channel not in refused]
            if not left:
                self._left_to_a_human([refused[channel] for channel in stopped])
                return
            channel = self._rng.choice(left)
            if said := self._round(channel):
                refused[channel] = said
            else:
                refused.clear()
        self.verdict.wrong.append(f"the channels stopped more than {ROUNDS} times")

    def _round(self, channel: Channel) -> str:
        """Empty where anything was done; else why not."""
        said = ""
        for strategy in dict.fromkeys((self._rng.choice(self.strategies), "source-wins")):
            ran = self._resolve(channel, strategy)
            if ran.code != 4:
                return ""
            said = _words(ran.document)
        if self._followed(channel):
            return ""
        if (named := _NAMED.search(said)) and not _FIRST.search(said):
            with _one_thread(channel.replica) if _ONE_THREAD in said else nullcontext():
                self._settle()
                ran = self._resolve(channel, named[1])
            if ran.code != 4:
                return ""
            self.verdict.wrong.append(f"{channel}: {named[0]} is named, and refused: {_words(ran.document)}")
        return said

    def _resolve(self, channel: Channel, strategy: str) -> Ran:
        options = ("--yes", "--json", "--max-rounds", "1", "--strategy", strategy)
        ran = replfix("resolve", *self._meant(channel), *options)
        self.verdict.story.append(f"{channel}: resolve --strategy {strategy}: {ran.code}")
        in_parallel = ran.code == 5 and _ANOTHER_FIRST in ran.document["message"]
        if ran.code not in (0, 3, 4) and not in_parallel:
            self.verdict.wrong.append(f"{channel}: {strategy}: {ran.code}: {ran.out}{ran.err}")
        if ran.code in (0, 3):
            self.verdict.rounds += 1
            self._used.add(strategy)
        return ran

    def _meant(self, channel: Channel) -> tuple[str, ...]:
        named = ("--channel", channel.name) if channel.name else ()
        return (channel.replica.name, *named, "--config", str(self._lab.config_file))

    def _followed(self, channel: Channel) -> bool:
        """Whether ``diagnose`` prints something to run, and it could be run."""
        offered = ways(replfix("diagnose", *self._meant(channel), "--json").document)
        follower = Follower(self._as_pair(channel))
        for step in offered[0] if offered else ():
            self.verdict.story += [f"{step['where']}: {statement}" for statement in step["sql"]]
            if said := follower.run(step["where"], step["sql"]):
                self.verdict.wrong.append(f"{channel}: cannot be run as printed: {said}")
                return False
        self.verdict.remedies += bool(offered)
        return bool(offered)

    def _as_pair(self, channel: Channel) -> Lab:
        """As the follower sees it: what is printed says "source" and "replica", or an address."""
        two = replace(channel.source, role=Role.SOURCE), replace(channel.replica, role=Role.REPLICA)
        return replace(self._lab, servers=(*two, *self._lab.servers))

    def _left_to_a_human(self, said: Sequence[str]) -> None:
        reasons = [reason_of(each) for each in said]
        self.verdict.said = "\n".join(said)
        self.verdict.wrong += [f"asks for a human: {s}" for s, reason in zip(said, reasons, strict=True) if not reason]
        self.verdict.human = ", ".join(sorted({reason or "?" for reason in reasons}))

    def _runs(self, channel: Channel) -> bool:
        with channel.replica.session() as session:
            state = channel_state(session, channel.name)
            return state is not None and state.applier_running

    def _settle(self) -> None:
        """Until each has what its source has, or has stopped."""
        deadline, seen, since = time.monotonic() + CATCH_UP_SECONDS, "", 0.0
        while (now := time.monotonic()) < deadline:
            has = {server.name: self._executed(server) for server in self._lab.servers}
            if (text := str({name: str(gtids) for name, gtids in has.items()})) != seen:
                seen, since = text, now
            behind = [c for c in self._channels if not has[c.source.name] <= has[c.replica.name]]
            if not any(self._runs(channel) for channel in behind) or now - since > STILL_SECONDS:
                return
            time.sleep(0.05)
        raise TimeoutError("the servers neither stopped nor caught up")

    @staticmethod
    def _executed(server: LabServer) -> GtidSet:
        with server.session() as session:
            return executed(session)

    # --- what the judges ask ---

    @property
    def _by_sets_alone(self) -> bool:
        """MariaDB has no set of what was executed, only the last of each domain and server."""
        return self._lab.provision.flavour.product == "MariaDB"

    def _only_there(self) -> Mapping[str, GtidSet]:
        """What each replica has and no source of it: never anything of replfix."""
        if self._by_sets_alone:
            return {}
        has = {server.name: self._executed(server) for server in self._lab.servers}
        found = {}
        for replica in self._lab.replicas:
            only = has[replica.name]
            for channel in self._channels:
                if channel.replica == replica:
                    only = only - has[channel.source.name]
            found[replica.name] = only
        return found

    def _on_its_way(self, name: str) -> GtidSet:
        """What was written on that server for a plan, and waits for a human before the one that stopped its reader: at most so many of
        its own as plans wrote there, the newest."""
        if not self.verdict.human or not self._trail.exists():
            return GtidSet()
        server = next(server for server in self._lab.servers if server.name == name)
        ((uuid,),) = rows(server, "SELECT @@GLOBAL.server_uuid")
        with closing(sqlite3.connect(self._trail)) as connection:
            found = connection.execute("SELECT payload FROM audit_record WHERE kind = 'intent'")
            plans = [json.loads(payload)["plan"] for (payload,) in found]
        written = sum(plan.get("on_source", {}).get("server_uuid") == uuid for plan in plans)
        last = max(
            (number for (origin, _), each in self._executed(server).intervals if origin == uuid for _, number in each),
            default=0,
        )
        return GtidSet.parse(f"{uuid}:{last - written + 1}-{last}") if written else GtidSet()

    @property
    def _trail(self) -> Path:
        return Path(self._lab.directory, "audit.db")

    def _on_record(self) -> Collection[OnRecord]:
        if not self._trail.exists():
            return ()
        with closing(sqlite3.connect(self._trail)) as connection:
            found = connection.execute("SELECT payload FROM audit_record WHERE kind = 'intent'")
            return tuple(each for (payload,) in found for each in _recorded(json.loads(payload)["plan"]))


@contextmanager
def _one_thread(server: LabServer) -> Iterator[None]:
    """As a human does who is told to."""
    ((threads,),) = rows(server, "SELECT @@GLOBAL.slave_parallel_threads")
    _set_threads(server, 0)
    yield
    _set_threads(server, int(threads))


def _set_threads(server: LabServer, number: int) -> None:
    execute(server, "STOP ALL REPLICAS", f"SET GLOBAL slave_parallel_threads = {number}", "START ALL REPLICAS")


def _words(document: Mapping[str, Any]) -> str:
    """Why ``resolve`` did nothing: of a resolution, or of an error."""
    said = document.get("error", document)
    return " ".join(filter(None, (said["message"], said["hint"])))


def _recorded(plan: Mapping[str, Any]) -> Iterator[OnRecord]:
    for step in (*plan["steps"], *plan.get("on_source", {}).get("steps", ())):
        if step["current"] is not None:
            yield _of(plan, step["table"], step["current"], left_out=False)
    for row in plan.get("left_out", {}).get("rows", ()):
        for image in (row["before"], row["after"]):
            if image is not None:
                yield _of(plan, row["table"], image, left_out=True)


def _of(plan: Mapping[str, Any], table: str, image: Mapping[str, Any], *, left_out: bool) -> OnRecord:
    u = image["u"]
    row = (None if u is None else str(u), image["v"])
    stays_there = any(_STAYS_THERE in risk for risk in plan["risks"])
    return OnRecord(table, int(image["id"]), row, left_out, plan["gtid"], stays_there)  # type: ignore[arg-type]
