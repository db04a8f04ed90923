"""MariaDB 10.5, 10.11 and 11.8: long-term releases that Debian carries."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from replfix.core.replication import applier_error
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.mariadb_gtid import MariadbGtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.sql import string
from replfix.errors import ConfigError
from replfix.lab.flavours.base import ChannelState, Packages
from replfix.lab.provision import apt_sources
from replfix.lab.provision.apt_sources import Archive
from replfix.mysql.connection import terms
from replfix.mysql.connection.session import Session

if TYPE_CHECKING:
    from replfix.lab.lab_accounts import Account
    from replfix.lab.provision.software import Software

OLDEST = (10, 11)

_SYSTEM_TABLES = (
    "*_system_tables.sql",
    "*_performance_tables.sql",
    "*_system_tables_data.sql",
    "fill_help_tables.sql",
    "maria_add_gis_sp_bootstrap.sql",
    "*_sys_schema.sql",
)
"""In this order, as mariadb-install-db feeds them; called mysql_… in 10.11, mariadb_… in 11.8."""


@dataclass(frozen=True, slots=True)
class MariaDB:
    """Implements ``Flavour``.

    ``suite`` is the release of Debian with the series; where not ``only_series``, a program that is found or named may
    be of any other one.
    """

    name: str
    series: str
    suite: str
    only_series: bool = True

    @property
    def product(self) -> str:
        return "MariaDB"

    @property
    def title(self) -> str:
        return f"MariaDB {self.series}" if self.only_series else f"MariaDB {'.'.join(map(str, OLDEST))} or newer"

    @property
    def program(self) -> str:
        return "mariadbd"

    @property
    def image(self) -> str:
        return f"mariadb:{self.series}"

    @property
    def packages(self) -> Packages:
        return Packages(
            server="mariadb-server-core",
            client="mariadb-client",  # mariadb-client-core has no mariadb-binlog
            program=("usr/sbin/mariadbd",),
            messages="usr/share/m*/english/errmsg.sys",
            charsets="usr/share/m*/charsets/Index.xml",
            plugins="usr/lib/mysql/plugin",
        )

    @property
    def directories(self) -> tuple[str, ...]:
        others = () if self.only_series else (MARIADB_10_11.series,)
        return tuple(f"mariadb-{series}" for series in (self.series, *others))

    def directory_of(self, version: str) -> str:
        return f"mariadb-{'.'.join(version.split('.')[:2])}"

    @property
    def port_taken(self) -> str:
        return "Can't start server: Bind on TCP/IP port"

    @property
    def replfix_privileges(self) -> tuple[str, ...]:
        return (
            "SELECT, INSERT, UPDATE, DELETE, TRIGGER, REPLICATION SLAVE",
            "REPLICA MONITOR, BINLOG MONITOR, BINLOG ADMIN, BINLOG REPLAY, REPLICATION REPLICA ADMIN, READ_ONLY ADMIN",
        )

    def unfit(self, version: str) -> str | None:
        number = version.split("-")[0]
        if "mariadb" not in version.lower():
            return f"MySQL {number}, not MariaDB (--server mysql takes it)"
        major, minor = (int(part) for part in number.split(".")[:2])
        if self.only_series:
            return f"MariaDB {number}, not {self.series}" if f"{major}.{minor}" != self.series else None
        return f"MariaDB {number}; the lab needs 10.11 or newer" if (major, minor) < OLDEST else None

    def archives(self, archives: Iterable[Archive], os_release: Mapping[str, str]) -> list[Archive]:
        return apt_sources.debian(self.suite, archives, os_release)

    def client(self, name: str) -> str:
        return f"mariadb{name.removeprefix('mysql')}" if name == "mysql" else name.replace("mysql", "mariadb-", 1)

    def initialize(self, software: Software, data: Path, statements: Sequence[str]) -> str:
        share = _share(software)
        script = ["create database mysql;\nuse mysql;\n"]
        for pattern in _SYSTEM_TABLES:
            for path in sorted(share.glob(pattern)):
                script.append(path.read_text(encoding="utf-8"))
        # The accounts that a bootstrap makes are for the names of this host; root is for the socket only.
        script.append("DELETE FROM global_priv WHERE User = '' OR Host NOT IN ('localhost', '%');\nFLUSH PRIVILEGES;\n")
        script.append("CREATE OR REPLACE USER root@localhost;\nGRANT ALL ON *.* TO root@localhost WITH GRANT OPTION;\n")
        script += [f"{statement};\n" for statement in statements]
        data.mkdir()
        command = software.server_command(
            "--bootstrap", "--skip-log-bin", f"--datadir={data}", "--log-warnings=0", *_SMALL, *_SMALL_ONCE
        )
        done = subprocess.run(  # noqa: S603 (no shell; the lab builds every argument itself)
            command,
            input="".join(script),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        errors = [line for line in done.stdout.splitlines() if "ERROR" in line]
        if done.returncode != 0 or errors:
            raise ConfigError(" ".join(errors)[-600:] or done.stdout.strip()[-300:] or f"exit code {done.returncode}")
        return done.stdout

    @property
    def options(self) -> tuple[str, ...]:
        # What distributions and the manual's set-ups for GTIDs have; the rest is the server's own default.
        return (
            "--skip-name-resolve",
            "--log-bin=binlog",
            "--relay-log=relay-bin",
            f"--{terms.LOG_APPLIED}=ON",
            f"--{terms.NET_TIMEOUT}={_NET_SECONDS}",
            "--character-set-server=utf8mb4",
        )

    @property
    def lean(self) -> tuple[str, ...]:
        return (
            *_SMALL,
            "--innodb-buffer-pool-load-at-startup=OFF",
            "--innodb-buffer-pool-dump-at-shutdown=OFF",
            "--max-connections=60",
            "--table-open-cache=200",
            "--table-definition-cache=400",
        )

    def chosen(self, server_id: int) -> Mapping[str, str]:
        # A domain each, as the manual asks for where more than one server may be written to. In one domain, strict
        # mode stops the replica at the first transaction after a local one (error 1950), before any of its rows.
        return {
            "binlog_format": "ROW",
            "binlog_row_metadata": "FULL",
            "gtid_strict_mode": "ON",
            "gtid_domain_id": str(server_id - 1),
            terms.PARALLEL_THREADS: "4",
        }

    @property
    def replica_options(self) -> tuple[str, ...]:
        return ("--read-only=ON",)

    @property
    def image_environment(self) -> Mapping[str, str]:
        return {
            "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD": "yes",
            "MARIADB_ROOT_HOST": "localhost",
            "MARIADB_INITDB_SKIP_TZINFO": "1",
        }

    def settle(self, session: Session, *, replica: bool) -> None:
        self.forget(session)
        if replica:
            self.protect(session)

    def protect(self, session: Session) -> None:
        session.execute("SET GLOBAL read_only = ON")

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
        name, password = string(account.name), string(account.password)
        begin = (
            terms.POSITION_BY_GTID if position is None else terms.by_position(string(position.log_file), position.pos)
        )
        change = terms.change_source(
            string(channel), host=string(host), port=port, user=name, password=password, connect_retry=1
        )
        session.execute(f"{change}, {begin}")

    def forget_received(self, session: Session) -> None:
        session.execute("RESET REPLICA")
        session.execute(terms.GO_BY_GTID)  # 10.5 forgets that it did

    def start_channel(self, session: Session, channel: str = "") -> None:
        session.execute(f"START REPLICA {string(channel)}")

    def remove_channels(self, session: Session) -> None:
        session.execute("STOP ALL REPLICAS")
        for channel in self.channels(session):
            session.execute(f"RESET REPLICA {string(channel)} ALL")

    def channels(self, session: Session) -> tuple[str, ...]:
        return tuple(row["Connection_name"] for row in session.query_lossy("SHOW ALL REPLICAS STATUS"))

    def channel_state(self, session: Session, channel: str = "") -> ChannelState | None:
        rows = [row for row in session.query_lossy("SHOW ALL REPLICAS STATUS") if row["Connection_name"] == channel]
        if not rows:
            return None
        status = terms.current_names(rows[0])
        running = status["Replica_SQL_Running"] == "Yes"
        errno = int(status["Last_SQL_Errno"])
        return ChannelState(
            receiver_running=status["Replica_IO_Running"] == "Yes",
            applier_running=running,
            error=applier_error.parse(errno, status["Last_SQL_Error"]) if errno and not running else None,
            receiver_message=str(status["Last_IO_Error"] or ""),
        )

    def source_port(self, session: Session, channel: str = "") -> int | None:
        rows = [row for row in session.query_lossy("SHOW ALL REPLICAS STATUS") if row["Connection_name"] == channel]
        return int(terms.current_names(rows[0])["Source_Port"]) if rows else None

    def executed(self, session: Session) -> GtidSet:
        state, position = session.rows(f"SELECT @@GLOBAL.gtid_binlog_state, @@GLOBAL.{terms.APPLIED_POSITION}")[0]
        return MariadbGtidSet.parse(str(state)) | MariadbGtidSet.parse(str(position))

    def written(self, session: Session) -> GtidSet | LogPosition:
        return self.executed(session)

    def sent(self, session: Session, replica: Session) -> GtidSet | LogPosition:
        by_position = replica.query("SHOW REPLICA STATUS")[0]["Using_Gtid"] == "No"
        return self.log_end(session) if by_position else self.executed(session)

    def received(self, session: Session, wanted: GtidSet | LogPosition) -> bool:
        status = terms.current_names(session.query("SHOW REPLICA STATUS")[0])
        if isinstance(wanted, LogPosition):
            return wanted <= LogPosition(status["Source_Log_File"], int(status["Read_Source_Log_Pos"]))
        return wanted <= MariadbGtidSet.parse(status["Gtid_IO_Pos"]) | self.executed(session)

    def wait_until_applied(self, session: Session, wanted: GtidSet | LogPosition, seconds: int) -> bool:
        return bool(session.scalar(f"SELECT {terms.WAIT_FOR_POSITION}({string(str(wanted))}, {seconds})") == "0")

    def prepared(self, session: Session) -> tuple[str, ...]:
        return tuple(row["data"] for row in session.query("XA RECOVER FORMAT='SQL'"))

    def read_only(self, session: Session) -> tuple[bool, bool | None]:
        return session.scalar("SELECT @@GLOBAL.read_only") == "1", None

    @contextlib.contextmanager
    def writable(self, session: Session) -> Iterator[None]:  # noqa: ARG002
        yield  # there is no super_read_only: an account with READ_ONLY ADMIN always writes

    def variables(self, session: Session) -> dict[str, str]:
        return {
            row["name"].lower(): row["value"]
            for row in session.query(
                "SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value FROM information_schema.GLOBAL_VARIABLES"
            )
        }

    @property
    def parallel(self) -> str:
        return terms.PARALLEL_THREADS

    @property
    def counting(self) -> tuple[str, ...]:
        return ("gtid_binlog_pos", "gtid_binlog_state", "gtid_current_pos", terms.APPLIED_POSITION, "timestamp",
                "rand_seed1", "rand_seed2", "pseudo_thread_id", "last_insert_id", "identity", "insert_id",
                "warning_count", "error_count", "in_transaction", "last_gtid")  # fmt: skip

    @property
    def reset_variables(self) -> Mapping[str, str]:
        plain = ("auto_increment_increment", "auto_increment_offset", "binlog_cache_size", "binlog_row_image",
                 "binlog_annotate_row_events", "binlog_stmt_cache_size", "log_bin_compress", "log_bin_trust_function_creators",
                 "max_binlog_cache_size", "max_binlog_stmt_cache_size", "max_heap_table_size", terms.TYPE_CONVERSIONS)  # fmt: skip
        return dict.fromkeys(plain, "DEFAULT")

    def logs_cascades(self, session: Session) -> bool:  # noqa: ARG002
        return False

    def log_end(self, session: Session) -> LogPosition:
        row = session.query(terms.LOG_STATUS_STATEMENTS[-1])[0]
        return LogPosition(row["File"], int(row["Position"]))

    def log_start(self, session: Session) -> LogPosition:
        return LogPosition(str(session.query("SHOW BINARY LOGS")[0]["Log_name"]), _FIRST_POSITION)

    def forget(self, session: Session, executed: GtidSet | None = None) -> None:
        session.execute("RESET MASTER")
        session.execute(f"SET GLOBAL {terms.APPLIED_POSITION} = {string(str(executed or ''))}")


_FIRST_POSITION = 4

_NET_SECONDS = 10
"""After so long without a word a receiver connects anew. It misses at times that its source was reset (10.11, 11.8), and waits 60 s by
default."""
_SMALL = ("--innodb-log-file-size=4M", "--innodb-buffer-pool-size=32M", "--innodb-log-buffer-size=2M")
_SMALL_ONCE = ("--innodb-undo-tablespaces=0",)  # 11.8 makes three of 10 MB, which every server would copy


def _share(software: Software) -> Path:
    """Return where the server's scripts are: beside its messages, or where an installed server has them."""
    given = [
        word.removeprefix("--lc-messages-dir=") for word in software.options if word.startswith("--lc-messages-dir=")
    ]
    beside = Path(software.mysqld[-1]).parents[1] / "share"
    for path in (*map(Path, given), *(beside / name for name in ("mariadb", "mysql", ".")), Path("/usr/share/mariadb"), Path("/usr/share/mysql")):  # fmt: skip
        if any(path.glob(_SYSTEM_TABLES[0])):
            return path
    raise ConfigError("its scripts (mariadb_system_tables.sql) are not where they are expected")


MARIADB_10_5 = MariaDB("mariadb-10.5", "10.5", "bullseye")
MARIADB_10_11 = MariaDB("mariadb-10.11", "10.11", "bookworm")
MARIADB_11_8 = MariaDB("mariadb-11.8", "11.8", "trixie")
MARIADB = MariaDB("mariadb", "11.8", "trixie", only_series=False)
