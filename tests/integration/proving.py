"""``prove`` on a lab's replica, in this process, or in one that ends itself as kill -9 would."""

from __future__ import annotations

import subprocess
import sys

from replfix.config.target import load
from replfix.core.conflicts.ahead.forecast import Forecast
from replfix.lab.topology import Lab
from replfix.wiring import trails
from replfix.wiring.servers import TargetConnections
from replfix.workflow.forecast.forecast_backlog import Bounds
from replfix.workflow.forecast.prove import prove
from tests.integration.failures.dying import Points
from tests.integration.running import environment

ALL = Bounds(max_rows=None, max_seconds=None, max_memory=1 << 30)


def proved(lab: Lab, bounds: Bounds = ALL, channel: str | None = None) -> Forecast:
    return _prove(str(lab.config_file), bounds, channel)


def killed_while_proving(lab: Lab, log: str, at: str, time: int) -> int:
    """At the ``time``-th point of ``dying.Points`` that begins with ``at``; the process's exit code."""
    command = [sys.executable, "-m", __name__, str(lab.config_file), log, at, str(time)]
    return subprocess.run(command, env=environment(), timeout=120, check=False).returncode


def _prove(config_file: str, bounds: Bounds, channel: str | None) -> Forecast:
    config = load(config_file)
    with (
        trails.trail_to_write(config, print) as trail,
        TargetConnections(config.target("replica1")) as wired,
    ):
        return prove(trails.operation(wired, trail, lambda _: None), channel, bounds)


if __name__ == "__main__":
    config_file, log, at, time = sys.argv[1:]
    Points(log, at, time=int(time)).watch()
    _prove(config_file, ALL, None)
