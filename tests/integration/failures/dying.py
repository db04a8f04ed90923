"""A command of the tests that ends itself as kill -9 would, at the n-th of its own points: it numbers every statement that
it sends to a server (sent, and answered), every statement and commit of the trail, and every file that it writes.

What a process does between two points leaves no trace outside of it, so a kill at each point is a kill everywhere.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_FILES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.link", "os.truncate"}


RAISED = 0
"""In place of a signal: an error that nothing expects."""


class Points:
    """``log`` gets a line for each point that is reached; at the one numbered ``at`` the process ends, with 0 at none, with
    a text at the ``time``-th that begins so. ``by``: the signal that it gets there, or RAISED."""

    def __init__(self, log: str, at: int | str, by: int = signal.SIGKILL, time: int = 1) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._at = at
        self._by = by
        self._reached = 0
        self._times = time

    def reach(self, what: str) -> None:
        self._reached += 1
        line = " ".join(what.split())[:200]
        os.write(self._log, f"{line}\n".encode())
        if isinstance(self._at, str):
            self._times -= line.startswith(self._at)
        if self._reached == self._at or self._times == 0:
            self._times = -1
            if self._by == RAISED:
                raise RuntimeError("a bug, here")
            os.kill(os.getpid(), self._by)

    def watch(self) -> None:
        """From here to the end of the process."""
        self._watch_servers()
        self._watch_trail()
        sys.addaudithook(self._file)

    def _watch_servers(self) -> None:
        from pymysql.connections import Connection

        connection: Any = Connection
        send, query = connection._execute_command, connection.query

        def sent(this: Any, command: int, sql: Any) -> None:
            send(this, command, sql)
            self.reach(f"sent {_text(sql)}")

        def answered(this: Any, sql: Any, unbuffered: bool = False) -> Any:
            found = query(this, sql, unbuffered)
            self.reach(f"answered {_text(sql)}")
            return found

        connection._execute_command, connection.query = sent, answered

    def _watch_trail(self) -> None:
        from sqlalchemy import Engine, event
        from sqlalchemy.engine.default import DefaultDialect

        def executed(_c: object, _cursor: object, statement: str, *_: object) -> None:
            self.reach(f"trail {statement}")

        event.listen(Engine, "after_cursor_execute", executed)
        dialect: Any = DefaultDialect
        commit: Callable[..., None] = dialect.do_commit

        def committed(this: Any, connection: Any) -> None:
            commit(this, connection)
            self.reach("trail COMMIT")

        dialect.do_commit = committed

    def _file(self, event: str, args: tuple[Any, ...]) -> None:
        """Called before the file is touched, by the interpreter itself."""
        if event in _FILES or (event == "open" and isinstance(args[2], int) and args[2] & _WRITES):
            self.reach(f"file {event} {args[0]}")


def _text(sql: Any) -> str:
    return bytes(sql).decode(errors="replace") if isinstance(sql, bytes | bytearray) else str(sql)
