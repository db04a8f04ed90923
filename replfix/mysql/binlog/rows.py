"""Rows events: their images, decoded by a layout."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from replfix.core.row_event import ChangeKind, RowChange
from replfix.core.values import RowImage
from replfix.errors import Unreadable
from replfix.mysql.binlog.images import ImageDecode, Part, compiled
from replfix.mysql.binlog.layout import Layout
from replfix.mysql.binlog.log import Event, EventType

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
    """Decodes the rows events of one layout; images with the same columns share their compiled form.

    ``wanted``: the ordinals of the columns to decode, None for all. The others are passed over, which is several times
    as fast, and stand as ``NOT_LOGGED`` in the images.
    """

    layout: Layout
    wanted: frozenset[int] | None = None
    _images: dict[int, ImageDecode] = field(default_factory=dict)

    def changes(self, event: Event, head: RowsHead) -> list[RowChange]:
        """The rows of an event, in order; :class:`Unreadable` when they do not come out to the byte."""
        table, end_pos = self.layout.table, event.end_pos
        match KINDS[EventType(event.type)]:
            case ChangeKind.INSERT as kind:
                return [RowChange(table, kind, None, row, end_pos) for row in self.images(event, head)]
            case ChangeKind.DELETE as kind:
                return [RowChange(table, kind, row, None, end_pos) for row in self.images(event, head)]
            case kind:
                rows = iter(self.images(event, head))
                return [
                    RowChange(table, kind, before, after, end_pos) for before, after in zip(rows, rows, strict=True)
                ]

    def images(self, event: Event, head: RowsHead) -> list[RowImage]:
        """The images of an event as they stand in it: of an update, before and after image in turn."""
        if head.columns != len(self.layout.forms):
            raise event.buffer().damaged(
                f"it has {head.columns} columns, its Table_map event has {len(self.layout.forms)}"
            )
        if not any(head.present):
            raise Unreadable(
                f"The {event.name} event on {self.layout.table} that ends at {event.log_file}:{event.end_pos} logged no "
                "column at all (binlog_row_image), so its rows cannot be told.",
                "Set binlog_row_image=FULL on the source.",
            )
        try:
            return list(self._read(head))
        except Unreadable as error:
            raise Unreadable(
                f"A row of {self.layout.table} in the {event.name} event that ends at {event.log_file}:{event.end_pos} "
                f"cannot be read: {error.message}",
                error.hint,
            ) from None
        except (struct.error, IndexError, ValueError, OverflowError, RecursionError) as error:
            raise event.buffer().damaged(f"a row of {self.layout.table} is damaged ({error})") from None

    def _read(self, head: RowsHead) -> Iterator[RowImage]:
        images = [self._image(bits) for bits in head.present]
        data, end = head.rows, len(head.rows)
        at = 0
        while at < end:
            for image in images:
                row, at = image(data, at)
                yield row
            if at > end:
                raise Unreadable("It ends too early.")

    def _image(self, bits: int) -> ImageDecode:
        if bits not in self._images:
            self._images[bits] = compiled(
                [
                    Part(form if bits >> ordinal & 1 else None, self.wanted is None or ordinal in self.wanted)
                    for ordinal, form in enumerate(self.layout.forms)
                ]
            )
        return self._images[bits]
