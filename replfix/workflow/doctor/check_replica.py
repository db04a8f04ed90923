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
from replfix.core.doctor.checks import channel_checks, replica_checks
from replfix.core.doctor.checkup import VARIABLES, ChannelFacts, Check, ReplicaFacts, ServerFacts, Verdict
from replfix.core.remedies.errant_transactions import SEE_ERRANT, in_words
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.words import counted
from replfix.errors import ConnectError, PrivilegeError, ReplfixError, ReplicationError, ServerError, TooOld
from replfix.ports import Replica, Server, SourceOf
from replfix.workflow.investigate.errant.find_errant import errant

NAMES = 3
"""Tables that are named where there are many."""


def examine(replica: Replica, source_of: SourceOf, channel_name: str | None) -> Iterator[Check]:
    """Yield one check after the other, as they are made. Raises only when the replica itself cannot be reached."""
    granted = replica.granted()
    yield Check("replica-reachable", Verdict.OK, f"{replica.address} answers; the account is {granted.account}.")
    yield from _privileges(granted, Role.REPLICA, _super_read_only(replica))
    if granted.stands_in:
        yield Check("replica-managed", Verdict.OK, granted.stands_in)
    try:
        status = replica.status()
    except TooOld as error:
        yield Check("replica-version", Verdict.FAILED, error.message, error.hint)
        return
    except (PrivilegeError, ReplicationError) as error:
        yield Check("is-replica", Verdict.FAILED, error.message, error.hint)
        return
    channels = [c for c in status.channels if channel_name is None or c.name == channel_name]
    yield Check(
        "is-replica",
        Verdict.OK,
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


def _privileges(granted: Granted, role: Role, super_read_only: bool) -> Iterator[Check]:
    lacking = missing(granted, role)
    for need in lacking:
        fix = _granting(granted, lacking, super_read_only) if need is lacking[-1] else ""  # all of them at once
        yield Check(
            f"{role}-privilege", Verdict.FAILED, f"Missing on the {role}: {need.names[0]} (to {need.action}).", fix
        )
    if not lacking:
        count = sum(need.role is role for need in granted.needs)
        yield Check(f"{role}-privileges", Verdict.OK, f"The account has all {count} privileges needed on the {role}.")


def _source_writes(granted: Granted, super_read_only: bool) -> Check:
    lacking = lacking_to_write(granted)
    if not lacking:
        return Check("source-writes", Verdict.OK, "On the source the account may write displaced rows.")
    return Check(
        "source-writes",
        Verdict.WARNING,
        f"On the source the account lacks {', '.join(lacking)} ON *.*: unless it has them on single tables, keep-both and replica-wins cannot write there.",
        _granting(granted, [Need(Role.SOURCE, "write", (name,)) for name in lacking], super_read_only),
    )


def _readers_hidden(granted: Granted, super_read_only: bool) -> Check:
    return Check(
        "replica-identity",
        Verdict.WARNING,
        f"On the source the account lacks {SEES_READERS}: whether another replica has this one's server_id is unknown.",
        _granting(granted, [Need(Role.SOURCE, "list its replicas", (SEES_READERS,))], super_read_only),
    )


def _granting(granted: Granted, needs: Sequence[Need], super_read_only: bool) -> str:
    return in_one_line(granting(granted.account, needs, super_read_only=super_read_only))


def _super_read_only(server: Server) -> bool:
    return server.variables(("super_read_only",))["super_read_only"] == "ON"  # MariaDB has none


def _channel(
    replica: Replica, source_of: SourceOf, facts: ReplicaFacts, channel: ChannelStatus, granted: Granted
) -> Iterator[Check]:
    try:
        source = source_of(channel)
    except ConnectError as error:
        yield Check("source-reachable", Verdict.FAILED, error.message, error.hint)
        return
    on_source = source.granted()
    yield Check("source-reachable", Verdict.OK, f"{source.address} answers; the account is {on_source.account}.")
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
        yield Check("source-binlog-retention", Verdict.FAILED, error.message)
    if facts.status.gtid_mode != "OFF":
        with suppress(PrivilegeError):  # as above
            yield _errant(errant(replica, facts.status, channel, source, source_of))
    if not missing(granted, Role.REPLICA) and not missing(on_source, Role.SOURCE):
        yield _rehearsal(replica, source)


def _same_server(source: Server, channel: ChannelStatus) -> Check:
    uuid = source.uuid()
    if channel.source_uuid and uuid != channel.source_uuid:
        return Check(
            "source-identity",
            Verdict.FAILED,
            f"{source.address} is server {uuid}, but the replica reads from {channel.source_uuid}.",
            "Give the replica's own source with --source URL.",
        )
    return Check("source-identity", Verdict.OK, f"{source.address} is the server that the replica reads from.")


def _retention(source: Server, status: ReplicaStatus, channel: ChannelStatus) -> Check:
    if not channel.auto_position:
        return Check(
            "source-binlog-retention",
            Verdict.WARNING,
            f"The channel works by position: it is not checked whether the source still has its binlog from "
            f"{channel.applied_to} on.",
            "SHOW BINARY LOGS on the source lists what it has.",
        )
    purged = source.purged()
    lost = purged - status.executed
    if lost - channel.retrieved:
        return Check(
            "source-binlog-retention",
            Verdict.FAILED,
            f"The source has purged transactions that the replica has not received: {lost - channel.retrieved}.",
            "The replica has to be rebuilt from a backup or clone.",
        )
    if lost:
        return Check(
            "source-binlog-retention",
            Verdict.WARNING,
            f"The source has purged transactions that the replica has not applied yet: {lost}. They cannot be decoded.",
            "Raise binlog_expire_logs_seconds on the source above the longest time that a replica may be stopped.",
        )
    return Check(
        "source-binlog-retention", Verdict.OK, "The source still has every transaction that the replica lacks."
    )


def _errant(found: OnlyHere) -> Check:
    code = "errant-transactions"
    if found.undecided:
        return Check(
            code,
            Verdict.WARNING,
            f"Whether {in_words(found.undecided)} of the replica are errant is unknown: {' '.join(found.why)}",
        )
    if not found.errant:
        return Check(code, Verdict.OK, "The replica has no errant transaction.")
    return Check(
        code,
        Verdict.WARNING,
        f"The source does not have {in_words(found.errant)} of the replica: {found.errant}.",
        SEE_ERRANT,
    )


def _rehearsal(replica: Replica, source: Server) -> Check:
    """Try a BINLOG statement with the source's Format_description, as a rehearsal begins. It changes nothing."""
    code = "rehearsal"
    try:
        replica.try_binlog(source.format_description())
    except ServerError as error:
        return Check(
            code,
            Verdict.FAILED,
            f"The replica rejects the source's events in a session: {error.text}",
            "Without that no plan can be rehearsed. Check that the replica is no older than the source.",
        )
    except ReplfixError as error:
        return Check(code, Verdict.FAILED, f"A rehearsal cannot be tried: {error.message}", error.hint)
    return Check(code, Verdict.OK, "A rehearsal is possible: the replica accepted the source's events in a session.")
