"""MariaDB as it is set up in different ways: positions, domains, threads, named connections, what events hold."""

from __future__ import annotations

import pytest

from replfix.lab import scenarios
from replfix.lab.flavours.mariadb import MARIADB
from replfix.lab.lab_accounts import ADMIN, REPL, REPLFIX
from replfix.lab.proof import prove, snapshot
from replfix.lab.replicate import executed, wait_until_stopped
from replfix.lab.topology import Lab
from replfix.mysql.connection import terms
from replfix.mysql.connection.session import Session
from tests.conftest import Labs, selected
from tests.integration.running import replfix

SERVERS = ("mariadb-10.11", "mariadb-11.8")
_T = "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL, n INT UNSIGNED NULL)"


@pytest.fixture(params=SERVERS)
def mariadb(request: pytest.FixtureRequest, labs: Labs) -> Lab:
    if request.param not in selected(request.config):
        pytest.fail(f"needs --servers={request.param}")
    lab = labs(request.param)
    lab.reset()
    return lab


def everywhere(lab: Lab, *statements: str) -> None:
    for server in lab.servers:
        with server.session() as session:
            for statement in statements:
                session.execute(statement)


def stop_by_a_local_row(lab: Lab, *, logged: bool = True) -> None:
    with lab.source.session() as source:
        source.execute("CREATE DATABASE d")
        source.execute(_T)
    lab.wait_until_applied()
    with lab.replica.session() as replica:
        replica.execute(f"SET sql_log_bin = {int(logged)}")
        replica.execute("INSERT INTO d.t VALUES (5, 'local', 4294967295)")
    with lab.source.session() as source:
        for number in range(4, 8):
            source.execute(f"INSERT INTO d.t VALUES ({number}, 'from the source', 4294967295)")
    wait_until_stopped(lab.replica)


def resolved(lab: Lab, cause: str, *where: str) -> None:
    """Diagnosed and resolved, judged by plain SQL."""
    where = where or ("replica1", "--config", str(lab.config_file))
    before = snapshot(lab.replica)
    ran = replfix("diagnose", *where, "--json")
    assert ran.code == 3, ran.err
    causes = ran.document["causes"]
    assert causes, ran.document["unknowns"]
    assert (causes[0]["code"], causes[0]["confidence"]) == (cause, "high"), (causes, ran.document["unknowns"])
    assert ran.document["transaction"]["gtid"]
    ran = replfix("resolve", *where, "--yes", "--json")
    assert ran.code == 0, ran.out + ran.err
    lab.wait_until_applied()
    assert not [p for p in prove(lab.source, lab.replica, before) if not p.holds]


SETTINGS = {
    "one-domain": (("SET GLOBAL gtid_strict_mode = OFF", "SET GLOBAL gtid_domain_id = 0"), ()),
    "one-applier": ((), (f"SET GLOBAL {terms.PARALLEL_THREADS} = 0",)),
    "conservative": ((), ("SET GLOBAL slave_parallel_mode = 'conservative'",)),
    "no-metadata": (("SET GLOBAL binlog_row_metadata = NO_LOG",), ()),
    "compressed": (("SET GLOBAL log_bin_compress = ON", "SET GLOBAL log_bin_compress_min_len = 10"), ()),
    "no-checksums": (("SET GLOBAL binlog_checksum = NONE",), ()),
}
DEFAULTS = (
    "SET GLOBAL gtid_strict_mode = ON",
    "SET GLOBAL gtid_domain_id = @@global.server_id - 1",
    "SET GLOBAL binlog_row_metadata = FULL",
    "SET GLOBAL log_bin_compress = OFF",
    "SET GLOBAL binlog_checksum = CRC32",
)


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(mariadb: Lab, name: str) -> None:
    of_both, of_replica = SETTINGS[name]
    with mariadb.replica.session() as replica:
        replica.execute("STOP REPLICA")
        for statement in of_replica:
            replica.execute(statement)
        replica.execute("START REPLICA")
    everywhere(mariadb, *of_both)
    try:
        stop_by_a_local_row(mariadb)
        resolved(mariadb, "local-write")
    finally:
        everywhere(mariadb, *DEFAULTS)
        with mariadb.replica.session() as replica:
            replica.execute("STOP REPLICA")
            replica.execute(f"SET GLOBAL {terms.PARALLEL_THREADS} = 4")
            replica.execute("SET GLOBAL slave_parallel_mode = 'optimistic'")
            replica.execute("START REPLICA")


