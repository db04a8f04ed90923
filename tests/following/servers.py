"""What goes wrong on the replica's server itself: locks, files, tables of the system, filters."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from replfix.errors import ServerError
from replfix.lab.flavours import speaking
from replfix.lab.replicate import wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests import waiting
from tests.following.incident import Incident
from tests.following.receivers import purge_all

TABLE = (
    "CREATE DATABASE d",
    "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20))",
    "INSERT INTO d.t VALUES (1, 'x'), (2, 'y')",
)
_HELD = ExitStack()
"""Sessions of others, until the incident is put back."""


def _source(lab: Lab, *statements: str) -> None:
    with lab.source.session() as session:
        for statement in statements:
            session.execute(statement)


def _replica(lab: Lab, *statements: str) -> None:
    with lab.replica.session() as session:
        for statement in statements:
            session.execute(statement)


def _retries(lab: Lab) -> str:
    with lab.replica.session() as session:
        return f"{'slave' if session.is_mariadb else 'replica'}_transaction_retries"


def row_locked(lab: Lab) -> None:
    """1205, and who holds the lock still does."""
    _source(lab, *TABLE)
    lab.wait_until_applied()
    _replica(
        lab,
        "STOP REPLICA",
        "SET GLOBAL innodb_lock_wait_timeout = 1",
        f"SET GLOBAL {_retries(lab)} = 0",
        "START REPLICA",
    )
    session = _HELD.enter_context(lab.replica.session())
    session.execute("BEGIN")
    session.query("SELECT * FROM d.t LOCK IN SHARE MODE")
    _source(lab, "SET SESSION binlog_format = ROW", "UPDATE d.t SET v = 'z' WHERE id = 1")
    wait_until_stopped(lab.replica)


def row_was_locked(lab: Lab) -> None:
    """1205, and nobody holds it any more."""
    row_locked(lab)
    _HELD.close()


def unlocked(lab: Lab) -> None:
    _HELD.close()
    _replica(lab, "SET GLOBAL innodb_lock_wait_timeout = DEFAULT", f"SET GLOBAL {_retries(lab)} = DEFAULT")


def _relay_log(lab: Lab) -> Path:
    with lab.replica.session() as session:
        row = session.query_lossy("SHOW REPLICA STATUS")[0]
    return lab.replica.data / str(row["Relay_Log_File"])


def _received_only(lab: Lab) -> None:
    _replica(lab, "STOP REPLICA SQL_THREAD")
    _source(lab, *TABLE)
    wait_until_received(lab.source, lab.replica)


def _damage(lab: Lab) -> None:
    relay_log = _relay_log(lab)
    damaged = bytearray(relay_log.read_bytes())
    damaged[-60] ^= 0xFF
    relay_log.write_bytes(damaged)


def relay_log_damaged(lab: Lab) -> None:
    """MariaDB keeps the relay log while one thread runs."""
    _received_only(lab)
    _damage(lab)
    _replica(lab, "START REPLICA SQL_THREAD")
    wait_until_stopped(lab.replica)


def relay_log_damaged_and_source_purged(lab: Lab) -> None:
    _received_only(lab)
    _damage(lab)
    purge_all(lab.source)
    _replica(lab, "START REPLICA SQL_THREAD")
    wait_until_stopped(lab.replica)


def relay_log_lost(lab: Lab) -> None:
    """Somebody deleted the file to make room, while the channel was stopped."""
    _received_only(lab)
    _replica(lab, "STOP REPLICA")
    _relay_log(lab).unlink()
    with lab.replica.session() as session, suppress(ServerError):  # said here, or in the status
        session.execute("START REPLICA")


def temporary_file_left(lab: Lab) -> None:
    _replica(lab, "STOP REPLICA")
    with lab.replica.session() as session:
        where = Path(str(session.scalar("SELECT @@replica_load_tmpdir")))
        (where / f"SQL_LOAD-{session.scalar('SELECT @@server_uuid')}").touch()
        session.execute("START REPLICA")
    wait_until_stopped(lab.replica)


def _myisam(lab: Lab, damage: Callable[[bytes], bytes], suffix: str) -> None:
    _source(
        lab, "CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(200)) ENGINE = MyISAM",
        "INSERT INTO d.t VALUES (1, REPEAT('x', 200)), (2, REPEAT('y', 200)), (3, 'z')",
    )  # fmt: skip
    lab.wait_until_applied()
    _replica(lab, "FLUSH TABLES")
    file = lab.replica.data / "d" / f"t.{suffix}"
    file.write_bytes(damage(file.read_bytes()))
    _source(lab, "SET SESSION binlog_format = ROW", "UPDATE d.t SET v = 'new' WHERE id = 2")


def myisam_index_damaged(lab: Lab) -> None:
    _myisam(lab, lambda data: data[: len(data) // 2], "MYI")


def myisam_data_damaged(lab: Lab) -> None:
    _myisam(lab, lambda data: data[:20] + bytes(len(data) - 20), "MYD")


def repaired(lab: Lab) -> None:
    """A damaged table keeps its schema from being dropped."""
    with lab.replica.session() as session, speaking(session).writable(session):
        session.query(
            "REPAIR NO_WRITE_TO_BINLOG TABLE d.t USE_FRM"
            if not session.is_mariadb
            else "REPAIR NO_WRITE_TO_BINLOG TABLE d.t"
        )
        session.execute("SET sql_log_bin = 0")
        session.execute("DROP TABLE d.t")


def stray_positions(lab: Lab) -> None:
    _source(lab, *TABLE)
    lab.wait_until_applied()
    with lab.replica.session() as session:
        newest = (
            "SELECT domain_id, MAX(sub_id), server_id FROM mysql.gtid_slave_pos GROUP BY 1, 3 ORDER BY 2 DESC LIMIT 1"
        )
        ((domain, number, server),) = session.rows(newest)
        session.execute("SET sql_log_bin = 0")
        for more in (1, 2, 3):
            session.execute(f"INSERT INTO mysql.gtid_slave_pos VALUES ({domain}, {int(number) + more}, {server}, 1)")
    _source(lab, "INSERT INTO d.t VALUES (3, 'z')")
    wait_until_stopped(lab.replica)


def ahead_in_the_sources_domain(lab: Lab) -> None:
    _source(lab, *TABLE)
    lab.wait_until_applied()
    _replica(
        lab, "SET SESSION gtid_domain_id = 0", "INSERT INTO d.t VALUES (5, 'local')", "INSERT INTO d.t VALUES (6, 'local')",
        "DELETE FROM d.t WHERE id > 4",
    )  # fmt: skip
    _source(lab, "INSERT INTO d.t VALUES (7, 'source')")
    wait_until_stopped(lab.replica)


def plugin_of_the_source(lab: Lab) -> None:
    _source(lab, "INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'", "CREATE USER app IDENTIFIED WITH auth_socket")
    wait_until_stopped(lab.replica)


def without_plugins(lab: Lab) -> None:
    for server in (lab.source, lab.replica):
        with server.session() as session, speaking(session).writable(session):
            session.execute("SET sql_log_bin = 0")
            session.execute("DROP USER IF EXISTS app")
            if session.rows("SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'auth_socket'"):
                session.execute("UNINSTALL PLUGIN auth_socket")


ZONES = ("time_zone", "time_zone_name", "time_zone_transition", "time_zone_transition_type")


def time_zone_of_the_source(lab: Lab) -> None:
    with lab.source.session() as session:
        for statement in (
            "SET sql_log_bin = 0",
            "INSERT INTO mysql.time_zone VALUES (1, 'N')",
            "INSERT INTO mysql.time_zone_name VALUES ('Europe/Berlin', 1)",
            "INSERT INTO mysql.time_zone_transition_type VALUES (1, 0, 3600, 0, 'CET')",
        ):
            session.execute(statement)
    _source(
        lab,
        *TABLE[:2],
        "SET SESSION binlog_format = STATEMENT",
        "SET SESSION time_zone = 'Europe/Berlin'",
        "INSERT INTO d.t VALUES (1, NOW())",
    )
    wait_until_stopped(lab.replica)


def without_time_zones(lab: Lab) -> None:
    for server in (lab.source, lab.replica):
        with server.session() as session, speaking(session).writable(session):
            for statement in ("SET sql_log_bin = 0", *(f"DELETE FROM mysql.{name}" for name in ZONES)):
                session.execute(statement)


FAMILY = (
    "CREATE DATABASE d",
    "CREATE TABLE d.p (id INT PRIMARY KEY)",
    "CREATE TABLE d.c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES d.p (id))",
    "INSERT INTO d.p VALUES (1), (2)",
    "INSERT INTO d.c VALUES (10, 1)",
)


def _filter(lab: Lab, rule: str) -> None:
    _replica(lab, "STOP REPLICA SQL_THREAD", f"CHANGE REPLICATION FILTER {rule}", "START REPLICA SQL_THREAD")


def child_left_out(lab: Lab) -> None:
    _source(lab, *FAMILY)
    lab.wait_until_applied()
    _filter(lab, "REPLICATE_IGNORE_TABLE = (d.c)")
    _source(lab, "DELETE FROM d.c WHERE id = 10", "DELETE FROM d.p WHERE id = 1")
    wait_until_stopped(lab.replica)


def parent_left_out(lab: Lab) -> None:
    _source(lab, *FAMILY)
    lab.wait_until_applied()
    _filter(lab, "REPLICATE_IGNORE_TABLE = (d.p)")
    _source(lab, "INSERT INTO d.p VALUES (3)", "INSERT INTO d.c VALUES (30, 3)")
    wait_until_stopped(lab.replica)


def unfiltered(lab: Lab) -> None:
    _filter(lab, "REPLICATE_IGNORE_TABLE = ()")


def copy_without_gtids(lab: Lab) -> None:
    """A dump of the source was loaded, and its gtid_purged was not set."""
    _source(lab, *TABLE)
    lab.wait_until_applied()
    with lab.replica.session() as session:
        flavour = speaking(session)
        session.execute("STOP REPLICA")
        with flavour.writable(session):
            session.execute("RESET REPLICA")
            flavour.forget(session)
        session.execute("START REPLICA")
    wait_until_stopped(lab.replica)


def twice_on_the_source(lab: Lab) -> None:
    """Loaded with unique_checks = 0: the source holds the value twice, the replica refuses the second row."""
    _source(
        lab, "CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, u INT, v VARCHAR(20), UNIQUE KEY u (u))", "INSERT INTO d.t VALUES (1, 1, 'x')",
    )  # fmt: skip
    lab.wait_until_applied()
    with lab.source.session() as session:
        for statement in (
            "SET sql_log_bin = 0",
            "ALTER TABLE d.t DROP KEY u, ADD KEY u (u)",
            "SET sql_log_bin = 1",
            "INSERT INTO d.t VALUES (2, 1, 'y')",
        ):
            session.execute(statement)
    wait_until_stopped(lab.replica)


def applied_twice(lab: Lab) -> None:
    _source(lab, *TABLE)
    lab.wait_until_applied()
    with lab.source.session() as session:
        before = speaking(session).executed(session)
        session.execute("INSERT INTO d.t VALUES (3, 'z')")
        session.execute("INSERT INTO d.t VALUES (4, 'z')")
    lab.wait_until_applied()
    with lab.replica.session() as session:
        flavour = speaking(session)
        session.execute("STOP REPLICA")
        with flavour.writable(session):
            session.execute("RESET REPLICA")
            flavour.forget(session, before)
        session.execute("START REPLICA")
    wait_until_stopped(lab.replica)


def local_write(lab: Lab) -> None:
    _source(lab, *TABLE)
    lab.wait_until_applied()
    write_locally(lab.replica, "INSERT INTO d.t VALUES (3, 'local')")
    _source(lab, "SET SESSION binlog_format = ROW", "INSERT INTO d.t VALUES (3, 'source')")
    wait_until_stopped(lab.replica)


def incident_on_the_source(lab: Lab) -> None:
    """A change of an engine without transactions that its binlog's cache did not take."""
    _source(
        lab, "CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, b LONGTEXT) ENGINE = MyISAM",
        "SET GLOBAL max_binlog_stmt_cache_size = 4096", "SET GLOBAL binlog_stmt_cache_size = 4096",
    )  # fmt: skip
    lab.wait_until_applied()
    with suppress(ServerError):  # 1705: the row is there all the same
        _source(lab, "SET SESSION binlog_format = ROW", "INSERT INTO d.t VALUES (1, REPEAT('x', 200000))")
    _source(lab, "INSERT INTO d.t VALUES (2, 'y')")
    wait_until_stopped(lab.replica)


