"""A transaction out of a replica's relay log, for when the source cannot be asked.

A relay log holds the source's events with their positions in the source's log, between events of its own: a
Format_description event for each of the two servers, Rotate events that name the source's logs. A file that begins in the
middle of one of those does not name it. Where the receiver was stopped inside a transaction, the transaction is there again,
from its start, in the next file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import dropwhile
from typing import IO

from replfix.core.row_event import Transaction
from replfix.errors import Unreadable
from replfix.mysql.binlog.log import HEADER, HEADER_SIZE, Event, EventType, events
from replfix.mysql.binlog.search import start_of
from replfix.mysql.binlog.transaction import Schema, transactions

_MAGIC, _ENCRYPTED = b"\xfebin", b"\xfdbin"
_LARGEST = 1 << 30  # of an event: max_allowed_packet is no larger

Files = Callable[[], Iterable[tuple[str, IO[bytes]]]]
"""The files of a relay log from where the applier is, in their order, each with its name; to be read again and again."""


def relayed(
    files: Files, schema: Schema, gtid: str | None, end_log_pos: int | None, log_file: str
) -> Transaction | None:
    """The transaction of that GTID, or else the one in which an event ends at that position of the source's log.

    ``log_file``: which log the applier was at in the first of the files. None when no file holds the transaction whole;
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


def _events(files: Files, log_file: str) -> Iterator[Event]:
    return events((raw for name, file in files() for raw in raw_events(name, file)), log_file)


def raw_events(name: str, file: IO[bytes]) -> Iterator[bytes]:
    """The events of one file, up to one that is still being written."""
    magic = file.read(len(_MAGIC))
    if magic == _ENCRYPTED:
        raise _encrypted(name, "binlog_encryption")
    if magic != _MAGIC:
        raise Unreadable(f"{name} is not a relay log: it begins with {magic.hex() or 'nothing'}.")
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
