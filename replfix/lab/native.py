"""Lab servers as processes of this machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from replfix.errors import ConnectError, ReplfixError
from replfix.lab import processes
from replfix.lab.lab_accounts import ADMIN
from replfix.lab.lab_state import HOST, LabServer, Role
from replfix.lab.narration import Narrator
from replfix.lab.processes import ProcessRef
from replfix.lab.provision.software import Software
from replfix.lab.template import copy
from replfix.mysql.connection.session import Session

START_SECONDS = 90.0
_LONGEST_SOCKET_PATH = (
    100  # sun_path has room for 107 bytes on Linux, 103 on macOS; mysqld adds ".lock" to a file beside it
)


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on just now.

    Another process may still take one before the server does: then the start fails with that message and is tried again
    with another port.
    """
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def prepare(server: LabServer, template: Path) -> None:
    """Make the server's directory from the template."""
    (server.directory / "tmp").mkdir(parents=True)
    copy(template, server.data)


def start(servers: Sequence[LabServer], software: Software, *, may_change_port: bool) -> tuple[LabServer, ...]:
    """Start servers, all at once, and wait until each answers. The same servers, with their processes.

    The caller knows that none of them runs.

    ConnectError with the end of the server's log when one does not come up; the others keep running (``down`` ends
    them).
    """
    with ThreadPoolExecutor(max_workers=max(1, len(servers))) as pool:
        return tuple(pool.map(lambda server: _start(server, software, may_change_port), servers))


def _start(server: LabServer, software: Software, may_change_port: bool) -> LabServer:
    for attempt in range(5):
        if attempt:
            server = replace(server, port=free_ports(1)[0])
        # After a crash the server would refuse to start if the number in its lock file is anybody's by now.
        for stale in (socket_path(server), socket_path(server).with_suffix(".sock.lock")):
            stale.unlink(missing_ok=True)
        size_before = server.log.stat().st_size if server.log.exists() else 0
        started = replace(server, process=processes.start(_command(server, software), server.log))
        if _wait_until_up(started):
            return started
        said = server.log.read_bytes()[size_before:].decode(errors="replace") if server.log.exists() else ""
        if software.flavour.port_taken not in said or not may_change_port:
            break
    # Not only the lines marked as errors: what went wrong often is in the line before "Aborting".
    raise ConnectError(
        f"{server} did not start: {' '.join(said.splitlines()[-4:])[-700:] or 'it gave no message'}",
        f"Its log is {server.log}. 'replfix lab down' and 'replfix lab up' give new servers.",
    )


def _wait_until_up(server: LabServer) -> bool:
    """Return whether the server answers, False when its process ended; ConnectError when neither happens in time."""
    assert server.process is not None
    deadline = time.monotonic() + START_SECONDS
    while processes.alive(server.process, server.data):
        if is_up(server):
            return True
        if time.monotonic() > deadline:
            raise ConnectError(f"{server} does not answer after {START_SECONDS:.0f} s.", f"Its log is {server.log}.")
        time.sleep(0.05)
    return False


def is_up(server: LabServer) -> bool:
    """Return whether *this* server answers on its port: another one on the same port has another data directory."""
    try:
        with server.session() as session:
            return Path(str(session.scalar("SELECT @@GLOBAL.datadir"))) == server.data
    except ReplfixError:
        return False


def _command(server: LabServer, software: Software) -> list[str]:
    flavour = software.flavour
    return software.server_command(
        f"--datadir={server.data}",
        f"--bind-address={HOST}",
        f"--port={server.port}",
        f"--report-host={HOST}",
        f"--socket={socket_path(server)}",
        f"--pid-file={server.directory / 'server.pid'}",
        f"--log-error={server.log}",
        f"--tmpdir={server.directory / 'tmp'}",
        *flavour.options,
        *flavour.lean,
        *server.own_options(flavour),
        *(flavour.replica_options if server.role is Role.REPLICA else ()),
    )


def socket_path(server: LabServer) -> Path:
    """Return where the server's unix socket is: beside its data, unless that path is too long for a socket.

    Then in a short directory whose name follows from the lab's, so that ``down`` finds it with no state at all.
    """
    path = server.directory / "mysql.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    directory = short_directory(server.directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
    if directory.stat().st_uid != os.geteuid():
        raise ConnectError(f"{directory} belongs to another user.", "Remove it, or give the lab another --name.")
    return directory / f"{server.name}.sock"


def short_directory(lab: Path) -> Path:
    """Return the directory for sockets whose own path would be too long."""
    name = hashlib.sha256(os.fsencode(lab)).hexdigest()[:10]
    return Path(tempfile.gettempdir()) / f"replfix-lab-{os.geteuid()}-{name}"


def end(servers: Mapping[Path, ProcessRef], narrator: Narrator) -> None:
    """Shut servers down, by their data directories. One that does not answer is only signalled.

    A source waits 10 s in its shutdown for the threads that send its binlog (seen on 9.7.4), so they are ended first,
    and before them the receivers, which would connect again. All from the servers' own command lines: this works
    without a state file.
    """
    sessions = [session for data, ref in servers.items() if (session := _session_of(data, ref)) is not None]
    for session in sessions:
        _try(session, "STOP REPLICA IO_THREAD")
    for session in sessions:
        for (thread,) in _try(
            session, "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'"
        ):
            _try(session, f"KILL {int(thread)}")
        session.close()
    processes.end(servers, lambda pid: narrator.say(f"Server process {pid} did not shut down in time: killed."))


def _session_of(data: Path, ref: ProcessRef) -> Session | None:
    if not processes.alive(ref, data):
        return None
    ports = [a.removeprefix("--port=") for a in processes.arguments(ref.pid) if a.startswith("--port=")]
    if not ports or not ports[0].isdigit():
        return None
    try:
        return Session(ADMIN.at(HOST, int(ports[0])), read_seconds=3)
    except ReplfixError:
        return None


def _try(session: Session, statement: str) -> list[tuple[Any, ...]]:
    try:
        return session.rows(statement)
    except ReplfixError:
        return []
