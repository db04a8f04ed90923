"""Running replfix as a user does: a command line, in a process of its own."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

from tests.integration.failures import forking


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; fails when there is none, or anything beside it."""
        found: dict[str, Any] = json.loads(self.out)
        return found


def environment() -> dict[str, str]:
    """The test's own, without what would change an account or a width."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("REPLFIX_") and k != "MYSQL_PWD"}
    return {**kept, "NO_COLOR": "1", "PYTHONUTF8": "1"}


def replfix(
    *args: str,
    stdin: str = "",
    seconds: float = 120,
    dying: tuple[str, int | str] | tuple[str, int | str, int] | tuple[str, int | str, int, int] | None = None,
    patience: float | None = None,
    queueing: float | None = None,
    room: int | None = None,
    config: str = "",
) -> Ran:
    """``dying``: arguments of ``dying.Points``; a process that was killed there has the code -9. ``patience``: how many seconds
    it waits for a server's answer, in place of what it waits otherwise; ``queueing``: for a locked trail. ``room``: how large
    its files may get, in bytes; to a program that is as a full disk. ``config``: the file to use where ``args`` name none."""
    request = {
        "arguments": args,
        "environment": {**environment(), **({"REPLFIX_CONFIG": config} if config else {})},
        "directory": os.getcwd(),
        "dying": dying,
        "patience": patience,
        "queueing": queueing,
        "room": room,
    }
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        answer, answered = os.pipe()
        with open(answer, "rb", buffering=0) as reading:
            files = [given.fileno(), out.fileno(), err.fileno(), answered]
            try:
                socket.send_fds(_ready(), [json.dumps(request).encode()], files)
            finally:
                os.close(answered)
            said, more = b"", b"."
            while said.count(b"\n") < 2 and more and select.select([reading], [], [], seconds)[0]:
                said += (more := reading.read(100) or b"")
        numbers = [int(line) for line in said.split()]
        if dying is not None and dying[1] and len(numbers) == 1 and not more:
            numbers.append(-signal.SIGKILL)
        if len(numbers) == 1:
            with contextlib.suppress(ProcessLookupError):
                os.kill(numbers[0], signal.SIGKILL)
        for file in (out, err):
            file.seek(0)
        ran = Ran(numbers[1] if len(numbers) == 2 else -1, out.read().decode(), err.read().decode())
    assert "Traceback" not in ran.out + ran.err, ran.err
    assert len(numbers) == 2, f"{args} did not end within {seconds} s, or was killed: {ran}"
    return ran


@functools.cache
def _ready() -> socket.socket:
    """To the process that becomes the commands; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", forking.__name__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environment(),
        )
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours
