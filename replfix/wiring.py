"""Puts the pieces together: from what the user named to servers, trail and clock."""

from __future__ import annotations

import shlex
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from replfix.config import Agree, Config, KnownServers, Target
from replfix.core.connection.endpoint import Endpoint, Secret
from replfix.core.doctor.checkup import Check, Verdict
from replfix.core.replication.replica_status import ChannelStatus
from replfix.core.schema.filters import NO_FILTERS, Filters
from replfix.core.trail.audit_record import RecordKind
from replfix.core.words import counted
from replfix.errors import AuditError, ConfigError, ConnectError, ReplfixError, Unexpected, UsageError
from replfix.mysql.read.filtered_source import FilteredSource
from replfix.mysql.read.key_spaces import ServerKeySpaces
from replfix.mysql.server import MysqlServer
from replfix.ports import KeySpaces
from replfix.workflow.operation import Operation
from replfix.workflow.recover.recovery import leftovers, unended

if TYPE_CHECKING:
    from replfix.audit import SqlTrail
    from replfix.audit.anchors import AnchorStore
    from replfix.audit.keys import Keys

AskPassword = Callable[[Endpoint], str | None]


class SystemClock:
    """Implements ``ports.Clock``."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
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
        """The channel's source: the one given, else the one that the replica itself names, with the replica's account.

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
                "Name the channel that it stands for: --channel NAME, or [replicas.NAME.sources] in the configuration.",
            )
        return given if channel.source_uuid == uuid else None

    def _connected(self, channel: ChannelStatus, given: Endpoint | None) -> MysqlServer:
        endpoint = self._known.introduced(given or self._named_or_found(channel), channel.source_uuid or "")
        key = (endpoint.host, endpoint.port, channel.filters)
        if key not in self._sources:
            endpoint = _with_password(endpoint, self._ask_password)
            filters = channel.filters
            server = (
                MysqlServer(endpoint, self._named_at)
                if filters == NO_FILTERS
                else FilteredSource(endpoint, filters, self._named_at)
            )
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
            f"Give the replica's own source with --source URL; or, if this one has the same transactions and is to stand in for it: --source-uuid {uuid}.",
        )

    def _named_or_found(self, channel: ChannelStatus) -> Endpoint:
        replica = self.target.replica
        named = self.target.named_at(channel.source_host, channel.source_port)
        found = Endpoint(channel.source_host, channel.source_port, found_in=f"the status of {replica}")
        return named or found.visited_as(replica)

    def _named_at(self, host: str, port: int) -> MysqlServer | None:
        """Another server of the topology. Only one that the configuration names: an address that is merely found in the status of
        a server two steps away is sent no password."""
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

    def __enter__(self) -> TargetConnections:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class TopologyConnections:
    """The servers of a topology: those that are named, and those that they read from. A context manager that closes them."""

    def __init__(
        self, config: Config, ask_password: AskPassword = lambda _: None, agree: Agree = lambda _: False
    ) -> None:
        self._config = config
        self._ask_password = ask_password
        self._agree = agree
        self._stack = ExitStack()
        self._wired: dict[str, TargetConnections] = {}  # by host:port

    def open(self, target: Target) -> tuple[str, ServerKeySpaces]:
        """One that is named, not connected yet."""
        wired = self._stack.enter_context(TargetConnections(target, self._ask_password, self._agree))
        self._wired[str(wired.target.replica)] = wired
        return target.name, wired.replica.key_spaces()

    def source_of(self, server: KeySpaces, channel: ChannelStatus) -> tuple[str, ServerKeySpaces]:
        """The source of a channel of a server that this one opened. Raises as ``TargetConnections.source_of``."""
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


def _with_password(endpoint: Endpoint, ask: AskPassword) -> Endpoint:
    if endpoint.password is not None or endpoint.user is None:
        return endpoint
    answer = ask(endpoint)
    return endpoint if answer is None else replace(endpoint, password=Secret(answer))


def with_account(target: Target, ask: AskPassword) -> Target:
    """The target with a password for its replica, asked for when none is known."""
    return replace(target, replica=_with_password(target.replica, ask))


def open_trail(config: Config) -> SqlTrail:
    from replfix.audit import SqlTrail  # SQLAlchemy takes a third of the time that a command needs to start

    return SqlTrail.open(config.audit_url, account=config.audit_account, tls=config.audit_tls, keys=audit_keys(config))


_BEFORE_WRITES = {RecordKind.SETTINGS, RecordKind.INTENT, RecordKind.ON_SOURCE}
"""What is on record before something is changed on a server."""


@contextmanager
def trail_to_write(
    config: Config, warn: Callable[[str], None], expected: tuple[type[Exception], ...] = ()
) -> Iterator[SqlTrail]:
    """The trail; when something was added, its head is kept where the configuration says. What fails there undoes nothing: ``warn`` is
    told. What nobody expects comes out as Unexpected where a server may have been changed; ``expected``: what is no bug of those who
    use it."""
    places, trail = anchor_places(config), open_trail(config)
    try:
        yield trail
    except Exception as error:
        if isinstance(error, (ReplfixError, *expected)) or not trail.added & _BEFORE_WRITES:
            raise
        raise Unexpected(error) from error
    finally:
        try:
            if trail.added:
                for failed in anchored(trail, places):
                    warn(
                        f"Warning: {failed.message} {failed.hint} The head of the trail is not kept there: 'replfix audit anchor' does it again."
                    )
        finally:
            trail.close()


