"""What trails on database servers have in common: several hosts write at once, each append locks the head's row."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Connection, Engine, Inspector, Integer, MetaData, Table, insert, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from replfix.audit import trail_tables
from replfix.audit.stores.store import FORMAT, other_format
from replfix.audit.trail_tables import audit_head, audit_record
from replfix.core.trail.audit_record import Head
from replfix.errors import AuditError

CONNECT_SECONDS = 5
ANSWER_SECONDS = 60

_audit_format = Table("audit_format", MetaData(), Column("version", Integer, primary_key=True, autoincrement=False))


class ServerStore:
    """A :class:`replfix.audit.stores.store.Store` but for errors and triggers, which differ for each server."""

    path = None

    def __init__(self, url: URL, engine: Engine) -> None:
        self.engine = engine
        host = url.host or str(url.query.get("host"))  # PostgreSQL's way to name the directory of a socket
        port = f":{url.port}" if url.port else ""
        self.name = f"{url.drivername.partition('+')[0]}://{host}{port}/{url.database}"

    def exists(self) -> bool:
        return True

    def make(self) -> None:
        """Do nothing: the database is there, or its server reports that it is not."""

    def has_schema(self, connection: Connection) -> bool:
        found = inspect(connection)
        there = set(found.get_table_names())
        if _audit_format.name not in there:  # it is made last: somebody may be at it, or have been interrupted
            for table in (audit_record, audit_head):
                if table.name in there and not {c.name for c in table.columns} <= _columns(found, table.name):
                    raise AuditError(
                        f"The database {self.name} has a table {table.name} of another program.",
                        "Name a database of its own in audit.url; its tables are made by the first command that writes.",
                    )
            return False
        versions = connection.execute(select(_audit_format.c.version)).scalars().all()
        if versions not in ([], [FORMAT]):
            raise other_format(self.name, versions)
        return bool(versions)  # where DDL commits by itself, somebody is between the table and its row

    def make_tables(self, connection: Connection) -> None:
        """Create tables and head; the caller makes sure that nobody else does, and calls ``made`` next."""
        trail_tables.metadata.create_all(connection, checkfirst=True)
        if connection.execute(select(audit_head.c.seq)).first() is None:
            trail_tables.start(connection)

    def made(self, connection: Connection) -> None:
        """Store the format, as the last thing: from now on the trail is there."""
        _audit_format.metadata.create_all(connection, checkfirst=True)
        connection.execute(insert(_audit_format).values(version=FORMAT))

    def head(self, connection: Connection, *, lock: bool) -> Head | None:
        wanted = select(audit_head.c.seq, audit_head.c.hash)
        row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
        return Head(row.seq, row.hash) if row else None

    def check_writable(self) -> None:
        """Lock and write the head, and roll back."""
        with self.engine.connect() as connection, connection.begin() as transaction:
            if self.has_schema(connection):
                self.head(connection, lock=True)
                connection.execute(audit_head.update().values(seq=audit_head.c.seq + 1))
            transaction.rollback()

    def free_bytes(self) -> None:
        """Return None: the disk of its server is not seen from here."""

    def meaning(self, error: BaseException, code: object, meanings: dict[object, tuple[str, str]]) -> AuditError:
        """Return the message for the server's own code of an error."""
        cause = getattr(error, "orig", None) or error
        said = " ".join(str(part) for part in _args(cause)) or str(cause)
        message, hint = meanings.get(code, (f"cannot be used: {said.strip()}", "See audit.url and the server's log."))
        return AuditError(f"The audit trail {self.name} {message}.", hint)


def _columns(found: Inspector, table: str) -> set[str]:
    return {str(column["name"]) for column in found.get_columns(table)}


def _args(error: BaseException) -> Sequence[object]:
    return error.args if not isinstance(error, SQLAlchemyError) else ()
