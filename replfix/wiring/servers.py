"""From what the user named to connected servers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from replfix.config import Agree, Config, KnownServers, Target
from replfix.core.connection.endpoint import Endpoint, Secret
from replfix.core.connection.postgresql_server import PostgresqlServer
from replfix.core.replication.replica_status import ChannelStatus
from replfix.core.schema.filters import NO_FILTERS, Filters
from replfix.errors import ConnectError, UsageError
from replfix.mysql.server import MysqlServer

if TYPE_CHECKING:
    from replfix.mysql.read.key_spaces import ServerKeySpaces
    from replfix.ports import KeySpaces, PostgresqlInquiry

AskPassword = Callable[[Endpoint], str | None]


class SystemClock:
    """Implements ``ports.Clock``."""

    def now(self) -> float:
        """Return the seconds of the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        time.sleep(seconds)


class TargetConnections:
    """One target's servers, each connected once; a context manager that closes them."""

    def __init__(
        self, target: Target, ask_password: AskPassword = lambda _: None, agree: Agree = lambda _: False
    ) -> None:
        self._known = KnownServers(agree)
        self.target = with_account(target, ask_password)
        self.target = replace(self.target, replica=self._known.introduced(self.target.replica))
        self.replica = MysqlServer(self.target.replica)
        self._ask_password = ask_password
        self._sources: dict[tuple[str, int, Filters], MysqlServer] = {}
        self._stack = ExitStack()
        self._stack.callback(self.replica.close)

    def source_of(self, channel: ChannelStatus) -> MysqlServer:
        """Return the channel's source: the one given, else the one that the replica itself names, with the replica's account.

        ConnectError when it cannot be reached; UsageError when it is not clear which channel a given one belongs to.
        """
        server = self._connected(channel, self._given(channel))
        self._check_identity(server, channel)
        return server

    def _given(self, channel: ChannelStatus) -> Endpoint | None:
        target = self.target
        if channel.name in target.sources:
            return target.sources[channel.name]
        given = target.source
        if given is None or target.channel is not None:
            return given if channel.name == target.channel else None
        channels = self.replica.status().channels
        if len(channels) == 1 or (given.host, given.port) == (channel.source_host, channel.source_port):
            return given
        uuid = self._connected(channel, given).uuid()
        if not any(c.source_uuid == uuid for c in channels):
            raise UsageError(
                f"The replica has {len(channels)} channels, and {given} is the source of none of them.",
                "Name its channel: --channel NAME, or [replicas.NAME.sources] in the configuration.",
            )
        return given if channel.source_uuid == uuid else None

    def _connected(self, channel: ChannelStatus, given: Endpoint | None) -> MysqlServer:
        endpoint = self._known.introduced(given or self._named_or_found(channel), channel.source_uuid or "")
        key = (endpoint.host, endpoint.port, channel.filters)
        if key not in self._sources:
            endpoint = _with_password(endpoint, self._ask_password)
            filters = channel.filters
            if filters == NO_FILTERS:
                server = MysqlServer(endpoint, self._named_at)
            else:
                from replfix.mysql.read.filtered_source import FilteredSource  # it reads binlogs: a status does not

                server = FilteredSource(endpoint, filters, self._named_at)
            try:
                server.connect()
            except ConnectError as error:
                hint = error.hint
                if given is None:
                    hint += (
                        " The address was found in the replica's own status; where it cannot be reached from here, or takes "
                        "another account, give --source URL."
                    )
                raise type(error)(f"The source: {error.message}", hint.strip()) from None
            server.applied_by(self.replica, filters)
            self._sources[key] = server
            self._stack.callback(server.close)
        return self._sources[key]

    def _check_identity(self, server: MysqlServer, channel: ChannelStatus) -> None:
        """Another history under the same GTIDs looks like the source's own until rows are compared."""
        uuid = server.uuid()
        if not channel.source_uuid or uuid in (channel.source_uuid, self.target.stands_in):
            return
        raise ConnectError(
            f"{server.address} is server {uuid}, and the replica reads from {channel.source_uuid}: it is not asked in the source's "
            "place.",
            f"Give the replica's own source with --source URL; or, if this one has the same transactions and is to replace it: --source-uuid {uuid}.",
        )

    def _named_or_found(self, channel: ChannelStatus) -> Endpoint:
        replica = self.target.replica
        named = self.target.named_at(channel.source_host, channel.source_port)
        found = Endpoint(channel.source_host, channel.source_port, found_in=f"the status of {replica}")
        return named or found.visited_as(replica)

    def _named_at(self, host: str, port: int) -> MysqlServer | None:
        """Return another server of the topology, only where the configuration names it.

        No password is sent to an address that is merely found in the status of a server two steps away.
        """
        named = self.target.named_at(host, port)
        if named is None:
            return None
        key = (named.host, named.port, NO_FILTERS)
        if key not in self._sources:
            introduced = self._known.introduced(named)
            server = MysqlServer(_with_password(introduced, self._ask_password), self._named_at)
            server.connect()
            self._sources[key] = server
            self._stack.callback(server.close)
        return self._sources[key]

    def close(self) -> None:
        """Close every connection."""
        self._stack.close()

    def __enter__(self) -> TargetConnections:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TopologyConnections:
    """The servers of a topology: those that are named and their sources. A context manager that closes them."""

    def __init__(
        self, config: Config, ask_password: AskPassword = lambda _: None, agree: Agree = lambda _: False
    ) -> None:
        self._config = config
        self._ask_password = ask_password
        self._agree = agree
        self._stack = ExitStack()
        self._wired: dict[str, TargetConnections] = {}  # by host:port

    def open(self, target: Target) -> tuple[str, ServerKeySpaces]:
        """Return one that is named, not connected yet."""
        wired = self._stack.enter_context(TargetConnections(target, self._ask_password, self._agree))
        self._wired[str(wired.target.replica)] = wired
        return target.name, wired.replica.key_spaces()

    def source_of(self, server: KeySpaces, channel: ChannelStatus) -> tuple[str, ServerKeySpaces]:
        """Return the source of a channel of a server that this one opened. Raises as ``TargetConnections.source_of``."""
        source = self._wired[server.address].source_of(channel)
        at = source.endpoint
        name = self._config.name_at(at.host, at.port) or str(at)
        if str(at) not in self._wired:
            of_its_own = Target(name, at, source=None, channel=None)
            self._wired[str(at)] = self._stack.enter_context(
                TargetConnections(of_its_own, self._ask_password, self._agree)
            )
        return name, source.key_spaces()

    def __enter__(self) -> TopologyConnections:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


@contextmanager
def postgresql_inquiry(
    server: PostgresqlServer, ask_password: Callable[[PostgresqlServer], str | None] = lambda _: None
) -> Iterator[PostgresqlInquiry]:
    """Yield what asks a PostgreSQL server, not connected yet. UsageError where its driver is not installed."""
    try:
        from replfix.postgresql.postgresql_questions import PostgresqlQuestions
        from replfix.postgresql.postgresql_session import PostgresqlSession
    except ImportError:
        raise UsageError(
            f"{server} is a PostgreSQL server, and the driver for it is not installed.",
            "pip install 'replfix[postgresql]'",
        ) from None
    questions = PostgresqlQuestions(str(server), lambda: PostgresqlSession(server, ask_password))
    try:
        yield questions
    finally:
        questions.close()


def _with_password(endpoint: Endpoint, ask: AskPassword) -> Endpoint:
    if endpoint.password is not None or endpoint.user is None:
        return endpoint
    answer = ask(endpoint)
    return endpoint if answer is None else replace(endpoint, password=Secret(answer))


def with_account(target: Target, ask: AskPassword) -> Target:
    """Return the target with a password for its replica, asked for when none is known."""
    return replace(target, replica=_with_password(target.replica, ask))
