"""Checks of a channel: its source, and what has to fit between the two."""

from __future__ import annotations

from collections.abc import Callable

from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.doctor.checks import server_checks
from replfix.core.doctor.checkup import ChannelFacts, ServerFacts
from replfix.core.remedies.remedy import to_do
from replfix.core.replication.readers import shared
from replfix.core.schema.filters import NO_FILTERS

_BY_POSITION = "transactions are found by their positions, and it is unknown which of them only the replica has"
_BASE64 = 4 / 3


def version(facts: ChannelFacts) -> Finding:
    """Check whether the source's series still gets fixes."""
    return server_checks.end_of_life(facts.source, facts.replica.today)


def version_order(facts: ChannelFacts) -> Finding | None:
    """MySQL replicates to the same series or a newer one ("Replication Compatibility Between MySQL Versions")."""
    ours, theirs = server_checks.series(facts.replica.server.version), server_checks.series(facts.source.version)
    if ours is None or theirs is None or facts.replica.server.mariadb != facts.source.mariadb:
        return None
    if theirs > ours:
        return Finding(
            "version-order",
            Severity.WARNING,
            f"The source ({facts.source.version}) is newer than the replica ({facts.replica.server.version}): it can log what "
            "the replica does not understand.",
            fixes=to_do("Upgrade the replica."),
        )
    return Finding("version-order", Severity.INFO, "The replica is of the source's series, or newer.")


def clock(facts: ChannelFacts) -> Finding:
    """Check the source's clock."""
    return server_checks.clock(facts.source)


def server_ids(facts: ChannelFacts) -> Finding | None:
    """Check that replica and source have different server_ids."""
    ours, theirs = facts.replica.server.number("server_id"), facts.source.number("server_id")
    if ours is None or theirs is None:
        return None
    if ours == theirs:
        return Finding(
            "server-ids",
            Severity.CRITICAL,
            f"Replica and source have the same server_id {ours}: the replica ignores everything that comes from there.",
            fixes=to_do(_another_id(facts)),
        )
    return Finding("server-ids", Severity.INFO, f"server_id is {ours} on the replica and {theirs} on the source.")


def _another_id(facts: ChannelFacts) -> str:
    taken = (facts.replica.server.number("server_id"), facts.source.number("server_id"))
    free = max((*(one or 0 for one in taken), *(reader.server_id for reader in facts.readers))) + 1
    return f"{server_checks.setting(facts.replica.server, 'server_id', free)} on the replica, then STOP REPLICA; START REPLICA;"


def shared_identity(facts: ChannelFacts) -> Finding | None:
    """MariaDB shows nothing of it in the replica's status: two receivers throw each other out, by turns (11.8.9)."""
    ours = facts.replica.server.number("server_id")
    if ours is None or not facts.readers:
        return None
    host, port = facts.replica.server.variables.get("report_host"), facts.replica.server.number("report_port")
    found = shared(facts.readers, facts.replica.status.server_uuid.lower(), ours, host, port)
    here = facts.replica.server.address
    if found.uuid:
        return Finding(
            "replica-identity",
            Severity.CRITICAL,
            f"{here} and {', '.join(found.uuid)} read from this source with one server_uuid: each disconnects the other (error 1236).",
            fixes=to_do(
                "Of the server that was copied: stop it, remove auto.cnf from its data directory, and start it."
            ),
        )
    if found.server_id:
        also = ", ".join(found.server_id)
        if facts.replica.server.mariadb:
            what = f"{here} and {also} read from this source with one server_id ({ours}): each disconnects the other, again and again."
            return Finding("replica-identity", Severity.CRITICAL, what, fixes=to_do(_another_id(facts)))
        return Finding(
            "replica-identity",
            Severity.WARNING,
            f"{here} and {also} have one server_id ({ours}): where one of them reads from the other, it ignores what that one wrote.",
            fixes=to_do(_another_id(facts)),
        )
    return Finding("replica-identity", Severity.INFO, "The source lists no other replica with this one's identity.")


def binary_log(facts: ChannelFacts) -> Finding:
    """Check that the source writes a binlog."""
    return server_checks.binary_log(facts.source)


gtid_mode = server_checks.is_set("gtid_mode", ("ON",), Severity.WARNING, _BY_POSITION)
gtid_consistency = server_checks.is_set(
    "enforce_gtid_consistency", ("ON", "1"), Severity.WARNING, "statements that GTIDs do not allow are accepted"
)
binlog_format = server_checks.is_set(
    "binlog_format",
    ("ROW",),
    Severity.CRITICAL,
    "statements cannot be compared with rows",
    "ROW",
)
row_image = server_checks.is_set(
    "binlog_row_image",
    ("FULL",),
    Severity.WARNING,
    "missing rows cannot be put back from events that lack columns",
    "FULL",
)


