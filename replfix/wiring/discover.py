"""From one server to those around it: its sources, and the other replicas that these list."""

from __future__ import annotations

import re
from contextlib import suppress

from replfix.config import Agree, Target
from replfix.config.new_file import NewServer
from replfix.core.replication.replica_status import ChannelStatus
from replfix.errors import NoReplica, ReplfixError
from replfix.mysql.server import MysqlServer
from replfix.wiring.servers import AskPassword, TargetConnections

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")


class Discovery:
    """What was found: ``replicas`` and ``sources`` as sections of a configuration, and what could not be found out.

    Only the server that was named and its sources are connected to; other replicas are taken from the sources' lists.
    """

    def __init__(self) -> None:
        self.replicas: list[NewServer] = []
        self.sources: list[NewServer] = []
        self.not_seen: list[str] = []
        self._names: dict[tuple[str, int], str] = {}

    def name(self, host: str, port: int, server: MysqlServer | None = None) -> str:
        """Return the server's name in the file: its host name, else what its address begins with; each once."""
        if (host, port) in self._names:
            return self._names[host, port]
        own = ""
        if server is not None:
            with suppress(ReplfixError):
                own = (server.variables(["hostname"])["hostname"] or "").partition(".")[0]
        has_name = host.rpartition(".")[2][:1].isalpha() and ":" not in host
        base = own or (host.partition(".")[0] if has_name else host)
        base = _NOT_IN_A_NAME.sub("-", base).strip("-") or "server"
        candidates = (base, f"{base}-{port}", *(f"{base}-{port}-{number}" for number in range(2, 10_000)))
        taken = set(self._names.values())
        self._names[host, port] = next(each for each in candidates if each not in taken)
        return self._names[host, port]

    def add_source(self, wired: TargetConnections, channel: ChannelStatus) -> str:
        """Add the channel's source and the replicas that it lists; return its name."""
        host, port = channel.source_host, channel.source_port
        try:
            source = wired.source_of(channel)
        except ReplfixError as error:
            name = self.name(host, port)
            self.not_seen.append(f"other replicas of {host}:{port}: {error.message}")
        else:
            name = self.name(host, port, source)
            self.add_readers(source, name, wired.replica.uuid())
        if all(each.name != name for each in self.sources):
            self.sources.append(NewServer(name, host, port))
        return name

    def add_readers(self, source: MysqlServer, name: str, known: str = "") -> None:
        """Add the replicas that the source lists, but for the one that is ``known`` by its identity."""
        try:
            readers = source.readers()
        except ReplfixError as error:
            self.not_seen.append(f"other replicas of {source.address}: {error.message}")
            return
        if readers is None:
            self.not_seen.append(f"other replicas of {source.address}: the account may not see its list of replicas")
        for reader in readers or ():
            if known and known in (reader.uuid, f"server_id {reader.server_id}"):
                continue
            if not reader.host:
                self.not_seen.append(
                    f"the address of the replica with server_id {reader.server_id}: it has no report_host"
                )
                continue
            own = self.name(reader.host, reader.port)
            if all(each.name != own for each in self.replicas):
                comment = f"listed by {source.address}; not connected to"
                self.replicas.append(NewServer(own, reader.host, reader.port, source=name, comment=comment))


def discover(target: Target, ask_password: AskPassword, agree: Agree) -> Discovery:
    """Ask the server of ``target``. ConnectError and the like where that one cannot be asked."""
    found = Discovery()
    with TargetConnections(target, ask_password, agree) as wired:
        at = wired.target.replica
        try:
            channels = wired.replica.status().channels
        except NoReplica:
            name = found.name(at.host, at.port, wired.replica)
            found.sources.append(NewServer(name, at.host, at.port, at.socket))
            found.add_readers(wired.replica, name)
            return found
        name = found.name(at.host, at.port, wired.replica)
        by_channel = {channel.name: found.add_source(wired, channel) for channel in channels}
        one = next(iter(by_channel.values())) if len(by_channel) == 1 else None
        own = NewServer(name, at.host, at.port, at.socket, source=one, sources={} if one else by_channel)
        found.replicas.insert(0, own)
    return found