def caches_as_before(lab: Lab) -> None:
    _source(
        lab,
        "SET GLOBAL max_binlog_stmt_cache_size = DEFAULT",
        "SET GLOBAL binlog_stmt_cache_size = DEFAULT",
    )


def applier_killed(lab: Lab) -> None:
    """Somebody took it for a session of a client that waits too long."""
    _source(lab, *TABLE)
    lab.wait_until_applied()
    _replica(lab, "STOP REPLICA SQL_THREAD")
    session = _HELD.enter_context(lab.replica.session())
    session.execute("BEGIN")
    session.query("SELECT * FROM d.t LOCK IN SHARE MODE")
    _source(lab, "SET SESSION binlog_format = ROW", "UPDATE d.t SET v = 'z' WHERE id = 1")
    _replica(lab, f"SET GLOBAL {_retries(lab)} = 0", "START REPLICA SQL_THREAD")
    waiting.until(lambda: _kill_who_waits(lab), "the applier does not wait")
    wait_until_stopped(lab.replica)
    _HELD.close()


def _kill_who_waits(lab: Lab) -> bool:
    with lab.replica.session() as session:
        waits = session.rows(
            "SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'"
        )
        for (thread,) in waits:
            session.execute(f"KILL {int(thread)}")
    return bool(waits)


