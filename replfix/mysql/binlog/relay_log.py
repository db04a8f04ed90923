"""A transaction from a replica's relay log, for when the source cannot be asked.

A relay log has the source's events with their positions in the source's log, between events of its own: a
Format_description event for each of the two servers, Rotate events that name the source's logs. A file that begins in
the middle of one of those does not name it. Where the receiver was stopped inside a transaction, the transaction is
there again, from its start, in the next file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import dropwhile
from typing import IO

from replfix.core.binlog.row_event import PassedOver, Transaction
from replfix.core.connection.limits import Limits
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.errors import Unreadable
from replfix.mysql.binlog.assemble import Schema, transactions, waiting
from replfix.mysql.binlog.events.checked_events import (
    CHECKSUM_SIZE,
    HEADER,
    HEADER_SIZE,
    Event,
    EventType,
    events,
    read_format,
)
from replfix.mysql.binlog.events.mariadb_events import COMPRESSED, plain
from replfix.mysql.binlog.events.openings import OPENINGS, opening
from replfix.mysql.binlog.events.payload import unpacked
from replfix.mysql.binlog.events.rows_events import KINDS
from replfix.mysql.binlog.search import start_of

_MAGIC, _ENCRYPTED = b"\xfebin", b"\xfdbin"
_MOST_READ = 256 << 20  # bytes, in search of one transaction
_TYPE_AT = 4  # of an event's header, after the timestamp
_NUMBER_SIZE = 6  # of a table, at the beginning of its Table_map and rows events
_WITH_EXTRA = (EventType.WRITE_ROWS, EventType.UPDATE_ROWS, EventType.DELETE_ROWS, EventType.PARTIAL_UPDATE_ROWS)
_OF_THE_FILE = (EventType.FORMAT_DESCRIPTION, EventType.ROTATE, EventType.PREVIOUS_GTIDS, EventType.MARIADB_GTID_LIST)
_LARGEST = 1 << 30  # of an event: max_allowed_packet is no larger

Files = Callable[[], Iterable[tuple[str, IO[bytes]]]]
"""The files of a relay log from where the applier is, in their order, each with its name; to be read again and again."""


def relayed(
    files: Files, schema: Schema, gtid: str | None, end_log_pos: int | None, log_file: str
) -> Transaction | None:
    """Return the transaction of that GTID, or else the one in which an event ends at that position of the source's log.

    ``log_file``: which log the applier was at in the first of the files. None when no file has the transaction whole;
    :class:`Unreadable` for a file that is encrypted or damaged, and for what replfix does not read.
    """
    if gtid is not None:
        found = transactions(_events(files, log_file), lambda opening: opening.gtid == gtid, schema, again=True)
        return next(found, None)
    start = start_of(_events(files, log_file), end_log_pos, log_file) if end_log_pos is not None else None
    if start is None:
        return None
    at_start = (start.log_file, start.pos)
    behind = dropwhile(lambda event: (event.log_file, event.start_pos) != at_start, _events(files, log_file))
    return next(transactions(behind, lambda _: True, schema, again=True), None)


def waiting_in(
    files: Files, schema: Schema, applied_to: LogPosition, executed: GtidSet
) -> Iterator[Transaction | PassedOver]:
    """Yield the transactions that are not applied, as ``assemble.waiting``; none that is not whole.

    ``applied_to``: where the applier is in the source's log. Transactions without a GTID count from there on.
    """
    for found in waiting(
        _events(files, applied_to.log_file),
        lambda opening: opening.gtid is None or opening.gtid not in executed,
        schema,
        again=True,
    ):
        start = LogPosition(found.log_file, found.start_pos)
        if isinstance(found, Transaction):
            if found.gtid is not None or applied_to <= start:
                yield found
        elif applied_to <= start or not found.gtid.startswith(f"{found.log_file}:"):
            yield found


def holds_the_same(files: Files, start: int, transaction: Transaction, limits: Limits) -> bool | None:
    """Return whether the transaction's rows events there are the same, byte by byte but for the tables' numbers in them.

    ``start``: where the applier is in the first of the files. None where it is not in the files, or not within what is
    read.
    """
    begun = False
    received: list[tuple[int, bytes]] = []
    try:
        for event in events(_from(files, start)):
            if event.type in OPENINGS:
                if begun:
                    break
                begun = _is(event, transaction)
            elif begun:
                received += _rows_events(event, transaction, limits)
                if event.type in (EventType.XID, EventType.XA_PREPARE):
                    break
    except Unreadable:
        return None
    checksum = CHECKSUM_SIZE if read_format(transaction.raw.format_description).checksums else 0
    raws = (raw for statement in transaction.raw.statements for raw in statement)
    sent = [(raw[_TYPE_AT], raw[HEADER_SIZE : len(raw) - checksum]) for raw in raws]
    return _with_names(received) == _with_names(sent) if begun and (received or not sent) else None


def _with_names(found: list[tuple[int, bytes]]) -> list[tuple[int, bytes, bytes]]:
    """Return rows events with their tables' names in place of their numbers, which each server assigns anew."""
    names: dict[bytes, bytes] = {}
    named = []
    for kind, body in found:
        number = body[:_NUMBER_SIZE]
        if kind == EventType.TABLE_MAP:
            schema_end = 9 + body[8]
            names[number] = body[9 : schema_end + 2 + body[schema_end + 1]]
        else:
            extra = int.from_bytes(body[8:10], "little") if kind in _WITH_EXTRA else 0
            named.append((kind, names.get(number, b""), body[8 + extra :]))
    return named


