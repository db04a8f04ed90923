"""What is wrong on real servers is found by doctor, with what sets it right; a healthy pair is well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replfix.lab.topology import Lab
from tests.integration.running import Ran, replfix


def both(pair: Lab) -> tuple[str, ...]:
    """The replica and its source, by name: one that is only found in a status is shown no account without a terminal."""
    return "--replica", pair.replica.url(), "--source", f"mysql://127.0.0.1:{pair.source.port}"


def checked(pair: Lab, *options: str) -> dict[str, Any]:
    """Every check that is not ok, by code."""
    ran = replfix("doctor", *both(pair), "--json", *options)
    found = {c["code"]: c for c in ran.document["checks"] if c["verdict"] != "ok"}
    assert ran.code == (6 if any(c["verdict"] == "failed" for c in found.values()) else 0)
    return found


def test_a_healthy_pair_is_well_and_nothing_is_changed(pair: Lab) -> None:
    with pair.replica.session() as session:
        before = session.rows("SELECT @@gtid_executed, @@super_read_only, @@read_only")
    ran = replfix("doctor", *both(pair), "--json")
    aged = {
        "replica-version",
        "source-version",
    }  # of a series that gets no fixes any more, where the run has such servers
    assert {c["code"] for c in ran.document["checks"] if c["verdict"] != "ok"} - aged == set()
    tried = [c["message"] for c in ran.document["checks"] if c["code"] == "rehearsal"]
    assert tried == ["A rehearsal is possible: the replica accepted the source's events in a session."]
    with pair.replica.session() as session:
        assert session.rows("SELECT @@gtid_executed, @@super_read_only, @@read_only") == before


SOURCE_SETTINGS = {
    "binlog_format": ("STATEMENT", "source-binlog-format"),
    "binlog_row_image": ("MINIMAL", "source-binlog-row-image"),
    "binlog_expire_logs_seconds": ("3600", "source-binlog-expiry"),
    "max_allowed_packet": ("134217728", "max-allowed-packet"),
    "sql_mode": ("'ANSI_QUOTES'", "sql-mode"),
    "time_zone": ("'+05:00'", "time-zone"),
}


@pytest.fixture
def set_on_source(pair: Lab) -> Iterator[None]:
    with pair.source.session() as session:
        for name, (value, _) in SOURCE_SETTINGS.items():
            session.execute(f"SET GLOBAL {name} = {value}")
    yield
    with pair.source.session() as session:
        for name in SOURCE_SETTINGS:
            session.execute(f"SET GLOBAL {name} = DEFAULT")


def test_settings_of_the_source(pair: Lab, set_on_source: None) -> None:
    assert set(checked(pair)) == {code for _, code in SOURCE_SETTINGS.values()}


def test_what_the_replica_holds_and_how_it_is_set(pair: Lab) -> None:
    with pair.source.session() as session:
        session.execute("CREATE DATABASE d")
        session.execute("CREATE TABLE d.m (id INT PRIMARY KEY) ENGINE = MyISAM")
        session.execute("CREATE TABLE d.n (a INT)")
    pair.wait_until_applied()
    with pair.replica.session() as session:
        session.execute("SET GLOBAL super_read_only = OFF")
        session.execute("SET GLOBAL read_only = OFF")
        session.execute("SET sql_log_bin = 0")
        session.execute("CREATE EVENT d.nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM d.n")
    try:
        ran = replfix("doctor", *both(pair), "--json")
        found = {c["code"]: c["message"] for c in ran.document["checks"] if c["verdict"] == "warning"}
        assert "d.m (MyISAM)" in found["replica-engines"]
        assert "d.n" in found["replica-primary-keys"]
        assert "replica-read-only" in found
        from replfix.lab.lab_accounts import ADMIN

        seen = replfix("doctor", "--replica", pair.replica.url(ADMIN), *both(pair)[2:], "--json")
        assert "d.nightly" in {c["code"]: c["message"] for c in seen.document["checks"]}["replica-events"]
    finally:
        with pair.replica.session() as session:
            session.execute("SET sql_log_bin = 0")
            session.execute("DROP EVENT d.nightly")
            session.execute("SET GLOBAL super_read_only = ON")


def test_filters_and_commit_order(pair: Lab) -> None:
    with pair.replica.session() as session:
        session.execute("STOP REPLICA")
        session.execute("CHANGE REPLICATION FILTER REPLICATE_IGNORE_DB = (tmp)")
        session.execute("SET GLOBAL replica_preserve_commit_order = OFF")
        session.execute("START REPLICA")
    try:
        assert {"replication-filters", "replica-commit-order"} <= set(checked(pair))
    finally:
        with pair.replica.session() as session:
            session.execute("STOP REPLICA")
            session.execute("CHANGE REPLICATION FILTER REPLICATE_IGNORE_DB = ()")
            session.execute("SET GLOBAL replica_preserve_commit_order = DEFAULT")
            session.execute("START REPLICA")


@pytest.mark.parametrize(
    ("lacking", "grant"),
    [
        ("REPLICATION_APPLIER", "GRANT REPLICATION_APPLIER ON *.* TO `cut`@`%`"),
        ("UPDATE, DELETE", "GRANT LOCK TABLES ON *.* TO `cut`@`%`"),
    ],
)
def test_an_account_that_lacks_one_privilege(pair: Lab, lacking: str, grant: str) -> None:
    ran = checked_with_all_but(pair, lacking)
    assert ran.code == 6
    assert [c["fix"] for c in ran.document["checks"] if c["verdict"] == "failed"] == [
        f"SET SESSION sql_log_bin = 0; SET GLOBAL super_read_only = OFF; {grant}; SET GLOBAL super_read_only = ON;"
    ]
    # What cannot be carried out for want of a privilege is not tried.
    assert "rehearsal" not in {c["code"] for c in ran.document["checks"]}


def test_who_may_apply_needs_no_other_privilege_for_binlog(pair: Lab) -> None:
    """BINLOG takes BINLOG_ADMIN, or REPLICATION_APPLIER and what each event needs (MySQL manual, "BINLOG Statement")."""
    ran = checked_with_all_but(pair, "BINLOG_ADMIN")
    assert ran.code == 0, ran.out
    assert {c["code"]: c["verdict"] for c in ran.document["checks"]}["rehearsal"] == "ok"


def checked_with_all_but(pair: Lab, lacking: str) -> Ran:
    """With an account that has the privileges of replfix's own, without that one."""
    with pair.source.session() as session:
        session.execute("CREATE USER 'cut'@'%' IDENTIFIED BY 'cut'")
        for (granted,) in session.rows("SHOW GRANTS FOR 'replfix'@'%'"):
            session.execute(granted.replace("`replfix`@`%`", "'cut'@'%'"))
        session.execute(f"REVOKE {lacking} ON *.* FROM 'cut'@'%'")
    pair.wait_until_applied()
    return replfix("doctor", "--replica", f"mysql://cut:cut@127.0.0.1:{pair.replica.port}", *both(pair)[2:], "--json")


