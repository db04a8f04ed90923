"""The generated decoders of row images, on bytes made by hand."""

from __future__ import annotations

import struct

import pytest

from replfix.core.rows.row_values import NOT_LOGGED
from replfix.mysql.binlog.values.images import Fixed, Form, Part, Sized, compiled

INT, BIG = Fixed("i"), Fixed("3s", lambda raw: int.from_bytes(raw, "little"))
TEXT, BLOB, LONG = Sized(1, bytes.decode), Sized(3), Sized(4)
ROW = struct.pack("<i", -5) + b"\7\0\0" + b"\2hi" + b"\4\0\0blob" + b"\1\0\0\0x" + struct.pack("<i", 9)
PARTS: tuple[Form, ...] = (INT, BIG, TEXT, BLOB, LONG, INT)


def test_a_row_without_nulls() -> None:
    image = compiled([Part(form) for form in PARTS])
    data = b"\xc0" + ROW  # the bits behind the last column mean nothing
    assert image(data, 0) == ((-5, 7, "hi", b"blob", b"x", 9), len(data))
    assert image(b"before" + data, 6)[1] == 6 + len(data)


def test_every_combination_of_nulls_and_wanted_columns() -> None:
    values = (-5, 7, "hi", b"blob", b"x", 9)
    pieces = (ROW[:4], ROW[4:7], ROW[7:10], ROW[10:17], ROW[17:22], ROW[22:])
    for nulls in range(64):
        data = bytes([nulls]) + b"".join(piece for n, piece in enumerate(pieces) if not nulls >> n & 1)
        for wanted in (0b111111, 0b000001, 0b100000, 0b010110, 0b001000, 0):
            image = compiled([Part(form, bool(wanted >> n & 1)) for n, form in enumerate(PARTS)])
            expected = tuple(
                NOT_LOGGED if not wanted >> n & 1 else None if nulls >> n & 1 else value
                for n, value in enumerate(values)
            )
            assert image(data, 0) == (expected, len(data))


def test_a_column_that_is_not_in_the_image_has_no_null_bit() -> None:
    image = compiled([Part(None), Part(INT), Part(None), Part(INT)])
    assert image(b"\2" + struct.pack("<i", 3), 0) == ((NOT_LOGGED, 3, NOT_LOGGED, None), 5)


def test_more_columns_than_a_machine_word_has_bits() -> None:
    count = 400
    image = compiled([Part(INT) for _ in range(count)])
    nulls = sum(1 << n for n in range(0, count, 3))
    data = nulls.to_bytes(50, "little") + b"".join(struct.pack("<i", n) for n in range(count) if n % 3)
    assert image(data, 0) == (tuple(n if n % 3 else None for n in range(count)), len(data))
    whole = bytes(50) + b"".join(struct.pack("<i", n) for n in range(count))
    assert image(whole, 0) == (tuple(range(count)), len(whole))


@pytest.mark.parametrize("length", range(len(ROW) + 1))
def test_a_row_that_is_cut_is_noticed(length: int) -> None:
    image = compiled([Part(form) for form in PARTS])
    data = b"\0" + ROW
    try:
        _, at = image(data[:length], 0)
    except (struct.error, IndexError):
        return
    assert at > length