@pytest.mark.parametrize("by_position", [False, True])
def test_a_named_connection(mariadb: Lab, by_position: bool) -> None:
    source, replica = mariadb.source, mariadb.replica
    with replica.session() as session:
        session.execute("STOP REPLICA")
        session.execute("RESET REPLICA ALL")
        with source.session() as asked:
            log = asked.query("SHOW MASTER STATUS")[0]
        change = terms.change_source(
            connection="'it''s'",
            host=f"'{source.host}'",
            port=source.port,
            user=f"'{REPL.name}'",
            password=f"'{REPL.password}'",
            connect_retry=1,
        )
        position = f"MASTER_LOG_FILE = '{log['File']}', MASTER_LOG_POS = {log['Position']}, MASTER_USE_GTID = no"
        session.execute(f"{change}, {position if by_position else terms.POSITION_BY_GTID}")
        session.execute("START REPLICA 'it''s'")
    try:
        _stop_named(mariadb)
        url = replica.url(REPLFIX).replace("mysql://", "mariadb://")
        where = ("--replica", url, "--source", source.url(REPLFIX), "--channel", "it's")
        ran = replfix("diagnose", *where, "--json")
        assert ran.code == 3, ran.err
        assert ran.document["channel"] == "it's"
        ran = replfix("resolve", *where, "--yes", "--json")
        assert ran.code == 0, ran.out + ran.err
        with replica.session() as session:
            status = session.query("SHOW ALL SLAVES STATUS")[0]
            assert (status["Slave_SQL_Running"], status["Until_Condition"]) == ("Yes", "None")
            assert session.scalar("SELECT v FROM d.t WHERE id = 5") == "from the source"
            _left_out(mariadb, session)
    finally:
        with replica.session() as session:
            session.execute("STOP ALL SLAVES")
            session.execute("RESET REPLICA 'it''s' ALL")
            MARIADB.configure_channel(session, source.host, source.port, REPL)
            session.execute("START REPLICA")


