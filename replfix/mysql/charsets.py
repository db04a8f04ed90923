"""MySQL's character sets as Python decodes them.

Each entry was compared with the server (MySQL 9.7: ``CONVERT(CONVERT(X'…' USING cs) USING utf8mb4)``, every byte of the
single-byte sets and every pair of the double-byte ones). Where the two differ, the server's reading is what counts; a
byte sequence that the server itself shows as ``?`` is refused, because it has no text to compare with.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from functools import cache

from replfix.errors import Unreadable

Decoder = Callable[[bytes], str]
"""Bytes of a column to its text; :class:`Unreadable` for bytes that are no text in the character set."""

_PLAIN = {
    "utf8mb4": "utf-8",
    "utf8mb3": "utf-8",
    "utf8": "utf-8",  # how servers before 8.0.28 and MariaDB call utf8mb3
    "utf16": "utf-16-be",
    "utf16le": "utf-16-le",
    "utf32": "utf-32-be",
    "ascii": "ascii",
    "big5": "big5",
    "cp932": "cp932",
    "euckr": "cp949",
    "gb2312": "gb2312",
    "gbk": "gbk",
}

_UNDEFINED = "\ufffe"  # what codecs.charmap_decode takes for "no such character"

# Single-byte sets: the codec, and the bytes that the server reads otherwise.
_SINGLE_BYTE: dict[str, tuple[str, dict[int, str]]] = {
    # The five bytes that cp1252 leaves undefined are the C1 control characters of the same number.
    "latin1": ("cp1252", {byte: chr(byte) for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}),
    "latin2": ("iso8859_2", {}),
    "latin5": ("iso8859_9", {}),
    "latin7": ("iso8859_13", {}),
    "cp1250": ("cp1250", {}),
    "cp1251": ("cp1251", {}),
    "cp1256": ("cp1256", dict.fromkeys((0x8A, 0x8F, 0x98, 0x9A, 0x9F, 0xAA, 0xC0, 0xFF), _UNDEFINED)),
    "cp1257": ("cp1257", {}),
    "cp850": ("cp850", {}),
    "cp852": ("cp852", {}),
    "cp866": ("cp866", {0xFC: "ⁿ", 0xFD: "²"}),
    "greek": (
        "iso8859_7",
        {0xA1: "\u02bd", 0xA2: "\u02bc", 0xA4: _UNDEFINED, 0xA5: _UNDEFINED, 0xAA: _UNDEFINED},
    ),
    "hebrew": ("iso8859_8", {0xAF: "\u203e"}),
    "hp8": ("hp_roman8", {}),
    "koi8r": ("koi8_r", {}),
    "koi8u": ("koi8_u", {0x95: "\u2022"}),
    "macce": ("mac_latin2", {}),
    "macroman": ("mac_roman", {}),
    "tis620": ("tis_620", {}),
}

# Double-byte sets in which single characters are read otherwise than Python's codec reads them.
_TRANSLATED: dict[str, tuple[str, dict[int, int]]] = {
    "sjis": ("shift_jis", {0xFF3C: 0x5C}),
    "ujis": ("euc_jp", {0xFF3C: 0x5C}),
    "gb18030": ("gb18030", {0xE7C7: 0x1E3F, 0x1E3F: 0xE7C7}),  # the edition of 2005 against that of 2000
}


@cache
def decoder(charset: str) -> Decoder:
    """The decoder of a character set by its server name; :class:`Unreadable` for one that is not known here."""
    name = charset.lower()
    if name in _PLAIN:
        return _strict(name, _PLAIN[name])
    if name in _SINGLE_BYTE:
        return _charmap(name, *_SINGLE_BYTE[name])
    if name in _TRANSLATED:
        codec, changes = _TRANSLATED[name]
        decode = _strict(name, codec)
        return lambda data: decode(data).translate(changes)
    if name == "ucs2":
        return _ucs2
    raise Unreadable(
        f"Text in the character set {charset!r} cannot be read.",
        "The character sets that replfix reads are listed in docs/reference/values.md.",
    )


def _not_text(charset: str, data: bytes) -> Unreadable:
    return Unreadable(f"A value is no text in the character set {charset!r}: 0x{data[:40].hex()}.")


def _strict(charset: str, codec: str) -> Decoder:
    decode = codecs.getdecoder(codec)

    def text(data: bytes) -> str:
        try:
            return decode(data, "strict")[0]
        except UnicodeDecodeError:
            raise _not_text(charset, data) from None

    return text


def _charmap(charset: str, codec: str, changes: dict[int, str]) -> Decoder:
    table = "".join(
        changes.get(byte) or bytes([byte]).decode(codec, "replace").replace("\ufffd", _UNDEFINED) for byte in range(256)
    )

    def text(data: bytes) -> str:
        try:
            return codecs.charmap_decode(data, "strict", table)[0]
        except UnicodeDecodeError:
            raise _not_text(charset, data) from None

    return text


def _ucs2(data: bytes) -> str:
    text = _strict("ucs2", "utf-16-be")(data)
    if any(character > "\uffff" for character in text):  # ucs2 knows no surrogate pairs
        raise _not_text("ucs2", data)
    return text