def _is(event: Event, transaction: Transaction) -> bool:
    if transaction.gtid is not None:
        return opening(event).gtid == transaction.gtid
    return event.start_pos == transaction.start_pos


def _rows_events(event: Event, transaction: Transaction, limits: Limits) -> Iterator[tuple[int, bytes]]:
    if event.type == EventType.TRANSACTION_PAYLOAD:
        packed = unpacked(event, str(transaction.id), limits)
    else:
        packed = iter((plain(event, str(transaction.id), limits) if event.type in COMPRESSED else event,))
    yield from ((each.type, each.body) for each in packed if each.type == EventType.TABLE_MAP or each.type in KINDS)


def _from(files: Files, start: int) -> Iterator[bytes]:
    """Yield the events that say what the first file is, then those from ``start`` on; at most ``_MOST_READ`` bytes."""
    read = 0
    for number, (name, file) in enumerate(files()):
        for raw in raw_events(name, file):
            read += len(raw)
            if read > _MOST_READ:
                return
            if not number and file.tell() <= start and raw[_TYPE_AT] not in _OF_THE_FILE:
                file.seek(start)
                continue
            yield raw


def _events(files: Files, log_file: str) -> Iterator[Event]:
    return events((raw for name, file in files() for raw in raw_events(name, file)), log_file)


def raw_events(name: str, file: IO[bytes]) -> Iterator[bytes]:
    """Yield the events of one file, up to one that is still being written."""
    magic = file.read(len(_MAGIC))
    if magic == _ENCRYPTED:
        raise _encrypted(name, "binlog_encryption")
    if magic != _MAGIC:
        raise Unreadable(f"{name} is not a relay log.")  # a server that names it knows what it is
    while len(header := file.read(HEADER_SIZE)) == HEADER_SIZE:
        _, number, _, size, _, _ = HEADER.unpack(header)
        if number == EventType.MARIADB_START_ENCRYPTION:
            raise _encrypted(name, "encrypt_binlog")
        if not HEADER_SIZE <= size <= _LARGEST:
            raise Unreadable(f"The relay log {name} is damaged: an event says that it has {size:,} bytes.")
        body = file.read(size - HEADER_SIZE)
        if len(body) < size - HEADER_SIZE:
            return
        yield header + body


def _encrypted(name: str, setting: str) -> Unreadable:
    return Unreadable(
        f"The relay log {name} is encrypted ({setting}=ON).",
        "Its events can be read from the source only, which sends them decrypted.",
    )
