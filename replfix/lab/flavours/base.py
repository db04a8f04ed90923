"""What a lab has to know of a kind of server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.mysql.connection.session import Session

if TYPE_CHECKING:
    from replfix.lab.lab_accounts import Account
    from replfix.lab.provision.apt_sources import Archive
    from replfix.lab.provision.software import Software


@dataclass(frozen=True, slots=True)
class ChannelState:
    """The state of one channel."""

    receiver_running: bool
    applier_running: bool
    error: ApplierError | None  # of the applier; None while it runs, and when it was stopped by hand
    receiver_message: str = ""


@dataclass(frozen=True, slots=True)
class Packages:
    """Where a distribution's packages have what a server needs. Patterns are of ``Path.glob``, from the root."""

    server: str  # the package; Ubuntu puts MySQL's version after its name
    client: str
    program: tuple[str, ...]
    messages: str  # errmsg.sys
    charsets: str  # Index.xml
    plugins: str


class Flavour(Protocol):
    """One kind of server: its name, where it comes from, how it is started, and its SQL."""

    @property
    def name(self) -> str:
        """As ``--server`` takes it."""

    @property
    def product(self) -> str:
        """MySQL or MariaDB."""

    @property
    def title(self) -> str:
        """For people, with the versions that will do: "MySQL 8.0.30 or newer"."""

    @property
    def program(self) -> str:
        """The server program, as it is looked for on PATH."""

    @property
    def image(self) -> str:
        """The container image."""

    @property
    def packages(self) -> Packages:
        """The names of its packages, and the files in them."""

    @property
    def directories(self) -> tuple[str, ...]:
        """In the cache: where unpacked packages that will do can be, the best first."""

    def directory_of(self, version: str) -> str:
        """Return where those of that version are unpacked: no two series share a directory."""

    @property
    def port_taken(self) -> str:
        """What the error log says when another process has the port."""

    @property
    def replfix_privileges(self) -> tuple[str, ...]:
        """The GRANT lists of the account that replfix itself uses: what it needs, and no more."""

    def unfit(self, version: str) -> str | None:
        """Return why a program of this version ("10.11.6-MariaDB") cannot serve; None when it can."""

    def archives(self, archives: Iterable[Archive], os_release: Mapping[str, str]) -> list[Archive]:
        """Return archives beyond the machine's own release that have it."""

    def client(self, name: str) -> str:
        """Return this flavour's name for the client program ``mysqlbinlog``."""

    def initialize(self, software: Software, data: Path, statements: Sequence[str]) -> str:
        """Make a data directory with the lab's accounts; return the program's output. ConfigError when that fails."""

    @property
    def options(self) -> tuple[str, ...]:
        """What every server of a lab is started with, as a process or in a container."""

    @property
    def lean(self) -> tuple[str, ...]:
        """Options that keep a process small. Nothing here changes how replication works."""

    def chosen(self, server_id: int) -> Mapping[str, str]:
        """Return the global variables that a lab sets otherwise than the server ships with.

        A server that is ``as_shipped`` is started without them. ``SET GLOBAL … = DEFAULT`` gives what it ships with.
        """

    @property
    def replica_options(self) -> tuple[str, ...]:
        """What makes a process that is a replica read-only."""

    @property
    def image_environment(self) -> Mapping[str, str]:
        """What makes the image let root in only from inside, without a password."""

    def settle(self, session: Session, *, replica: bool) -> None:
        """Forget what a new container has logged while it prepared itself; make a replica read-only, for good."""

    def protect(self, session: Session) -> None:
        """read_only, and super_read_only where there is such a thing, as replicas should have it."""

    def configure_channel(
        self,
        session: Session,
        host: str,
        port: int,
        account: Account,
        channel: str = "",
        *,
        position: LogPosition | None = None,
    ) -> None:
        """Point a channel at the source, without starting it: by GTID, or from that position on.

        A source that was restarted is found again within a second.
        """

    def forget_received(self, session: Session) -> None:
        """Run RESET REPLICA for the default channel.

        It goes by GTID afterwards as before, with the applier's options as a lab starts with them.
        """

    def start_channel(self, session: Session, channel: str = "") -> None:
        """START REPLICA, both threads."""

    def remove_channels(self, session: Session) -> None:
        """STOP REPLICA and RESET REPLICA ALL, every channel."""

    def channels(self, session: Session) -> tuple[str, ...]:
        """Return the channels' names."""

    def channel_state(self, session: Session, channel: str = "") -> ChannelState | None:
        """Return that channel of a replica; None when it has none."""

    def source_port(self, session: Session, channel: str = "") -> int | None:
        """Return the port that channel of a replica reads from; None when there is no such channel."""

    def executed(self, session: Session) -> GtidSet:
        """Return what the server has in its binlog or has applied."""

    def written(self, session: Session) -> GtidSet | LogPosition:
        """Return what a replica of the server has to reach: its executed set, on MySQL without GTIDs its log's end."""

    def sent(self, session: Session, replica: Session) -> GtidSet | LogPosition:
        """Return what the relay log of a replica of the server has to reach, by GTID or position as its channel goes."""

    def received(self, session: Session, wanted: GtidSet | LogPosition) -> bool:
        """Return whether a replica has that in its relay log, applied or not."""

    def wait_until_applied(self, session: Session, wanted: GtidSet | LogPosition, seconds: int) -> bool:
        """Wait so long for a replica to apply what is in ``wanted``, or all before it; False when it has not."""

    def prepared(self, session: Session) -> tuple[str, ...]:
        """Return the XA transactions that are prepared and not ended, as XA ROLLBACK names them."""

    def read_only(self, session: Session) -> tuple[bool, bool | None]:
        """read_only, and super_read_only where there is such a thing."""

    def writable(self, session: Session) -> AbstractContextManager[None]:
        """While inside, an administrator can write on a read-only replica."""

    def variables(self, session: Session) -> dict[str, str]:
        """Return every global variable, by its name in lower case."""

    @property
    def parallel(self) -> str:
        """The one that says how many threads apply."""

    @property
    def counting(self) -> tuple[str, ...]:
        """Those that change by themselves."""

    @property
    def reset_variables(self) -> Mapping[str, str]:
        """Those that a reset sets beside ``chosen``, and to what: as a lab starts with them."""

    def logs_cascades(self, session: Session) -> bool:
        """Return whether what foreign keys do to children is in the binlog."""

    def log_end(self, session: Session) -> LogPosition:
        """Return where the server's binlog ends."""

    def log_start(self, session: Session) -> LogPosition:
        """Return where the first transaction of its first binlog begins, or will."""

    def forget(self, session: Session, executed: GtidSet | None = None) -> None:
        """Empty the binlogs; what counts as executed afterwards is ``executed``, nothing if that is None.

        The channel is stopped and its relay log empty; the session may write.
        """
