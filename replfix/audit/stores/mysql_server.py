"""A trail on a MySQL or MariaDB server."""

from __future__ import annotations

from contextlib import suppress

import pymysql
import sqlalchemy
from pymysql.constants import CLIENT
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from replfix.audit.stores.server import ANSWER_SECONDS, ServerStore
from replfix.audit.stores.store import BUSY_SECONDS
from replfix.audit.trail_tables import audit_signature
from replfix.core.connection.endpoint import DEFAULT_PORT, Account, Endpoint, Secret, url_options
from replfix.core.connection.tls import Tls
from replfix.errors import AuditError, ConfigError, ReplfixError, UsageError
from replfix.wire import Guarded, connect

_SESSION = (
    f"SET SESSION sql_mode = 'STRICT_ALL_TABLES', innodb_lock_wait_timeout = {BUSY_SECONDS:.0f}, "
    f"lock_wait_timeout = {BUSY_SECONDS:.0f}"
)
_TRIGGERS = (
    """audit_record_no_update BEFORE UPDATE ON audit_record FOR EACH ROW
       SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit trail is append-only'""",
    """audit_record_no_delete BEFORE DELETE ON audit_record FOR EACH ROW
       IF OLD.seq > (SELECT seq FROM audit_start) THEN
         SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit trail is append-only';
       END IF""",
    """audit_record_in_order BEFORE INSERT ON audit_record FOR EACH ROW
       IF NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit_record) THEN
         SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit trail is append-only';
       END IF""",
    """audit_head_no_delete BEFORE DELETE ON audit_head FOR EACH ROW
       SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit trail is append-only'""",
    """audit_head_forward BEFORE UPDATE ON audit_head FOR EACH ROW
       IF NEW.seq <> OLD.seq + 1 THEN
         SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit trail is append-only';
       END IF""",
    """audit_start_no_delete BEFORE DELETE ON audit_start FOR EACH ROW
       SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit trail is append-only'""",
    """audit_start_forward BEFORE UPDATE ON audit_start FOR EACH ROW
       IF NEW.seq <= OLD.seq OR NOT EXISTS (SELECT * FROM audit_record WHERE seq = NEW.seq AND hash = NEW.hash) THEN
         SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit trail is append-only';
       END IF""",
)
_SIGNATURE_TRIGGERS = (
    """audit_signature_no_update BEFORE UPDATE ON audit_signature FOR EACH ROW
       SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit trail is append-only'""",
    """audit_signature_no_delete BEFORE DELETE ON audit_signature FOR EACH ROW
       IF OLD.seq > (SELECT seq FROM audit_start) THEN
         SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit trail is append-only';
       END IF""",
)
# Without TRIGGER, or with binary logging and without SUPER or log_bin_trust_function_creators: the chain still shows changes.
_NO_TRIGGERS_HERE = {1142, 1227, 1419}
_MAKING = "replfix audit tables"


class MysqlStore(ServerStore):
    """Implements :class:`replfix.audit.stores.store.Store`."""

    def __init__(self, url: URL, account: Account, tls: Tls) -> None:
        endpoint = _endpoint(url, account, tls)

        def opened() -> Guarded:
            try:
                return connect(
                    endpoint,
                    database=url.database,
                    charset="utf8mb4",
                    client_flag=CLIENT.FOUND_ROWS,  # SQLAlchemy counts on it
                    answer_seconds=ANSWER_SECONDS,
                    init_command=_SESSION,
                    program_name="replfix",
                )
            except ReplfixError as error:
                raise AuditError(
                    f"The audit trail {self.name} cannot be reached: {error.message}", error.hint
                ) from None

        engine = create_engine(
            "mysql+pymysql://",
            creator=opened,
            poolclass=NullPool,
            isolation_level="READ COMMITTED",  # the head is what it is once the lock is there
        )
        super().__init__(url, engine)

    def create_schema(self, connection: sqlalchemy.Connection) -> None:
        """DDL commits by itself here, so others are kept out by a named lock."""
        wait = {"name": _MAKING, "seconds": int(BUSY_SECONDS)}
        connection.execute(text("SELECT GET_LOCK(:name, :seconds)"), wait)
        try:
            if self.has_schema(connection):
                return
            self.make_tables(connection)
            _create_triggers(connection, _TRIGGERS)
            self.made(connection)
            connection.exec_driver_sql("COMMIT")  # before the next one gets the lock: else it makes them again
        finally:
            with suppress(DBAPIError):  # a lost session has lost its locks
                connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": _MAKING})

    def create_signatures(self, connection: sqlalchemy.Connection) -> None:
        """Create it; each statement commits by itself, and is harmless where another process was quicker."""
        connection.execute(CreateTable(audit_signature, if_not_exists=True))
        _create_triggers(connection, _SIGNATURE_TRIGGERS)

    def error(self, error: BaseException) -> AuditError:
        return self.meaning(error, _code(error), _MEANINGS)