def statement_too_slow(lab: Lab) -> None:
    _source(lab, *TABLE)
    lab.wait_until_applied()
    _replica(lab, "STOP REPLICA", "SET GLOBAL slave_max_statement_time = 0.5", "START REPLICA")
    _source(lab, "SET SESSION binlog_format = STATEMENT", "UPDATE d.t SET v = SLEEP(1) WHERE id = 1")
    wait_until_stopped(lab.replica)


def no_limit(lab: Lab) -> None:
    _replica(lab, "SET GLOBAL slave_max_statement_time = 0")


def file_of_somebody(lab: Lab) -> None:
    """In the directory of a schema that is dropped. Its pages are written before: MySQL 9.7.4 ends, and does not start again, when
    it comes to write one of a table that the failing DROP DATABASE has deleted. Until then, each reset takes a second more."""
    _source(lab, *TABLE)
    lab.wait_until_applied()
    with lab.replica.session() as session:
        for statement in ("FLUSH TABLES d.t FOR EXPORT", "UNLOCK TABLES"):
            session.execute(statement)
    (lab.replica.data / "d" / "backup.sql").touch()
    _source(lab, "DROP DATABASE d", "CREATE DATABASE e")
    wait_until_stopped(lab.replica)


def rows_only(lab: Lab) -> None:
    _source(lab, *TABLE)
    lab.wait_until_applied()
    _replica(lab, "STOP REPLICA", "CHANGE REPLICATION SOURCE TO REQUIRE_ROW_FORMAT = 1", "START REPLICA")
    _source(lab, "SET SESSION binlog_format = STATEMENT", "INSERT INTO d.t VALUES (3, 'z')")
    wait_until_stopped(lab.replica)


