"""The source goes down in the middle of ``resolve``. Both rounds were right, and then it read "The applier stopped with error 2003"."""

from __future__ import annotations

import os
import signal

from replfix.cli.commands.resolve import exit_code
from replfix.config import load
from replfix.core.plan.outcome import Result
from replfix.lab import processes
from replfix.lab.topology import Lab
from replfix.wiring import servers, trails
from replfix.workflow.resolution import resolve
from tests import waiting
from tests.field.test_stopped_receiver import SOURCE_WINS, conflict, rows, status


def test_the_source_is_killed_behind_the_last_round(as_shipped: Lab) -> None:
    """The channel is started, and the source is not there any more: that is the receiver's error, and it tries again."""
    lab = as_shipped
    conflict(lab)
    config = load(str(lab.config_file))
    source = lab.source.process
    assert source is not None

    def kill_the_source(line: object) -> None:
        if line == "START REPLICA":
            os.kill(source.pid, signal.SIGKILL)
            waiting.until(lambda: not processes.alive(source, lab.source.data), "the source is still alive")
            waiting.until(lambda: status(lab.replica)["Last_IO_Errno"] != "0", "the receiver has not noticed")

    with servers.TargetConnections(config.target("replica1")) as wired:
        operation = trails.operation(wired, trails.open_trail(config), kill_the_source)
        outcome = resolve(
            operation,
            strategy="source-wins",
            channel=None,
            max_rounds=5,
            dry_run=False,
            confirm=lambda *_: True,
        )
    assert outcome.result is Result.NEEDS_HUMAN
    assert [round_.verified for round_ in outcome.rounds] == [True]
    assert "The receiver cannot connect to the source, and tries again" in outcome.message
    assert "applier stopped" not in outcome.message
    assert exit_code(outcome) == 3
    assert rows(lab.replica) == SOURCE_WINS
