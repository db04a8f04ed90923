"""Read-only: can replfix reach everything it needs, and what do the account's privileges allow?"""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.checkup import Check, Verdict
from replfix.core.privileges import Granted, Role, missing
from replfix.core.status import ChannelStatus, ReplicaStatus
from replfix.errors import ConnectError, PrivilegeError, ReplicationError
from replfix.ports import Replica, Server
from replfix.workflow.investigate import SourceOf


def examine(replica: Replica, source_of: SourceOf, channel_name: str | None) -> Iterator[Check]:
    """One check after the other, as they are made. Raises only when the replica itself cannot be reached."""
    granted = replica.granted()
    yield Check("replica-reachable", Verdict.OK, f"{replica.address} answers; the account is {granted.account}.")
    yield from _privileges(granted, Role.REPLICA)
    if granted.stands_in:
        yield Check("replica-managed", Verdict.OK, granted.stands_in)
    try:
        status = replica.status()
    except PrivilegeError as error:
        yield Check("is-replica", Verdict.FAILED, error.message, error.hint)
        return
    except ReplicationError as error:
        yield Check("is-replica", Verdict.FAILED, error.message, error.hint)
        return
    channels = [c for c in status.channels if channel_name is None or c.name == channel_name]
    yield Check(
        "is-replica",
        Verdict.OK,
        f"It is a replica, {status.product} {status.version}, with {len(channels)} channel(s).",
    )
    yield from _replica_settings(replica, status)
    for channel in channels:
        yield from _source(source_of, status, channel)


def _privileges(granted: Granted, role: Role) -> Iterator[Check]:
    lacking = missing(granted, role)
    for need in lacking:
        fix = f"{need.grant} TO {_quoted(granted.account)};"
        yield Check(f"{role}-privilege", Verdict.FAILED, f"On the {role} the account may not {need.action}.", fix)
    if not lacking:
        count = sum(need.role is role for need in granted.needs)
        yield Check(f"{role}-privileges", Verdict.OK, f"The account has all {count} privileges needed on the {role}.")


def _quoted(account: str) -> str:
    user, _, host = account.rpartition("@")
    return "@".join("'" + part.replace("'", "''") + "'" for part in (user, host))


def _replica_settings(replica: Replica, status: ReplicaStatus) -> Iterator[Check]:
    settings = replica.variables(("log_bin", "log_replica_updates"))
    if status.gtid_mode != "ON":
        yield Check(
            "replica-gtid-mode",
            Verdict.WARNING,
            f"gtid_mode is {status.gtid_mode} on the replica: {_BY_POSITION}.",
            "Switch GTIDs on, as the MySQL manual says in 'Enabling GTID Transactions Online'.",
        )
    else:
        yield Check("replica-gtid-mode", Verdict.OK, "gtid_mode is ON on the replica.")
    if settings["log_bin"] != "ON":
        yield Check(
            "replica-binlog",
            Verdict.WARNING,
            "The replica writes no binlog of its own: who wrote a divergent row cannot be found.",
        )


def _source(source_of: SourceOf, status: ReplicaStatus, channel: ChannelStatus) -> Iterator[Check]:
    try:
        source = source_of(channel)
    except ConnectError as error:
        yield Check("source-reachable", Verdict.FAILED, error.message, error.hint)
        return
    granted = source.granted()
    yield Check("source-reachable", Verdict.OK, f"{source.address} answers; the account is {granted.account}.")
    yield from _privileges(granted, Role.SOURCE)
    yield _same_server(source, channel)
    yield from _source_settings(source)
    yield _retention(source, status, channel)


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


_BY_POSITION = "transactions are found by their positions, and nothing tells which of them only the replica has"

_WANTED = {
    "gtid_mode": (("ON",), Verdict.WARNING, _BY_POSITION),
    "binlog_format": (("ROW",), Verdict.FAILED, "statements cannot be held against rows"),
    "binlog_row_image": (("FULL",), Verdict.WARNING, "missing rows cannot be put back from events that lack columns"),
}
"""Variable of the source: the values that replfix works with, how bad another one is, and why."""


def _source_settings(source: Server) -> Iterator[Check]:
    settings = source.variables(tuple(_WANTED))
    for name, (good, verdict, why) in _WANTED.items():
        if settings[name] is None:  # this server has no such thing, and does not need it
            continue
        code = f"source-{name.replace('_', '-')}"
        if settings[name] in good:
            yield Check(code, Verdict.OK, f"{name} is {settings[name] or 'empty'} on the source.")
        else:
            yield Check(code, verdict, f"{name} is {settings[name]} on the source: {why}.")


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
            "Raise binlog_expire_logs_seconds on the source above the longest time that a replica may stand.",
        )
    return Check(
        "source-binlog-retention", Verdict.OK, "The source still has every transaction that the replica lacks."
    )
