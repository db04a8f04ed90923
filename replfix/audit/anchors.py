"""Places outside of the trail where its head is kept: files, the system's log, tables on servers."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from sqlalchemy import Column, MetaData, Table, insert, select
from sqlalchemy.exc import SQLAlchemyError

from replfix import own_files
from replfix.audit.stores.choose_store import store_of
from replfix.audit.trail_tables import number, text
from replfix.core.connection.endpoint import Account
from replfix.core.connection.tls import Tls
from replfix.core.trail.trail_anchor import Anchor, anchor_of
from replfix.errors import AuditError, ReplfixError

SYSLOG = "syslog"
_SYSLOG_SOCKETS = ("/dev/log", "/var/run/syslog")
_AUTHPRIV_NOTICE = 10 * 8 + 5  # RFC 3164: facility and severity
SYSLOG_SECONDS = 5.0

_anchors = MetaData()
_audit_anchor = Table(
    "audit_anchor",
    _anchors,
    Column("trail", text(255), primary_key=True),
    Column("seq", number, primary_key=True, autoincrement=False),
    Column("hash", text(64), primary_key=True),
    Column("anchored_at", text(40), nullable=False),
    Column("author", text(255), nullable=False),
    mysql_engine="InnoDB",
    mariadb_engine="InnoDB",
)


class AnchorStore(Protocol):
    """A place for anchors, outside of the trail."""

    @property
    def name(self) -> str:
        """For people. Never a password."""
        ...

    def add(self, anchor: Anchor) -> None:
        """Durable when it returns. AuditError otherwise."""
        ...

    def read(self) -> Sequence[Anchor] | None:
        """Return all anchors there, of whichever trail; None where nothing can be read back, AuditError where it should be."""
        ...


class AnchorFile:
    """Implements :class:`Place`. One anchor a line, appended and synced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)

    def add(self, anchor: Anchor) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            descriptor = os.open(self._path, flags, 0o600)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise AuditError(f"{self.name} is no regular file.", "Name a file that anchors can be added to.")
                line = f"{anchor.line}\n".encode()
                if os.write(descriptor, line) != len(line):
                    raise AuditError(f"{self.name} did not take a whole anchor.", "Make room on its file system.")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._failed(error) from None

    def read(self) -> tuple[Anchor, ...]:
        try:
            with own_files.opened(self._path) as file:
                found = (anchor_of(line.decode("utf-8", "replace")) for line in file)
                return tuple(anchor for anchor in found if anchor is not None)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> AuditError:
        return AuditError(
            f"The anchor file {self.name} cannot be used: {error.strerror or error}.",
            "Check the file and its directory.",
        )


class SystemLog:
    """Implements :class:`AnchorStore`. Facility authpriv: the system log's configuration decides where it goes."""

    name = SYSLOG

    def add(self, anchor: Anchor) -> None:
        message = f"<{_AUTHPRIV_NOTICE}>replfix[{os.getpid()}]: {anchor.line}".encode()
        path = next((each for each in _SYSLOG_SOCKETS if os.path.exists(each)), _SYSLOG_SOCKETS[0])
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
                log.settimeout(SYSLOG_SECONDS)
                log.connect(path)
                log.send(message)
        except OSError as error:
            raise AuditError(
                f"The system's log ({path}) does not take the anchor: {error.strerror or error}.",
                "Is a syslog daemon, or journald, running?",
            ) from None

    def read(self) -> None:
        return None


class AnchorTable:
    """Implements :class:`Place`. A table of a database server, which may be the one of a trail."""

    def __init__(self, url: str, account: Account, tls: Tls) -> None:
        self._store = store_of(url, account, tls)
        self.name = f"{self._store.name}.{_audit_anchor.name}"

    def add(self, anchor: Anchor) -> None:
        with_values = insert(_audit_anchor).values(asdict(anchor))
        try:
            with self._store.engine.connect() as connection, connection.begin():
                _anchors.create_all(connection, checkfirst=True)
            with self._store.engine.connect() as connection, connection.begin():
                same = select(_audit_anchor.c.seq).filter_by(trail=anchor.trail, seq=anchor.seq, hash=anchor.hash)
                if connection.execute(same).first() is None:
                    connection.execute(with_values)
        except SQLAlchemyError as error:
            raise self._failed(error) from None

    def read(self) -> tuple[Anchor, ...]:
        try:
            with self._store.engine.connect() as connection:
                if not connection.dialect.has_table(connection, _audit_anchor.name):
                    return ()
                return tuple(Anchor(**row._asdict()) for row in connection.execute(select(_audit_anchor)))
        except SQLAlchemyError as error:
            raise self._failed(error) from None

    def _failed(self, error: SQLAlchemyError) -> AuditError:
        meant = self._store.error(error)
        return AuditError(meant.message.replace("The audit trail", "The place of anchors"), meant.hint)


def place_of(where: str, beside: Callable[[str], Path], account: Account, tls: Tls) -> AnchorStore:
    """``syslog``, the URL of a database server, or a file. ConfigError for a URL that names none."""
    if where == SYSLOG:
        return SystemLog()
    if "://" in where:
        return AnchorTable(where, account, tls)
    return AnchorFile(beside(where))


def add_to_all(anchor: Anchor, places: Iterable[AnchorStore]) -> list[ReplfixError]:
    """Try each store; return what went wrong."""
    failed: list[ReplfixError] = []
    for place in places:
        try:
            place.add(anchor)
        except ReplfixError as error:
            failed.append(error)
    return failed
