"""Statements that start, stop and change the receiver and the applier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replfix.core.replication.transaction_id import LogPosition, TransactionId
from replfix.core.sql.gtid_statements import empty_transaction
from replfix.core.sql.names import identifier, string
from replfix.core.sql.session_statements import NOT_LOGGED_SESSION


def binlog_statement(encoded: str) -> str:
    """Return the BINLOG statement; ``encoded`` is base64, which has no quote in it."""
    return f"BINLOG '{encoded}'"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as statements name it: MariaDB has FOR CHANNEL since 10.7, and an older form in all versions."""

    name: str
    mariadb: bool = False

    def statement(self, verb: str, thread: str = "", end: str = "") -> str:
        """START, STOP or RESET, for one thread or both."""
        if self.mariadb:
            words = (f"{verb} REPLICA", string(self.name) if self.name else "", thread, end)
        else:
            words = (f"{verb} REPLICA", thread, end, f"FOR CHANNEL {string(self.name)}")
        return " ".join(filter(None, words))


def start_replica(
    channel: Channel,
    *,
    receiver: bool,
    until: TransactionId | None = None,
    before: TransactionId | None = None,
    gaps: bool = False,
) -> str:
    """Return START REPLICA for one channel; without ``receiver`` for the applier only.

    ``until``: stop after that one, ``before``: stop before it, ``gaps``: stop when all is applied that is before the
    last one committed.
    """
    end = ""
    if gaps:
        end = "UNTIL SQL_AFTER_MTS_GAPS"
    elif until is not None:
        end = _until("SQL_AFTER_GTIDS", until, until.end)
    elif before is not None:
        end = _until("SQL_BEFORE_GTIDS", before, before.start)
    return channel.statement("START", "" if receiver else "SQL_THREAD", end)


def call(procedure: str, *arguments: str | int) -> str:
    """CALL of a procedure of the schema ``mysql``."""
    shown = ", ".join(string(a) if isinstance(a, str) else str(a) for a in arguments)
    return f"CALL {identifier('mysql')}.{identifier(procedure)}({shown})"


def stop_replica(channel: Channel, thread: str = "") -> str:
    """``thread``: SQL_THREAD or IO_THREAD, both without it."""
    return channel.statement("STOP", thread)


def _until(gtids: str, transaction: TransactionId, position: LogPosition) -> str:
    if transaction.gtid is not None:
        return f"UNTIL {gtids} = {string(transaction.gtid)}"
    return f"UNTIL SOURCE_LOG_FILE = {string(position.log_file)}, SOURCE_LOG_POS = {position.pos}"


EXEC_MODE = ("replica_exec_mode", "slave_exec_mode")
SKIP_ERRORS = ("replica_skip_errors", "slave_skip_errors")
"""With which errors the applier goes on; MariaDB knows the second names alone (11.8)."""
TRIGGERS_FOR_ROWS = ("slave_run_triggers_for_rbr",)
"""Where it is not NO, row events fire triggers; MariaDB alone has it (11.8)."""
TYPE_CONVERSIONS = ("replica_type_conversions", "slave_type_conversions")
"""What the applier converts; MariaDB knows the second name alone (11.8)."""


def convert_types(*, mariadb: bool) -> str:
    """Let the applier convert values that go into a wider column."""
    return f"SET GLOBAL {TYPE_CONVERSIONS[mariadb]} = 'ALL_NON_LOSSY'"


def take_packets(size: int, *, mariadb: bool) -> str:
    """Lets a replica's threads, from their next start on, take packets up to that size."""
    name = "slave_max_allowed_packet" if mariadb else "replica_max_allowed_packet"  # MariaDB has no other name (11.8)
    return f"SET GLOBAL {name} = {size:d}"


def start_receiver(channel: Channel) -> str:
    """Return the START of the channel's receiver alone."""
    return channel.statement("START", "IO_THREAD")


def change_source(channel: Channel, options: str) -> tuple[str, ...]:
    """Return CHANGE REPLICATION SOURCE; ``options`` as they are: for people, with words in place of their own values."""
    change = f"CHANGE REPLICATION SOURCE TO {options} FOR CHANNEL {string(channel.name)}"
    if channel.mariadb:
        change = f"CHANGE MASTER {string(channel.name)} TO {options.replace('SOURCE_', 'MASTER_')}"
    return (stop_replica(channel, "IO_THREAD"), change, start_receiver(channel))


def go_on_from(channel: Channel, position: str | None) -> tuple[str, ...]:
    """Let a MariaDB replica ask for what follows that position, and not count what it wrote itself.

    None: from what it has applied.
    """
    return (
        stop_replica(channel),
        f"CHANGE MASTER {string(channel.name)} TO MASTER_USE_GTID = slave_pos",
        *([f"SET GLOBAL gtid_slave_pos = {string(position)}"] if position is not None else []),
        start_replica(channel, receiver=True),
    )


def change_applier(channel: Channel, options: str) -> tuple[str, ...]:
    """``options`` as they are, of the applier's: it is stopped, the receiver goes on (MySQL)."""
    return (
        stop_replica(channel, "SQL_THREAD"),
        f"CHANGE REPLICATION SOURCE TO {options} FOR CHANNEL {string(channel.name)}",
    )


def change_channel(channel: Channel, options: str) -> tuple[str, ...]:
    """``options`` as they are, which neither thread may run with (MySQL)."""
    return (
        stop_replica(channel),
        f"CHANGE REPLICATION SOURCE TO {options} FOR CHANNEL {string(channel.name)}",
        start_replica(channel, receiver=True),
    )


def channel_settings(channel: str) -> str:
    """Query how the receiver connects (MySQL)."""
    return (
        f"SELECT * FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME = {string(channel)}"
    )


def fetch_again(channel: Channel) -> tuple[str, ...]:
    """Throw the relay logs away; with GTIDs, the receiver asks anew for what is not applied."""
    return (stop_replica(channel), channel.statement("RESET"), start_replica(channel, receiver=True))


WRITABLE, PROTECTED = "SET GLOBAL super_read_only = OFF", "SET GLOBAL super_read_only = ON"


def by_hand(statements: Sequence[str], *, super_read_only: bool, start: str = "") -> tuple[str, ...]:
    """Wrap the statements for a human on a replica: not logged, settings put back, and then ``start``."""
    off, on = (WRITABLE,), (PROTECTED,)
    return (
        NOT_LOGGED_SESSION,
        *(off if super_read_only else ()),
        *statements,
        *(on if super_read_only else ()),
        *([start] if start else []),
    )


def show_event(at: LogPosition) -> str:
    """Show the one event of the server's own binlog that begins there."""
    return f"SHOW BINLOG EVENTS IN {string(at.log_file)} FROM {at.pos:d} LIMIT 1"


SKIP_ONE = "SET GLOBAL sql_replica_skip_counter = 1"


def skip_next(channel: Channel) -> tuple[str, ...]:
    """Return MariaDB's skip counter, as it has no empty transactions: whatever the applier meets next is left out.

    Seen on 11.8.9.
    """
    named = (f"SET SESSION default_master_connection = {string(channel.name)}",) if channel.name else ()
    return (*named, "SET GLOBAL sql_slave_skip_counter = 1", start_replica(channel, receiver=True))


def skip_by_hand(gtid: str | None, channel: Channel) -> tuple[str, ...]:
    """Exactly one transaction left out: an empty one in its place, or without GTIDs the skip counter."""
    if gtid is None:
        return (SKIP_ONE, start_replica(channel, receiver=True))
    return (*empty_transaction(gtid), start_replica(channel, receiver=True))
