"""The file that an SQLite trail lives in: where it is, who may read it, and what SQLite's errors mean."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from replfix.errors import AuditError, ConfigError

BUSY_SECONDS = 30.0

_URL_HINT = "Write audit.url as sqlite:////absolute/path/audit.db (four slashes), or leave it out for the default."

# Closing any descriptor of a file drops all POSIX locks that this process holds on it, SQLite's too. So we open the
# file ourselves only to create it, and nobody may look for it until that descriptor is closed again.
_creating = threading.Lock()


def default_path() -> Path:
    """``$XDG_STATE_HOME/replfix/audit.db``, or the platform's place for state."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):  # the XDG specification says to ignore a relative one
        return Path(state) / "replfix" / "audit.db"
    from platformdirs import user_state_dir

    return Path(user_state_dir("replfix", appauthor=False)) / "audit.db"


def path_of(url: str | None) -> Path:
    """The file that an ``audit.url`` names; ConfigError for what is no SQLite file. Never repeats the URL."""
    if url is None:
        return default_path()
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError("audit.url is no database URL.", _URL_HINT) from None
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise ConfigError(
            f"audit.url: the scheme {parsed.drivername[:40]!r} is not supported.",
            "This version keeps the audit trail in SQLite. " + _URL_HINT,
        )
    if parsed.host or parsed.username or parsed.password or parsed.port or parsed.query:
        raise ConfigError("audit.url: an SQLite URL has a path only: no host, account or options.", _URL_HINT)
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise ConfigError("audit.url names no file: the audit trail has to outlive the process.", _URL_HINT)
    return Path(parsed.database).expanduser().absolute()


def exists(path: Path) -> bool:
    """Whether there is a trail; AuditError when that cannot be told or when it is no file."""
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
    """AuditError when the file could not be made where it should be: its nearest directory is not ours to write in."""
    nearest = next(parent for parent in path.parents if parent.exists())
    effective = os.access in os.supports_effective_ids  # the account that will write, not the one that logged in
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK, effective_ids=effective):
        raise AuditError(f"The audit trail {path} cannot be made: {nearest} cannot be written to.", _URL_HINT)


def create(path: Path) -> None:
    """Make an empty file that only its owner can read (mode 0600), in directories of mode 0700 where they are missing.

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


def engine(path: Path) -> Engine:
    """An engine whose every connection is new, waits for other writers, and syncs at each commit.

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
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return made


def _os_error(path: Path, error: OSError) -> AuditError:
    return AuditError(
        f"The audit trail {path} cannot be used: {error.strerror or error}.",
        f"Make {path.parent} writable for this user, or name another file in audit.url.",
    )


def audit_error(path: Path, error: BaseException) -> AuditError:
    """What an error of SQLite (or what SQLAlchemy wrapped around it) means for the trail."""
    cause = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    message, hint = _MEANINGS.get(primary, ("cannot be used: " + str(cause), "Check the file and its file system."))
    return AuditError(f"The audit trail {path} {message}.", hint)


_DAMAGED_HINT = (
    "Move the file aside and keep it; restore a backup of it, or let replfix start a new trail. "
    "'replfix audit verify --file' checks exports made earlier."
)
_MEANINGS: dict[int | None, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: (
        f"is locked by another process for more than {BUSY_SECONDS:.0f} s",
        "Find out what holds it (another replfix, a backup, an sqlite3 shell), and run the command again.",
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