def _create_triggers(connection: sqlalchemy.Connection, triggers: tuple[str, ...]) -> None:
    for trigger in triggers:
        try:
            connection.exec_driver_sql(f"CREATE TRIGGER IF NOT EXISTS {trigger}")
        except DBAPIError as error:
            if _code(error) not in _NO_TRIGGERS_HERE:
                raise


def _endpoint(url: URL, account: Account, tls: Tls) -> Endpoint:
    """ConfigError for options that are not known: one that is passed over could be the one that encrypts."""
    password = None if url.password is None else Secret(url.password)
    user = url.username
    if user is None and password is None:
        user, password = account.user, account.password
    elif password is None and account.user in (None, user):
        password = account.password
    try:
        own = url_options((name, str(value)) for name, value in url.query.items())
    except UsageError as error:
        raise ConfigError(f"audit.url: {error.message}", error.hint) from None
    port = url.port or DEFAULT_PORT
    return Endpoint(str(url.host), port, user, password, own.socket, own.tls.over(tls), own.sign_in)


def _code(error: BaseException) -> object:
    cause = getattr(error, "orig", None) or error
    return cause.args[0] if isinstance(cause, pymysql.MySQLError) and cause.args else None


_DENIED = "GRANT SELECT, INSERT, UPDATE, CREATE, TRIGGER on the database to the account; give it in audit.url or the option file."
_UNREACHABLE = "Check the host and port in audit.url, and that the server is up."
_READ_ONLY = "Name a server in audit.url that takes writes: never a replica that replfix is to repair."
_MEANINGS: dict[object, tuple[str, str]] = {
    **dict.fromkeys((1045, 1698, 3118), ("rejected the login", _DENIED)),
    **dict.fromkeys((1044, 1142, 1143, 1227), ("may not be used by this account", _DENIED)),
    1049: ("names a database that is not there", "Create it: CREATE DATABASE … CHARACTER SET utf8mb4."),
    **dict.fromkeys((2002, 2003, 2005), ("cannot be reached", _UNREACHABLE)),
    **dict.fromkeys((2006, 2013, 1053, 4031), ("was lost while it was used", _UNREACHABLE)),
    **dict.fromkeys((1290, 1836), ("is on a server that is read-only", _READ_ONLY)),
    1205: (
        f"is locked by another session for more than {BUSY_SECONDS:.0f} s",
        "Find out what locks it (SHOW PROCESSLIST on its server), and run the command again.",
    ),
    **dict.fromkeys((1021, 1114), ("cannot grow: the disk is full", "Free some space on its server.")),
    **dict.fromkeys(
        (1153, 1301),
        (
            "cannot take so large a record",
            "SET GLOBAL max_allowed_packet on its server to more than the plan's rows take.",
        ),
    ),
    **dict.fromkeys(
        (1644, 1062),
        (
            "does not end where its head says, so nothing can be added to it",
            "Run 'replfix audit verify': it names the records that were changed or removed.",
        ),
    ),
    1406: ("cannot take a name of more than 255 characters", "Give the replica a shorter name in replfix.toml."),
}
