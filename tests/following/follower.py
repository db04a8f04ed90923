"""Doing what replfix says, word by word: each block in a session of its own, on the server that it names, round after round."""

from __future__ import annotations

import contextlib
import operator
import os
import re
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from replfix.errors import ReplfixError
from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import ADMIN
from replfix.lab.lab_state import LabServer
from replfix.lab.provision.software import Software
from replfix.lab.replicate import WAIT_SECONDS, channel_state
from replfix.lab.topology import Lab
from tests.following import judge
from tests.following.looking import Seen, look
from tests.integration.running import replfix
from tests.skipping import may_skip

CONNECT_SECONDS = 5.0
"""How long a receiver that was started may take to connect; one that somebody stopped is waited for as long."""
DIFFERS = "the channel runs and differs"
CAUGHT_UP = "caught-up"
AT_A_HUMAN = "at-a-human"
"""Stopped, and there is nothing to run that changes anything: a human has to decide, and is told what."""
_STOPPED_BY_HAND = "When that is no longer wanted: START REPLICA."
_LEAVE_OUT = "Skip the transaction ('replfix resolve --strategy skip')"
_MOVE = re.compile(r"\bMove what is left in (\S+) \(in the replica's data directory\) to another place, then:")
_DELETE = re.compile(r"\bDelete (/\S+) on the replica's machine, then:")
_RUN_THERE = re.compile(r"\brun (what it prints( of those that the replica lacks)?|it) on the replica\b(?!')")
_USE = re.compile(r"\bUSE `[^`]*`")
_THEN = re.compile(r", then ((?:SET GLOBAL \w+ = \w+ and )?START REPLICA)\.")
_OF_ACCOUNT = re.compile(r"(?:CREATE USER|\bTO) `([^`]*)`@`([^`]*)`")
_MAKES = re.compile(r"(CREATE|GRANT)\s")
_STARTS = re.compile(r"\s*(START\s+(ALL\s+)?(REPLICAS?|SLAVES?)|CALL\s+`?mysql`?\.)", re.IGNORECASE)


@dataclass
class Followed:
    """What became of it. ``faults``: whatever replfix said and was not so."""

    remedies: int = 0  # that were followed, each with all of its steps
    true: int = 0  # that led where they said and lost nothing that they did not name
    resolved: int = 0  # rounds in which a strategy was the answer
    end: str = ""  # CAUGHT_UP or AT_A_HUMAN; empty is a fault
    page: str = ""  # of the error that is left to a human
    reason: str = ""  # what is said of it last
    why: str = ""  # of all that is offered, why none of it is done
    excused: set[str] = field(default_factory=set)  # tables of which a loss was named
    way: int = 0  # which of several alternatives
    faults: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # everything that was followed

    def __str__(self) -> str:
        return "\n".join((*self.said, f"→ {self.ended}", *(f"✗ {fault}" for fault in self.faults)))

    @property
    def ended(self) -> str:
        return f"{self.end} ({self.page}: {self.reason})" if self.end == AT_A_HUMAN else self.end or "neither"


def ways(document: Mapping[str, Any]) -> list[list[judge.Remedy]]:
    """The alternatives of ``advice[]``, each with its steps."""
    found: list[list[judge.Remedy]] = []
    goes_on = False
    for remedy in document.get("advice", ()):
        if not remedy["sql"]:
            continue
        if goes_on:
            found[-1].append(remedy)
        else:
            found.append([remedy])
        goes_on = remedy["leads_to"]["code"] == "next-step"
    return found


