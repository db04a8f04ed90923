"""Follows a replica's own transactions to its source: by which channels they get there, and how far they have come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.on_its_way import InTransit, OnlyHere, in_words, passed_over
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.errors import ReplfixError
from replfix.one_look import anew
from replfix.ports import Replica, Server

THIS = "this server"


@dataclass(slots=True)
class _Search:
    replica: Replica
    status: ReplicaStatus
    visited: set[str] = field(default_factory=set)
    undecided: GtidSet = field(default_factory=GtidSet)
    why: list[str] = field(default_factory=list)

    def doubt(self, gtids: GtidSet, why: str) -> None:
        if gtids:
            self.undecided = self.undecided | gtids
            self.why.append(why)


def only_here(replica: Replica, status: ReplicaStatus, source: Server, strays: GtidSet) -> OnlyHere:
    """Return what became of transactions that the source had not executed when it was asked.

    Where it replicates itself, it is asked once more at the end: what arrived in between is neither errant nor on its
    way.
    """
    if not strays:
        return OnlyHere(strays)
    search = _Search(replica, status)
    found = tuple(_coming(search, source, strays))
    left = strays
    for one in found:
        left = left - one.gtids
    undecided = search.undecided - (strays - left)
    errant = left - undecided
    if errant and _receives(source):
        with anew():
            errant = errant - source.executed()
    return OnlyHere(errant, found, undecided, tuple(dict.fromkeys(search.why)) if undecided else ())


def _receives(server: Server) -> bool:
    """Return whether transactions of others can come to the server, as far as that is known."""
    try:
        return bool(server.channels())
    except ReplfixError:
        return True


def _coming(search: _Search, server: Server, wanted: GtidSet) -> list[InTransit]:
    """Return those of ``wanted`` that will reach that server, which has not executed them."""
    uuid = server.uuid()
    search.visited.add(uuid)
    # A receiver leaves out what bears the server's own id: what it has lost does not come back to it.
    left = wanted - wanted.of_uuid(uuid)
    try:
        channels = server.channels()
    except ReplfixError as error:
        search.doubt(left, f"Whether {server.address} replicates from another server is unknown: {error.message}")
        return []
    found: list[InTransit] = []
    for channel in channels:
        comes = _through(search, server, channel, left - passed_over(channel, left, search.status))
        found += comes
        for one in comes:
            left = left - one.gtids
    return found


def _through(search: _Search, server: Server, channel: ChannelStatus, wanted: GtidSet) -> list[InTransit]:
    if not wanted:
        return []
    received = wanted & channel.retrieved
    if channel.source_uuid == search.status.server_uuid:
        missing = wanted - received
        sent = missing - search.replica.purged() if channel.auto_position else GtidSet()
        if not channel.auto_position:
            search.doubt(
                missing,
                f"{server.address} replicates from {THIS} by file and position: which of them come after its position is unknown.",
            )
        return _found(server, THIS, channel, received | sent)
    at = f"{channel.source_host}:{channel.source_port}"
    has, before = received | (wanted - received).of_uuid(channel.source_uuid), list[InTransit]()
    try:
        feeder = server.feeder(channel)
        if feeder is None:
            search.doubt(
                wanted - has,
                f"{server.address} replicates from {at}, which is not in the configuration and was not asked.",
            )
        elif feeder.uuid() not in search.visited:
            has = received | ((wanted - received) & feeder.executed())
            before = _coming(search, feeder, wanted - has)
    except ReplfixError as error:
        search.doubt(wanted - has, f"{server.address} replicates from {at}, which could not be asked: {error.message}")
    found = _found(server, at, channel, has)
    for one in before:
        (last,) = _found(server, at, channel, one.gtids)
        found.append(InTransit(one.gtids, f"{one.how} {last.how}"))
    return found


def _found(server: Server, feeder: str, channel: ChannelStatus, gtids: GtidSet) -> list[InTransit]:
    if not gtids:
        return []
    executed = server.executed()
    mine = GtidSet()
    for uuid in sorted(gtids.uuids()):
        mine = mine | executed.of_uuid(uuid)
    return [InTransit(gtids, in_words(server.address, feeder, channel, gtids, mine))]


def circle(source: Server, status: ReplicaStatus, unknowns: list[str]) -> tuple[Server, ...]:
    """Return the servers by which what is written on the replica reaches the source, the source first.

    Empty where it does not, or where a server in between was not asked.
    """
    servers, visited = [source], {source.uuid()}
    try:
        while True:
            feeders = []
            for channel in servers[-1].channels():
                if channel.source_uuid == status.server_uuid:
                    return tuple(servers)
                if channel.source_uuid not in visited and (feeder := servers[-1].feeder(channel)) is not None:
                    feeders.append((channel.source_uuid, feeder))
            if not feeders:
                return ()
            uuid, feeder = feeders[0]
            visited.add(uuid)
            servers.append(feeder)
    except ReplfixError as error:
        unknowns.append(f"Whether what is written here reaches the source is unknown: {error.message}")
        return ()


def stopped_above(source: Server) -> Iterator[str]:
    """Yield why a source's rows now may be out of date: it is a replica itself, and stopped."""
    with suppress(ReplfixError):
        for channel in source.channels():
            if channel.failure is not None:
                above = f"{channel.source_host}:{channel.source_port}"
                yield (
                    f"The source {source.address} is itself a replica, of {above}, and has stopped with error {channel.failure.errno}: "
                    f"its rows can now differ from those of {above}. Resolve it there first."
                )


def top_of(replica: ReplicaStatus, channel: ChannelStatus, source: Server) -> str:
    """Return the server from which what is written reaches every other, as far as addresses are known.

    The source; where it is the middle of a chain, the server at its top. In a circle it is the server that replicates
    from the replica itself: a replica skips what it has, and passes it on to nobody.
    """
    at, server = f"{channel.source_host}:{channel.source_port}", source
    visited = {source.uuid()}
    while channels := server.channels():
        above = channels[0]
        if above.source_uuid == replica.server_uuid:
            return at
        if above.source_uuid in visited:
            return f"{channel.source_host}:{channel.source_port}"
        visited.add(above.source_uuid)
        at = f"{above.source_host}:{above.source_port}"
        feeder = server.feeder(above)
        if feeder is None:
            return f"{at}, or the server that it replicates from"
        server = feeder
    return at
