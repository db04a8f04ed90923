"""MySQL 8.0.30 and newer; 9.7 where the lab has the choice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from replfix.core.replication import applier_error
from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.sql import string
from replfix.errors import ConfigError
from replfix.lab.flavours.base import ChannelState, Packages
from replfix.lab.processes import run
from replfix.lab.provision import apt_sources
from replfix.lab.provision.apt_sources import Archive
from replfix.mysql.connection.session import Row, Session
from replfix.mysql.connection.terms import LOG_STATUS_STATEMENTS

if TYPE_CHECKING:
    from replfix.lab.lab_accounts import Account
    from replfix.lab.provision.software import Software

OLDEST = (8, 0, 30)
"""The first version with every option and statement that the lab uses (innodb_redo_log_capacity)."""

_NO_X = "--loose-mysqlx=OFF"
"""A server that was built without the X plugin does not know the option."""

_BEFORE_TRANSACTIONS = ("Format_desc", "Previous_gtids")

_REDO_CAPACITY = "--innodb-redo-log-capacity=16M"
"""Small enough to copy quickly, large enough for the initialization not to wait for checkpoints (8M makes it wait)."""

_WORKER_ERRORS = """
    SELECT LAST_ERROR_NUMBER AS errno, LAST_ERROR_MESSAGE AS message, APPLYING_TRANSACTION AS gtid
    FROM performance_schema.replication_applier_status_by_worker
    WHERE LAST_ERROR_NUMBER NOT IN (0, 1756, 3030)"""
# 1756 and 3030: a worker that stopped because another one did.

_APPLIER_OPTIONS = """
    SELECT PRIVILEGE_CHECKS_USER, REQUIRE_ROW_FORMAT, REQUIRE_TABLE_PRIMARY_KEY_CHECK
    FROM performance_schema.replication_applier_configuration WHERE CHANNEL_NAME = ''"""
_AS_STARTED = (None, "NO", "STREAM")


class MySQL:
    """Implements ``Flavour``."""

    name = "mysql"
    product = "MySQL"
    title = "MySQL 8.0.30 or newer"
    program = "mysqld"
    image = "mysql:9.7"
    packages = Packages(
        server="mysql-server-core",
        client="mysql-client-core",
        program=("usr/sbin/mysqld", "usr/libexec/mysqld"),
        messages="usr/share/mysql*/english/errmsg.sys",
        charsets="usr/share/mysql*/charsets/Index.xml",
        plugins="usr/lib/mysql*/plugin",
    )
    directories = ("packages",)
    port_taken = "MY-010262"  # ER_BINDING_TO_IP: Can't start server: Bind on TCP/IP port
    replfix_privileges = (
        "SELECT, INSERT, UPDATE, DELETE, TRIGGER, EVENT, REPLICATION CLIENT, REPLICATION SLAVE",
        "REPLICATION_SLAVE_ADMIN, SESSION_VARIABLES_ADMIN, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, BINLOG_ADMIN, "
        "REPLICATION_APPLIER",
    )
    """Tried one by one on 9.7.4. TRIGGER makes information_schema.TRIGGERS show the triggers, EVENT does the same for
    EVENTS."""

    options = ("--skip-name-resolve", "--gtid-mode=ON", "--enforce-gtid-consistency=ON", _NO_X)
    """root@localhost has no password: without names, 127.0.0.1 is not localhost, so only the socket lets root in."""

    # Workers, row format, checksums, durability and performance_schema stay as the server has them.
    lean = (
        "--secure-file-priv=NULL",
        "--innodb-buffer-pool-size=32M",
        "--innodb-log-buffer-size=2M",
        "--innodb-buffer-pool-load-at-startup=OFF",
        "--innodb-buffer-pool-dump-at-shutdown=OFF",
        _REDO_CAPACITY,
        "--max-connections=60",
        "--table-open-cache=200",
        "--table-definition-cache=400",
    )
    replica_options = ("--read-only=ON", "--super-read-only=ON")
    image_environment: Mapping[str, str] = {
        "MYSQL_ALLOW_EMPTY_PASSWORD": "yes",
        "MYSQL_ROOT_HOST": "localhost",
        "MYSQL_INITDB_SKIP_TZINFO": "1",
    }
    parallel = "replica_parallel_workers"
    counting = ("gtid_executed", "gtid_purged", "timestamp", "rand_seed1", "rand_seed2", "pseudo_thread_id")
    reset_variables: Mapping[str, str] = dict.fromkeys(
        (
            "auto_increment_increment",
            "auto_increment_offset",
            "binlog_cache_size",
            "binlog_format",
            "binlog_row_image",
            "binlog_row_metadata",
            "binlog_rows_query_log_events",
            "binlog_stmt_cache_size",
            "log_bin_trust_function_creators",
            "max_binlog_cache_size",
            "max_binlog_stmt_cache_size",
            "max_heap_table_size",
            "replica_parallel_workers",
            "replica_type_conversions",
            "sql_replica_skip_counter",
        ),
        "DEFAULT",
    )

    def directory_of(self, version: str) -> str:  # noqa: ARG002
        return self.directories[0]

    def unfit(self, version: str) -> str | None:
        if "mariadb" in version.lower():
            return f"MariaDB {version.split('-')[0]}, not MySQL (--server mariadb takes it)"
        numbers = tuple(int(number) for number in version.split("-")[0].split(".")[:3])
        return f"MySQL {version}; the lab needs 8.0.30 or newer" if numbers < OLDEST else None

    def archives(self, archives: Iterable[Archive], os_release: Mapping[str, str]) -> list[Archive]:
        return apt_sources.debian("sid", archives, os_release)

    def client(self, name: str) -> str:
        return name

    def chosen(self, server_id: int) -> Mapping[str, str]:  # noqa: ARG002
        return {}  # gtid_mode, which is OFF as it ships, is a matter of the topology

    def initialize(self, software: Software, data: Path, statements: Sequence[str]) -> str:
        script, log = data.with_name("accounts.sql"), data.with_name("initialize.log")
        script.write_text("".join(f"{statement};\n" for statement in statements), encoding="utf-8")
        # Nothing of the initialization is logged (binlog is off), so the accounts cost no GTID.
        command = software.server_command(
            "--initialize-insecure",
            f"--init-file={script}",
            f"--datadir={data}",
            f"--log-error={log}",
            "--secure-file-priv=NULL",
            _NO_X,
            _REDO_CAPACITY,
        )
        code, text = run(command)
        said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else text
        errors = [line for line in said.splitlines() if "[ERROR]" in line]
        if code != 0 or errors:
            raise ConfigError(" ".join(errors)[-600:] or said.strip()[-300:] or f"exit code {code}")
        # Two servers with one UUID would refuse to replicate from each other.
        (data / "auto.cnf").unlink(missing_ok=True)
        script.unlink()
        return said

    def settle(self, session: Session, *, replica: bool) -> None:
        self.forget(session)
        if replica:  # the options cannot say so: with super_read_only the image could not prepare its data directory
            session.execute("SET PERSIST super_read_only = ON")

    def protect(self, session: Session) -> None:
        session.execute("SET GLOBAL super_read_only = ON")  # and with it read_only

    def configure_channel(
        self,
        session: Session,
        host: str,
        port: int,
        account: Account,
        channel: str = "",
        *,
        position: LogPosition | None = None,
    ) -> None:
        begin = "SOURCE_AUTO_POSITION = 1"
        if position is not None:
            place = f"SOURCE_LOG_FILE = {string(position.log_file)}, SOURCE_LOG_POS = {position.pos}"
            begin = f"SOURCE_AUTO_POSITION = 0, {place}"
        # GET_SOURCE_PUBLIC_KEY: the password is hashed by caching_sha2_password and the channel has no TLS.
        session.execute(
            f"CHANGE REPLICATION SOURCE TO SOURCE_HOST = {string(host)}, SOURCE_PORT = {port}, "
            f"SOURCE_USER = {string(account.name)}, SOURCE_PASSWORD = {string(account.password)}, {begin}, "
            "GET_SOURCE_PUBLIC_KEY = 1, SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 86400 "
            f"FOR CHANNEL {string(channel)}"
        )

    def forget_received(self, session: Session) -> None:
        session.execute("RESET REPLICA")
        if session.rows(_APPLIER_OPTIONS) != [_AS_STARTED]:  # to change them costs ten times as much as to look
            session.execute(
                "CHANGE REPLICATION SOURCE TO PRIVILEGE_CHECKS_USER = NULL, REQUIRE_ROW_FORMAT = 0, "
                "REQUIRE_TABLE_PRIMARY_KEY_CHECK = STREAM"
            )

    def start_channel(self, session: Session, channel: str = "") -> None:
        session.execute(f"START REPLICA FOR CHANNEL {string(channel)}")

    def remove_channels(self, session: Session) -> None:
        session.execute("STOP REPLICA")
        session.execute("RESET REPLICA ALL")

    def channels(self, session: Session) -> tuple[str, ...]:
        return tuple(row["Channel_Name"] for row in session.query("SHOW REPLICA STATUS"))

    def channel_state(self, session: Session, channel: str = "") -> ChannelState | None:
        rows = [row for row in session.query("SHOW REPLICA STATUS") if row["Channel_Name"] == channel]
        if not rows:
            return None
        status = rows[0]
        running = status["Replica_SQL_Running"] == "Yes"
        return ChannelState(
            receiver_running=status["Replica_IO_Running"] == "Yes",
            applier_running=running,
            error=None if running else _applier_error(session, status, channel),
            receiver_message=str(status["Last_IO_Error"] or ""),
        )

    def source_port(self, session: Session, channel: str = "") -> int | None:
        rows = [row for row in session.query("SHOW REPLICA STATUS") if row["Channel_Name"] == channel]
        return int(rows[0]["Source_Port"]) if rows else None

    def executed(self, session: Session) -> GtidSet:
        return GtidSet.parse(str(session.scalar("SELECT @@GLOBAL.gtid_executed")))

    def written(self, session: Session) -> GtidSet | LogPosition:
        return self.log_end(session) if session.scalar("SELECT @@GLOBAL.gtid_mode") == "OFF" else self.executed(session)

    def sent(self, session: Session, replica: Session) -> GtidSet | LogPosition:  # noqa: ARG002
        return self.written(session)

    def received(self, session: Session, wanted: GtidSet | LogPosition) -> bool:
        status = session.query("SHOW REPLICA STATUS FOR CHANNEL ''")[0]
        if isinstance(wanted, LogPosition):
            return wanted <= LogPosition(status["Source_Log_File"], int(status["Read_Source_Log_Pos"]))
        return wanted <= GtidSet.parse(status["Retrieved_Gtid_Set"]) | GtidSet.parse(status["Executed_Gtid_Set"])

    def wait_until_applied(self, session: Session, wanted: GtidSet | LogPosition, seconds: int) -> bool:
        if isinstance(wanted, LogPosition):
            place = f"{string(wanted.log_file)}, {wanted.pos}, {seconds}, ''"
            return session.scalar(f"SELECT SOURCE_POS_WAIT({place})") not in (None, "-1")
        return bool(session.scalar(f"SELECT WAIT_FOR_EXECUTED_GTID_SET({string(str(wanted))}, {seconds})") == "0")

    def prepared(self, session: Session) -> tuple[str, ...]:
        return tuple(map(_xid, session.query("XA RECOVER CONVERT XID")))

    def read_only(self, session: Session) -> tuple[bool, bool | None]:
        row = session.query("SELECT @@GLOBAL.read_only AS r, @@GLOBAL.super_read_only AS s")[0]
        return row["r"] == "1", row["s"] == "1"

    @contextlib.contextmanager
    def writable(self, session: Session) -> Iterator[None]:
        # Turning super_read_only off leaves read_only on: an account with CONNECTION_ADMIN writes nevertheless.
        session.execute("SET GLOBAL super_read_only = OFF")
        try:
            yield
        finally:
            session.execute("SET GLOBAL super_read_only = ON")

    def variables(self, session: Session) -> dict[str, str]:
        return {
            row["name"]: row["value"]
            for row in session.query(
                "SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value FROM performance_schema.global_variables"
            )
        }

    def logs_cascades(self, session: Session) -> bool:
        native = session.query("SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'")  # came with 9.6
        return bool(native) and native[0]["Value"] == "OFF"

    def log_end(self, session: Session) -> LogPosition:
        row = session.query(LOG_STATUS_STATEMENTS[not _since_8_2(session)])[0]
        return LogPosition(row["File"], int(row["Position"]))

    def log_start(self, session: Session) -> LogPosition:
        file = str(session.query("SHOW BINARY LOGS")[0]["Log_name"])
        head = session.query(f"SHOW BINLOG EVENTS IN {string(file)} LIMIT {len(_BEFORE_TRANSACTIONS)}")
        return LogPosition(file, max(int(e["End_log_pos"]) for e in head if e["Event_type"] in _BEFORE_TRANSACTIONS))

    def forget(self, session: Session, executed: GtidSet | None = None) -> None:
        session.execute("RESET BINARY LOGS AND GTIDS" if _since_8_2(session) else "RESET MASTER")
        if executed is not None:
            session.execute(f"SET GLOBAL gtid_purged = {string(str(executed))}")


def _since_8_2(session: Session) -> bool:
    """Return whether the renamed binlog statements are there; 8.4 does not have the old ones any more."""
    major, minor = session.server_version.split(".")[:2]
    return (int(major), int(minor)) >= (8, 2)


def _xid(row: Row) -> str:
    digits, first = str(row["data"]).removeprefix("0x"), 2 * int(row["gtrid_length"])
    return f"X'{digits[:first]}', X'{digits[first:]}', {int(row['formatID'])}"


def _applier_error(session: Session, status: Row, channel: str) -> ApplierError | None:
    workers = session.query(f"{_WORKER_ERRORS} AND CHANNEL_NAME = {string(channel)}")
    found = [applier_error.parse(int(r["errno"]), r["message"], r["gtid"]) for r in workers]
    if found:
        return min(found, key=lambda e: (e.log_file or "", e.end_log_pos or 0))
    errno = int(status["Last_SQL_Errno"])
    return applier_error.parse(errno, status["Last_SQL_Error"]) if errno else None


MYSQL = MySQL()