def test_every_configured_replica_is_checked(pair: Lab, tmp_path: Path) -> None:
    config = tmp_path / "replfix.toml"
    config.write_text(
        f'[defaults]\nuser = "replfix"\n'
        f'[replicas.one]\nhost = "127.0.0.1"\nport = {pair.replica.port}\n'
        '[replicas.two]\nhost = "127.0.0.1"\nport = 1\n'
        f'[sources.it]\nhost = "127.0.0.1"\nport = {pair.source.port}\n'
        f'[audit]\nurl = "sqlite:///{tmp_path}/audit.db"\n'
    )
    options = tmp_path / "my.cnf"
    options.write_text("[client]\nuser=replfix\npassword=replfix\n")
    options.chmod(0o600)
    config.write_text(config.read_text().replace("[defaults]\n", f'[defaults]\ndefaults_file = "{options}"\n'))
    ran = replfix("doctor", "--config", str(config), "--json")
    assert ran.code == 6
    assert ran.document["replica"] is None
    assert {(c["replica"], c["code"]) for c in ran.document["checks"] if c["verdict"] == "failed"} == {
        ("two", "replica-reachable")
    }
    (tmp_path / "audit.db").touch()
    one = replfix("doctor", "one", "--config", str(config))
    assert one.code == 0, one.out


def test_an_audit_trail_that_others_can_read(pair: Lab, lab_state: Path) -> None:
    from replfix.audit import SqlTrail
    from replfix.core.trail.audit_record import RecordKind

    trail = SqlTrail.open(None)
    trail.append(RecordKind.OUTCOME, incident="i", replica="r", channel="", payload={})
    assert trail.path is not None
    trail.path.chmod(0o644)
    try:
        found = checked(pair)["audit-trail-mode"]
        assert "0644" in found["message"]
        assert found["fix"] == f"chmod 600 {trail.path}"
    finally:
        trail.path.unlink()
