"""Checks, without writing, what replfix can reach, what the account's privileges allow, and whether the settings fit.

The checks themselves are in ``core/doctor/checks/``; here they get what they are made from, and what needs a server to
answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from replfix.core.connection.privileges import (
    SEES_READERS,
    Granted,
    Need,
    Role,
    granting,
    in_one_line,
    lacking_to_write,
    missing,
)
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.doctor.checks import channel_checks, replica_checks
from replfix.core.doctor.checkup import VARIABLES, ChannelFacts, ReplicaFacts, ServerFacts
from replfix.core.remedies.errant_transactions import SEE_ERRANT, in_words
from replfix.core.remedies.remedy import to_do
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.words import counted
from replfix.errors import ConnectError, PrivilegeError, ReplfixError, ReplicationError, ServerError, TooOld
from replfix.ports import Replica, Server, SourceOf
from replfix.workflow.investigate.errant.find_errant import errant

NAMES = 3
"""Tables that are named where there are many."""


def examine(replica: Replica, source_of: SourceOf, channel_name: str | None) -> Iterator[Finding]:
    """Yield one check after the other, as they are made. Raises only when the replica itself cannot be reached."""
    granted = replica.granted()
    yield Finding("replica-reachable", Severity.INFO, f"{replica.address} answers; the account is {granted.account}.")
    yield from _privileges(granted, Role.REPLICA, _super_read_only(replica))
    if granted.stands_in:
        yield Finding("replica-managed", Severity.INFO, granted.stands_in)
    try:
        status = replica.status()
    except TooOld as error:
        yield Finding("replica-version", Severity.CRITICAL, error.message, fixes=to_do(error.hint))
        return
    except (PrivilegeError, ReplicationError) as error:
        yield Finding("is-replica", Severity.CRITICAL, error.message, fixes=to_do(error.hint))
        return
    channels = [c for c in status.channels if channel_name is None or c.name == channel_name]
    yield Finding(
        "is-replica",
        Severity.INFO,
        f"It is a replica, {status.product} {status.version}, with {counted(len(channels), 'channel')}.",
    )
    facts = ReplicaFacts(
        server=_server(replica, Role.REPLICA),
        status=status,
        inventory=replica.inventory(NAMES),
        today=datetime.now(UTC).date(),
    )
    for check in replica_checks.ALL:
        if (made := check(facts)) is not None:
            yield made
    for channel in channels:
        yield from _channel(replica, source_of, facts, channel, granted)


def _server(server: Server, role: Role) -> ServerFacts:
    return ServerFacts(
        role=role,
        address=server.address,
        version=server.version(),
        variables=server.variables(VARIABLES),
        clock=server.clock(),
        connected=server.connected(),
    )


def _privileges(granted: Granted, role: Role, super_read_only: bool) -> Iterator[Finding]:
    lacking = missing(granted, role)
    for need in lacking:
        fix = _granting(granted, lacking, super_read_only) if need is lacking[-1] else ""  # all of them at once
        yield Finding(
            f"{role}-privilege",
            Severity.CRITICAL,
            f"Missing on the {role}: {need.names[0]} (to {need.action}).",
            fixes=to_do(fix),
        )
    if not lacking:
        count = sum(need.role is role for need in granted.needs)
        yield Finding(
            f"{role}-privileges", Severity.INFO, f"The account has all {count} privileges needed on the {role}."
        )


def _source_writes(granted: Granted, super_read_only: bool) -> Finding:
    lacking = lacking_to_write(granted)
    if not lacking:
        return Finding("source-writes", Severity.INFO, "On the source the account may write displaced rows.")
    return Finding(
        "source-writes",
        Severity.WARNING,
        f"On the source the account lacks {', '.join(lacking)} ON *.*: unless it has them on single tables, keep-both and replica-wins cannot write there.",
        fixes=to_do(_granting(granted, [Need(Role.SOURCE, "write", (name,)) for name in lacking], super_read_only)),
    )


def _readers_hidden(granted: Granted, super_read_only: bool) -> Finding:
    return Finding(
        "replica-identity",
        Severity.WARNING,
        f"On the source the account lacks {SEES_READERS}: whether another replica has this one's server_id is unknown.",
        fixes=to_do(_granting(granted, [Need(Role.SOURCE, "list its replicas", (SEES_READERS,))], super_read_only)),
    )


def _granting(granted: Granted, needs: Sequence[Need], super_read_only: bool) -> str:
    return in_one_line(granting(granted.account, needs, super_read_only=super_read_only))


def _super_read_only(server: Server) -> bool:
    return server.variables(("super_read_only",))["super_read_only"] == "ON"  # MariaDB has none


def _channel(
    replica: Replica, source_of: SourceOf, facts: ReplicaFacts, channel: ChannelStatus, granted: Granted
) -> Iterator[Finding]:
    try:
        source = source_of(channel)
    except ConnectError as error:
        yield Finding("source-reachable", Severity.CRITICAL, error.message, fixes=to_do(error.hint))
        return
    on_source = source.granted()
    yield Finding("source-reachable", Severity.INFO, f"{source.address} answers; the account is {on_source.account}.")
    shut = _super_read_only(source)
    yield from _privileges(on_source, Role.SOURCE, shut)
    yield _source_writes(on_source, shut)
    yield _same_server(source, channel)
    readers = source.readers()
    if readers is None and facts.server.mariadb:
        yield _readers_hidden(on_source, shut)
    both = ChannelFacts(facts, channel, _server(source, Role.SOURCE), replica.encrypted(channel.name), readers or ())
    for check in channel_checks.ALL:
        if (made := check(both)) is not None:
            yield made
    try:
        yield _retention(source, facts.status, channel)
    except PrivilegeError as error:  # the GRANT is at the privilege above
        yield Finding("source-binlog-retention", Severity.CRITICAL, error.message)
    if facts.status.gtid_mode != "OFF":
        with suppress(PrivilegeError):  # as above
            yield _errant(errant(replica, facts.status, channel, source, source_of))
    if not missing(granted, Role.REPLICA) and not missing(on_source, Role.SOURCE):
        yield _rehearsal(replica, source)


def _same_server(source: Server, channel: ChannelStatus) -> Finding:
    uuid = source.uuid()
    if channel.source_uuid and uuid != channel.source_uuid:
        return Finding(
            "source-identity",
            Severity.CRITICAL,
            f"{source.address} is server {uuid}, but the replica reads from {channel.source_uuid}.",
            fixes=to_do("Give the replica's own source with --source URL."),
        )
    return Finding("source-identity", Severity.INFO, f"{source.address} is the server that the replica reads from.")


def _retention(source: Server, status: ReplicaStatus, channel: ChannelStatus) -> Finding:
    if not channel.auto_position:
        return Finding(
            "source-binlog-retention",
            Severity.WARNING,
            f"The channel works by position: it is not checked whether the source still has its binlog from "
            f"{channel.applied_to} on.",
            fixes=to_do("SHOW BINARY LOGS on the source lists what it has."),
        )
    purged = source.purged()
    lost = purged - status.executed
    if lost - channel.retrieved:
        return Finding(
            "source-binlog-retention",
            Severity.CRITICAL,
            f"The source has purged transactions that the replica has not received: {lost - channel.retrieved}.",
            fixes=to_do("The replica has to be rebuilt from a backup or clone."),
        )
    if lost:
        return Finding(
            "source-binlog-retention",
            Severity.WARNING,
            f"The source has purged transactions that the replica has not applied yet: {lost}. They cannot be decoded.",
            fixes=to_do(
                "Raise binlog_expire_logs_seconds on the source above the longest time that a replica may be stopped."
            ),
        )
    return Finding(
        "source-binlog-retention", Severity.INFO, "The source still has every transaction that the replica lacks."
    )


def _errant(found: OnlyHere) -> Finding:
    code = "errant-transactions"
    if found.undecided:
        return Finding(
            code,
            Severity.WARNING,
            f"Whether {in_words(found.undecided)} of the replica are errant is unknown: {' '.join(found.why)}",
        )
    if not found.errant:
        return Finding(code, Severity.INFO, "The replica has no errant transaction.")
    return Finding(
        code,
        Severity.WARNING,
        f"The source does not have {in_words(found.errant)} of the replica: {found.errant}.",
        fixes=to_do(SEE_ERRANT),
    )


def _rehearsal(replica: Replica, source: Server) -> Finding:
    """Try a BINLOG statement with the source's Format_description, as a rehearsal begins. It changes nothing."""
    code = "rehearsal"
    try:
        replica.try_binlog(source.format_description())
    except ServerError as error:
        return Finding(
            code,
            Severity.CRITICAL,
            f"The replica rejects the source's events in a session: {error.text}",
            fixes=to_do("Without that no plan can be rehearsed. Check that the replica is no older than the source."),
        )
    except ReplfixError as error:
        return Finding(
            code, Severity.CRITICAL, f"A rehearsal cannot be tried: {error.message}", fixes=to_do(error.hint)
        )
    return Finding(
        code, Severity.INFO, "A rehearsal is possible: the replica accepted the source's events in a session."
    )
