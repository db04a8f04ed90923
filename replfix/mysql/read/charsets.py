"""MySQL's character sets as Python decodes them.

Each entry was compared with the server (MySQL 9.7: ``CONVERT(CONVERT(X'…' USING cs) USING utf8mb4)``, every byte of the
single-byte sets and every pair of the double-byte ones). Where the two differ, the server's reading is what counts; a
byte sequence that the server itself shows as ``?`` is refused, because it has no text to compare with.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from contextlib import suppress
from functools import cache

from replfix.core.words import help_on
from replfix.errors import Unreadable

Decoder = Callable[[bytes], str]
"""Bytes of a column to its text; :class:`Unreadable` for bytes that are no text in the character set."""
Encoder = Callable[[str], bytes]
"""A text to the bytes of a column; :class:`Unreadable` for a text that the character set does not have."""

_PLAIN = {
    "utf8mb4": "utf-8",
    "utf8mb3": "utf-8",
    "utf8": "utf-8",  # how servers before 8.0.28 and MariaDB call utf8mb3
    "utf16": "utf-16-be",
    "utf16le": "utf-16-le",
    "utf32": "utf-32-be",
    "ascii": "ascii",
    "cp932": "cp932",
    "euckr": "cp949",
    "gb2312": "gb2312",
    "gbk": "gbk",
}

_UNDEFINED = "\ufffe"  # what codecs.charmap_decode takes for "no such character"


def _from(start: int, characters: str) -> dict[int, str]:
    return dict(enumerate(characters, start))


def _none(*numbers: int) -> dict[int, str]:
    return dict.fromkeys(numbers, _UNDEFINED)


# Single-byte sets: the codec, and the bytes that the server reads otherwise.
_SINGLE_BYTE: dict[str, tuple[str, dict[int, str]]] = {
    # The five bytes that cp1252 leaves undefined are the C1 control characters of the same number.
    "latin1": ("cp1252", {byte: chr(byte) for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}),
    "latin2": ("iso8859_2", {}),
    "latin5": ("iso8859_9", {}),
    "latin7": ("iso8859_13", {}),
    "cp1250": ("cp1250", {}),
    "cp1251": ("cp1251", {}),
    "cp1256": ("cp1256", _none(0x8A, 0x8F, 0x98, 0x9A, 0x9F, 0xAA, 0xC0, 0xFF)),
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
    "armscii8": (
        "latin-1",
        _from(
            0xA1,
            "❁§։)(»«—.՝,-՟…՜՛՞ԱաԲբԳգԴդԵեԶզԷէԸըԹթԺժԻիԼլԽխԾծԿկՀհՁձՂղՃճՄմՅյՆնՇշՈոՉչՊպՋջՌռՍսՎվՏտՐրՑցՒւՓփՔքՕօՖֆ’'",
        ),
    ),
    "dec8": (
        "latin-1",
        {0xA8: "¤", 0xD7: "Œ", 0xDD: "Ÿ", 0xF7: "œ", 0xFD: "ÿ"}
        | _none(0xA4, 0xA6, 0xAC, 0xAD, 0xAE, 0xAF, 0xB4, 0xB8, 0xBE, 0xD0, 0xDE, 0xF0, 0xFE, 0xFF),
    ),
    "geostd8": (
        "cp1252",
        _none(0x83, 0x88, 0x8A, 0x8C, 0x8E, 0x98, 0x99, 0x9A, 0x9C, 0x9E, 0x9F, *range(0xE6, 0x100))
        | _from(0xC0, "აბგდევზჱთიკლმნჲოპჟრსტჳუფქღყშჩცძწჭხჴჯჰჵ")
        | {0xFD: "№"},
    ),
    "keybcs2": ("cp437", _from(0x80, "ČüéďäĎŤčěĚĹÍľĺÄÁÉžŽôöÓůÚýÖÜŠĽÝŘťáíóúňŇŮÔšřŕŔ¼¡«»")),
    "swe7": ("ascii", dict(zip(b"@[\\]^`{|}~", "ÉÄÖÅÜéäöåü", strict=True)) | _none(0x7F)),
}

# Multi-byte sets in which single characters are read otherwise than Python's codec reads them.
_TRANSLATED: dict[str, tuple[str, dict[int, int]]] = {
    "big5": ("big5", {}),
    "sjis": ("shift_jis", {0xFF3C: 0x5C}),
    "ujis": ("euc_jp", {0xFF3C: 0x5C}),
    "gb18030": ("gb18030", {0xE7C7: 0x1E3F, 0x1E3F: 0xE7C7}),  # the edition of 2005 against that of 2000
    # As Windows maps JIS X 0208, not as Unicode's own table does.
    "eucjpms": ("euc_jp", dict(zip(map(ord, "〜‖−¢£¬¦"), map(ord, "～∥－￠￡￢￤"), strict=True))),
}

_BIG5_ETEN = "碁銹裏墻恒粧嫺"
_IBM_EXTENSIONS = (
    "ⅰⅱⅲⅳⅴⅵⅶⅷⅸⅹⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ＇＂㈱№℡炻仼僴凬匇匤﨎咊坙﨏塚增寬峵嵓﨑德悅愠敎昻晥晴朗栁﨓﨔橫櫢淸淲瀨凞猪甁"
    "皂皞益礰礼神祥福竧靖精綠緖羽荢﨟薰蘒﨡蠇諸譿賴赶﨣﨤逸郞都鄕﨧﨨閒隆﨩霻靍靑飯飼館馞髙魲鶴黑"
)


def _beyond_big5(raw: bytes) -> tuple[str, int]:
    return _BIG5_ETEN[int.from_bytes(raw[:2], "big") - 0xF9D6], 2


def _user_defined(raw: bytes) -> tuple[str, int]:
    """Return EUC-JP's rows 85 to 94 of both planes: Unicode's private use area, one after the other."""
    plane = raw[0] == 0x8F
    row, cell = raw[plane] - 0xF5, raw[plane + 1] - 0xA1
    if not (0 <= row < 10 and 0 <= cell < 94):
        raise IndexError
    return chr((0xE3AC if plane else 0xE000) + 94 * row + cell), 2 + plane


def _beyond_euc_jp(raw: bytes) -> tuple[str, int]:
    if raw[0] == 0xAD and 0xA1 <= raw[1] <= 0xFE:  # NEC's row 13, which is at 87 40 in Shift JIS
        cell = raw[1] - 0xA1
        return bytes([0x87, 0x40 + cell + (cell >= 63)]).decode("cp932"), 2
    if raw[:2] in (b"\x8f\xf3", b"\x8f\xf4") and 0xA1 <= raw[2] <= 0xFE:
        place = (raw[1] - 0xF3) * 94 + raw[2] - 0xA1 - 82  # the first 82 cells are empty
        if place >= 0:
            return _IBM_EXTENSIONS[place], 3
    return _user_defined(raw)


# What Python's codec has no character for: the bytes from there on to the server's character and how many it takes.
_GAPS: dict[str, Callable[[bytes], tuple[str, int]]] = {
    "big5": _beyond_big5,
    "ujis": _user_defined,
    "eucjpms": _beyond_euc_jp,
}


@cache
def decoder(charset: str) -> Decoder:
    """Return the decoder of a character set by its server name; :class:`Unreadable` for an unknown one."""
    name = charset.lower()
    if name in _PLAIN:
        return _strict(name, _PLAIN[name])
    if name in _SINGLE_BYTE:
        return _charmap(name, *_SINGLE_BYTE[name])
    if name in _TRANSLATED:
        codec, changes = _TRANSLATED[name]
        decode = _strict(name, codec, _gap_filler(name) if name in _GAPS else "strict")
        if name == "eucjpms":  # Python's codec has an ASCII tilde for one of its two wide ones
            return lambda data: decode(data.replace(b"\x8f\xa2\xb7", b"\xa1\xc1")).translate(changes)
        return lambda data: decode(data).translate(changes)
    if name == "ucs2":
        return _ucs2
    raise Unreadable(
        f"Text in the character set {charset!r} cannot be read.",
        f"The character sets that replfix reads are listed in {help_on('values')}.",
    )


@cache
def encoder(charset: str) -> Encoder:
    """Return the inverse of ``decoder``; :class:`Unreadable` for a text that has no bytes in the character set.

    Where several byte sequences are one character (a few of cp932), it writes one of them.
    """
    decode = decoder(charset)
    name = charset.lower()
    if name in _SINGLE_BYTE:
        encode = _single_bytes(decode)
    else:
        codec, changes = _TRANSLATED.get(name, (_PLAIN.get(name, "utf-16-be"), {}))
        back = {new: old for old, new in changes.items()}

        def encode(text: str) -> bytes:
            return text.translate(back).encode(codec)

    def checked(text: str) -> bytes:
        try:
            data = encode(text)
            if decode(data) == text:
                return data
        except (UnicodeEncodeError, KeyError, Unreadable):
            pass
        raise Unreadable(f"A value has no bytes in the character set {charset!r}: {text[:40]!r}.")

    return checked


def _single_bytes(decode: Decoder) -> Encoder:
    by_character: dict[str, int] = {}
    for byte in range(256):
        with suppress(Unreadable):
            by_character.setdefault(decode(bytes([byte])), byte)
    return lambda text: bytes([by_character[character] for character in text])


def _not_text(charset: str, data: bytes) -> Unreadable:
    return Unreadable(f"A value is no text in the character set {charset!r}: 0x{data[:40].hex()}.")


def _strict(charset: str, codec: str, errors: str = "strict") -> Decoder:
    def text(data: bytes) -> str:
        try:
            return str(data, codec, errors)
        except UnicodeDecodeError:
            raise _not_text(charset, data) from None

    return text


def _gap_filler(charset: str) -> str:
    """Return the name under which Python's codecs find the handler of a character set's gaps."""
    fill = _GAPS[charset]

    def handler(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        try:
            character, length = fill(error.object[error.start : error.start + 3])
        except (IndexError, UnicodeDecodeError):
            raise error from None
        return character, error.start + length

    name = f"replfix-{charset}"
    codecs.register_error(name, handler)
    return name


def _charmap(charset: str, codec: str, changes: dict[int, str]) -> Decoder:
    table = "".join(
        changes.get(byte) or bytes([byte]).decode(codec, "replace").replace("\ufffd", _UNDEFINED) for byte in range(256)
    )

    charmap = codecs.charmap_decode

    def text(data: bytes) -> str:
        try:
            return charmap(data, "strict", table)[0]
        except UnicodeDecodeError:
            raise _not_text(charset, data) from None

    return text


def _ucs2(data: bytes) -> str:
    text = _strict("ucs2", "utf-16-be")(data)
    if any(character > "\uffff" for character in text):  # ucs2 knows no surrogate pairs
        raise _not_text("ucs2", data)
    return text
