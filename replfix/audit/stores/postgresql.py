"""A trail on a PostgreSQL server. libpq's own ways to say who connects (PGPASSWORD, ~/.pgpass) work as everywhere."""

from __future__ import annotations

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from replfix.audit.stores.server import ANSWER_SECONDS, CONNECT_SECONDS, ServerStore
from replfix.audit.stores.store import BUSY_SECONDS
from replfix.audit.trail_tables import audit_signature
from replfix.errors import AuditError, ConfigError

_SESSION = (
    f"-c lock_timeout={BUSY_SECONDS * 1000:.0f} -c statement_timeout={ANSWER_SECONDS * 1000} -c synchronous_commit=on"
)
_FUNCTION = """
CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$"""
_IN_ORDER = """
CREATE OR REPLACE FUNCTION audit_in_order() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF NEW.seq IS DISTINCT FROM (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit_record) THEN
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$"""
_NOT_BEFORE = """
CREATE OR REPLACE FUNCTION audit_not_pruned() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF OLD.seq > (SELECT seq FROM audit_start) THEN
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN OLD;
END $$"""
_FORWARD = """
CREATE OR REPLACE FUNCTION audit_forward() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF NEW.seq <= OLD.seq OR NOT EXISTS (SELECT * FROM audit_record WHERE seq = NEW.seq AND hash = NEW.hash) THEN
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$"""
_TRIGGERS = (
    "audit_record_no_update BEFORE UPDATE ON audit_record FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
    "audit_record_no_delete BEFORE DELETE ON audit_record FOR EACH ROW EXECUTE FUNCTION audit_not_pruned()",
    "audit_record_no_truncate BEFORE TRUNCATE ON audit_record EXECUTE FUNCTION audit_append_only()",
    "audit_record_in_order BEFORE INSERT ON audit_record FOR EACH ROW EXECUTE FUNCTION audit_in_order()",
    "audit_head_no_delete BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
    "audit_head_no_truncate BEFORE TRUNCATE ON audit_head EXECUTE FUNCTION audit_append_only()",
    """audit_head_forward BEFORE UPDATE ON audit_head FOR EACH ROW WHEN (NEW.seq IS DISTINCT FROM OLD.seq + 1)
       EXECUTE FUNCTION audit_append_only()""",
    "audit_start_no_delete BEFORE DELETE ON audit_start FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
    "audit_start_no_truncate BEFORE TRUNCATE ON audit_start EXECUTE FUNCTION audit_append_only()",
    "audit_start_forward BEFORE UPDATE ON audit_start FOR EACH ROW EXECUTE FUNCTION audit_forward()",
)
_SIGNATURE_TRIGGERS = (
    "audit_signature_no_update BEFORE UPDATE ON audit_signature FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
    "audit_signature_no_delete BEFORE DELETE ON audit_signature FOR EACH ROW EXECUTE FUNCTION audit_not_pruned()",
    "audit_signature_no_truncate BEFORE TRUNCATE ON audit_signature EXECUTE FUNCTION audit_append_only()",
)
_MAKING = 0x72706C66  # "rplf": the number of an advisory lock


class PostgresqlStore(ServerStore):
    """Implements :class:`replfix.audit.stores.store.Store`."""

    def __init__(self, url: URL) -> None:
        try:
            import psycopg  # noqa: F401 - SQLAlchemy would say it with a traceback
        except ImportError:
            raise ConfigError(
                "audit.url names a PostgreSQL server, and its driver is not installed.",
                "pip install 'replfix[postgresql]'",
            ) from None
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            connect_args={"connect_timeout": CONNECT_SECONDS, "options": _SESSION, "application_name": "replfix"},
        )
        super().__init__(url, engine)

    def create_schema(self, connection: Connection) -> None:
        """In the caller's transaction."""
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MAKING})
        if self.has_schema(connection):
            return
        self.make_tables(connection)
        for function in (_FUNCTION, _IN_ORDER, _NOT_BEFORE, _FORWARD):
            connection.exec_driver_sql(function)
        for trigger in _TRIGGERS:
            connection.exec_driver_sql(f"CREATE TRIGGER {trigger}")
        self.made(connection)

    def create_signatures(self, connection: Connection) -> None:
        """In the caller's transaction."""
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MAKING})
        if not inspect(connection).has_table(audit_signature.name):
            audit_signature.create(connection)
            for trigger in _SIGNATURE_TRIGGERS:
                connection.exec_driver_sql(f"CREATE TRIGGER {trigger}")

    def error(self, error: BaseException) -> AuditError:
        cause = getattr(error, "orig", None) or error
        state = getattr(cause, "sqlstate", None)
        if state is None:
            return AuditError(
                f"The audit trail {self.name} cannot be reached: {' '.join(str(cause).split())}",
                "Check audit.url, the password (PGPASSWORD or ~/.pgpass), and that the server is up.",
            )
        return self.meaning(error, state if state in _MEANINGS else state[:2], _MEANINGS)


_DENIED = (
    "GRANT CREATE, USAGE on the schema, and SELECT, INSERT, UPDATE on the trail's tables, to the account in audit.url."
)
_MEANINGS: dict[object, tuple[str, str]] = {
    "28": ("rejected the login", "Check user and password: audit.url, PGPASSWORD or ~/.pgpass."),
    "42501": ("may not be used by this account", _DENIED),
    "3D": ("names a database that is not there", "Create it: CREATE DATABASE … ENCODING 'UTF8'."),
    **dict.fromkeys(
        ("08", "57"), ("was lost while it was used", "Check that its server is up, then run the command again.")
    ),
    "25006": ("is on a server that is read-only", "Name a server in audit.url that takes writes."),
    "55P03": (
        f"is locked by another session for more than {BUSY_SECONDS:.0f} s",
        "Find out what locks it (pg_stat_activity on its server), and run the command again.",
    ),
    "53": ("cannot grow or take more connections", "Look at the disk and the limits of its server."),
    "23": (
        "does not end where its head says, so nothing can be added to it",
        "Run 'replfix audit verify': it names the records that were changed or removed.",
    ),
}
