"""Reading fields from the bytes of one event, never past its end."""

from __future__ import annotations

from replfix.errors import Unreadable


class Buffer:
    """A cursor over bytes. Every method raises :class:`Unreadable` when the bytes end too early."""

    __slots__ = ("at", "data", "what")

    def __init__(self, data: bytes, what: str) -> None:
        self.data = data
        self.at = 0
        self.what = what  # for the message: what is being read

    def take(self, length: int) -> bytes:
        """Return the next bytes; Unreadable when fewer are left."""
        end = self.at + length
        if end > len(self.data):
            raise self.damaged("it ends too early")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def uint(self, width: int) -> int:
        """Return a little-endian unsigned integer of ``width`` bytes."""
        return int.from_bytes(self.take(width), "little")

    def lenenc(self) -> int:
        """Return a length-encoded integer of the client protocol."""
        first = self.uint(1)
        if first < 0xFB:
            return first
        if first == 0xFB or first == 0xFF:
            raise self.damaged("a length is not valid")
        return self.uint({0xFC: 2, 0xFD: 3, 0xFE: 8}[first])

    def varint(self) -> int:
        """Return an integer of mysql::serialization: the first byte's trailing one-bits count the bytes that follow."""
        first = self.uint(1)
        extra = 0
        while extra < 8 and first >> extra & 1:
            extra += 1
        if extra == 8:
            return self.uint(8)
        return first >> (extra + 1) | self.uint(extra) << (7 - extra)

    def signed_varint(self) -> int:
        """Return a signed integer of mysql::serialization: the sign is the lowest bit."""
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def name(self) -> str:
        """Return an identifier: length-encoded, UTF-8."""
        raw = self.take(self.lenenc())
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise self.damaged("a name is not UTF-8") from None

    def rest(self) -> bytes:
        """Return all bytes that are left."""
        return self.take(len(self.data) - self.at)

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self.data) - self.at

    def damaged(self, why: str) -> Unreadable:
        """Return the error for a damaged event."""
        return Unreadable(f"{self.what} cannot be read: {why}.")
