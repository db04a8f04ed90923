"""Rows events: their images, decoded by a layout."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from replfix.core.row_event import ChangeKind, RowChange
from replfix.core.values import NOT_LOGGED, RowImage, Value
from replfix.errors import Unreadable
from replfix.mysql.binlog.decoders import Decode
from replfix.mysql.binlog.layout import Layout
from replfix.mysql.binlog.log import Event, EventType

ImageDecode = Callable[[bytes, int], tuple[RowImage, int]]

KINDS = {
    EventType.WRITE_ROWS_V1: ChangeKind.INSERT,
    EventType.UPDATE_ROWS_V1: ChangeKind.UPDATE,
    EventType.DELETE_ROWS_V1: ChangeKind.DELETE,
    EventType.WRITE_ROWS: ChangeKind.INSERT,
    EventType.UPDATE_ROWS: ChangeKind.UPDATE,
    EventType.DELETE_ROWS: ChangeKind.DELETE,
}
_WITH_EXTRA = (EventType.WRITE_ROWS, EventType.UPDATE_ROWS, EventType.DELETE_ROWS)
STATEMENT_END = 0x1


@dataclass(frozen=True, slots=True)
class RowsHead:
    """What comes before the rows."""

    table_id: int
    ends_statement: bool
    columns: int
    present: tuple[int, ...]  # one bitmap for each image of a row: before, after, or both
    rows: bytes


def read_head(event: Event) -> RowsHead:
    fields = event.buffer()
    table_id = fields.uint(6)
    flags = fields.uint(2)
    if event.type in _WITH_EXTRA:
        extra = fields.uint(2)  # counts itself; partition numbers and NDB's notes
        if extra < 2:
            raise fields.damaged("a length is not valid")
        fields.take(extra - 2)
    columns = fields.lenenc()
    width = (columns + 7) // 8
    images = 2 if KINDS[EventType(event.type)] is ChangeKind.UPDATE else 1
    # Bits behind the last column say nothing: alone they would make a row of no bytes, and no end of such rows.
    present = tuple(fields.uint(width) & ((1 << columns) - 1) for _ in range(images))
    return RowsHead(table_id, bool(flags & STATEMENT_END), columns, present, fields.rest())


@dataclass(slots=True)
class RowDecoder:
    """Decodes the rows events of one layout; images with the same columns share their compiled form."""

    layout: Layout
    _images: dict[int, ImageDecode] = field(default_factory=dict)

    def changes(self, event: Event, head: RowsHead) -> list[RowChange]:
        """The rows of an event, in order; :class:`Unreadable` when they do not come out to the byte."""
        if head.columns != len(self.layout.decoders):
            raise event.buffer().damaged(
                f"it has {head.columns} columns, its Table_map event has {len(self.layout.decoders)}"
            )
        if not any(head.present):
            raise Unreadable(
                f"The {event.name} event on {self.layout.table} that ends at {event.log_file}:{event.end_pos} logged no "
                "column at all (binlog_row_image), so its rows cannot be told.",
                "Set binlog_row_image=FULL on the source.",
            )
        try:
            return self._changes(event, head)
        except Unreadable as error:
            raise Unreadable(
                f"A row of {self.layout.table} in the {event.name} event that ends at {event.log_file}:{event.end_pos} "
                f"cannot be read: {error.message}",
                error.hint,
            ) from None
        except (struct.error, IndexError, ValueError, OverflowError, RecursionError) as error:
            raise event.buffer().damaged(f"a row of {self.layout.table} is damaged ({error})") from None

    def _changes(self, event: Event, head: RowsHead) -> list[RowChange]:
        kind = KINDS[EventType(event.type)]
        images = [self._image(bits) for bits in head.present]
        data, end = head.rows, len(head.rows)
        table, end_pos = self.layout.table, event.end_pos
        changes = []
        at = 0
        while at < end:
            read = []
            for image in images:
                row, at = image(data, at)
                read.append(row)
            if at > end:
                raise Unreadable("It ends too early.")
            before = None if kind is ChangeKind.INSERT else read[0]
            after = None if kind is ChangeKind.DELETE else read[-1]
            changes.append(RowChange(table, kind, before, after, end_pos))
        return changes

    def _image(self, bits: int) -> ImageDecode:
        if bits not in self._images:
            present = [bits >> index & 1 for index in range(len(self.layout.decoders))]
            self._images[bits] = _compile(
                [decode if here else None for decode, here in zip(self.layout.decoders, present, strict=True)]
            )
        return self._images[bits]


def _compile(columns: Sequence[Decode | None]) -> ImageDecode:
    """The decoder of an image; None stands for a column that is not in it. Only the others have a NULL bit."""
    width = (sum(decode is not None for decode in columns) + 7) // 8

    def image(data: bytes, at: int) -> tuple[RowImage, int]:
        nulls = int.from_bytes(data[at : at + width], "little")
        at += width
        row: list[Value] = []
        for decode in columns:
            if decode is None:
                row.append(NOT_LOGGED)
                continue
            if nulls & 1:
                row.append(None)
            else:
                value, at = decode(data, at)
                row.append(value)
            nulls >>= 1
        return tuple(row), at

    return image
