"""How long does it take until replfix has said something?

    python -m benchmarks.start_up [--rounds 5]

``--version`` and ``status`` of a lab's replica, beside a Python that does nothing and the mysql client, which asks the
same replica for its status.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.harness import ROUNDS, Part, lab, measured, replfix, run
from replfix.lab.lab_accounts import ADMIN
from replfix.lab.provision.software import Software


def measure(rounds: int = ROUNDS) -> Part:
    with lab("start-up") as servers, replfix(servers) as command:
        assert isinstance(servers.provision, Software)
        replica = servers.replica
        client = servers.provision.client_command(
            "mysql",
            f"--host={replica.host}",
            f"--port={replica.port}",
            f"--user={ADMIN.name}",
            "-e",
            "SHOW REPLICA STATUS",
        )
        costs = {
            "replfix --version": measured(lambda: command("--version"), rounds),
            "python -c pass": measured(lambda: run([sys.executable, "-c", "pass"]), rounds),
            "replfix status": measured(lambda: command("status"), rounds),
            "mysql -e 'SHOW REPLICA STATUS'": measured(
                lambda: run(client, environment={"MYSQL_PWD": ADMIN.password}), rounds
            ),
        }
    return Part(
        "start-up",
        ("command", "ms", "ms of processor"),
        tuple((name, f"{cost.wall * 1000:.0f}", f"{cost.processor * 1000:.0f}") for name, cost in costs.items()),
        f"Medians of {rounds}.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    print(measure(parser.parse_args().rounds).markdown())


if __name__ == "__main__":
    main()
