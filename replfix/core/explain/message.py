"""Finds the server's own message in any text, in every language a server has, through what clients wrap around it.

Every search is a plain ``str.find`` over a bounded piece, so that no text, however hostile, takes more than linear
time.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

# Error 1062 of 9.7.4 with each lc_messages: before the value, between value and key. Bulgarian and Polish before 8.0 are English.
LANGUAGES = {
    "English": ("Duplicate entry ", " for key "),
    "German": ("Doppelter Eintrag ", " für Schlüssel "),
    "French": ("Duplicata du champ ", " pour la clef "),
    "Spanish": ("Entrada duplicada ", " para la clave "),
    "Italian": ("Valore duplicato ", " per la chiave "),
    "Portuguese": ("Entrada ", " duplicada para a chave "),
    "Dutch": ("Dubbele ingang ", " voor zoeksleutel "),
    "Czech": ("Zvojený klíč ", " (číslo klíče "),
    "Danish": ("Ens værdier ", " for indeks "),
    "Estonian": ("Kattuv väärtus ", " võtmele "),
    "Hungarian": ("Duplikalt bejegyzes ", " a "),
    "Japanese": ("", " は索引 "),
    "Korean": ("중복된 입력 값 ", ": key "),
    "Polish": ("Powtórzone wystąpienie ", " dla klucza "),
    "Romanian": ("Cimpul ", " e duplicat pentru cheia "),
    "Russian": ("Дублирующаяся запись ", " по ключу "),
    "Serbian": ("Dupliran unos ", " za ključ "),
    "Slovak": ("Opakovaný kľúč ", " (číslo kľúča "),
    "Swedish": ("Dublett ", " för nyckel "),
    "Ukrainian": ("Дублюючий запис ", " для ключа "),
    "Norwegian": ("Like verdier ", " for nøkkel "),
    "Greek": ("Διπλή εγγραφή ", " για το κλειδί "),
}

VALUE_SPAN = 1200
"""Characters in which the end of a value is looked for: 64 bytes, each escaped by the server and by clients around it."""
KEY_SPAN = 400

_QUOTE = r"""\\*['"]|\\+(?:u0027|u0022|x27)|&(?:\#0*39|\#[xX]27|apos|quot|\#0*34);"""
_OPENING = re.compile(
    "(?:" + "|".join(re.escape(before) for before, _ in LANGUAGES.values() if before) + f")(?P<quote>{_QUOTE})"
)
_JAPANESE = re.compile(rf"(?P<quote>{_QUOTE})(?={re.escape(LANGUAGES['Japanese'][1])})")
_BETWEEN = dict(LANGUAGES.values())
_KEY_OPENING = re.compile(_QUOTE)
_NUMBER = re.compile(r"\d{1,4}\b")
# What can follow the quote that ends a key; a quote before a letter is part of the key's name (it's).
_AFTER_KEY = re.compile(r"[\s\"'`,.;:)\]}\\<&|]|$")


@dataclass(frozen=True, slots=True)
class Message:
    """Where the words are, and what they name. ``others``: further ways to take value and key apart."""

    start: int
    end: int
    value: str
    key: str
    others: tuple[tuple[str, str], ...] = ()


def messages(text: str) -> Iterator[Message]:
    """Yield every 1062 message in the text, in order."""
    at = 0
    while (opening := _OPENING.search(text, at)) is not None:
        before = text[opening.start() : opening.start("quote")]
        found = _after(text, opening.start(), opening.end(), opening["quote"], _BETWEEN[before])
        if found is None:
            at = opening.end()
            continue
        yield found
        at = found.end
    if "は索引" in text:
        yield from _japanese(text)


def _after(text: str, start: int, opened: int, quote: str, between: str) -> Message | None:
    """Return the message whose value begins at ``opened``.

    The last place that can be its middle is taken: a value can contain the same words, a key hardly does.
    """
    limit = min(len(text), opened + VALUE_SPAN)
    closing = quote + between
    readings: list[tuple[str, str, int]] = []
    at = text.find(closing, opened, limit)
    while at >= 0 and len(readings) < 4:
        key = _key(text, at + len(closing))
        if key is not None:
            value = unwrapped(text[opened:at], quote)
            if readings and len(value.encode("utf-8", "replace")) > VALUE_BYTES:
                break
            readings.append((value, unwrapped(key[0], quote), key[1]))
        following = text.find(closing, at + len(closing), limit)
        # Another message in between is another message, not a part of this value.
        if following < 0 or _OPENING.search(text, at + len(closing), following) is not None:
            break
        at = following
    if not readings:
        return None
    value, name, end = readings[-1]
    return Message(start, end, value, name, tuple((v, k) for v, k, _ in readings[:-1]))


VALUE_BYTES = 200
"""MariaDB's messages have up to 192 bytes of a value, MySQL's 64."""


def _key(text: str, at: int) -> tuple[str, int] | None:
    """Return the key that begins at ``at`` with a quote or as a number, and where it ends."""
    opening = _KEY_OPENING.match(text, at)
    if opening is None:
        number = _NUMBER.match(text, at)
        return (number[0], number.end()) if number else None
    quote, begins = opening[0], opening.end()
    limit = min(len(text), begins + KEY_SPAN)
    ends = text.find(quote, begins, limit)
    while ends >= 0:
        if _AFTER_KEY.match(text, ends + len(quote)):
            return text[begins:ends], ends + len(quote)
        ends = text.find(quote, ends + len(quote), limit)
    return None


def _japanese(text: str) -> Iterator[Message]:
    """Yield the messages in which the value comes first: its opening quote is the nearest on its left."""
    at = 0
    while (closing := _JAPANESE.search(text, at)) is not None:
        quote = closing["quote"]
        opened = text.rfind(quote, max(at, closing.start() - VALUE_SPAN), closing.start())
        key = _key(text, closing.end() + len(LANGUAGES["Japanese"][1]))
        at = closing.end()
        if opened >= 0 and key is not None:
            yield Message(opened, key[1], unwrapped(text[opened + len(quote) : closing.start()], quote), key[0])
            at = key[1]


_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.S)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def unwrapped(text: str, quote: str) -> str:
    """``text`` as the server printed it: what a client did to fit it into a string of its own is taken back.

    How often it was wrapped shows in the quote: each time, backslashes double and the quote gets one.
    """
    if quote.startswith("&"):
        return html.unescape(text)
    backslashes = len(quote) - len(quote.lstrip("\\"))
    while backslashes > 0:
        text = _ESCAPED.sub(_character, text)
        backslashes //= 2
    return text


def _character(escaped: re.Match[str]) -> str:
    if escaped[1]:
        code = int(escaped[1], 16)
        return "\N{REPLACEMENT CHARACTER}" if 0xD800 <= code <= 0xDFFF else chr(code)
    return _LETTERS.get(escaped[2], escaped[2])
