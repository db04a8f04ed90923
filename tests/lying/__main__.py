"""``make lie``: seed after seed, for as long as asked; figures at the end. To each command that meets one bent answer come some
connections that do; every fourth command meets it over TLS.

python -m tests.lying --minutes 30 --servers mysql,mariadb-11.8
python -m tests.lying --servers mysql --first 4711
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from replfix.lab import topology
from replfix.lab.narration import Lines
from tests.integration.accounts.certificates import Authority
from tests.lying.closely import CLOSE_PATIENCE, Outcomes, close_cases
from tests.lying.fuzz import Conversation, Found, case, conversations, impatient, staged

TELL_EVERY_SECONDS = 30
CLOSE = 50
"""Connections to each command."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lying", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--servers", default="mysql,mariadb-10.11,mariadb-11.8", help="joined by commas, taken in turn")
    parser.add_argument("--minutes", type=float, default=10, help="how long (default 10)")
    parser.add_argument("--first", type=int, default=0, help="begin with this seed, and count up (default 0)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lies-") as state, ExitStack() as stack:
        os.environ["XDG_STATE_HOME"] = state
        several: list[Conversation] = []
        certified = Authority(Path(state) / "thief", "a thief").certify("server")
        for server in options.servers.split(","):
            name = f"lies-{server.replace('.', '-')}"
            lab = topology.up(name, 1, narrator=Lines(sys.stderr), server=server)
            stack.callback(topology.down, name)
            several += conversations(staged(lab), Path(state))
        found, outcomes, seed, told_at = Found(), Outcomes(), options.first, time.monotonic()
        end = told_at + 60 * options.minutes
        while time.monotonic() < end:
            bad = len(found.bad), len(outcomes.bad)
            conversation = several[seed % len(several)]
            with impatient():
                case(conversation, seed, Path(state), found, certified if seed % 4 == 3 else None)
            with impatient(CLOSE_PATIENCE):
                close_cases(conversation, range(seed * CLOSE, (seed + 1) * CLOSE), outcomes)
            for told in (*found.bad[bad[0] :], *outcomes.bad[bad[1] :]):
                print(told, flush=True)
            seed += 1
            if time.monotonic() > told_at + TELL_EVERY_SECONDS:
                told_at = time.monotonic()
                print(f"  {found.told()}; {outcomes.told()}", file=sys.stderr, flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"Seeds {options.first} to {seed - 1}: {found.told()}; {outcomes.told()}; {peak} MiB at the most.")
    return 1 if found.bad or outcomes.bad else 0


if __name__ == "__main__":
    sys.exit(main())
