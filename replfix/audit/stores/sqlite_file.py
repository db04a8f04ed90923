"""A trail in an SQLite file: where it is, who may read it, and what SQLite's errors mean."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from replfix import own_files
from replfix.audit import trail_tables
from replfix.audit.stores.store import BUSY_SECONDS, FORMAT, other_format
from replfix.audit.trail_tables import audit_head
from replfix.core.trail.audit_record import Head
from replfix.errors import AuditError, ConfigError

APPLICATION_ID = 0x72706C66  # "rplf", in the header of the file

_URL_HINT = "Write audit.url as sqlite:////absolute/path/audit.db (four slashes), or leave it out for the default."

# Closing any descriptor of a file drops all POSIX locks that this process holds on it, SQLite's too. So we open the
# file ourselves only to create it, and nobody may look for it until that descriptor is closed again.
_creating = threading.Lock()


def default_path() -> Path:
    """Return where the trail is when no URL is configured."""
    return own_files.state_directory() / "audit.db"


def path_of(parsed: URL) -> Path:
    """Return the file that an SQLite URL names; ConfigError when it names none. Never repeats the URL."""
    if parsed.host or parsed.username or parsed.password or parsed.port or parsed.query:
        raise ConfigError("audit.url: an SQLite URL has a path only: no host, account or options.", _URL_HINT)
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise ConfigError("audit.url names no file: the audit trail has to outlive the process.", _URL_HINT)
    return Path(parsed.database).expanduser().absolute()


def exists(path: Path) -> bool:
    """Return whether there is a trail; AuditError when that is unknown or when it is no file."""
    with _creating:
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise _os_error(path, error) from None
    if stat.S_ISDIR(mode):
        raise AuditError(
            f"The audit trail {path} is a directory.", f"Name a file in audit.url, e.g. {path / 'audit.db'}"
        )
    if not stat.S_ISREG(mode):
        raise AuditError(f"The audit trail {path} is no regular file.", _URL_HINT)
    return True


def check_creatable(path: Path) -> None:
    """Raise AuditError when the file could not be created: the nearest existing directory is not writable."""
    nearest = next(parent for parent in path.parents if parent.exists())
    effective = os.access in os.supports_effective_ids  # the account that will write, not the one that logged in
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK, effective_ids=effective):
        raise AuditError(f"The audit trail {path} cannot be made: {nearest} cannot be written to.", _URL_HINT)


def create(path: Path) -> None:
    """Make an empty file that only its owner can read (mode 0600); missing directories get mode 0700.

    SQLite gives its journals the mode of the database, so it must never make the database itself.
    """
    try:
        _create_directories(path.parent)
        with _creating:
            try:
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
            except FileExistsError:
                return  # another thread or process was quicker
            os.close(descriptor)
        _sync_directory(path.parent)
    except OSError as error:
        raise _os_error(path, error) from None


def _create_directories(directory: Path) -> None:
    missing = []
    while not directory.exists():
        missing.append(directory)
        directory = directory.parent
    for made in reversed(missing):
        with contextlib.suppress(FileExistsError):  # made by another process in the meantime
            made.mkdir(mode=0o700)


def _sync_directory(directory: Path) -> None:
    """Make the file's name durable; some file systems cannot, and then it is as good as they are."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# INSERT OR REPLACE deletes without firing a delete trigger, hence the one on INSERT: it fires before the replacement.
_TRIGGERS = (
    "audit_record_no_update BEFORE UPDATE ON audit_record",
    """audit_record_no_delete BEFORE DELETE ON audit_record
       WHEN OLD.seq > coalesce((SELECT seq FROM audit_start), 0)""",
    """audit_record_in_order BEFORE INSERT ON audit_record
       WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit_record)""",
    "audit_head_no_delete BEFORE DELETE ON audit_head",
    "audit_head_forward BEFORE UPDATE ON audit_head WHEN NEW.seq IS NOT OLD.seq + 1",
    "audit_start_no_delete BEFORE DELETE ON audit_start",
    """audit_start_forward BEFORE UPDATE ON audit_start WHEN NEW.seq <= OLD.seq
       OR NOT EXISTS (SELECT * FROM audit_record WHERE seq = NEW.seq AND hash = NEW.hash)""",
)
_SIGNATURE_TRIGGERS = (
    "audit_signature_no_update BEFORE UPDATE ON audit_signature",
    """audit_signature_no_delete BEFORE DELETE ON audit_signature
       WHEN OLD.seq > coalesce((SELECT seq FROM audit_start), 0)""",
    """audit_signature_in_order BEFORE INSERT ON audit_signature
       WHEN NEW.seq <= (SELECT coalesce(max(seq), 0) FROM audit_signature)""",
)


