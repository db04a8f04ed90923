"""What the trail asks of a database; each kind answers in a module of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine

from replfix.core.trail.audit_record import Head
from replfix.errors import AuditError

FORMAT = 2
"""Of the tables; a newer replfix may know a later one."""

BUSY_SECONDS = 30.0
"""How long an append waits for the appends of others."""


class Store(Protocol):
    """Every method but ``error`` raises AuditError, or an error of SQLAlchemy that ``error`` translates."""

    @property
    def name(self) -> str:
        """For people: a path, or ``mysql://host:port/database``. Never a password."""
        ...

    @property
    def path(self) -> Path | None:
        """The file that it lives in, when it is one."""
        ...

    @property
    def engine(self) -> Engine:
        """Connections of it begin a transaction that writes when their execution option ``writes`` is set."""
        ...

    def exists(self) -> bool:
        """Return whether there may be something to read. Makes nothing."""
        ...

    def make(self) -> None:
        """Make what has to be there before a connection: a file."""
        ...

    def has_schema(self, connection: Connection) -> bool:
        """Return whether the trail's tables are there. AuditError for those of another program or a newer replfix."""
        ...

    def create_schema(self, connection: Connection) -> None:
        """Create tables, the head at START, and what makes them append-only. Harmless when another process was quicker."""
        ...

    def create_signatures(self, connection: Connection) -> None:
        """Create the table of signatures, append-only too, where it is missing. Harmless when another process was quicker."""
        ...

    def head(self, connection: Connection, *, lock: bool) -> Head | None:
        """Return the end of the trail, None when it was removed; ``lock`` keeps others from appending in the transaction."""
        ...

    def check_writable(self) -> None:
        """Check whether a record could be added, without adding one."""
        ...

    def free_bytes(self) -> int | None:
        """Return the free bytes of its file system; None where that is not seen from here."""
        ...

    def error(self, error: BaseException) -> AuditError:
        """Return what an error of the database means for the trail."""
        ...


def other_format(name: str, found: object) -> AuditError:
    """Return the error for a trail of another format."""
    return AuditError(
        f"The audit trail {name} has format {found}; this replfix knows {FORMAT}.",
        "Use the replfix that wrote it, or name another place in audit.url.",
    )
