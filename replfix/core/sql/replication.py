"""The receiver, the applier and what they are told."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.core.sql.gtids import empty_transaction
from replfix.core.sql.names import identifier, string
from replfix.core.sql.session import NOT_LOGGED_SESSION
from replfix.core.transaction_id import LogPosition, TransactionId


def binlog_statement(encoded: str) -> str:
    """The BINLOG statement; ``encoded`` is base64, which holds no quote."""
    return f"BINLOG '{encoded}'"


def start_replica(
    channel: str,
    *,
    receiver: bool,
    until: TransactionId | None = None,
    before: TransactionId | None = None,
    gaps: bool = False,
) -> str:
    """START REPLICA for one channel; without ``receiver`` the applier only; ``until``: stop after that one,
    ``before``: stop before it, ``gaps``: stop when all is applied that is before the last one committed."""
    threads = "" if receiver else " SQL_THREAD"
    end = ""
    if gaps:
        end = " UNTIL SQL_AFTER_MTS_GAPS"
    elif until is not None:
        end = _until("SQL_AFTER_GTIDS", until, until.end)
    elif before is not None:
        end = _until("SQL_BEFORE_GTIDS", before, before.start)
    return f"START REPLICA{threads}{end} FOR CHANNEL {string(channel)}"


def call(procedure: str, *arguments: str | int) -> str:
    """CALL of a procedure of the schema ``mysql``."""
    shown = ", ".join(string(a) if isinstance(a, str) else str(a) for a in arguments)
    return f"CALL {identifier('mysql')}.{identifier(procedure)}({shown})"


def stop_replica(channel: str, thread: str = "") -> str:
    """``thread``: SQL_THREAD or IO_THREAD, both without it."""
    return f"STOP REPLICA{f' {thread}' if thread else ''} FOR CHANNEL {string(channel)}"


def _until(gtids: str, transaction: TransactionId, position: LogPosition) -> str:
    if transaction.gtid is not None:
        return f" UNTIL {gtids} = {string(transaction.gtid)}"
    return f" UNTIL SOURCE_LOG_FILE = {string(position.log_file)}, SOURCE_LOG_POS = {position.pos}"


def convert_types(*, mariadb: bool) -> str:
    """Tells the applier to convert values that go into a wider column."""
    name = "slave_type_conversions" if mariadb else "replica_type_conversions"  # MariaDB has no other name (11.8)
    return f"SET GLOBAL {name} = 'ALL_NON_LOSSY'"


def take_packets(size: int, *, mariadb: bool) -> str:
    """Lets a replica's threads, from their next start on, take packets up to that size."""
    name = "slave_max_allowed_packet" if mariadb else "replica_max_allowed_packet"  # MariaDB has no other name (11.8)
    return f"SET GLOBAL {name} = {size:d}"


def start_receiver(channel: str) -> str:
    return f"START REPLICA IO_THREAD FOR CHANNEL {string(channel)}"


def change_source(channel: str, options: str, *, mariadb: bool) -> tuple[str, ...]:
    """``options`` as they are: for people, with words in them that stand for their own values."""
    change = f"CHANGE REPLICATION SOURCE TO {options} FOR CHANNEL {string(channel)}"
    if mariadb:
        change = f"CHANGE MASTER {string(channel)} TO {options.replace('SOURCE_', 'MASTER_')}"
    return (f"STOP REPLICA IO_THREAD FOR CHANNEL {string(channel)}", change, start_receiver(channel))


def go_on_from(channel: str, position: str | None) -> tuple[str, ...]:
    """A MariaDB replica asks for what is behind that position, and does not count what it wrote itself; None: behind what it has
    applied."""
    return (
        f"STOP REPLICA FOR CHANNEL {string(channel)}",
        f"CHANGE MASTER {string(channel)} TO MASTER_USE_GTID = slave_pos",
        *([f"SET GLOBAL gtid_slave_pos = {string(position)}"] if position is not None else []),
        start_replica(channel, receiver=True),
    )


def change_applier(channel: str, options: str) -> tuple[str, ...]:
    """``options`` as they are, of the applier's: it is stopped, the receiver goes on."""
    return (
        stop_replica(channel, "SQL_THREAD"),
        f"CHANGE REPLICATION SOURCE TO {options} FOR CHANNEL {string(channel)}",
    )


def change_channel(channel: str, options: str) -> tuple[str, ...]:
    """``options`` as they are, which neither thread may run with; MySQL's."""
    return (
        stop_replica(channel),
        f"CHANGE REPLICATION SOURCE TO {options} FOR CHANNEL {string(channel)}",
        start_replica(channel, receiver=True),
    )


def channel_settings(channel: str) -> str:
    """How the receiver connects (MySQL)."""
    return (
        f"SELECT * FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME = {string(channel)}"
    )


def fetch_again(channel: str) -> tuple[str, ...]:
    """Throw the relay logs away; with GTIDs, the receiver asks anew for what is not applied."""
    named = f"FOR CHANNEL {string(channel)}"
    return (stop_replica(channel), f"RESET REPLICA {named}", start_replica(channel, receiver=True))


WRITABLE, PROTECTED = "SET GLOBAL super_read_only = OFF", "SET GLOBAL super_read_only = ON"


def by_hand(
    statements: Sequence[str], channel: str, *, super_read_only: bool, start: str | None = None
) -> tuple[str, ...]:
    """Those statements as a human runs them on a replica: not logged, settings put back, the channel started: by ``start``, where
    that is empty not at all."""
    if start is None:
        start = start_replica(channel, receiver=True)
    off, on = (WRITABLE,), (PROTECTED,)
    return (
        NOT_LOGGED_SESSION,
        *(off if super_read_only else ()),
        *statements,
        *(on if super_read_only else ()),
        *([start] if start else []),
    )


def show_event(at: LogPosition) -> str:
    """The one event of the server's own binlog that begins there."""
    return f"SHOW BINLOG EVENTS IN {string(at.log_file)} FROM {at.pos:d} LIMIT 1"


SKIP_ONE = "SET GLOBAL sql_replica_skip_counter = 1"


def skip_next(channel: str) -> tuple[str, ...]:
    """On MariaDB, which has no empty transactions: whatever the channel's applier meets next is left out (seen on 11.8.9)."""
    named = (f"SET SESSION default_master_connection = {string(channel)}",) if channel else ()
    return (*named, "SET GLOBAL sql_slave_skip_counter = 1", start_replica(channel, receiver=True))


def skip_by_hand(gtid: str | None, channel: str) -> tuple[str, ...]:
    """Exactly one transaction left out: an empty one in its place, or without GTIDs the skip counter."""
    if gtid is None:
        return (SKIP_ONE, start_replica(channel, receiver=True))
    return (*empty_transaction(gtid), start_replica(channel, receiver=True))