def anchor_places(config: Config, named: Sequence[str] = ()) -> list[AnchorStore]:
    """Those that are named, else those of the configuration. ConfigError for one that is none."""
    from replfix.audit.anchors import place_of

    account, tls = config.audit_account, config.audit_tls
    beside = Path if named else config.beside
    return [place_of(where, beside, account, tls) for where in named or config.file.audit.anchor]


def anchored(trail: SqlTrail, places: Sequence[AnchorStore]) -> list[ReplfixError]:
    """Keep the trail's head in each place; what went wrong."""
    from replfix.audit.anchors import add_to_all

    try:
        anchor = trail.anchor() if places else None
    except ReplfixError as error:
        return [error]
    return add_to_all(anchor, places) if anchor is not None else []


def audit_keys(config: Config) -> Keys:
    """Those that the configuration names; none of them is read yet."""
    from replfix.audit.keys import Keys

    audit = config.file.audit
    return Keys(
        file=None if audit.key_file is None else config.beside(audit.key_file),
        command=audit.key_command,
        verifying=tuple(map(config.beside, audit.verify_keys)),
        signed_from=audit.signed_from,
    )


@contextmanager
def trail_to_read(config: Config) -> Iterator[SqlTrail]:
    """For what reads only, and can do without."""
    trail = open_trail(config)
    try:
        yield trail
    finally:
        trail.close()


def check_trail(config: Config, replica: MysqlServer) -> Iterator[Check]:
    """Whether the audit trail can be written, without writing to it, whether it is whole, and whether it tells of a
    run on this replica that was interrupted."""
    try:
        trail = open_trail(config)
        trail.check_writable()
        trail.check_room()
        found = trail.verify()
        server_uuid = replica.uuid()
        changed, unclear = leftovers(trail, server_uuid), unended(trail, server_uuid)
    except (AuditError, ConfigError) as error:
        yield Check("audit-trail", Verdict.FAILED, error.message, error.hint)
        return
    if found.first is not None:
        yield Check("audit-trail", Verdict.WARNING, f"The audit trail is not whole: {found.first.message}.")
    else:
        records = counted(found.records, "record")
        yield Check("audit-trail", Verdict.OK, f"The audit trail {trail.name} can be written and is whole ({records}).")
    if trail.path is not None:  # a shared trail is kept by its server
        yield from _keeping(trail.path)
    for record in changed:
        yield Check(
            "interrupted-run",
            Verdict.WARNING,
            f"A run of {record.recorded_at} changed settings and was interrupted, or is still at work: {record.payload}",
            "'replfix recover' puts them back, and so does the next 'replfix resolve' (a dry run too) before it begins.",
        )
    for record in unclear:
        yield Check(
            "interrupted-run",
            Verdict.WARNING,
            f"A run of {record.recorded_at} recorded an intent and no outcome ({record.id}): it was interrupted, or is still "
            "at work.",
            "'replfix recover' finds out what became of it.",
        )


ROOM_TO_WARN = 256 * 1024 * 1024
ROOM_TO_FAIL = 16 * 1024 * 1024
"""Free bytes below which the images of displaced rows, which a repair records first, may not find room."""


def _keeping(path: Path) -> Iterator[Check]:
    """Whether the trail's file has room, and is for its owner only: it holds rows."""
    directory = next(p for p in path.absolute().parents if p.is_dir())
    free = shutil.disk_usage(directory).free
    verdict = Verdict.FAILED if free < ROOM_TO_FAIL else Verdict.WARNING if free < ROOM_TO_WARN else Verdict.OK
    yield Check(
        "audit-trail-room",
        verdict,
        f"The file system of the audit trail has {free // (1024 * 1024):,} MiB free"
        + (
            " for displaced rows and their undo."
            if verdict is Verdict.OK
            else ": displaced rows may not find room there."
        ),
        "" if verdict is Verdict.OK else f"Make room at {directory}, or move the trail: url in [audit].",
    )
    if path.exists():
        mode = stat.S_IMODE(path.stat().st_mode)
        others = mode & (stat.S_IRWXG | stat.S_IRWXO)
        yield Check(
            "audit-trail-mode",
            Verdict.WARNING if others else Verdict.OK,
            f"The audit trail can be read by others than its owner (mode {mode:04o})."
            if others
            else "The audit trail is for its owner only.",
            f"chmod 600 {shlex.quote(str(path))}" if others else "",
        )


def operation(
    wired: TargetConnections,
    trail: SqlTrail,
    progress: Callable[[str], None],
    shield: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Operation:
    trail.check_key()
    return Operation(
        name=wired.target.name,
        replica=wired.replica,
        source_of=wired.source_of,
        trail=trail,
        clock=SystemClock(),
        progress=progress,
        shield=shield,
    )