def _left_out(lab: Lab, replica: Session) -> None:
    """The skip counter is that of the named connection, and takes one transaction."""
    replica.execute("SET sql_log_bin = 0")
    replica.execute("INSERT INTO d.t VALUES (9, 'local', 1)")
    with lab.source.session() as source:
        source.execute("INSERT INTO d.t VALUES (8, 'lost', 2), (9, 'lost', 2)")
        source.execute("INSERT INTO d.t VALUES (10, 'later', 2)")
    _until(replica, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND = 'Slave_SQL'", "0")
    url = lab.replica.url(ADMIN).replace("mysql://", "mariadb://")
    where = ("--replica", url, "--source", lab.source.url(REPLFIX), "--channel", "it's")
    ran = replfix("resolve", *where, "--strategy", "skip", "--yes", "--json")
    assert ran.code == 0, ran.out + ran.err
    _until(replica, "SELECT GROUP_CONCAT(v ORDER BY id) FROM d.t WHERE id > 7", "local,later")


def _stop_named(lab: Lab) -> None:
    with lab.source.session() as source, lab.replica.session() as replica:
        source.execute("CREATE DATABASE d")
        source.execute(_T)
        _until(
            replica, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = 't' AND TABLE_SCHEMA = 'd'", "1"
        )
        replica.execute("SET sql_log_bin = 0")
        replica.execute("INSERT INTO d.t VALUES (5, 'local', 1)")
        for number in range(4, 8):
            source.execute(f"INSERT INTO d.t VALUES ({number}, 'from the source', 2)")
        for _ in range(200):
            if replica.query("SHOW ALL SLAVES STATUS")[0]["Last_SQL_Errno"] == "1062":
                return
            replica.scalar("SELECT SLEEP(0.05)")
    pytest.fail("the applier did not stop")


def _until(session: Session, query: str, wanted: str) -> None:
    for _ in range(200):
        if session.scalar(query) == wanted:
            return
        session.scalar("SELECT SLEEP(0.05)")
    pytest.fail(f"not {wanted}: {query}")


def test_two_domains_that_are_applied_in_parallel(mariadb: Lab) -> None:
    with mariadb.source.session() as source:
        source.execute("CREATE DATABASE d")
        source.execute(_T)
        source.execute("CREATE TABLE d.other LIKE d.t")
    mariadb.wait_until_applied()
    with mariadb.replica.session() as replica:
        replica.execute("SET sql_log_bin = 0")
        replica.execute("INSERT INTO d.other VALUES (5, 'local', 1)")
    with mariadb.source.session() as source:
        for number in range(1, 9):
            source.execute(f"SET SESSION gtid_domain_id = {7 if number % 2 else 0}")
            source.execute(f"INSERT INTO d.{'other' if number % 2 else 't'} VALUES ({number}, 'x', {number})")
    wait_until_stopped(mariadb.replica)
    ran = replfix("diagnose", "replica1", "--config", str(mariadb.config_file), "--json")
    assert ran.document["transaction"], (ran.document["error"], ran.document["unknowns"])
    assert ran.document["transaction"]["gtid"] == "7-1-3"
    resolved(mariadb, "unlogged-write")


def test_a_statement_is_shown_and_refused(mariadb: Lab) -> None:
    with mariadb.source.session() as source:
        source.execute("CREATE DATABASE d")
        source.execute(_T)
        mariadb.wait_until_applied()
        with mariadb.replica.session() as replica:
            replica.execute("SET sql_log_bin = 0")
            replica.execute("INSERT INTO d.t VALUES (5, 'local', 1)")
        source.execute("SET binlog_format = STATEMENT")
        source.execute("INSERT INTO d.t VALUES (5, 'from the source', 2)")
    assert wait_until_stopped(mariadb.replica).errno == 1062
    before = snapshot(mariadb.replica)
    where = ("replica1", "--config", str(mariadb.config_file))
    ran = replfix("diagnose", *where)
    assert ran.code == 3, ran.err
    assert "INSERT INTO d.t VALUES (5, 'from the source', 2)" in ran.out
    assert replfix("resolve", *where, "--yes").code == 4
    assert snapshot(mariadb.replica) == before


def test_statements_in_another_character_set_stand_in_nobodys_way(mariadb: Lab) -> None:
    """Relay log and status repeat them in the bytes of whoever wrote them."""
    where = ("replica1", "--config", str(mariadb.config_file))
    with mariadb.source.session() as source, mariadb.replica.session() as replica:
        source.execute("CREATE DATABASE d")
        source.execute(_T)
        mariadb.wait_until_applied()
        replica.execute("SET sql_log_bin = 0")
        replica.execute("INSERT INTO d.t VALUES (8, 'local', 1)")
        source.execute("SET NAMES latin1")
        source.connection.encoding = "latin1"
        source.execute("INSERT INTO d.t VALUES (8, 'café', 2)")  # beside its rows
        wait_until_stopped(mariadb.replica)
        resolved(mariadb, "unlogged-write")
        replica.execute("INSERT INTO d.t VALUES (9, 'local', 1)")
        source.execute("SET binlog_format = STATEMENT")
        source.execute("INSERT INTO d.t VALUES (9, 'café', 2)")  # in their place
        wait_until_stopped(mariadb.replica)
    ran = replfix("diagnose", *where)
    assert (ran.code, "INSERT INTO d.t VALUES (9, 'caf" in ran.out) == (3, True), ran.out + ran.err


def test_a_system_versioned_table_is_refused(mariadb: Lab) -> None:
    with mariadb.source.session() as source:
        source.execute("CREATE DATABASE d")
        source.execute("CREATE TABLE d.v (id INT PRIMARY KEY, x INT) WITH SYSTEM VERSIONING")
    mariadb.wait_until_applied()
    with mariadb.replica.session() as replica:
        replica.execute("SET sql_log_bin = 0")
        replica.execute("INSERT INTO d.v VALUES (5, 1)")
    with mariadb.source.session() as source:
        source.execute("INSERT INTO d.v VALUES (5, 2)")
    assert wait_until_stopped(mariadb.replica).errno == 1062
    before = snapshot(mariadb.replica)
    ran = replfix("resolve", "replica1", "--config", str(mariadb.config_file), "--yes", "--json")
    assert ran.code == 4, ran.out
    assert "system-versioned" in ran.document["message"]
    assert snapshot(mariadb.replica) == before


def test_a_local_write_in_the_sources_domain_under_strict_mode(mariadb: Lab) -> None:
    with mariadb.source.session() as source:
        source.execute("CREATE DATABASE d")
        source.execute(_T)
    mariadb.wait_until_applied()
    with mariadb.replica.session() as replica:
        replica.execute("SET SESSION gtid_domain_id = 0")
        replica.execute("INSERT INTO d.t VALUES (5, 'local', 1)")
        errant = replica.scalar("SELECT @@last_gtid")
    with mariadb.source.session() as source:
        source.execute("INSERT INTO d.t VALUES (5, 'from the source', 2)")
    assert wait_until_stopped(mariadb.replica).errno == 1950
    where = ("replica1", "--config", str(mariadb.config_file))
    ran = replfix("diagnose", *where)
    assert ran.code == 3, ran.err
    for words in (errant, "SET GLOBAL gtid_strict_mode = OFF", "START REPLICA"):
        assert words in ran.out
    ran = replfix("resolve", *where, "--yes", "--json")
    assert (ran.code, ran.document["outcome"]) == (4, "needs_human")
    try:
        with mariadb.replica.session() as replica:
            replica.execute("SET GLOBAL gtid_strict_mode = OFF")
            replica.execute("START REPLICA")
        assert wait_until_stopped(mariadb.replica).errno == 1062
        resolved(mariadb, "local-write")
    finally:
        everywhere(mariadb, *DEFAULTS)


def test_each_privilege_is_needed(mariadb: Lab) -> None:
    """Without one of them something fails with an error that names it, and doctor says which GRANT gives it."""
    scenarios.find("missing-row-update").stage(mariadb)
    everything = ", ".join(MARIADB.replfix_privileges).split(", ")
    replica = mariadb.replica
    with replica.session(ADMIN) as admin:
        admin.execute("SET sql_log_bin = 0")
        for privilege in [p for p in everything if p not in ("SELECT", "TRIGGER", "INSERT", "UPDATE", "DELETE")]:
            admin.execute(f"REVOKE {privilege} ON *.* FROM replfix@'%'")
            try:
                ran = replfix("doctor", "--config", str(mariadb.config_file), "--json")
                failed = [c for c in ran.document["checks"] if c["verdict"] == "failed"]
                assert any(f"GRANT {privilege} ON *.*" in c["fix"] for c in failed), (privilege, failed)
            finally:
                admin.execute(f"GRANT {privilege} ON *.* TO replfix@'%'")
        assert not executed(admin) - executed(mariadb.source.session())


def test_triggers_that_fire_for_row_events_are_refused(mariadb: Lab) -> None:
    with mariadb.replica.session() as session:
        session.execute(f"SET GLOBAL {terms.TRIGGERS_FOR_ROWS} = 'YES'")
    try:
        stop_by_a_local_row(mariadb)
        with mariadb.replica.session() as session:
            session.execute("SET sql_log_bin = 0")
            session.execute("CREATE TRIGGER d.gone AFTER DELETE ON d.t FOR EACH ROW SET @fired = 1")
        before = snapshot(mariadb.replica)
        ran = replfix("resolve", "replica1", "--yes", "--config", str(mariadb.config_file), "--json")
        assert ran.code == 4
        assert "has a trigger for DELETE (gone)" in ran.document["message"]
        assert snapshot(mariadb.replica) == before
    finally:
        with mariadb.replica.session() as session:
            session.execute(f"SET GLOBAL {terms.TRIGGERS_FOR_ROWS} = 'NO'")