def expiry_against_lag(facts: ChannelFacts) -> Finding | None:
    """Check that the source keeps binlogs longer than the replica lags."""
    seconds, lag = facts.source.number("binlog_expire_logs_seconds"), facts.channel.lag_seconds
    if not seconds or lag is None:
        return None
    behind = max(lag, facts.channel.delay_seconds)
    if behind * 2 > seconds:
        return Finding(
            "source-binlog-expiry-against-lag",
            Severity.WARNING,
            f"The replica is {behind:,} s behind, and the source keeps binlogs for {seconds:,} s: soon it may not have them.",
            fixes=to_do(
                f"{server_checks.setting(facts.source, 'binlog_expire_logs_seconds', max(behind * 4, 604_800))} on the source"
            ),
        )
    return Finding(
        "source-binlog-expiry-against-lag",
        Severity.INFO,
        f"The replica is {behind:,} s behind, far less than the source keeps binlogs.",
    )


def packets(facts: ChannelFacts) -> Finding | None:
    """Check max_allowed_packet: a BINLOG statement has an event in base64, in one packet of the client's protocol."""
    ours, theirs = facts.replica.server.number("max_allowed_packet"), facts.source.number("max_allowed_packet")
    if ours is None or theirs is None:
        return None
    if ours < theirs:
        return Finding(
            "max-allowed-packet",
            Severity.WARNING,
            f"max_allowed_packet is {ours:,} on the replica and {theirs:,} on the source: rows of more than "
            f"{int(ours / _BASE64):,} bytes cannot be rehearsed.",
            fixes=to_do(f"{server_checks.setting(facts.replica.server, 'max_allowed_packet', theirs)} on the replica"),
        )
    return Finding(
        "max-allowed-packet",
        Severity.INFO,
        f"max_allowed_packet of the replica ({ours:,}) is no less than the source's.",
    )


def sql_modes(facts: ChannelFacts) -> Finding | None:
    """Check that both have the same sql_mode."""
    ours, theirs = (facts.replica.server.variables.get("sql_mode"), facts.source.variables.get("sql_mode"))
    if ours is None or theirs is None:
        return None
    here, there = set(filter(None, ours.split(","))), set(filter(None, theirs.split(",")))
    if here != there:
        only_here, only_there = ", ".join(sorted(here - there)) or "none", ", ".join(sorted(there - here)) or "none"
        return Finding(
            "sql-mode",
            Severity.WARNING,
            f"sql_mode differs: only on the replica {only_here}; only on the source {only_there}. Row events do not depend on it, what is written by hand does.",
        )
    return Finding("sql-mode", Severity.INFO, "sql_mode is the same on both.")


def time_zones(facts: ChannelFacts) -> Finding | None:
    """Check that both have the same time zone."""
    ours, theirs = (
        tuple(of.variables.get(name) for name in ("time_zone", "system_time_zone"))
        for of in (facts.replica.server, facts.source)
    )
    if None in ours or None in theirs:
        return None
    if ours != theirs:
        return Finding(
            "time-zone",
            Severity.WARNING,
            f"The time zone is {ours[0]} ({ours[1]}) on the replica and {theirs[0]} ({theirs[1]}) on the source: people see other "
            "times on each. Stored values are the same.",
        )
    return Finding("time-zone", Severity.INFO, f"The time zone is {ours[0]} ({ours[1]}) on both.")


def filters(facts: ChannelFacts) -> Finding:
    """Check whether the channel filters."""
    if facts.channel.filters != NO_FILTERS:
        return Finding(
            "replication-filters",
            Severity.WARNING,
            f"The channel filters what it applies ({facts.channel.filters.in_words}): rows that it leaves out differ, and are no "
            "conflict.",
        )
    return Finding("replication-filters", Severity.INFO, "The channel applies everything: it has no filters.")


def encryption(facts: ChannelFacts) -> Finding | None:
    """Check whether the receiver uses TLS."""
    local = facts.channel.source_host in ("localhost", "127.0.0.1", "::1")
    if facts.encrypted is None:
        return None
    if not facts.encrypted and not local:
        return Finding(
            "receiver-tls",
            Severity.WARNING,
            f"The receiver reads from {facts.channel.source_host} without TLS: rows, and the account's login, cross the network "
            "in the open.",
            fixes=to_do("CHANGE REPLICATION SOURCE TO SOURCE_SSL = 1 FOR CHANNEL '…';"),
        )
    how = "with TLS" if facts.encrypted else "without TLS, on this very machine"
    return Finding("receiver-tls", Severity.INFO, f"The receiver reads from the source {how}.")


def _of_source(check: Callable[[ServerFacts], Finding | None]) -> Callable[[ChannelFacts], Finding | None]:
    return lambda facts: check(facts.source)


ALL: tuple[Callable[[ChannelFacts], Finding | None], ...] = (
    version,
    version_order,
    _of_source(server_checks.connection),
    clock,
    server_ids,
    shared_identity,
    binary_log,
    _of_source(gtid_mode),
    _of_source(gtid_consistency),
    _of_source(binlog_format),
    _of_source(row_image),
    _of_source(server_checks.row_metadata),
    _of_source(server_checks.expiry),
    expiry_against_lag,
    packets,
    sql_modes,
    time_zones,
    filters,
    encryption,
)