def statements_again(lab: Lab) -> None:
    _replica(lab, "STOP REPLICA", "CHANGE REPLICATION SOURCE TO REQUIRE_ROW_FORMAT = 0", "START REPLICA")


def _incident(
    name: str,
    arrange: Callable[[Lab], None],
    errors: tuple[int, ...],
    only: str = "",
    back: Callable[[Lab], None] | None = None,
    left_out: tuple[str, ...] = (),
) -> Incident:
    if back is None:
        return Incident(f"server: {name}", arrange, errors, only, in_every_run=False)
    return Incident(f"server: {name}", arrange, errors, only, put_back=back, left_out=left_out, in_every_run=False)


SERVERS = (
    _incident("row locked", row_locked, (1205,), "", unlocked),
    _incident("row was locked", row_was_locked, (1205,), "", unlocked),
    _incident("applier killed", applier_killed, (1317, 1927), "", unlocked),
    _incident("statement too slow", statement_too_slow, (4192,), "mariadb", no_limit),
    _incident("rows only", rows_only, (3944,), "mysql", statements_again),
    _incident("incident on the source", incident_on_the_source, (13119, 1590), "", caches_as_before, ("d.t",)),
    replace(_incident("file of somebody", file_of_somebody, (1010,)), spoils=True),
    _incident("relay log damaged", relay_log_damaged, (13121, 1594)),
    _incident("relay log damaged, source purged", relay_log_damaged_and_source_purged, (13121, 1594)),
    _incident("relay log lost", relay_log_lost, (), "mysql"),  # MariaDB fetches it again
    _incident("temporary file left", temporary_file_left, (1,), "mysql"),
    _incident("MyISAM index damaged", myisam_index_damaged, (), "", repaired),
    _incident("MyISAM data damaged", myisam_data_damaged, (), "", repaired),
    _incident("stray positions", stray_positions, (1942,), "mariadb"),
    _incident("ahead in the source's domain", ahead_in_the_sources_domain, (1950,), "mariadb"),
    _incident("plugin of the source", plugin_of_the_source, (1524,), "mysql", without_plugins),
    _incident("time zone of the source", time_zone_of_the_source, (1298,), "", without_time_zones),
    _incident("child left out by a filter", child_left_out, (1451,), "mysql", unfiltered, ("d.c",)),
    _incident("parent left out by a filter", parent_left_out, (1452,), "mysql", unfiltered, ("d.p",)),
    _incident("copy without GTIDs", copy_without_gtids, (1007, 1050, 1062), "mysql"),  # MariaDB replaces what is there
    _incident("value twice on the source", twice_on_the_source, (1062,)),
    _incident("applied twice", applied_twice, (1062,)),
    _incident("logged local write", local_write, (1062,)),
)
