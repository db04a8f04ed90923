"""Rows of an answer out of the bytes that have arrived."""

from __future__ import annotations

import pytest

from replfix.wire.result_rows import rows_in


def packet(number: int, *values: bytes | None) -> bytes:
    body = b"".join(b"\xfb" if value is None else length(len(value)) + value for value in values)
    return len(body).to_bytes(3, "little") + bytes([number % 256]) + body


def length(size: int) -> bytes:
    if size < 0xFB:
        return bytes([size])
    return b"\xfc" + size.to_bytes(2, "little") if size < 1 << 16 else b"\xfd" + size.to_bytes(3, "little")


ROWS: list[tuple[bytes | None, ...]] = [
    (b"1", "é".encode(), None),
    (b"", b"x" * 250, b"\0\xff"),
    (None, b"y" * 251, b"z" * 70_000),
]
READ = [tuple(v if v is None or n == 2 else v.decode() for n, v in enumerate(row)) for row in ROWS]
WHOLE = [packet(number, *row) for number, row in enumerate(ROWS, 254)]
ENCODINGS = ["utf8", "utf8", None]
EOF_PACKET = b"\x05\0\0\x01\xfe\0\0\x02\0"


def test_every_cut() -> None:
    """Only whole rows are taken, and no byte of the next packet."""
    data = b"".join(WHOLE)
    ends = [sum(map(len, WHOLE[:n])) for n in range(len(WHOLE) + 1)]
    for cut in (*range(300), *range(ends[2], ends[2] + 300), len(data) - 1, len(data)):
        whole = max(n for n, end in enumerate(ends) if end <= cut)
        assert rows_in(data[:cut], 254, ENCODINGS) == (READ[:whole], ends[whole])


@pytest.mark.parametrize(
    "next_one",
    [
        EOF_PACKET,
        b"\x03\0\0\x01\xff\x28\x04",  # an error
        packet(7, *ROWS[0]),  # out of its order
        packet(1, b"1", b"2"),  # a column too few
        packet(1, b"1", b"2", b"3", b"4"),  # one too many
        b"\x02\0\0\x01\x05a",  # a value that is longer than its packet
        b"\0\0\0\x01",
        b"\xff\xff\xff\x01" + b"\x01a" * 10,
    ],
)
def test_what_the_driver_reads_itself(next_one: bytes) -> None:
    data = b"".join(WHOLE) + next_one
    assert rows_in(data, 254, ENCODINGS) == (READ, len(data) - len(next_one))


def test_text_that_is_none() -> None:
    with pytest.raises(UnicodeDecodeError):
        rows_in(packet(1, b"\xff\xfe", b"", b""), 1, ENCODINGS)
