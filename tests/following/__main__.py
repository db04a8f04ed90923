"""``make follow``: every incident of the catalogue staged on real servers, every remedy that is printed followed, and judged."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from unittest import mock

from replfix.core.remedies.by_hand import NEVER_BELOW
from replfix.lab import topology
from replfix.lab.narration import Lines
from replfix.lab.topology import Lab
from tests.following.catalogue import INCIDENTS
from tests.following.follower import AT_A_HUMAN, CAUGHT_UP, Followed, Follower, ways
from tests.following.incident import Incident


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--servers", default="mysql,mariadb-10.11,mariadb-11.8")
    options.add_argument("--only", default="", help="incidents whose name holds this")
    options.add_argument("--verbose", action="store_true", help="print everything that was followed")
    chosen = options.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as state, mock.patch.dict(os.environ, XDG_STATE_HOME=state):
        for server in chosen.servers.split(","):
            wrong += _all(server, [i for i in INCIDENTS if chosen.only in i.name], chosen.verbose)
    return min(wrong, 1)


def _all(server: str, chosen: list[Incident], verbose: bool) -> int:
    """On labs of as many servers as the incidents take; how many ended wrongly."""
    told = _Told(server, verbose)
    for number in sorted({incident.servers for incident in chosen}):
        name = f"follow-{server.replace('.', '-')}-{number}"
        lab = topology.up(name, number - 1, narrator=Lines(sys.stderr), server=server)
        try:
            for incident in chosen:
                if incident.servers == number and server.startswith(incident.only):
                    told.try_all(lab, incident)
        finally:
            topology.down(name)
    print(told)
    return told.wrong


@dataclass
class _Told:
    """What came of the incidents of one server, printed as it comes, and in numbers."""

    server: str
    verbose: bool
    count: Counter[str] = field(default_factory=Counter)
    humans: Counter[str] = field(default_factory=Counter)  # at whom it ended, by the family of the error
    wrong: int = 0

    def try_all(self, lab: Lab, incident: Incident) -> None:
        try:
            self._tell(incident, every_way(lab, incident))
        except Exception as error:  # one that cannot be staged, or ends replfix, keeps no other one from being followed
            self.wrong += 1
            print(f"✗ {self.server} {incident.name}: {error!r:.2000}", flush=True)
            if self.verbose:
                traceback.print_exc(file=sys.stdout)

    def _tell(self, incident: Incident, tried: list[Followed]) -> None:
        name = f"{self.server} {incident.name}"
        self.count["incidents"] += 1
        if bool(tried) != incident.stops(self.server):
            self.wrong += 1
            print(f"✗ {name}: {'the replica stops' if tried else 'the replica does not stop'}", flush=True)
        elif not tried:
            self.count["taken"] += 1
            print(f"- {name}: not followed, this server applies it without an error", flush=True)
        for followed in tried:
            self.count.update(
                remedies=followed.remedies, true=followed.true, resolved=followed.resolved, **{followed.end: 1}
            )
            if followed.end == AT_A_HUMAN:
                self.humans[followed.page] += 1
            self.wrong += bool(followed.faults)
            mark = "✗" if followed.faults else "✔"
            print(f"{mark} {name} ({followed.way + 1}): {followed.ended}", flush=True)
            if followed.faults or self.verbose:
                print("   ", "\n    ".join(str(followed).splitlines()))

    def __str__(self) -> str:
        count = self.count
        humans = ", ".join(f"{page} {number}" for page, number in sorted(self.humans.items()))
        return (
            f"{self.server}: {count['incidents']} incidents, {count['taken']} of which this server takes. {count['remedies']} remedies "
            f"followed, {count['true']} led where they said; {count['resolved']} rounds by a strategy. Ends: {count[CAUGHT_UP]} caught "
            f"up, {count[AT_A_HUMAN]} at a human ({humans}). {self.wrong} wrong."
        )


def every_way(lab: Lab, incident: Incident) -> list[Followed]:
    """Followed by each of the alternatives that there are at first, and on each replica. Empty where no replica stops."""
    found: list[Followed] = []
    way, many = 0, 1
    while way < many:
        here = lab.arranged(incident.topology or None, as_shipped=incident.as_shipped) if incident.servers > 2 else lab
        here.reset()
        try:
            incident.arrange(here)
            if incident.errant:
                followed, many = Follower(here).follow_errant(way)
                found.append(followed)
            for replica in here.replicas if not incident.errant else ():
                follower = Follower(here, replica_of=replica, left_out=incident.left_out)
                document = follower.stopped()
                if document is None:
                    continue
                many = max(many, len(ways(document)))
                followed = follower.follow(way)
                if incident.errors and not found and document["error"]["errno"] not in incident.errors:
                    followed.faults.append(f"it stops with {document['error']}")
                found.append(followed)
            told = any(
                NEVER_BELOW in said for followed in found for said in followed.said
            )  # its replicas are unknown (MariaDB)
            if here.topology and found and not told and not incident.errant:
                excused = {*incident.left_out, *(table for followed in found for table in followed.excused)}
                found[-1].faults += below(here, excused)
        finally:
            incident.put_back(here)
        way += 1
        if not found:
            break
    return found


def below(lab: Lab, excused: Iterable[str]) -> Iterator[str]:
    """Where no channel is stopped in the end, every server has what its source has."""
    followers = [Follower(lab, replica_of=replica, left_out=tuple(excused)) for replica in lab.replicas]
    if all(follower.stopped() is None for follower in followers):
        for follower in followers:
            yield from (f"{follower.replica}: {words}" for words in follower.differing())


if __name__ == "__main__":
    sys.exit(main())