@dataclass
class Follower:
    """``replica``: which server of the lab is followed; None: its first replica."""

    lab: Lab
    resolve: bool = True  # where a strategy is offered, take it; a skip is never taken
    replica_of: LabServer | None = None
    left_out: tuple[str, ...] = ()  # tables that the replica's filters leave out
    channel: str = ""  # that the diagnosis is about
    tried: set[str] = field(default_factory=set)

    @property
    def replica(self) -> LabServer:
        return self.replica_of or self.lab.replica

    @property
    def source(self) -> LabServer:
        """Of that channel, where its address is one of the lab's."""
        with self.replica.session() as session:
            port = speaking(session).source_port(session, self.channel)
        return next((server for server in self.lab.servers if server.port == port), self.lab.source)

    def diagnose(self) -> dict[str, Any]:
        options = ("--config", str(self.lab.config_file), "--json")
        document = replfix("diagnose", self.replica.name, *options).document
        self.channel = document.get("channel") or self.channel
        return document

    def server(self, where: str) -> LabServer:
        if where in ("replica", "this replica"):
            return self.replica
        if where == "source":
            return self.source
        return next(server for server in self.lab.servers if where == f"{server.host}:{server.port}")

    def run(self, where: str, statements: Sequence[str], before_start: Callable[[], None] = lambda: None) -> list[str]:
        """One block, as printed. What the server said against it; the rest is not run then, as the client does it."""
        if where == "shell":
            with self._clients() as path:
                done = subprocess.run(
                    ["/bin/sh", "-e", "-c", "\n".join(statements)],
                    capture_output=True,
                    text=True,
                    check=False,
                    env={**os.environ, "PATH": f"{path}:{os.environ['PATH']}"},
                )
            return [done.stderr] if done.returncode or "ERROR" in done.stderr else []
        with self.server(where).session() as session:
            for statement in statements:
                if _STARTS.match(statement):
                    before_start()
                try:
                    session.query(statement)
                except ReplfixError as error:
                    return [f"{statement}: {error.message}"]
        return []

    @contextlib.contextmanager
    def _clients(self) -> Iterator[str]:
        """A directory of the server's own client programs, which know the account and the replica as option files would."""
        provision = self.lab.provision
        assert isinstance(provision, Software)
        known = (
            f"--host={self.replica.host}",
            f"--port={self.replica.port}",
            f"--user={ADMIN.name}",
            f"--password={ADMIN.password}",
        )
        with tempfile.TemporaryDirectory() as path:
            for name in ("mysql", "mysqldump"):
                script = Path(path) / provision.flavour.client(name)
                script.write_text(f'#!/bin/sh\nexec {shlex.join(provision.client_command(name, *known))} "$@"\n')
                script.chmod(0o755)
            for name in ("mysql_tzinfo_to_sql", "mariadb-tzinfo-to-sql"):
                program = Path(provision.client_directory or "/nonexistent") / name
                if program.exists():
                    script = Path(path) / name
                    script.write_text(f'#!/bin/sh\nexec {shlex.join([*provision.mysqld[:-1], str(program)])} "$@"\n')
                    script.chmod(0o755)
            yield path

    def settled(self) -> Seen:
        """Once the replica has caught up or stopped by an error."""
        deadline, connected_by = time.monotonic() + WAIT_SECONDS, time.monotonic() + CONNECT_SECONDS
        with self.source.session() as source:
            wanted = speaking(source).written(source)
        with self.replica.session() as session:
            while time.monotonic() < deadline:
                state = channel_state(session, self.channel)
                if state is not None and not state.receiver_running and time.monotonic() < connected_by:
                    time.sleep(0.1)  # it is connecting, and still shows the error of before (MySQL)
                    continue
                if state is None or not state.applier_running or state.receiver_message:
                    break
                if speaking(session).wait_until_applied(session, wanted, 1):
                    break
        return self._seen()

    def stopped(self) -> dict[str, Any] | None:
        """The diagnosis, once something has stopped; None where nothing does."""
        channel = self.settled().channel
        document = self.diagnose()
        if document.get("healthy") and channel is not None and channel.receiver_message:
            document = self.diagnose()  # a receiver that tries again has no error while it connects (MariaDB)
        return None if document.get("healthy") else document

    def differing(self) -> list[str]:
        """From whoever is written to, by plain SQL."""
        written = [server for server in self.lab.servers if server.role.writes and server is not self.replica]
        found = [words for server in written for words in judge.differing(look(server), self.settled())]
        return [words for words in found if not self._left_out(words)]

    def _left_out(self, words: str) -> bool:
        return any(words.startswith((f"{name} ", f"{name}:", f"{name}.")) for name in self.left_out)

    def _seen(self) -> Seen:
        return look(self.replica, self.channel)

    def follow(self, way: int = 0, rounds: int = 8) -> Followed:
        """``way``: which of several alternatives is taken, in the first round that has so many."""
        followed, start = Followed(way=way), self._seen()
        followed.excused = set(self.left_out)
        for _ in range(rounds):
            document = self.diagnose()
            if document.get("healthy"):
                break
            if "advice" not in document:
                if not self._started_as_hinted(document, followed):
                    break
                continue
            offered = ways(document)
            if not offered:
                if not (self._resolved(document, followed) or self._skipped(document, followed)):
                    _left(document, followed)
                    break
                continue
            chosen = offered[min(way, len(offered) - 1)]
            way = 0 if len(offered) > way else way
            followed.excused |= {".".join(loss["of"].split(".")[:2]) for r in chosen for loss in r["loses"]}
            faults = self._way(chosen, followed)
            followed.remedies += 1
            followed.true += not faults
            followed.faults += faults
            if faults:
                break
            if not any(_changes(step, self.tried) for step in chosen) and not self._resolved(document, followed):
                _left(document, followed)
                break
            self.tried |= {step["text"] for step in chosen}
        followed.faults += self._end(followed, start)
        return followed

    def follow_errant(self, way: int = 0) -> tuple[Followed, int]:
        """One option of ``replfix errant``, as printed, and how many there are that have statements."""
        followed = Followed(way=way)
        document = replfix("errant", self.replica.name, "--config", str(self.lab.config_file), "--json").document
        self.channel = document["channel"]
        offered = ways(document)
        if way >= len(offered):
            followed.faults.append(f"nothing is offered: {document}")
            return followed, len(offered)
        replica, runs = self._seen(), self._seen().channel
        followed.remedies = 1
        followed.faults += self._way(offered[way], followed)
        followed.true = not followed.faults
        after = self.settled()
        assert runs is not None
        assert after.channel is not None
        if runs.applier_running and not after.channel.applier_running:
            followed.faults.append(f"the channel is stopped: {after.channel.error}")
        if replica.read_only != after.read_only:
            followed.faults.append(f"read_only is {after.read_only}, it was {replica.read_only}")
        followed.end = AT_A_HUMAN if after.channel.error else CAUGHT_UP
        return followed, len(offered)

    def _started_as_hinted(self, document: Mapping[str, Any], followed: Followed) -> bool:
        """Of a channel that somebody stopped there is no diagnosis, and one statement."""
        error = document["error"]
        followed.said.append(f"{error['message']} {error['hint']}")
        if _STOPPED_BY_HAND not in error["hint"]:
            followed.faults.append(f"diagnose: {error['message']} {error['hint']}")
            return False
        followed.faults += self.run("replica", ("START REPLICA",))
        self.settled()
        return not followed.faults

    def _skipped(self, document: Mapping[str, Any], followed: Followed) -> bool:
        """Where the reason against every strategy is that the transaction is to be left out."""
        if not any(_LEAVE_OUT in (strategy["reason"] or "") for strategy in document["strategies"]):
            return False
        with may_skip(self.replica):
            options = ("--config", str(self.lab.config_file), "--yes", "--max-rounds", "1", "--strategy", "skip")
            done = replfix("resolve", self.replica.name, *options)
        followed.said.append(f"resolve --strategy skip: {done.code}")
        if done.code == 4:  # not as things are: what has to be done first is said
            return False
        followed.resolved += 1
        if done.code not in (0, 3):
            followed.faults.append(f"resolve --strategy skip ended with {done.code}: {done.out}{done.err}")
            return False
        self.settled()
        return True

    def _resolved(self, document: Mapping[str, Any], followed: Followed) -> bool:
        strategy = next((s["name"] for s in document["strategies"] if s["allowed"] and s["name"] != "skip"), None)
        if strategy is None or not self.resolve:
            return False
        options = ("--config", str(self.lab.config_file), "--yes", "--max-rounds", "1", "--strategy", strategy)
        done = replfix("resolve", self.replica.name, *options)
        followed.said.append(f"resolve --strategy {strategy}: {done.code}")
        followed.resolved += 1
        if done.code == 4 and document["error"]["class"] == "transient":
            return False  # a lock is still held
        if done.code not in (0, 3):
            followed.faults.append(f"resolve --strategy {strategy} ended with {done.code}: {done.out}{done.err}")
            return False
        self.settled()
        return True

    def _way(self, steps: Sequence[judge.Remedy], followed: Followed) -> list[str]:
        """Faults of one remedy with all of its steps."""
        faults: list[str] = []
        first = self._seen()
        for step in steps:
            followed.said.append(f"{step['text']} [{step['where']}]")
            followed.said += [f"    {statement}" for statement in step["sql"]]
            at = self.server(step["where"]) if step["where"] != "shell" else self.replica
            channel = self.channel if at is self.replica else ""
            if told := _DELETE.search(step["text"]):
                Path(told[1]).unlink()
            if told := _MOVE.search(step["text"]):
                self._empty(self.replica.data / told[1])
            before, looks = look(at, channel), list[Seen]()

            def just_before_the_start(at: LabServer = at, looks: list[Seen] = looks, channel: str = channel) -> None:
                looks.append(look(at, channel))

            refused = self.run(step["where"], step["sql"], just_before_the_start)
            faults += [f"cannot be run as printed: {said}" for said in refused]
            after = looks[0] if looks else look(at, channel)
            if step["leads_to"]["code"] == "carried-out":
                before = judge.as_far_as_the_source_has_it(before, look(self.source))
            faults += judge.unnamed_losses(steps, judge.gone(before, after))
            code = step["leads_to"]["code"]
            if _RUN_THERE.search(step["text"]):
                faults += self._run_what_is_printed(step, followed)
                code = "next-transaction"
            settled = self.settled()
            if untrue := judge.untrue(code, first, settled, look(self.source), step["sql"]):
                faults.append(f"{code} is not true: {untrue}")
            if faults:
                break
        return faults

    def _empty(self, directory: Path) -> None:
        elsewhere = Path(tempfile.mkdtemp(dir=self.replica.directory))
        for left in directory.iterdir():
            left.rename(elsewhere / left.name)

    def _run_what_is_printed(self, step: judge.Remedy, followed: Followed) -> list[str]:
        """What a human does with a block that shows how the source has an object, as its text says."""
        with self.server(step["where"]).session() as session:
            printed = [column for statement in step["sql"] for row in session.rows(statement) for column in row]
        made = [column for column in printed if isinstance(column, str) and _MAKES.match(column)]
        if "of those that the replica lacks" in step["text"]:
            made = [statement for statement in made if not self._has_account(statement)]
        followed.said += [f"    printed: {statement}" for statement in made]
        with self.replica.session() as session, speaking(session).writable(session):
            for statement in ("SET SESSION sql_log_bin = 0", *_USE.findall(step["text"]), *made):
                try:
                    session.query(statement)
                except ReplfixError as error:
                    return [f"what is printed cannot be run: {statement}: {error.message}"]
        then = _THEN.search(step["text"])
        return self.run("replica", then[1].split(" and ") if then else ())

    def _has_account(self, statement: str) -> bool:
        account = _OF_ACCOUNT.search(statement)
        assert account is not None, statement
        user, host = account.groups()
        with self.replica.session() as session:
            return bool(session.query("SELECT 1 FROM mysql.user WHERE User = %s AND Host = %s", (user, host)))

    def _end(self, followed: Followed, start: Seen) -> list[str]:
        replica, source = self.settled(), look(self.source)
        written = [look(server) for server in self.lab.servers if server.role.writes and server is not self.replica]
        faults: list[str] = []
        if replica.channel is not None and replica.channel.applier_running and not replica.channel.receiver_message:
            followed.end = CAUGHT_UP
            different = [
                words
                for words in judge.differing(source, replica)
                if not any(words.startswith((f"{name} ", f"{name}:", f"{name}.")) for name in followed.excused)
            ]
            faults += [f"{DIFFERS}: {words}" for words in different]
        elif not followed.end:
            faults.append("neither caught up nor at a human")
        elsewhere = reduce(operator.or_, (seen.executed for seen in written))
        stray = (replica.executed - elsewhere) - (start.executed - elsewhere)
        if stray:
            faults.append(f"errant: {stray}")
        if replica.read_only != start.read_only:
            faults.append(f"read_only is {replica.read_only}, it was {start.read_only}")
        return faults


def _changes(step: judge.Remedy, tried: Container[str]) -> bool:
    """Whether it does more than show something. What can only be tried is tried once."""
    if step["leads_to"]["code"] == "receiver-tries":
        return step["text"] not in tried
    return step["leads_to"]["code"] != "nothing-changed" or _RUN_THERE.search(step["text"]) is not None


def _left(document: Mapping[str, Any], followed: Followed) -> None:
    """At a human, who has to be told something: of rows that conflict, why no strategy takes them."""
    followed.end, followed.why = AT_A_HUMAN, _reasons(document)
    followed.page = Path(document["error"]["page"] or "").stem
    said = [strategy["reason"] for strategy in document["strategies"] if not strategy["allowed"]][:1]
    said += [remedy["text"] for remedy in document["advice"]]
    if not said:
        followed.faults.append(f"nothing is said of error {document['error']['errno']}")
        return
    followed.reason = said[-1]


def _reasons(document: Mapping[str, Any]) -> str:
    said = [
        f"{strategy['name']}: {strategy['reason']}" for strategy in document["strategies"] if not strategy["allowed"]
    ]
    said += [remedy["text"] for remedy in document["advice"]]
    return " ".join((f"Error {document['error']['errno']}.", *said))
