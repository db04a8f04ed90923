"""How often does a command ask the servers, where a conflict is the only one?

    python -m benchmarks.round_trips

``status``, ``diagnose`` and ``resolve`` of the scenario ``duplicate-primary``, through proxies that count queries, readings
of a binlog and connections, on MySQL and on MariaDB. How long that takes far away: ``benchmarks.latency``.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.harness import Part, run
from replfix.lab import scenarios, topology
from replfix.lab.narration import Quiet
from replfix.lab.staging import stage
from replfix.lab.topology import Lab
from tests.integration.failures.test_cut_wires import configured_for
from tests.integration.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SERVERS = ("mysql", "mariadb-11.8")
COMMANDS = (("status",), ("diagnose", "replica1"), ("resolve", "replica1", "--yes"))


@contextmanager
def lab(server: str) -> Iterator[Lab]:
    """A source and its replica."""
    try:
        yield topology.up("round-trips", 1, server=server)
    finally:
        topology.down("round-trips")


def counted(servers: Lab, directory: Path, command: Sequence[str]) -> tuple[str, str, str]:
    """Return how many queries, readings of a binlog and connections the command took."""
    with ExitStack() as proxies:
        wires = [
            proxies.enter_context(Proxy(("127.0.0.1", server.port))) for server in (servers.replica, servers.source)
        ]
        ports = {"replicas": wires[0].port, "sources": wires[1].port}
        config = configured_for(servers, directory, directory / "audit.db", ports)
        cost = run([sys.executable, "-m", "replfix", *command, "--json", "--config", config])
        assert cost.code in (0, 3), cost
        packets = [name for wire in wires for name in wire.packets]
        asked = (sum(name.startswith(kind) for name in packets) for kind in ("Query", "Binlog dump"))
        queries, binlogs = asked
        return str(queries), str(binlogs), str(sum(wire.connections for wire in wires))


def measure() -> Part:
    """Return the counts of every command on each server."""
    lines = []
    for name in SERVERS:
        with lab(name) as servers, TemporaryDirectory() as directory:
            stage(servers, scenarios.find("duplicate-primary"), Quiet(), reset=True)
            lines += [(command[0], name, *counted(servers, Path(directory), command)) for command in COMMANDS]
    head = ("command", "server", "queries", "binlog readings", "connections")
    return Part(
        "round-trips", head, tuple(lines), "Counted once: polls while the applier works can be one more or less."
    )


if __name__ == "__main__":
    print(measure().markdown())
