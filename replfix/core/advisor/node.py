"""One server of a topology, as far as it matters to the keys that it hands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from replfix.core.replication.gtid import GtidSet
from replfix.core.schema.auto_increment import Counter
from replfix.core.schema.table import Column, TableName, UniqueKey


@dataclass(frozen=True, slots=True)
class Setting:
    """A global variable of whole numbers: what it is now, and what a restart would make of it."""

    now: int
    persisted: int | None = None  # by SET PERSIST (performance_schema.persisted_variables); MariaDB has no such thing
    origin: str = ""  # where ``now`` is from: "default", "file", "command-line", "persisted", "session"; "": unknown
    path: str = ""  # the option file, of the origins "file" and "persisted"
    default: int = 1
    since: datetime | None = None  # when it became so, where the server shows it: SET, else the start of the server

    @property
    def after_restart(self) -> int | None:
        """None: not known, because what option files say is hidden by a SET GLOBAL."""
        if self.persisted is not None:
            return self.persisted
        if self.origin == "default":
            return self.default
        return self.now if self.origin in ("file", "command-line") else None


@dataclass(frozen=True, slots=True)
class IncrementSetting:
    """auto_increment_increment and auto_increment_offset, together. ``str()`` gives ``2/1``.

    An offset above the increment is "ignored" by the manual. What servers do (MySQL 9.7.4, MariaDB 10.11 and 11.8): from
    the offset on they give numbers of its class, below it numbers of other classes too: 1, 7, 12, 17 for 5/7, but 15, 25
    for 10/15.
    """

    increment: int
    offset: int

    @property
    def residue(self) -> int:
        """What the numbers that it gives leave when they are divided by the increment."""
        return self.offset % self.increment

    @property
    def ignores_offset(self) -> bool:
        """Whether the offset is above the increment: the server then ignores it (MySQL manual)."""
        return self.offset > self.increment

    def gives(self, number: int) -> bool:
        """Return whether a counter generates that number."""
        return number % self.increment == self.residue or (number == 1 and self.ignores_offset)

    def next_after(self, number: int) -> int:
        """Return the first number above ``number``, which is not negative, that is generated."""
        following = number + 1
        return following + (self.residue - following) % self.increment

    def __str__(self) -> str:
        return f"{self.increment}/{self.offset}"


@dataclass(frozen=True, slots=True)
class KeyTable:
    """A table of users. ``columns`` are those of its unique keys and its AUTO_INCREMENT column, no others."""

    name: TableName
    engine: str
    columns: Mapping[str, Column]  # by name
    unique_keys: tuple[UniqueKey, ...]  # PRIMARY first
    counter: Counter | None = None  # None: it has no AUTO_INCREMENT column
    counter_key: str = ""  # the key whose first column that is; "": it is a later one of its key

    @property
    def has_primary_key(self) -> bool:
        """Whether it has a primary key."""
        return any(key.is_primary for key in self.unique_keys)

    @property
    def unprotected(self) -> tuple[UniqueKey, ...]:
        """The unique keys that AUTO_INCREMENT does not keep apart: its column is not in them."""
        column = self.counter.column.name if self.counter is not None else None
        return tuple(key for key in self.unique_keys if column is None or column not in key.columns)


@dataclass(frozen=True, slots=True)
class Channel:
    """A replication channel of a node."""

    name: str
    source_uuid: str
    source_host: str
    source_port: int
    running: bool  # receiver and applier
    filtered: bool  # it leaves something out, or writes it to other schemas


@dataclass(frozen=True, slots=True)
class Origin:
    """A server whose transactions a node has: by GTID, on MariaDB by server_id and domain."""

    uuid: str
    transactions: int


@dataclass(frozen=True, slots=True)
class Used:
    """What a node's own transactions worked with: the auto_increment values that their Query events have."""

    step: IncrementSetting
    transactions: int
    last_at: datetime
    last: str  # the newest of them, by its name


@dataclass(frozen=True, slots=True)
class Inserts:
    """Rows that a node itself inserted into one table, in the part of its log that was read."""

    rows: int
    lowest: int | None  # of the AUTO_INCREMENT column; None: it has none, or its value was not logged
    highest: int | None
    outside: int = (
        0  # rows whose id the statement gave, or no counter gives with the values that the transaction worked with
    )
    examples: tuple[int, ...] = ()  # of those, a few


@dataclass(frozen=True, slots=True)
class LogSample:
    """What was read of a node's binary log: its newest part. Only transactions of the node itself count."""

    since: datetime | None  # None: nothing was in it
    until: datetime | None
    transactions: int  # of the node itself, with changes to rows of users
    last_at: datetime | None  # the newest of these
    whole: bool  # nothing older is in the log than what was read
    used: tuple[Used, ...] = ()
    used_is_logged: bool = True  # MariaDB logs the values with statements only
    inserts: Mapping[TableName, Inserts] = field(default_factory=dict)
    statements: int = 0  # of the node itself, logged as statements: INSERT, UPDATE, DELETE, REPLACE, LOAD
    statement: str = ""  # the last of these, up to its values

    @property
    def span(self) -> timedelta | None:
        """How long the part of the log that was read is; None when nothing was."""
        return None if self.since is None or self.until is None else self.until - self.since


@dataclass(frozen=True, slots=True)
class Node:
    """``uuid`` as ``Server.uuid()``: server_uuid, of MariaDB "server_id 2"."""

    uuid: str
    name: str  # as configured, else host:port
    address: str
    server_id: int
    version: str
    read_only: bool
    super_read_only: bool  # read_only of MariaDB
    increment: Setting
    offset: Setting
    executed: GtidSet
    binlog_format: str = "ROW"
    row_image: str = "FULL"
    lock_mode: int | None = None  # innodb_autoinc_lock_mode
    group_increment: int | None = None  # group_replication_auto_increment_increment, where that plugin is
    channels: tuple[Channel, ...] = ()
    origins: tuple[Origin, ...] = ()
    tables: Mapping[TableName, KeyTable] = field(default_factory=dict)
    log: LogSample | None = None  # None: could not be read
    unknowns: tuple[str, ...] = ()  # what could not be read of it, and why

    @property
    def step(self) -> IncrementSetting:
        """Its increment and offset now."""
        return IncrementSetting(self.increment.now, self.offset.now)

    @property
    def mariadb(self) -> bool:
        """Whether it is a MariaDB."""
        return "mariadb" in self.version.lower()

    @property
    def used_since_the_change(self) -> tuple[Used, ...]:
        """What came after increment and offset became what they are: before it, other values were right."""
        changed = max((s.since for s in (self.increment, self.offset) if s.since is not None), default=None)
        return tuple(
            used
            for used in (self.log.used if self.log is not None else ())
            if changed is None or used.last_at > changed
        )

    @property
    def persists(self) -> bool:
        """SET PERSIST came with MySQL 8.0; MariaDB has none."""
        return not self.mariadb and int(self.version.split(".")[0]) >= 8
