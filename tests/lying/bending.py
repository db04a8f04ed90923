"""Ways in which what a server says can be bent: bytes, packets, and the values that a result holds."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.lying.recording import Bend

_NUMBERS = ("-1", "0", "18446744073709551616", "1e999", "", "NULL", "0x", "\u0663", "9" * 5000)
_TEXTS = (
    "",
    "\0",
    "'",
    "`",
    "\\",
    "\x1b[31m",
    "\u202e",
    "x" * 70_000,
    "%" * 3000,
    "a-b-c",
    "a:b:c",
    "\ufffd",
    "OFF",
    "ON",
    "[]",
    "{",
)


def _flipped(rng: random.Random, packets: list[bytes]) -> list[bytes]:
    n, packet = _one(rng, packets)
    if packet:
        at = rng.randrange(len(packet))
        packet = packet[:at] + bytes([packet[at] ^ (1 << rng.randrange(8))]) + packet[at + 1 :]
    return _with(packets, n, packet)


def _replaced(rng: random.Random, packets: list[bytes]) -> list[bytes]:
    n, packet = _one(rng, packets)
    at = rng.randrange(len(packet) + 1)
    return _with(packets, n, packet[:at] + rng.randbytes(rng.randrange(1, 9)) + packet[at + rng.randrange(9) :])


def _cut(rng: random.Random, packets: list[bytes]) -> list[bytes]:
    n, packet = _one(rng, packets)
    return _with(packets, n, packet[: rng.randrange(len(packet) + 1)])


def _lengthened(rng: random.Random, packets: list[bytes]) -> list[bytes]:
    n, packet = _one(rng, packets)
    return _with(packets, n, packet + rng.randbytes(rng.choice((1, 4, 300))))


def _left_out(rng: random.Random, packets: list[bytes]) -> list[bytes]:
    n, _ = _one(rng, packets)
    return [*packets[:n], *packets[n + 1 :]]


def _twice(rng: random.Random, packets: list[bytes]) -> list[bytes]:
    n, packet = _one(rng, packets)
    return [*packets[:n], packet, *packets[n:]]


def _exchanged(rng: random.Random, packets: list[bytes]) -> list[bytes]:
    n, _ = _one(rng, packets)
    m, _ = _one(rng, packets)
    bent = list(packets)
    bent[n], bent[m] = bent[m], bent[n]
    return bent


def _another_answer(rng: random.Random, packets: list[bytes]) -> list[bytes]:
    return [
        rng.choice(
            (
                b"\0\0\0\2\0\0\0", b"\xfe\0\0\2\0", b"\xfb/etc/passwd", b"\xff\x15\x04#28000no", b"\xff", b"", b"\xff\xff\xff", b"\1",
                b"\xfe", b"\xfc\xff\xff", b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff",
            )
        )
    ]  # fmt: skip


def _value(rng: random.Random, packets: list[bytes]) -> list[bytes]:
    """Another value in a row, or none."""
    columns = packets[0][0] if packets and len(packets[0]) == 1 else 0
    rows = range(columns + 2, len(packets) - 1)
    if not columns or not rows:
        return _flipped(rng, packets)
    n = rng.choice(rows)
    values = _values(packets[n])
    if not values:
        return _flipped(rng, packets)
    at = rng.randrange(len(values))
    values[at] = rng.choice((None, *(text.encode() for text in (*_NUMBERS, *_TEXTS)), b"\xff\xfe\x80"))
    return _with(packets, n, b"".join(map(_lenenc, values)))


def _label(rng: random.Random, packets: list[bytes]) -> list[bytes]:
    """A column by another name."""
    columns = packets[0][0] if packets and len(packets[0]) == 1 else 0
    if not 0 < columns < len(packets):
        return _flipped(rng, packets)
    n = rng.randrange(1, columns + 1)
    return _with(packets, n, packets[n].replace(b"_", b"-").replace(b"e", b"E"))


_WAYS: tuple[Callable[[random.Random, list[bytes]], list[bytes]], ...] = (
    _flipped, _replaced, _cut, _lengthened, _left_out, _twice, _exchanged, _another_answer, _value, _value, _value, _label
)  # fmt: skip


def bend(seed: int, answers: int) -> tuple[str, Bend]:
    """What one seed does to one of so many answers, in words too."""
    rng = random.Random(seed)
    which, way = rng.randrange(answers), rng.choice(_WAYS)

    def bent(number: int, packets: list[bytes]) -> list[bytes]:
        return way(random.Random(seed + 1), packets) if number == which else packets

    return f"answer {which} {way.__name__.strip('_')}", bent


def _one(rng: random.Random, packets: list[bytes]) -> tuple[int, bytes]:
    n = rng.randrange(len(packets))
    return n, packets[n]


def _with(packets: list[bytes], n: int, packet: bytes) -> list[bytes]:
    return [*packets[:n], packet, *packets[n + 1 :]]


def _values(row: bytes) -> list[bytes | None]:
    values: list[bytes | None] = []
    at = 0
    while at < len(row):
        first = row[at]
        at += 1
        if first == 0xFB:
            values.append(None)
            continue
        width = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first, 0)
        size = int.from_bytes(row[at : at + width], "little") if width else first
        at += width
        values.append(row[at : at + size])
        at += size
    return values


def _lenenc(value: bytes | None) -> bytes:
    if value is None:
        return b"\xfb"
    size = len(value)
    return (bytes([size]) if size < 251 else b"\xfd" + size.to_bytes(3, "little")) + value
