"""``make soak``: seed after seed, for as long as asked. What fails is kept, and runs in every test run.

python -m tests.convergence --minutes 30 --servers mysql,mariadb-11.8
python -m tests.convergence --worlds ring,chain --servers mysql
python -m tests.convergence --servers mysql --seed 4711 --story
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import count
from types import FrameType

from replfix.lab import topology
from replfix.lab.narration import Lines
from replfix.lab.topology import Lab
from tests.convergence import foretold, kept, refusals
from tests.convergence.account import Account, counts_of
from tests.convergence.verdict import Verdict
from tests.convergence.worlds import KINDS, SEEDS, kind_of

TELL_EVERY_SECONDS = 30
HANGS_SECONDS = 180
"""What takes longer waits for something that does not come."""


def main() -> int:
    options = _options()
    signal.signal(signal.SIGALRM, _hangs)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the labs are ended
    with tempfile.TemporaryDirectory(prefix="soak-") as state, ExitStack() as stack:
        os.environ["XDG_STATE_HOME"] = state
        if options.forecast:
            os.environ[foretold.ASKED] = "1"
        if options.prove:
            os.environ[foretold.PROOF_ASKED] = "1"
        return _soak(Labs(stack), options)


class Labs:
    """One for each server and number of replicas, from when it is wanted to the end."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._known: dict[tuple[str, int], Lab] = {}

    def __call__(self, server: str, replicas: int) -> Lab:
        if (server, replicas) not in self._known:
            name = f"soak-{server.replace('.', '-')}-{replicas}"
            self._known[server, replicas] = topology.up(name, replicas, narrator=Lines(sys.stderr), server=server)
            self._stack.callback(topology.down, name)
        return self._known[server, replicas]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.convergence", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--servers", default="mysql,mariadb-10.11,mariadb-11.8", help="joined by commas, taken in turn")
    parser.add_argument("--minutes", type=float, default=10, help="how long (default 10)")
    kinds = [kind.name for kind in KINDS if kind.name != "plain"]
    parser.add_argument(
        "--worlds", default=",".join(kinds), help="joined by commas, taken in turn (default: %(default)s)"
    )
    parser.add_argument(
        "--first", type=int, help="begin with this seed, and count up (default: random ones of those worlds)"
    )
    parser.add_argument("--seed", type=int, help="this one only")
    parser.add_argument(
        "--forecast", action="store_true", help="hold what forecast says against each error that stops the applier"
    )
    parser.add_argument(
        "--prove", action="store_true", help="the same with what a rehearsal of the backlog says, and compare the two"
    )
    parser.add_argument("--story", action="store_true", help="print every statement of each seed")
    return parser.parse_args()


def _seeds(options: argparse.Namespace) -> Iterator[int]:
    if options.seed is not None:
        yield options.seed
    elif options.first is not None:
        yield from count(options.first)
    else:
        kinds = [kind for name in options.worlds.split(",") for kind in KINDS if kind.name == name]
        starts = [random.SystemRandom().choice(kind.seeds[: SEEDS // 2]) for kind in kinds]
        for more in range(SEEDS // 2):
            yield from (start + more for start in starts)


def _soak(labs: Labs, options: argparse.Namespace) -> int:
    began = told = time.monotonic()
    account = Account()
    with suppress(KeyboardInterrupt):  # asked for no longer
        for seed in _seeds(options):
            for server in options.servers.split(","):
                verdict = one(labs, server, seed)
                account.add_all((counts_of(verdict),))
                if options.story:
                    print("\n".join((*verdict.story, *([f"refused: {verdict.said}"] if verdict.said else ()))))
                if verdict.wrong:
                    _tell(verdict)
                    kept.keep(verdict.server, seed)
            now = time.monotonic()
            if now - began > options.minutes * 60:
                break
            if now - told > TELL_EVERY_SECONDS:
                told = now
                print(_so_far(account, now - began), flush=True)
    print(_so_far(account, time.monotonic() - began))
    return 1 if account.wrong or (options.seed is None and account.share_refused > refusals.MOST) else 0


def one(labs: Labs, server: str, seed: int) -> Verdict:
    """Whatever is raised is a fault of that seed, and no reason to stop."""
    kind = kind_of(seed)
    world = kind.world(labs(server, kind.replicas), seed)
    signal.alarm(HANGS_SECONDS)
    try:
        world.run()
    except Exception:
        world.verdict.wrong.append(traceback.format_exc())
    finally:
        signal.alarm(0)
    return world.verdict


def _hangs(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"the seed takes longer than {HANGS_SECONDS} s")


def _tell(verdict: Verdict) -> None:
    print(f"\nSeed {verdict.seed} on {verdict.server} ({verdict.strategy}) failed. Again, with every statement:")
    print(f"  {kept.command(verdict.server, verdict.seed)}")
    for line in verdict.wrong[:5]:
        print(f"  {line if len(line) < 3000 else f'{line[:1000]} … {line[-2000:]}'}")
    print(flush=True)


def _so_far(account: Account, seconds: float) -> str:
    return f"{account.seeds / max(seconds, 0.1):.1f} seeds/s, {account.in_short()}"


if __name__ == "__main__":
    sys.exit(main())