class SqliteFile:
    """Implements :class:`Store`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = _engine(path)

    @property
    def name(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        return exists(self.path)

    def make(self) -> None:
        create(self.path)

    def has_schema(self, connection: Connection) -> bool:
        application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
        version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if application == APPLICATION_ID and version == FORMAT:
            return True
        if application == APPLICATION_ID:
            raise other_format(self.name, version)
        if application or connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one():
            raise AuditError(
                f"{self.path} is an SQLite database of another program.", "Name a file of its own in audit.url."
            )
        return False

    def create_schema(self, connection: Connection) -> None:
        """In the caller's transaction."""
        trail_tables.metadata.create_all(connection, checkfirst=False)
        trail_tables.start(connection)
        _create_triggers(connection, _TRIGGERS)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT}")

    def create_signatures(self, connection: Connection) -> None:
        """In the caller's transaction."""
        if not inspect(connection).has_table(trail_tables.audit_signature.name):
            trail_tables.signatures.create_all(connection, checkfirst=False)
            _create_triggers(connection, _SIGNATURE_TRIGGERS)

    def head(self, connection: Connection, *, lock: bool) -> Head | None:  # noqa: ARG002
        """``lock`` needs nothing here: a transaction that writes has begun with BEGIN IMMEDIATE."""
        row = connection.execute(select(audit_head.c.seq, audit_head.c.hash)).one_or_none()
        if row is None:
            return None
        if not isinstance(row.seq, int) or not isinstance(row.hash, str):
            raise AuditError(
                f"The audit trail {self.path} has a head that was not written by replfix.",
                "Move the file aside and keep it; the next command that writes starts a new trail.",
            )
        return Head(row.seq, row.hash)

    def check_writable(self) -> None:
        if not exists(self.path):
            check_creatable(self.path)
            return
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            self.has_schema(connection)
            # A write makes SQLite open its journal, which needs the directory too. It is rolled back.
            connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT}")
            connection.rollback()

    def free_bytes(self) -> int | None:
        """Return the free bytes of that directory: the file, its journal and what SQLite keeps beside it are all there."""
        nearest = next(parent for parent in self.path.parents if parent.exists())
        try:
            there = os.statvfs(nearest)
        except OSError as error:
            raise _os_error(self.path, error) from None
        if not there.f_blocks:  # it does not say, as /proc and some network file systems
            return None
        return there.f_frsize * (there.f_bavail if os.geteuid() else there.f_bfree)

    def error(self, error: BaseException) -> AuditError:
        """Return what an error of SQLite means, or what SQLAlchemy wrapped around it."""
        cause = getattr(error, "orig", None) or error
        code = getattr(cause, "sqlite_errorcode", None)
        primary = code & 0xFF if isinstance(code, int) else None
        message, hint = _MEANINGS.get(primary, ("cannot be used: " + str(cause), "Check the file and its file system."))
        return AuditError(f"The audit trail {self.path} {message}.", hint)


def _create_triggers(connection: Connection, triggers: tuple[str, ...]) -> None:
    for trigger in triggers:
        connection.exec_driver_sql(
            f"CREATE TRIGGER {trigger} BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        )


def _check_trusted(path: Path) -> None:
    """Refuse a file that others may write to: it is no proof, may be theirs to read, and gets no record."""
    try:
        own_files.judge(path)
    except own_files.Distrusted as why:
        raise AuditError(
            f"The audit trail {path} is not only ours. {why}", f"{why.remedy}; or name another file in audit.url."
        ) from None
    except OSError as error:
        raise _os_error(path, error) from None


def _engine(path: Path) -> Engine:
    """Return an engine whose every connection is new, waits for other writers, and syncs at each commit.

    ``mode=rw`` never creates the file, and opens one that is write-protected for reading. The rollback journal is kept,
    not WAL: it works on every file system, lets readers read without write access, and with ``synchronous=EXTRA`` the
    directory is synced as well, without which a commit may be rolled back after a power loss.
    """

    def connect() -> sqlite3.Connection:
        uri = f"{path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            # Bytes that are no UTF-8 are somebody's tampering: they must reach verify, not stop it.
            connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            connection.execute("PRAGMA synchronous = EXTRA")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    made = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(made, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        if writes:
            _check_trusted(path)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return made


def _os_error(path: Path, error: OSError) -> AuditError:
    return AuditError(
        f"The audit trail {path} cannot be used: {error.strerror or error}.",
        f"Make {path.parent} writable for this user, or name another file in audit.url.",
    )


_DAMAGED_HINT = (
    "Move the file aside and keep it; restore a backup of it, or let replfix start a new trail. "
    "'replfix audit verify --file' checks exports made earlier."
)
_MEANINGS: dict[int | None, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: (
        f"is locked by another process for more than {BUSY_SECONDS:.0f} s",
        "Find out what locks it (another replfix, a backup, an sqlite3 shell), and run the command again.",
    ),
    sqlite3.SQLITE_READONLY: (
        "is read-only",
        "Give this user write access to the file and its directory, or name another file in audit.url.",
    ),
    sqlite3.SQLITE_PERM: ("may not be accessed", "Give this user read and write access to the file."),
    sqlite3.SQLITE_AUTH: ("may not be accessed", "Give this user read and write access to the file."),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        "Give this user read and write access to the file and its directory, or name another file in audit.url.",
    ),
    sqlite3.SQLITE_FULL: (
        "cannot grow: the disk is full",
        "Free some space, or name a file on another file system in audit.url.",
    ),
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written: the file system reports an error",
        "Check for a full disk, a quota or file size limit (ulimit -f), and the system's log.",
    ),
    sqlite3.SQLITE_CONSTRAINT: (
        "does not end where its head says, so nothing can be added to it",
        "Run 'replfix audit verify': it names the records that were changed or removed.",
    ),
    sqlite3.SQLITE_NOTADB: ("is no SQLite database", _DAMAGED_HINT),
    sqlite3.SQLITE_CORRUPT: ("is damaged", _DAMAGED_HINT),
    sqlite3.SQLITE_TOOBIG: (
        "cannot take so large a record",
        "Resolve this conflict by hand, or in smaller parts: SQLite's limit is 1 GB a record.",
    ),
}
