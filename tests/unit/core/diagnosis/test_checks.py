"""Each check of doctor, from facts to verdict: what is well, what is not, and what does not apply to a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from replfix.cli.documents.doctor import doctor_document
from replfix.core.connection.privileges import Role
from replfix.core.connection.tls import TlsMode
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.doctor.checks import channel_checks, replica_checks, server_checks
from replfix.core.doctor.checkup import (
    VARIABLES,
    ChannelFacts,
    ClockReading,
    Connected,
    Inventory,
    ReplicaFacts,
    ServerFacts,
    Some,
)
from replfix.core.replication.readers import Reader
from replfix.core.schema.filters import Filters
from tests.places import DOCS
from tests.unit.making import REPLICA, channel, status

ENCRYPTED = Connected(TlsMode.PREFERRED, "TLSv1.3", "TLS_AES_256_GCM_SHA384", local=False, with_password=True)
IN_THE_OPEN = replace(ENCRYPTED, tls_version="", cipher="")

GOOD = {
    "log_bin": "ON",
    "log_replica_updates": "ON",
    "gtid_mode": "ON",
    "enforce_gtid_consistency": "ON",
    "binlog_format": "ROW",
    "binlog_row_image": "FULL",
    "binlog_row_metadata": "MINIMAL",
    "binlog_expire_logs_seconds": "2592000",
    "replica_parallel_workers": "4",
    "replica_preserve_commit_order": "ON",
    "max_allowed_packet": "67108864",
    "sql_mode": "STRICT_TRANS_TABLES",
    "system_time_zone": "UTC",
    "time_zone": "SYSTEM",
    "read_only": "ON",
    "super_read_only": "ON",
    "event_scheduler": "ON",
    "report_host": "db2",
    "report_port": "3306",
}
NOTHING = Some(0, ())


def server(
    role: Role, version: str = "9.7.4", clock: float = 0.0, connected: Connected = ENCRYPTED, **over: str | None
) -> ServerFacts:
    own = {"server_id": "1" if role is Role.SOURCE else "2"}
    found = {**dict.fromkeys(VARIABLES), **GOOD, **own, **over}
    return ServerFacts(role, "10.0.0.1:3306", version, found, ClockReading(clock, 0.01), connected)


def facts(
    replica: dict[str, Any] | None = None,
    source: dict[str, Any] | None = None,
    on_channel: dict[str, Any] | None = None,
    inventory: dict[str, Some] | None = None,
    encrypted: bool | None = True,
    readers: tuple[Reader, ...] = (Reader(2, "db2", 3306, "33333333-0000-0000-0000-000000000000"),),
    **of_status: Any,
) -> ChannelFacts:
    held = Inventory(
        **{
            "without_primary_key": NOTHING,
            "not_transactional": NOTHING,
            "enabled_events": NOTHING,
            **(inventory or {}),
        }
    )
    read = channel(**{"source_host": "10.0.0.1", "lag_seconds": 0, **(on_channel or {})})
    own = ReplicaFacts(
        server(Role.REPLICA, **(replica or {})),
        status(read, **{"super_read_only": True, "read_only": True, **of_status}),
        held,
        date(2026, 11, 21),
    )
    return ChannelFacts(own, read, server(Role.SOURCE, **(source or {})), encrypted, readers)


def checks(of: ChannelFacts) -> list[Finding]:
    made = [check(of.replica) for check in replica_checks.ALL] + [check(of) for check in channel_checks.ALL]
    return [check for check in made if check is not None]


def not_well(of: ChannelFacts) -> dict[str, str]:
    document = doctor_document(("db2", check) for check in checks(of))
    return {check.code: check.verdict for check in document.checks if check.verdict != "ok"}


def fix(check: Finding) -> str:
    return " ".join(fix.text for fix in check.fixes)


def test_what_is_well() -> None:
    assert not_well(facts()) == {}
    codes = [check.code for check in checks(facts())]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("staged", "code", "verdict"),
    [
        ({"replica": {"version": "8.0.36"}, "source": {"version": "8.0.36"}}, "replica-version", "warning"),
        ({"replica": {"version": "5.7.44"}, "source": {"version": "5.7.44"}}, "replica-version", "failed"),
        ({"source": {"version": "8.0.36"}}, "source-version", "warning"),
        ({"replica": {"version": "8.4.9"}}, "version-order", "warning"),
        ({"replica": {"clock": 30.0}}, "replica-clock", "warning"),
        ({"source": {"clock": -4.5}}, "source-clock", "warning"),
        ({"replica": {"connected": IN_THE_OPEN}}, "replica-connection", "warning"),
        ({"source": {"connected": IN_THE_OPEN}}, "source-connection", "warning"),
        ({"gtid_mode": "OFF"}, "replica-gtid-mode", "warning"),
        ({"source": {"gtid_mode": "OFF_PERMISSIVE"}}, "source-gtid-mode", "warning"),
        ({"replica": {"enforce_gtid_consistency": "WARN"}}, "replica-enforce-gtid-consistency", "warning"),
        ({"source": {"enforce_gtid_consistency": "OFF"}}, "source-enforce-gtid-consistency", "warning"),
        ({"replica": {"log_bin": "OFF"}}, "replica-binlog", "warning"),
        ({"source": {"log_bin": "OFF"}}, "source-binlog", "failed"),
        ({"replica": {"log_replica_updates": "OFF"}}, "replica-log-updates", "warning"),
        ({"replica": {"replica_preserve_commit_order": "OFF"}}, "replica-commit-order", "warning"),
        ({"super_read_only": False, "read_only": False}, "replica-read-only", "warning"),
        ({"inventory": {"not_transactional": Some(9, ("a.b (MyISAM)",))}}, "replica-engines", "warning"),
        ({"inventory": {"without_primary_key": Some(1, ("a.b",))}}, "replica-primary-keys", "warning"),
        ({"inventory": {"enabled_events": Some(1, ("a.nightly",))}}, "replica-events", "warning"),
        ({"source": {"server_id": "2"}}, "server-ids", "failed"),
        ({"source": {"binlog_format": "MIXED"}}, "source-binlog-format", "failed"),
        ({"source": {"binlog_row_image": "MINIMAL"}}, "source-binlog-row-image", "warning"),
        ({"source": {"binlog_expire_logs_seconds": "3600"}}, "source-binlog-expiry", "warning"),
        ({"on_channel": {"lag_seconds": 2_000_000}}, "source-binlog-expiry-against-lag", "warning"),
        ({"on_channel": {"delay_seconds": 2_000_000}}, "source-binlog-expiry-against-lag", "warning"),
        ({"replica": {"max_allowed_packet": "4194304"}}, "max-allowed-packet", "warning"),
        ({"source": {"sql_mode": "ANSI_QUOTES"}}, "sql-mode", "warning"),
        ({"source": {"time_zone": "+02:00"}}, "time-zone", "warning"),
        ({"on_channel": {"filters": Filters(ignore_db=("tmp",))}}, "replication-filters", "warning"),
        ({"encrypted": False}, "receiver-tls", "warning"),
        ({"readers": (Reader(2, "db3", 3306, "4"),)}, "replica-identity", "warning"),
        ({"readers": (Reader(7, "db3", 3306, REPLICA),)}, "replica-identity", "failed"),
    ],
)
def test_what_is_not_well_is_found_and_nothing_else(staged: dict[str, Any], code: str, verdict: str) -> None:
    found = not_well(facts(**staged))
    assert found.pop(code) == verdict
    assert set(found) <= {"source-version"}  # 5.7 on both


def test_a_mariadb_is_told_nothing_that_only_mysql_has() -> None:
    maria = facts(
        replica={"version": "11.8.9-MariaDB", "event_scheduler": "ON"},
        source={"version": "11.8.9-MariaDB", "binlog_format": "MIXED", "binlog_row_image": "MINIMAL", "server_id": "2"},
        inventory={"enabled_events": Some(1, ("a.nightly",))},
        on_channel={"lag_seconds": 2_000_000},
        readers=(Reader(2, "db3", 3306),),
        gtid_mode="ON",
    )
    assert not_well(maria)["replica-identity"] == "failed"
    said = " ".join(
        f"{check.message} {fix(check)}" for check in checks(maria) if not check.code.startswith("source-gtid")
    )
    assert "SET PERSIST" not in said
    assert "gtid_mode is ON on the replica" not in said
    assert "SET GLOBAL server_id = 3; " in said


def test_what_a_server_does_not_have_does_not_apply() -> None:
    none: dict[str, Any] = dict.fromkeys(VARIABLES)
    bare = facts(replica={**none, "log_bin": "ON"}, source={**none, "log_bin": "ON"}, encrypted=None)
    assert not_well(bare) == {}
    assert len(checks(bare)) < len(checks(facts()))


def test_mariadb_has_series_of_its_own_and_is_not_older_than_mysql() -> None:
    maria = facts(replica={"version": "10.11.19-MariaDB-log"}, source={"version": "9.7.4"})
    assert not_well(maria) == {}
    assert "replica-version" in not_well(facts(replica={"version": "10.5.29-MariaDB"}))


def test_no_tls_on_the_same_machine_is_no_matter() -> None:
    assert not_well(facts(encrypted=False, on_channel={"source_host": "127.0.0.1"})) == {}
    assert not_well(facts(replica={"connected": replace(IN_THE_OPEN, local=True)})) == {}


def test_events_that_nobody_runs_are_no_matter() -> None:
    some = {"enabled_events": Some(1, ("a.nightly",))}
    assert not_well(facts(inventory=some, replica={"event_scheduler": "OFF"})) == {}


def test_every_code_is_on_the_page() -> None:
    page = (DOCS / "commands" / "doctor.md").read_text()
    assert [check.code for check in checks(facts()) if f"`{check.code}`" not in page] == []


def test_a_clock_within_its_uncertainty_is_not_accused() -> None:
    slow = facts()
    of_slow = replace(slow.source, clock=ClockReading(3.0, 2.5))
    assert not_well(replace(slow, source=of_slow)) == {}


@pytest.mark.parametrize(
    ("mode", "local", "told"),
    [
        (TlsMode.PREFERRED, False, True),
        (TlsMode.REQUIRED, False, True),
        (TlsMode.VERIFY_CA, False, False),
        (TlsMode.REQUIRED, True, False),
    ],
)
def test_what_would_make_an_unchecked_connection_safe(mode: TlsMode, local: bool, told: bool) -> None:
    check = server_checks.connection(server(Role.SOURCE, connected=replace(ENCRYPTED, mode=mode, local=local)))
    assert check.severity is Severity.INFO
    assert ("ca.pem" in fix(check)) == told


def test_mariadb_has_its_own_certificate_in_no_file() -> None:
    """11.8.9: @@ssl_ca is NULL, and the certificate another one after each start."""
    remote = replace(ENCRYPTED, mode=TlsMode.PREFERRED, local=False)
    check = server_checks.connection(server(Role.SOURCE, version="11.8.9-MariaDB-log", connected=remote))
    assert "another one after each start" in fix(check)
    assert "ca.pem" not in fix(check)
