"""An account without START REPLICA, and procedures as the clouds have them: they say START REPLICA as their definer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from replfix.lab import scenarios
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.integration.resolve.test_guards import writing_on_the_replica
from tests.integration.running import replfix

REFUSED_WHILE_IT_RUNS = """
  IF (SELECT COUNT(*) FROM performance_schema.replication_connection_status
      WHERE CHANNEL_NAME = channel AND SERVICE_STATE = 'ON') > 0 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Replication may already be running. Call rds_stop_replication to stop replication';
  END IF;"""
NO_WORKERS = """
  IF @@global.replica_parallel_workers > 1 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rds_start_replication_until_gtid is not supported for multi-threaded slaves';
  END IF;"""
LOOKS_TOO_LATE = """
  DO SLEEP(0.5);
  IF (SELECT COUNT(*) FROM performance_schema.replication_applier_status
      WHERE CHANNEL_NAME = channel AND SERVICE_STATE = 'ON') = 0 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Slave has encountered an error. Run SHOW SLAVE STATUS\\\\G; to see the error.';
  END IF;"""


def _prepared(statement: str) -> str:
    return f"SET @cmd = {statement}; PREPARE s FROM @cmd; EXECUTE s; DEALLOCATE PREPARE s;"


_FOR = "' FOR CHANNEL ', QUOTE(channel)"
_RDS = {
    "rds_stop_replication_for_channel(IN channel VARCHAR(64))": _prepared(f"CONCAT('STOP REPLICA', {_FOR})"),
    "rds_start_replication_for_channel(IN channel VARCHAR(64))": REFUSED_WHILE_IT_RUNS
    + _prepared(f"CONCAT('START REPLICA', {_FOR})")
    + "SELECT 'Replica running normally.' AS Message;",
    "rds_start_replication_until_gtid_for_channel(IN gtid TEXT, IN channel VARCHAR(64))": REFUSED_WHILE_IT_RUNS
    + NO_WORKERS
    + _prepared(f"CONCAT('START REPLICA UNTIL SQL_AFTER_GTIDS = ', QUOTE(gtid), {_FOR})")
    + LOOKS_TOO_LATE,
    "rds_stop_replication()": "CALL mysql.rds_stop_replication_for_channel('');",
    "rds_start_replication()": "CALL mysql.rds_start_replication_for_channel('');",
    "rds_start_replication_until_gtid(IN gtid TEXT)": "CALL mysql.rds_start_replication_until_gtid_for_channel(gtid, '');",
}
_AZURE = {"az_replication_start()": "START REPLICA;", "az_replication_stop()": "STOP REPLICA;"}
_CLOUD_SQL = {"startReplication()": "START REPLICA;", "stopReplication()": "STOP REPLICA;"}
CLOUDS = {"Amazon RDS": _RDS, "Azure Database": _AZURE, "Cloud SQL": _CLOUD_SQL}

PRIVILEGES = (
    "SELECT, INSERT, UPDATE, DELETE, TRIGGER, REPLICATION CLIENT, REPLICATION SLAVE",
    "SESSION_VARIABLES_ADMIN, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, REPLICATION_APPLIER",
)
"""All that replfix uses, but REPLICATION_SLAVE_ADMIN and BINLOG_ADMIN."""


@contextmanager
def account(session: Session, procedures: dict[str, str], privileges: tuple[str, ...]) -> Iterator[None]:
    try:
        for name, body in procedures.items():
            session.execute(f"CREATE DEFINER = 'admin'@'%' PROCEDURE mysql.{name} BEGIN {body} END")
        session.execute("CREATE USER 'managed'@'%' IDENTIFIED BY 'managed'")
        for listed in privileges:
            session.execute(f"GRANT {listed} ON *.* TO 'managed'@'%'")
        for name in procedures:
            session.execute(f"GRANT EXECUTE ON PROCEDURE mysql.{name.partition('(')[0]} TO 'managed'@'%'")
        session.execute("SET GLOBAL super_read_only = ON")
        yield
    finally:
        session.execute("SET GLOBAL super_read_only = OFF")
        session.execute("DROP USER IF EXISTS 'managed'@'%'")
        for name in procedures:
            session.execute(f"DROP PROCEDURE IF EXISTS mysql.{name.partition('(')[0]}")
        session.execute("SET GLOBAL super_read_only = ON")


@pytest.fixture
def stopped(pair: Lab) -> Lab:
    (pair.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find("duplicate-primary").stage(pair)
    return pair


def arguments(lab: Lab, tmp_path: Path) -> tuple[str, ...]:
    """The source with the lab's own account, the replica with the one that is cut down."""
    config = tmp_path / "replfix.toml"
    config.write_text(f'[audit]\nurl = "sqlite:///{tmp_path}/audit.db"\n')
    replica = f"mysql://managed:managed@{lab.replica.host}:{lab.replica.port}"
    return "--replica", replica, "--source", lab.source.url(), "--config", str(config), "--json"


