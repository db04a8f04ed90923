"""Real servers for the tests: one lab of each kind for each test process (pytest-xdist: for each worker), made as good as
new between tests. Servers are fetched once into the user's cache; a machine that cannot have any fails, it never skips.

``--servers=mysql,mariadb-11.8`` runs on these only. ``pair`` is MySQL; a test that takes ``any_pair`` runs on each of them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from replfix.lab import flavours, topology
from replfix.lab.narration import Lines
from replfix.lab.topology import Lab

SERVERS = ("mysql", "mariadb-10.11", "mariadb-11.8")

Labs = Callable[[str], Lab]

# A shell that starts a run in the background has it ignore Ctrl-C, and every process that a test starts and interrupts with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is a property of the machine: it has servers to run. pytest-timeout ends what hangs.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--servers",
        default=",".join(SERVERS),
        metavar="NAMES",
        help=f"Run on these servers only: any of {', '.join(SERVERS)}, joined by commas.",
    )


def selected(config: pytest.Config) -> list[str]:
    return [name.strip() for name in config.getoption("--servers").split(",") if name.strip()]


def pytest_configure(config: pytest.Config) -> None:
    unknown = set(selected(config)) - set(flavours.NAMES)
    if unknown or not selected(config):
        names = ", ".join(sorted(unknown)) or "none"
        raise pytest.UsageError(f"--servers: {names}. There are: {', '.join(flavours.NAMES)}.")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "any_server" in metafunc.fixturenames:
        metafunc.parametrize("any_server", by_server(metafunc.config), scope="session")


def by_server(config: pytest.Config) -> list[Any]:
    """A parameter for each server that the run is for. MariaDB's tests stay in one process each, with -n: else all of them
    would start servers of every kind."""
    return [
        pytest.param(server, marks=[] if server == "mysql" else [pytest.mark.xdist_group(server)])
        for server in selected(config)
    ]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "labs" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.servers)
    if "mysql" not in selected(config):
        only_mysql = [item for item in items if "lab" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=only_mysql)
        items[:] = [item for item in items if item not in only_mysql]


@pytest.fixture(scope="session")
def lab_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """XDG_STATE_HOME of this test process: its labs, and whatever the commands under test record."""
    path = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(path))
        yield path


@pytest.fixture(scope="session")
def labs(lab_state: Path) -> Iterator[Labs]:
    """A source and a replica of the named server, that stay up for the session. Servers that an earlier test ended are
    started again."""
    started: set[str] = set()

    def up(server: str) -> Lab:
        name = f"tests-{server.replace('.', '-')}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(lab_state))  # whatever a test has set it to
            started.add(name)
            return topology.up(name, 1, narrator=Lines(sys.__stderr__), server=server)

    try:
        yield up
    finally:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(lab_state))
            for name in started:
                topology.down(name)


@pytest.fixture(scope="session")
def lab(labs: Labs) -> Lab:
    """MySQL. Take ``pair`` where a test needs the servers healthy."""
    return labs("mysql")


@pytest.fixture
def pair(lab: Lab, labs: Labs) -> Lab:  # lab: by it the tests that need MySQL are known
    """MySQL, healthy and empty: no schema, no GTID, variables at their defaults, channel running (0.2 s)."""
    return _as_new(labs("mysql"))


@pytest.fixture
def any_pair(any_server: str, labs: Labs) -> Lab:
    """As ``pair``, on each of the servers that the run is for."""
    return _as_new(labs(any_server))


def _as_new(lab: Lab) -> Lab:
    lab.reset()
    return lab
