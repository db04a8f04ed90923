"""The rows of an answer, taken from what has arrived as a whole: the driver reads and decodes them packet by packet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:

    class MySQLResult:
        """PyMySQL's, which its stubs do not describe."""

        connection: Any
        converters: list[tuple[str | None, Callable[[Any], Any] | None]]
        affected_rows: int
        server_status: int | None
        rows: tuple[tuple[Any, ...], ...]

        def __init__(self, connection: object) -> None: ...
        def read(self) -> None: ...  # noqa: D102
        def init_unbuffered_query(self) -> None: ...  # noqa: D102
        def _check_packet_is_eof(self, packet: object) -> bool: ...
        def _read_row_from_packet(self, packet: object) -> tuple[Any, ...]: ...
else:
    from pymysql.connections import MySQLResult

HEAD = 4
_NULL, _TWO_BYTES, _THREE_BYTES, _OTHERWISE = 0xFB, 0xFC, 0xFD, 0xFE
Row = tuple[str | bytes | None, ...]


class Arriving(Protocol):
    """A connection whose bytes can be looked at before they are taken."""

    def arrived(self) -> bytes:
        """Return bytes that are there, at least one, without taking them."""
        ...

    def take(self, size: int, packets: int) -> None:
        """Take that many of these bytes, which are so many packets."""
        ...

    @property
    def next_number(self) -> int:
        """The number that the next packet has to have."""
        ...


class ResultRows(MySQLResult):
    """PyMySQL's result of a statement; whatever is out of the ordinary, its own code reads."""

    def _read_rowdata_packet(self) -> None:
        if any(converter is not None for _, converter in self.converters):
            super()._read_rowdata_packet()  # type: ignore[misc]
            return
        encodings = [encoding for encoding, _ in self.converters]
        rows: list[tuple[Any, ...]] = []
        while True:
            whole, size = rows_in(self.connection.arrived(), self.connection.next_number, encodings)
            if whole:
                self.connection.take(size, len(whole))
                rows += whole
                continue
            packet = self.connection._read_packet()
            if self._check_packet_is_eof(packet):
                break
            rows.append(self._read_row_from_packet(packet))
        self.connection = None
        self.affected_rows = len(rows)
        self.rows = tuple(rows)


def rows_in(data: bytes, number: int, encodings: list[str | None]) -> tuple[list[Row], int]:
    """Return the rows at the beginning of ``data``, whole packets from that number on, and how many bytes they are.

    It ends before the first packet that is no row, or that is not whole, large, or not what it should be.
    """
    rows: list[Row] = []
    at, end = 0, len(data)
    while end - at > HEAD:
        size = data[at] | data[at + 1] << 8 | data[at + 2] << 16
        field, stop = at + HEAD, at + HEAD + size
        if stop > end or not size or data[at + 3] != number or data[field] >= _OTHERWISE:
            break
        row: list[str | bytes | None] = []
        for encoding in encodings:
            if field >= stop:
                break
            length = data[field]
            field += 1
            if length == _NULL:
                row.append(None)
                continue
            if length == _TWO_BYTES:
                length = int.from_bytes(data[field : field + 2], "little")
                field += 2
            elif length == _THREE_BYTES:
                length = int.from_bytes(data[field : field + 3], "little")
                field += 3
            elif length >= _OTHERWISE:
                break
            value = data[field : field + length]
            field += length
            row.append(value if encoding is None else value.decode(encoding))
        if field != stop or len(row) != len(encodings):
            break  # PyMySQL says what it makes of that
        rows.append(tuple(row))
        at = stop
        number = (number + 1) % 256
    return rows, at