@pytest.mark.parametrize(("cloud", "workers"), [(cloud, 4) for cloud in CLOUDS] + [("Amazon RDS", 1)])
def test_a_channel_is_repaired_with_a_clouds_procedures(stopped: Lab, tmp_path: Path, cloud: str, workers: int) -> None:
    given = arguments(stopped, tmp_path)
    with writing_on_the_replica(stopped) as session, account(session, CLOUDS[cloud], PRIVILEGES):
        session.execute(f"SET GLOBAL replica_parallel_workers = {workers}")
        checks = replfix("doctor", *given).document["checks"]
        said = next(check["message"] for check in checks if check["code"] == "replica-managed")
        assert cloud in said
        assert ("verified while the channel runs" in said) == (cloud != "Amazon RDS" or workers > 1)
        assert not [c["message"] for c in checks if c["verdict"] == "failed"]
        ran = replfix("resolve", *given, "--yes", "--verbose")
        assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
        assert all(r["rehearsed"] and r["verified"] for r in ran.document["rounds"])
        assert ("cannot be told to stop" in ran.err) == (cloud != "Amazon RDS" or workers > 1)
    stopped.wait_until_applied()
    with stopped.replica.session() as session, stopped.source.session() as source:
        rows = "SELECT * FROM shop.orders ORDER BY id"
        assert session.rows(rows) == source.rows(rows)


def test_rows_that_later_transactions_change_are_not_held_against_this_one(stopped: Lab, tmp_path: Path) -> None:
    with stopped.source.session() as source:
        source.execute("UPDATE shop.orders SET note = 'changed again' WHERE id = 5")
    given = arguments(stopped, tmp_path)
    with writing_on_the_replica(stopped) as session, account(session, _AZURE, PRIVILEGES):
        ran = replfix("resolve", *given, "--yes")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err


def test_without_a_way_to_rehearse_nothing_is_applied(stopped: Lab, tmp_path: Path) -> None:
    given = arguments(stopped, tmp_path)
    less = (PRIVILEGES[0], PRIVILEGES[1].replace(", REPLICATION_APPLIER", ""))
    with writing_on_the_replica(stopped) as session, account(session, _AZURE, less):
        ran = replfix("resolve", *given, "--yes")
        assert ran.code == 6, ran.out + ran.err
        assert session.scalar("SELECT COUNT(*) FROM shop.orders WHERE order_no = 'R-0001'") == "1"


def test_without_procedures_the_missing_privilege_is_named(stopped: Lab, tmp_path: Path) -> None:
    given = arguments(stopped, tmp_path)
    with writing_on_the_replica(stopped) as session, account(session, {}, PRIVILEGES):
        checks = replfix("doctor", *given).document["checks"]
        assert any("REPLICATION_SLAVE_ADMIN" in check["fix"] for check in checks)
        assert not any(check["code"] == "replica-managed" for check in checks)
