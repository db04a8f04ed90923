"""Ctrl-C at one point of a resolution after the other: it ends as an interrupt does, and by itself leaves nothing half done.

The points are those of the kills (``dying``). In a test run one in so many is taken, on MariaDB only where something turns;
REPLFIX_CRASH_POINTS=all takes every one.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from replfix.lab.replicate import channel_state
from tests.conftest import Labs, by_server
from tests.integration.accidents import Accidents
from tests.integration.aftermath import Conflict, Picture, ground_of
from tests.integration.failures.test_crash_points import RESOLVE, resolved
from tests.integration.running import Ran

ALL = os.environ.get("REPLFIX_CRASH_POINTS") == "all"
pytestmark = [pytest.mark.timeout(0)] if ALL else []
SAMPLED = 120
INTERRUPTED = 130


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("server", [s for s in by_server(metafunc.config) if s.values != ("mariadb-10.11",)])


def turning_points(points: list[str]) -> set[int]:
    """Right after the setting was changed (of MariaDB none has to be), the rows, and the channel."""
    first = (
        next((n for n, what in enumerate(points, 1) if what.startswith(f"sent {words}")), None)
        for words in ("SET GLOBAL", "COMMIT", "START REPLICA")
    )
    return {n for n in first if n is not None}


def test_ctrl_c_at_any_moment(server: str, labs: Labs, tmp_path: Path) -> None:
    log = tmp_path / "points"
    lab = labs(server)
    lab.reset()
    with ground_of(lab) as ground:
        conflict = ground.conflict()
        assert ground.command(*RESOLVE, dying=(str(log), 0)).code == 0
        ground.assert_healed(conflict)
        points = log.read_text().splitlines()

        def interrupt(_: Conflict, n: int) -> Ran:
            ran = ground.command(*RESOLVE, dying=(str(log), n, signal.SIGINT))
            # Statuses are polled: some runs have more of them.
            assert ran.code == INTERRUPTED or (ran.code == 0 and len(log.read_text().splitlines()) < n), ran
            return ran

        def judge(conflict: Conflict, _: int, __: Ran, before: Picture) -> bool:
            """Right away, and with no command in between, settings and trail are in order."""
            ground.assert_settings()
            if ground.told():
                ground.assert_whole()
                ground.assert_told_truly(conflict)
            state = channel_state(ground.replica)
            assert state is not None
            if state.error is None:
                ground.assert_healed(conflict)
                return False
            assert set(conflict.local) <= set(ground.rows())
            assert not set(conflict.incoming) & set(ground.rows())
            if ground.restored_to(before):
                return True
            resolved(ground, conflict)
            return False

        def told(n: int) -> str:
            reached = log.read_text().splitlines()
            return f"interrupted at point {n} of {len(points)}, which is: {reached[min(n, len(reached)) - 1]}"

        def end(conflict: Conflict) -> None:
            resolved(ground, conflict)

        some = range(1, len(points) + 1, 1 if ALL else SAMPLED) if server == "mysql" or ALL else ()
        turning = turning_points(points)
        assert len(turning) >= 2, "the rows and the channel"
        places = sorted({*some, *turning})
        Accidents[Conflict, int](ground, ground.conflict, interrupt, judge, end, full=ALL).at(places, told)
