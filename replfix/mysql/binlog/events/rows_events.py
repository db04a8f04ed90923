"""Rows events: their images, decoded by a layout."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice

from replfix.core.binlog.row_event import ChangeKind, RowChange
from replfix.core.rows.row_values import NOT_LOGGED, Json, RowImage
from replfix.errors import Unreadable
from replfix.mysql.binlog.events.buffer import Buffer
from replfix.mysql.binlog.events.checked_events import Event, EventType
from replfix.mysql.binlog.events.layout import Layout
from replfix.mysql.binlog.values.decoders import json_value
from replfix.mysql.binlog.values.images import Form, ImageDecode, Part, Sized, compiled
from replfix.mysql.binlog.values.partial_json import changed

KINDS = {
    EventType.WRITE_ROWS_V1: ChangeKind.INSERT,
    EventType.UPDATE_ROWS_V1: ChangeKind.UPDATE,
    EventType.DELETE_ROWS_V1: ChangeKind.DELETE,
    EventType.WRITE_ROWS: ChangeKind.INSERT,
    EventType.UPDATE_ROWS: ChangeKind.UPDATE,
    EventType.DELETE_ROWS: ChangeKind.DELETE,
    EventType.PARTIAL_UPDATE_ROWS: ChangeKind.UPDATE,
}
_WITH_EXTRA = (
    EventType.WRITE_ROWS,
    EventType.UPDATE_ROWS,
    EventType.DELETE_ROWS,
    EventType.PARTIAL_UPDATE_ROWS,
)
_PARTIAL_JSON = 0x1  # the only one of the value options so far
STATEMENT_END = 0x1
NO_FOREIGN_KEY_CHECKS = 0x2


@dataclass(frozen=True, slots=True)
class RowsHead:
    """What comes before the rows."""

    table_id: int
    ends_statement: bool
    checks_foreign_keys: bool
    columns: int
    present: tuple[int, ...]  # one bitmap for each image of a row: before, after, or both
    rows: bytes


def read_head(event: Event) -> RowsHead:
    """Read a rows event up to its first row."""
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
    # Bits after the last column mean nothing: alone they would make a row of no bytes, and no end of such rows.
    present = tuple(fields.uint(width) & ((1 << columns) - 1) for _ in range(images))
    checked = not flags & NO_FOREIGN_KEY_CHECKS
    return RowsHead(table_id, bool(flags & STATEMENT_END), checked, columns, present, fields.rest())


@dataclass(slots=True)
class RowDecoder:
    """Decodes the rows events of one layout; images with the same columns share their compiled form.

    ``wanted``: the ordinals of the columns to decode, None for all. The others are passed over, which is several times
    as fast, and are ``NOT_LOGGED`` in the images.
    """

    layout: Layout
    wanted: frozenset[int] | None = None
    _images: dict[tuple[int, int], ImageDecode] = field(default_factory=dict)

    def changes(self, event: Event, head: RowsHead, most: int | None = None) -> list[RowChange]:
        """Return an event's rows in order, at most ``most``; :class:`Unreadable` when they do not come out to the byte."""
        table, end_pos, checked = self.layout.table, event.end_pos, head.checks_foreign_keys
        match KINDS[EventType(event.type)]:
            case ChangeKind.INSERT as kind:
                return [RowChange(table, kind, None, row, end_pos, checked) for row in self.images(event, head, most)]
            case ChangeKind.DELETE as kind:
                return [RowChange(table, kind, row, None, end_pos, checked) for row in self.images(event, head, most)]
            case kind:
                rows = iter(self.images(event, head, most))
                return [
                    RowChange(table, kind, before, _sharing(before, after), end_pos, checked)
                    for before, after in zip(rows, rows, strict=True)
                ]

    def images(self, event: Event, head: RowsHead, most: int | None = None) -> list[RowImage]:
        """Yield the images of an event in its order, of at most ``most`` rows; of an update, before and after image in turn."""
        if head.columns != len(self.layout.forms):
            raise event.buffer().damaged(
                f"it has {head.columns} columns, its Table_map event has {len(self.layout.forms)}"
            )
        if not any(head.present):
            raise Unreadable(
                f"The {event.name} event on {self.layout.table} that ends at {event.log_file}:{event.end_pos} logged no "
                "column at all (binlog_row_image), so its rows are unknown.",
                "Set binlog_row_image=FULL on the source.",
            )
        try:
            read = self._read_partial if event.type == EventType.PARTIAL_UPDATE_ROWS else self._read
            rows = list(read(head) if most is None else islice(read(head), most * len(head.present)))
            shown = head.columns - self.layout.hidden
            return [row[:shown] for row in rows] if self.layout.hidden else rows
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

    def _read_partial(self, head: RowsHead) -> Iterator[RowImage]:
        """Do as ``_read`` for Partial_update_rows.

        Each after image begins with its options and a bit for each JSON column of the table, whether it is in the image
        or not: set where there are differences in place of the document (seen on 9.7).
        """
        before_bits, after_bits = head.present
        read_before = self._image(before_bits)
        documents = self.layout.documents
        fields = Buffer(head.rows, "A row")
        while fields.left:
            before, fields.at = read_before(head.rows, fields.at)
            options = fields.lenenc()
            if options & ~_PARTIAL_JSON:
                raise Unreadable(f"Its options {options:#x} are not known.")
            marks = fields.uint((len(documents) + 7) // 8) if options else 0
            partial = [ordinal for number, ordinal in enumerate(documents) if marks >> number & 1]
            raw_bits = sum(1 << ordinal for ordinal in partial)
            after, fields.at = self._image(after_bits, raw_bits)(head.rows, fields.at)
            if fields.left < 0:
                raise Unreadable("It ends too early.")
            yield before
            yield self._completed(before, after, partial)

    def _completed(self, before: RowImage, after: RowImage, partial: Sequence[int]) -> RowImage:
        """Return the after image, its differences applied to the documents before them."""
        whole = list(after)
        for ordinal in partial:
            diffs, document = after[ordinal], before[ordinal]
            if diffs is NOT_LOGGED:  # not wanted, or a mark for a column that is not in the image
                continue
            if document is NOT_LOGGED:  # binlog_row_image: neither the document before nor the one after is known
                whole[ordinal] = NOT_LOGGED
                continue
            if not isinstance(document, Json) or not isinstance(diffs, bytes):
                raise Unreadable(f"Column {self.layout.names[ordinal]} has a difference of what is no document.")
            whole[ordinal] = json_value(changed(document, diffs))
        return tuple(whole)

    def _image(self, bits: int, raw_bits: int = 0) -> ImageDecode:
        """Return the decoder of an image with these columns; those of ``raw_bits``, which have a length, come out as bytes."""
        if (bits, raw_bits) not in self._images:
            self._images[bits, raw_bits] = compiled(
                [
                    Part(
                        (_raw(form) if raw_bits >> ordinal & 1 else form) if bits >> ordinal & 1 else None,
                        self.wanted is None or ordinal in self.wanted,
                    )
                    for ordinal, form in enumerate(self.layout.forms)
                ]
            )
        return self._images[bits, raw_bits]


def _sharing(before: RowImage, after: RowImage) -> RowImage:
    """Return the after image with the before image's objects where values stayed: that saves half of the memory.

    Only of types whose equal values are the same in everything: 0.0 and -0.0 are not.
    """
    return tuple([b if b == a and a.__class__ in _SHARED else a for b, a in zip(before, after, strict=True)])


_SHARED = frozenset((int, str, bytes, Decimal))


def _raw(form: Form) -> Form:
    assert isinstance(form, Sized), "only documents are logged in part"
    return replace(form, meaning=None)
