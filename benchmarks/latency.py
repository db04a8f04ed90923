"""What do 20 ms on the way to each server cost a single conflict?

    python -m benchmarks.latency [--milliseconds 20] [--rounds 5]

The scenario ``duplicate-primary`` is diagnosed and resolved, once with the servers near by and once through a proxy that
delays everything by that time, each way.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import ROUNDS, Cost, Part, lab, median, run
from replfix.lab import scenarios
from replfix.lab.lab_state import LabServer
from replfix.lab.narration import Quiet
from replfix.lab.staging import stage
from replfix.lab.topology import Lab
from tests.integration.proxy import Proxy


def command(servers: Lab, state: str, delay: float, *words: str) -> Cost:
    with ExitStack() as proxies:
        text = servers.config_file.read_text(encoding="utf-8")

        def through(server: LabServer) -> str:
            proxy = proxies.enter_context(Proxy((server.host, server.port), far=delay))
            return f"port = {proxy.port}"

        for server in servers.servers if delay else ():
            text = text.replace(f"port = {server.port}", through(server))
        config = Path(state) / "replfix.toml"
        config.write_text(text, encoding="utf-8")
        config.chmod(0o600)
        environment = {"XDG_STATE_HOME": state, "PYTHONPATH": os.getcwd()}
        return run([sys.executable, "-m", "replfix", "--config", str(config), *words], environment=environment)


def measure(milliseconds: float = 20, rounds: int = ROUNDS) -> Part:
    costs: dict[tuple[str, bool], list[Cost]] = {}
    scenario = scenarios.find("duplicate-primary")
    with lab("latency-benchmark") as servers, TemporaryDirectory() as state:
        for _ in range(rounds):
            for far in (False, True):
                stage(servers, scenario, Quiet(), reset=True)
                for name, words in (("diagnose", ("diagnose", "--json")), ("resolve", ("resolve", "--yes", "--json"))):
                    cost = command(servers, state, milliseconds / 1000 * far, *words, "replica1")
                    assert cost.code in (0, 3), cost
                    costs.setdefault((name, far), []).append(cost)
    lines = (
        (name, *(f"{median(costs[name, far]).wall:.2f}" for far in (False, True))) for name in ("diagnose", "resolve")
    )
    return Part(
        "latency",
        ("command", "near by, s", f"{milliseconds:.0f} ms each way, s"),
        tuple(lines),
        f"One conflict, the start of the program included. Medians of {rounds}.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--milliseconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    print(measure(options.milliseconds, options.rounds).markdown())


if __name__ == "__main__":
    main()
