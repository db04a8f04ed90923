"""Processes that outlive the command that started them, distinguished from later ones with the same number."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_HAS_PROC = (_PROC / "self" / "stat").exists()

_EXEC_SECONDS = 1.0  # far longer than the kernel needs between a new program and its command line

STOP_SECONDS = 30.0
"""How long a server may take to shut down on SIGTERM before it is killed."""


@dataclass(frozen=True, slots=True)
class ProcessRef:
    """A process.

    ``started`` distinguishes it from a later one with the same number: the boot's id and the start time in clock ticks
    after boot (field 22 of /proc/PID/stat), or the output of ``ps -o lstart`` where there is no /proc.
    """

    pid: int
    started: str


def run(argv: Sequence[str], *, env: Mapping[str, str] | None = None, seconds: float | None = None) -> tuple[int, str]:
    """Run a program to its end; its exit code and its output, stderr included."""
    done = subprocess.run(  # noqa: S603 (no shell; the lab builds every argument itself)
        list(argv),
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )
    return done.returncode, done.stdout


def start(argv: Sequence[str], output: Path) -> ProcessRef:
    """Start a program in a session of its own, so that neither Ctrl-C nor the end of the terminal reaches it.

    Its output is appended to ``output``. posix_spawn in place of subprocess: nothing here waits for the child, and a
    Popen object that is dropped while its child runs complains.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    # Python ignores SIGPIPE and its children would inherit that.
    pid = os.posix_spawn(argv[0], list(argv), os.environ, file_actions=actions, setsid=True, setsigdef=[signal.SIGPIPE])
    return ProcessRef(pid, started_at(pid) or "")


def started_at(pid: int) -> str | None:
    """Return when the process of that number started; None when there is none, or only its remains (a zombie)."""
    if not _HAS_PROC:
        code, text = run(["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)])
        state, _, when = text.strip().partition(" ")
        return when.strip() if code == 0 and not state.startswith("Z") else None
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may contain spaces and brackets
    return None if fields[0] in "ZX" else f"{boot}/{fields[19]}"


def arguments(pid: int) -> tuple[str, ...]:
    """Return the command line of a process; empty when there is none.

    Linux shows none either, for a moment, while a process becomes another program: one that just started, and a script
    around the server that ends in ``exec``. Whoever has a program then is read again.
    """
    if not _HAS_PROC:
        code, text = run(["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)])
        return tuple(text.split()) if code == 0 else ()
    directory = _PROC / str(pid)
    deadline = time.monotonic() + _EXEC_SECONDS
    try:
        while not (line := (directory / "cmdline").read_bytes()) and time.monotonic() < deadline:
            (directory / "exe").readlink()  # OSError: a thread of the kernel, or the remains of a process
            time.sleep(0.001)
    except OSError:
        return ()
    return tuple(os.fsdecode(line).split("\0")[:-1])


def serves(pid: int, data: Path) -> bool:
    """Return whether that process is a server on the data directory ``data``, by its own command line."""
    return f"--datadir={data}" in arguments(pid)


def alive(ref: ProcessRef, data: Path) -> bool:
    """Return whether ``ref`` still runs and still is the server on ``data``."""
    _reap(ref.pid)
    return started_at(ref.pid) == ref.started and serves(ref.pid, data)


def servers_under(directory: Path) -> dict[Path, ProcessRef]:
    """Return this user's servers on data directories ``directory/*/data``, with or without a state file."""
    if not _HAS_PROC:
        code, text = run(["/bin/ps", "-x", "-o", "pid="])
        pids = [int(word) for word in text.split()] if code == 0 else []
    else:
        pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    found: dict[Path, ProcessRef] = {}
    for pid in pids:
        for argument in arguments(pid):
            data = Path(argument.removeprefix("--datadir="))
            if argument.startswith("--datadir=") and data.name == "data" and data.parent.parent == directory:
                when = started_at(pid)
                if when is not None and _is_ours(pid):
                    found[data] = ProcessRef(pid, when)
    return found


def _is_ours(pid: int) -> bool:
    try:
        return not _HAS_PROC or (_PROC / str(pid)).stat().st_uid == os.geteuid()
    except OSError:
        return False


def end(servers: Mapping[Path, ProcessRef], on_kill: Callable[[int], None] = lambda _: None) -> None:
    """Shut servers down, all at once: SIGTERM, a wait, SIGKILL. A number that now is another's is left alone."""
    left = {data: ref for data, ref in servers.items() if _signal(ref, data, signal.SIGTERM)}
    deadline = time.monotonic() + STOP_SECONDS
    while left and time.monotonic() < deadline:
        left = {data: ref for data, ref in left.items() if alive(ref, data)}
        time.sleep(0.02 if left else 0)
    for data, ref in left.items():
        on_kill(ref.pid)
        _signal(ref, data, signal.SIGKILL)
    while any(alive(ref, data) for data, ref in left.items()):
        time.sleep(0.02)


def _signal(ref: ProcessRef, data: Path, number: signal.Signals) -> bool:
    """Signal the process if it still is the same one.

    Through a file descriptor of the process where the system has them: between the check and the signal the number
    cannot pass to another process.
    """
    try:
        if not hasattr(os, "pidfd_open"):
            if alive(ref, data):
                os.kill(ref.pid, number)
                return True
            return False
        handle = os.pidfd_open(ref.pid)
        try:
            if alive(ref, data):
                signal.pidfd_send_signal(handle, number)
                return True
            return False
        finally:
            os.close(handle)
    except ProcessLookupError:
        return False


def _reap(pid: int) -> None:
    """Take the exit status of a child of this very process, or it stays a zombie until we end."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
