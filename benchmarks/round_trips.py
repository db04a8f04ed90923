"""How often a command asks the servers, and what it costs far away:

    python -m benchmarks.round_trips [MILLISECONDS]

Labs of its own are started and removed, one of MySQL and one of MariaDB. Each command runs near by, and through proxies
through which everything takes so many milliseconds longer in each direction (20). Counted are requests, each of which
waits for its answer (several statements in one request are one round trip), and connections, of which each takes five
to seven round trips more where it is encrypted. Nothing is asserted.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import Part
from replfix.lab import scenarios, topology
from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.narration import Quiet
from replfix.lab.staging import stage
from replfix.lab.topology import Lab
from tests.integration.proxy import Proxy

SERVERS = ("mysql", "mariadb-11.8")
SCENARIO = "duplicate-primary"
COMMANDS = (("status",), ("diagnose", "replica1"), ("resolve", "replica1", "--yes"))
REQUESTS = ("Query", "Binlog dump")


@dataclass(frozen=True)
class Counted:
    """One run of a command."""

    seconds: float
    requests: int
    binlogs: int
    connections: int


@contextmanager
def lab(server: str) -> Iterator[Lab]:
    """A source and its replica."""
    try:
        yield topology.up("round-trips", 1, server=server)
    finally:
        topology.down("round-trips")


def configured(lab: Lab, directory: Path, replica: int, source: int, *, ssl_mode: str) -> str:
    """Write a configuration with those ports. Where it is not encrypted, a proxy tells packets apart."""
    text = [f'[audit]\nurl = "sqlite:///{directory / "audit.db"}"\n']
    for section, port in (("replicas.replica1", replica), ("sources.source", source)):
        text += [
            f'[{section}]\nhost = "127.0.0.1"\nport = {port}\nuser = "{REPLFIX.name}"',
            f'defaults_file = "{lab.directory / "my.cnf"}"\nssl_mode = "{ssl_mode}"\nget_server_public_key = true',
            'source = "source"\n' if section.startswith("replicas") else "",
        ]
    path = directory / "replfix.toml"
    path.write_text("\n".join(text))
    return str(path)


def run(lab: Lab, command: Sequence[str], far: float, ssl_mode: str) -> Counted:
    """Run a command through proxies, in a process of its own."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory()))
        wires = [
            stack.enter_context(Proxy(("127.0.0.1", server.port), far=far)) for server in (lab.replica, lab.source)
        ]
        config = configured(lab, directory, wires[0].port, wires[1].port, ssl_mode=ssl_mode)
        begun = time.perf_counter()
        ran = subprocess.run(
            [sys.executable, "-m", "replfix", *command, "--config", config], capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - begun
        assert ran.returncode in (0, 3), ran.stderr
        packets = [name for wire in wires for name in wire.packets]
        return Counted(
            seconds,
            sum(name.startswith(REQUESTS) for name in packets),
            sum(name.startswith("Binlog dump") for name in packets),
            sum(wire.connections for wire in wires),
        )


def measure(milliseconds: float = 20) -> Part:
    """Run each command near by, far away, and far away and encrypted."""
    scenario = scenarios.find(SCENARIO)
    lines: list[tuple[str, ...]] = []
    for server in SERVERS:
        with lab(server) as pair:
            for command in COMMANDS:
                counted: list[Counted] = []
                for far, ssl_mode in (
                    (0, "DISABLED"),
                    (milliseconds / 1000, "DISABLED"),
                    (milliseconds / 1000, "REQUIRED"),
                ):
                    if not counted or command[0] == "resolve":
                        stage(pair, scenario, Quiet(), reset=True)
                    counted.append(run(pair, command, far, ssl_mode))
                near, away, encrypted = counted
                taken = (f"{each.seconds:.2f}" for each in (near, away, encrypted))
                lines.append((f"`{command[0]}`, {server}", str(near.requests), str(near.connections), *taken))
    return Part(
        "latency",
        ("command", "requests", "connections", "near by, s", f"{milliseconds:g} ms away, s", "encrypted too, s"),
        tuple(lines),
        f"One conflict, `{SCENARIO}`; the start of the program is included.",
    )


if __name__ == "__main__":
    print(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 20).markdown())
