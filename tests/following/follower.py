"""Doing what replfix says, word by word: each block in a session of its own, on the server that it names, round after round."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replfix.errors import ReplfixError
from replfix.lab.accounts import ADMIN
from replfix.lab.flavours import speaking
from replfix.lab.provision.software import Software
from replfix.lab.replication import WAIT_SECONDS, channel_state
from replfix.lab.state import Server
from replfix.lab.topology import Lab
from tests.following import judge
from tests.following.looking import Seen, look
from tests.integration.running import replfix

CONNECT_SECONDS = 5.0
"""How long a receiver that was started may take to connect; one that somebody stopped is waited for as long."""
DIFFERS = "the channel runs and differs"
_STARTS = re.compile(r"\s*(START\s+(ALL\s+)?(REPLICAS?|SLAVES?)|CALL\s+`?mysql`?\.)", re.IGNORECASE)


@dataclass
class Followed:
    """What became of it. ``faults``: whatever replfix said and was not so."""

    remedies: int = 0  # that were followed, each with all of its steps
    true: int = 0  # that led where they said and lost nothing that they did not name
    resolved: int = 0  # rounds in which a strategy was the answer
    end: str = ""  # caught-up, or left-to-a-human: stopped, and nothing to run
    why: str = ""  # why nothing is to run
    faults: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # everything that was followed

    def __str__(self) -> str:
        return "\n".join((*self.said, f"→ {self.end}", *(f"✗ {fault}" for fault in self.faults)))


def ways(document: Mapping[str, Any]) -> list[list[judge.Remedy]]:
    """The alternatives of ``advice[]``, each with its steps."""
    found: list[list[judge.Remedy]] = []
    goes_on = False
    for remedy in document["advice"]:
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
    lab: Lab
    resolve: bool = True  # where a strategy is offered, take it; a skip is never taken

    def diagnose(self) -> dict[str, Any]:
        options = ("--config", str(self.lab.config_file), "--json")
        return replfix("diagnose", self.lab.replica.name, *options).document

    def server(self, where: str) -> Server:
        if where in ("replica", "this replica"):
            return self.lab.replica
        if where == "source":
            return self.lab.source
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
        replica = self.lab.replica
        known = (
            f"--host={replica.host}",
            f"--port={replica.port}",
            f"--user={ADMIN.name}",
            f"--password={ADMIN.password}",
        )
        with tempfile.TemporaryDirectory() as path:
            for name in ("mysql", "mysqldump"):
                script = Path(path) / provision.flavour.client(name)
                script.write_text(f'#!/bin/sh\nexec {shlex.join(provision.client_command(name, *known))} "$@"\n')
                script.chmod(0o755)
            yield path

    def settled(self) -> Seen:
        """Once the replica has caught up or stopped by an error."""
        deadline, connected_by = time.monotonic() + WAIT_SECONDS, time.monotonic() + CONNECT_SECONDS
        with self.lab.source.session() as source:
            wanted = speaking(source).executed(source)
        with self.lab.replica.session() as session:
            while time.monotonic() < deadline:
                state = channel_state(session)
                if state is not None and not state.receiver_running and time.monotonic() < connected_by:
                    time.sleep(0.1)  # it is connecting, and still shows the error of before (MySQL)
                    continue
                if state is None or not state.applier_running or state.receiver_message:
                    break
                if speaking(session).wait_until_applied(session, wanted, 1):
                    break
        return look(self.lab.replica)

    def follow(self, way: int = 0, rounds: int = 8) -> Followed:
        """``way``: which of several alternatives is taken, in the first round that has so many."""
        followed, start = Followed(), look(self.lab.replica)
        excused: set[str] = set()
        for _ in range(rounds):
            document = self.diagnose()
            if document["healthy"]:
                break
            offered = ways(document)
            if not offered:
                if not self._resolved(document, followed):
                    followed.end = "left-to-a-human"
                    followed.why = self._reasons(document)
                    break
                continue
            chosen = offered[min(way, len(offered) - 1)]
            way = 0 if len(offered) > way else way
            excused |= {".".join(loss["of"].split(".")[:2]) for r in chosen for loss in r["loses"]}
            faults = self._way(chosen, followed)
            followed.remedies += 1
            followed.true += not faults
            followed.faults += faults
            if faults:
                break
        followed.faults += self._end(followed, start, excused)
        return followed

    def follow_errant(self) -> list[str]:
        """Every way out of errant transactions, as printed; what was not so."""
        faults: list[str] = []
        for way in self.diagnose()["errant"]["ways"]:
            before = look(self.lab.replica)
            faults += [f"{way['name']}: {said}" for said in self.run(way["where"], way["sql"])]
            after = self.settled()
            faults += [f"{way['name']}: lost {lost}" for lost in judge.gone(before, after).items()]
            if untrue := judge.untrue(way["leads_to"]["code"], before, after, look(self.lab.source)):
                faults.append(f"{way['name']}: {way['leads_to']['code']} is not true: {untrue}")
        return faults

    def _resolved(self, document: Mapping[str, Any], followed: Followed) -> bool:
        strategy = next((s["name"] for s in document["strategies"] if s["allowed"] and s["name"] != "skip"), None)
        if strategy is None or not self.resolve:
            return False
        options = ("--config", str(self.lab.config_file), "--yes", "--max-rounds", "1", "--strategy", strategy)
        done = replfix("resolve", self.lab.replica.name, *options)
        followed.said.append(f"resolve --strategy {strategy}: {done.code}")
        followed.resolved += 1
        if done.code not in (0, 3):
            followed.faults.append(f"resolve --strategy {strategy} ended with {done.code}: {done.out}{done.err}")
            return False
        self.settled()
        return True

    @staticmethod
    def _reasons(document: Mapping[str, Any]) -> str:
        said = [
            f"{strategy['name']}: {strategy['reason']}"
            for strategy in document["strategies"]
            if not strategy["allowed"]
        ]
        said += [remedy["text"] for remedy in document["advice"]]
        return " ".join((f"Error {document['error']['errno']}.", *said))

    def _way(self, steps: Sequence[judge.Remedy], followed: Followed) -> list[str]:
        """Faults of one remedy with all of its steps."""
        faults: list[str] = []
        first = look(self.lab.replica)
        for step in steps:
            followed.said.append(f"{step['text']} [{step['where']}]")
            followed.said += [f"    {statement}" for statement in step["sql"]]
            at = self.server(step["where"]) if step["where"] != "shell" else self.lab.replica
            before, looks = look(at), list[Seen]()

            def just_before_the_start(at: Server = at, looks: list[Seen] = looks) -> None:
                looks.append(look(at))

            refused = self.run(step["where"], step["sql"], just_before_the_start)
            faults += [f"cannot be run as printed: {said}" for said in refused]
            after = looks[0] if looks else look(at)
            if step["leads_to"]["code"] == "carried-out":
                before = judge.as_far_as_the_source_has_it(before, look(self.lab.source))
            faults += judge.unnamed_losses(steps, judge.gone(before, after))
            settled = self.settled()
            if untrue := judge.untrue(step["leads_to"]["code"], first, settled, look(self.lab.source)):
                faults.append(f"{step['leads_to']['code']} is not true: {untrue}")
            if faults:
                break
        return faults

    def _end(self, followed: Followed, start: Seen, excused: set[str]) -> list[str]:
        replica = self.settled()
        source = look(self.lab.source)
        faults: list[str] = []
        if replica.channel is not None and replica.channel.applier_running and not replica.channel.receiver_message:
            followed.end = followed.end or "caught-up"
            different = [
                words
                for words in judge.differing(source, replica)
                if not any(words.startswith((f"{name} ", f"{name}:", f"{name}.")) for name in excused)
            ]
            faults += [f"{DIFFERS}: {words}" for words in different]
        stray = (replica.executed - source.executed) - (start.executed - source.executed)
        if stray:
            faults.append(f"errant: {stray}")
        if replica.read_only != start.read_only:
            faults.append(f"read_only is {replica.read_only}, it was {start.read_only}")
        return faults
