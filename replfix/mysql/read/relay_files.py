"""The bytes of a replica's relay log: from this host's disk, or through the server's own LOAD_FILE.

Source: MySQL manual, "LOAD_FILE()": it takes the FILE privilege, a secure_file_priv that allows the directory, and a file
below max_allowed_packet; NULL says that something of it is missing, and not what.
"""

from __future__ import annotations

import io
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from replfix import own_files
from replfix.core import sql
from replfix.errors import ReplfixError, ReplicationError
from replfix.mysql.connection.session import Session

PLACE = "SELECT @@global.relay_log_basename AS base, @@global.hostname AS host"
_NUMBERED = re.compile(r"(.*\.)([0-9]+)\Z", re.DOTALL)
_PIECE = 4 << 20  # bytes of a file in one answer


class RelayFiles:
    """The files from ``first`` on. ReplicationError, with every reason, when they cannot be had in either way."""

    def __init__(self, session: Session, first: str) -> None:
        self._session = session
        self._place = session.query(PLACE)[0]
        base = str(self._place["base"] or "")
        self._first = str(Path(base).parent / Path(first).name)
        self.on_disk = self._choose(base)

    def __call__(self) -> Iterator[tuple[str, IO[bytes]]]:
        """Yield the path and the content of each file, from the first on."""
        path = self._first
        while True:
            file = self._open(path)
            if file is None:
                return
            with file:
                yield path, file
            path = _next(path)

    def _choose(self, base: str) -> bool:
        if not base:
            raise ReplicationError(
                f"{self._session.endpoint} does not say where its relay log is (relay_log_basename)."
            )
        not_here = self._not_on_this_host()
        if not not_here:
            return True
        not_sent = self._not_through_sql()
        if not not_sent:
            return False
        raise ReplicationError(
            f"The relay log of {self._session.endpoint} ({self._first}) cannot be read: {not_here}; {not_sent}.",
            "Run replfix on the replica's own host, as a user who may read its relay logs, or let the server send them: "
            "the FILE privilege, and a secure_file_priv that is empty or their directory.",
        )

    def _not_on_this_host(self) -> str:
        theirs, ours = str(self._place["host"]), socket.gethostname()
        if theirs != ours:
            return f"its host is {theirs}, replfix runs on {ours}"
        try:
            with own_files.opened(Path(self._first)):
                return ""
        except OSError as error:
            return f"it cannot be opened on this host ({error.strerror or error})"

    def _not_through_sql(self) -> str:
        allowed = self._session.scalar("SELECT @@global.secure_file_priv")
        # MariaDB says NULL for "no limit", MySQL says NULL as text for "not at all".
        if allowed == "NULL":
            return "secure_file_priv is NULL, so the server sends no files"
        directory = os.path.join(str(allowed), "") if allowed else ""
        if not self._first.startswith(directory):
            return f"the server sends files of {directory} only (secure_file_priv)"
        try:
            size = self._session.scalar(sql.size_of_file(self._first))
        except ReplfixError as error:
            return f"the server does not send files to this account ({error.message})"
        if size is None:
            packet = int(self._session.scalar("SELECT @@global.max_allowed_packet"))
            return (
                "the server does not send the file: the account has no FILE privilege, the file is not readable for all "
                f"(MariaDB wants that), or it is larger than max_allowed_packet ({packet:,} bytes)"
            )
        return ""

    def _open(self, path: str) -> IO[bytes] | None:
        """Open a file; None for one that is not there: the one before it is the last."""
        if self.on_disk:
            try:
                return own_files.opened(Path(path))
            except FileNotFoundError:
                return None
            except OSError as error:
                raise ReplicationError(f"The relay log {path} cannot be read: {error.strerror or error}.") from None
        size = self._session.scalar(sql.size_of_file(path))
        if size is None:
            return None
        pieces = (self._session.scalar(sql.piece_of_file(path, at, _PIECE)) for at in range(0, int(size), _PIECE))
        return io.BytesIO(b"".join(_bytes(piece) for piece in pieces))


def _bytes(piece: object) -> bytes:
    if not isinstance(piece, bytes):
        raise ReplicationError("The relay log changed while it was read.", "Run the command again.")
    return piece


def _next(path: str) -> str:
    numbered = _NUMBERED.match(path)
    if numbered is None:
        raise ReplicationError(f"{path} is not the name of a relay log file.")
    return f"{numbered[1]}{int(numbered[2]) + 1:0{len(numbered[2])}d}"
