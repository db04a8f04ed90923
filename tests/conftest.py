"""Real servers for the tests: one lab for each test process (pytest-xdist: one for each worker), made as good as new
between tests. Servers are fetched once into the user's cache; a machine that cannot have any fails, it never skips."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from replfix.lab import topology
from replfix.lab.narration import Lines
from replfix.lab.topology import Lab


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "lab" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.servers)


@pytest.fixture(scope="session")
def lab_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """XDG_STATE_HOME of this test process: its lab, and whatever the commands under test record."""
    path = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(path))
        yield path


@pytest.fixture(scope="session")
def lab(lab_state: Path) -> Iterator[Lab]:
    """A source and a replica that stay up for the session. Take ``pair`` where a test needs them healthy."""
    try:
        yield topology.up("tests", 1, narrator=Lines(sys.__stderr__))
    finally:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(lab_state))  # whatever a test has left it at
            topology.down("tests")


@pytest.fixture
def pair(lab: Lab, lab_state: Path) -> Lab:
    """The lab, healthy and empty: no schema, no GTID, variables at their defaults, channel running (0.2 s).

    Servers that an earlier test ended are started again.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(lab_state))
        fresh = topology.up("tests")
    fresh.reset()
    return fresh
