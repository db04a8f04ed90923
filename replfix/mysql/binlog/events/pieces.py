"""One statement's events cut into several BINLOG statements, because a statement may not exceed max_allowed_packet."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

from replfix.mysql.binlog.events.checked_events import CHECKSUM_SIZE, HEADER_SIZE, EventType, read_format
from replfix.mysql.binlog.events.rows_events import STATEMENT_END

_TYPE_AT = 4
_ROWS_FLAGS_AT = HEADER_SIZE + 6  # after the table's number


def pieces(statement: Sequence[bytes], format_description: bytes, most: int) -> Iterator[tuple[bytes, ...]]:
    """Yield the events of one statement, in tuples of at most ``most`` bytes; a larger event alone, with its maps.

    Each piece is a statement of its own to the server: it begins with the Table_map events so far, and its last rows
    event ends the statement. Rows events whose maps the server has closed crash the server (seen on 9.7.4).
    """
    if sum(map(len, statement)) <= most:
        yield tuple(statement)
        return
    checksums = read_format(format_description).checksums
    maps: list[bytes] = []
    rows: list[bytes] = []
    size = 0
    for event in statement:
        if event[_TYPE_AT] == EventType.TABLE_MAP:
            maps.append(event)
            size += len(event)
            continue
        if rows and size + len(event) > most:
            yield (*maps, *rows[:-1], ended(rows[-1], checksums))
            rows, size = [], sum(map(len, maps))
        rows.append(event)
        size += len(event)
    if rows:
        yield (*maps, *rows)


def ended(event: bytes, checksums: bool) -> bytes:
    """Return the rows event, as the last one of its statement."""
    changed = bytearray(event)
    changed[_ROWS_FLAGS_AT] |= STATEMENT_END
    if checksums:
        changed[-CHECKSUM_SIZE:] = zlib.crc32(changed[:-CHECKSUM_SIZE]).to_bytes(CHECKSUM_SIZE, "little")
    return bytes(changed)
