"""``make follow``: every incident of the catalogue staged on real servers, every remedy that is printed followed, and judged."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from unittest import mock

from replfix.lab import topology
from replfix.lab.narration import Lines
from replfix.lab.topology import Lab
from tests.following.catalogue import INCIDENTS, Incident
from tests.following.follower import Followed, Follower, ways


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--servers", default="mysql,mariadb-10.11,mariadb-11.8")
    options.add_argument("--only", default="", help="incidents whose name holds this")
    options.add_argument("--verbose", action="store_true", help="print everything that was followed")
    chosen = options.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as state, mock.patch.dict(os.environ, XDG_STATE_HOME=state):
        for server in chosen.servers.split(","):
            lab = topology.up(f"follow-{server.replace('.', '-')}", 1, narrator=Lines(sys.stderr), server=server)
            try:
                wrong += _all(
                    lab,
                    server,
                    [i for i in INCIDENTS if chosen.only in i.name and server.startswith(i.only)],
                    chosen.verbose,
                )
            finally:
                topology.down(lab.name)
    return min(wrong, 1)


def _all(lab: Lab, server: str, chosen: list[Incident], verbose: bool) -> int:
    total: Counter[str] = Counter()
    wrong = 0
    for incident in chosen:
        if not (tried := every_way(lab, incident)):
            total["not-stopped"] += 1
        for way, followed in tried:
            total.update(remedies=followed.remedies, true=followed.true, resolved=followed.resolved)
            total[followed.end or "not-to-the-end"] += 1
            wrong += bool(followed.faults)
            print(f"{'✗' if followed.faults else '✔'} {server} {incident.name} ({way + 1}): {followed.end}", flush=True)
            if followed.faults or verbose:
                print("   ", "\n    ".join(str(followed).splitlines()))
    print(
        f"{server}: {len(chosen)} incidents, {total.pop('remedies', 0)} remedies followed, {total.pop('true', 0)} led where they "
        f"said; {total.pop('resolved', 0)} rounds by a strategy; ends: {dict(total)}; {wrong} wrong"
    )
    return wrong


def every_way(lab: Lab, incident: Incident) -> list[tuple[int, Followed]]:
    """Followed by each of the alternatives that there are at first. None where the server does not stop."""
    found: list[tuple[int, Followed]] = []
    follower = Follower(lab)
    many = 1
    while len(found) < many:
        lab.reset()
        incident.arrange(lab)
        if not found and (state := follower.settled().channel) and state.error is None:
            break  # this server takes it
        many = max(many, len(ways(follower.diagnose())))
        found.append((len(found), follower.follow(len(found))))
    return found


if __name__ == "__main__":
    sys.exit(main())
