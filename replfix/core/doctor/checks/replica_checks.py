"""Checks of the replica."""

from __future__ import annotations

from collections.abc import Callable

from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.doctor.checks import server_checks
from replfix.core.doctor.checkup import ReplicaFacts, Some
from replfix.core.remedies.remedy import to_do
from replfix.core.schema.tested_versions import too_old
from replfix.core.words import counted

_GTIDS = "transactions are found by their positions, and it is unknown which of them only the replica has"


def version(facts: ReplicaFacts) -> Finding:
    """Check whether replfix works with the replica's version, and whether its series still gets fixes."""
    if reason := too_old("MariaDB" if facts.server.mariadb else "MySQL", facts.server.version):
        return Finding(
            "replica-version", Severity.CRITICAL, reason, fixes=to_do("Upgrade the replica first, then its source.")
        )
    return server_checks.end_of_life(facts.server, facts.today)


def connection(facts: ReplicaFacts) -> Finding:
    """Check how replfix's own connection is encrypted."""
    return server_checks.connection(facts.server)


def clock(facts: ReplicaFacts) -> Finding:
    """Check the replica's clock."""
    return server_checks.clock(facts.server)


def gtid_mode(facts: ReplicaFacts) -> Finding | None:
    """Check that GTIDs are on."""
    if facts.server.mariadb:
        return None  # it has no such setting: every transaction has a GTID
    mode = facts.status.gtid_mode
    if mode == "ON":
        return Finding("replica-gtid-mode", Severity.INFO, "gtid_mode is ON on the replica.")
    return Finding(
        "replica-gtid-mode",
        Severity.WARNING,
        f"gtid_mode is {mode} on the replica: {_GTIDS}.",
        fixes=to_do("Switch GTIDs on, as the MySQL manual says in 'Enabling GTID Transactions Online'."),
    )


def gtid_consistency(facts: ReplicaFacts) -> Finding | None:
    """Check enforce_gtid_consistency."""
    check = server_checks.is_set(
        "enforce_gtid_consistency", ("ON", "1"), Severity.WARNING, "statements that GTIDs do not allow are accepted"
    )
    return check(facts.server)


def binary_log(facts: ReplicaFacts) -> Finding:
    """Check that the replica writes a binlog."""
    return server_checks.binary_log(facts.server)


def logs_what_it_applies(facts: ReplicaFacts) -> Finding | None:
    """Check that what it applies is in its binlog."""
    if not facts.server.on("log_bin") or facts.server.variables.get("log_replica_updates") is None:
        return None
    if facts.server.on("log_replica_updates"):
        return Finding("replica-log-updates", Severity.INFO, "The replica logs what it applies.")
    return Finding(
        "replica-log-updates",
        Severity.WARNING,
        "log_replica_updates is OFF on the replica: replicas below it get nothing, and it cannot become a source with GTIDs.",
    )


def commit_order(facts: ReplicaFacts) -> Finding | None:
    """Check that workers commit in the source's order."""
    workers = facts.server.number("replica_parallel_workers")
    in_order = facts.server.on("replica_preserve_commit_order")
    if workers is None or in_order is None:
        return None
    if workers > 1 and not in_order:
        return Finding(
            "replica-commit-order",
            Severity.WARNING,
            f"{workers} workers commit in any order (replica_preserve_commit_order is OFF): a stop can leave gaps, which are "
            "closed before anything is repaired.",
            fixes=to_do(
                "STOP REPLICA SQL_THREAD; SET PERSIST replica_preserve_commit_order = ON; START REPLICA SQL_THREAD;"
            ),
        )
    return Finding(
        "replica-commit-order", Severity.INFO, f"{counted(workers, 'worker')}, committing in the source's order."
    )


def read_only(facts: ReplicaFacts) -> Finding:
    """Check who may write on the replica."""
    if facts.status.super_read_only:
        return Finding(
            "replica-read-only", Severity.INFO, "super_read_only is ON on the replica: only replication writes there."
        )
    mariadb = facts.status.product == "MariaDB"
    if facts.status.read_only:
        allowed = "READ_ONLY ADMIN" if mariadb else "CONNECTION_ADMIN"
        return Finding(
            "replica-read-only",
            Severity.INFO,
            f"read_only is ON on the replica; accounts with {allowed} can write there.",
        )
    return Finding(
        "replica-read-only",
        Severity.WARNING,
        "read_only is OFF on the replica: whoever may write can make it differ from its source.",
        fixes=to_do("SET GLOBAL read_only = ON;" if mariadb else "SET PERSIST super_read_only = ON;"),
    )


def _some(code: str, some: Some, none: str, what: str, why: str) -> Finding:
    if not some.count:
        return Finding(code, Severity.INFO, none)
    names = ", ".join(some.names) + (", …" if some.count > len(some.names) else "")
    return Finding(code, Severity.WARNING, f"{what.format(counted(some.count, 'table'))}: {names}. {why}")


def engines(facts: ReplicaFacts) -> Finding:
    """Check that every table is in an engine with transactions."""
    return _some(
        "replica-engines",
        facts.inventory.not_transactional,
        "Every table that the account sees is in an engine with transactions.",
        "{} without transactions",
        "What is written there cannot be rolled back: no rehearsal, so no repair.",
    )


def primary_keys(facts: ReplicaFacts) -> Finding:
    """Check that every table has a primary key."""
    return _some(
        "replica-primary-keys",
        facts.inventory.without_primary_key,
        "Every table that the account sees has a primary key.",
        "{} without a primary key",
        "The applier finds their rows by all columns, slowly, and nothing distinguishes equal rows.",
    )


def events(facts: ReplicaFacts) -> Finding | None:
    """Check that no enabled event writes on the replica."""
    if facts.server.on("event_scheduler") is None:
        return None
    enabled = facts.inventory.enabled_events
    if facts.server.on("event_scheduler") and enabled.count:
        return Finding(
            "replica-events",
            Severity.WARNING,
            f"The event scheduler runs on the replica, with {counted(enabled.count, 'enabled event')} "
            f"({', '.join(enabled.names)}): what they write is on no other server.",
            fixes=to_do(
                f"ALTER EVENT {enabled.names[0]} DISABLE ON REPLICA; for each of them, or {server_checks.setting(facts.server, 'event_scheduler', 'OFF')}"
            ),
        )
    return Finding("replica-events", Severity.INFO, "No enabled event that the account sees writes on the replica.")


ALL: tuple[Callable[[ReplicaFacts], Finding | None], ...] = (
    version,
    connection,
    clock,
    gtid_mode,
    gtid_consistency,
    binary_log,
    logs_what_it_applies,
    commit_order,
    read_only,
    engines,
    primary_keys,
    events,
)
