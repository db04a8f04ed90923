"""Error 1062 in every language a server has, through what clients wrap around it: ``Duplicate entry '…' for key '…'``.

Every search is a plain ``str.find`` over a bounded piece, so that no text, however hostile, takes more than linear
time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from replfix.core.explain.duplicate import Product
from replfix.core.explain.hit import Hit
from replfix.core.explain.text.quoting import end_of_name, unwrapped

NAME = "1062"

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

NEEDLES: tuple[str, ...] = tuple(sorted({max(words, key=len).strip() for words in LANGUAGES.values()}))

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
_FORMAT = re.compile(r"%-?\.?\d*l?[sdu]")  # the server's own template, as documentation quotes it


def find(text: str) -> Iterator[Hit]:
    """Yield every 1062 message in the text; where the text ends inside one, what is there of it."""
    at = 0
    while (opening := _OPENING.search(text, at)) is not None:
        before = text[opening.start() : opening.start("quote")]
        quote, between = opening["quote"], _BETWEEN[before]
        found = _after(text, opening.start(), opening.end(), quote, between)
        found = found or _cut_off(text, opening.start(), opening.end(), quote, between)
        at = opening.end() if found is None else found.end
        if found is not None:
            yield found
    if "は索引" in text:
        yield from _japanese(text)


def _after(text: str, start: int, opened: int, quote: str, between: str) -> Hit | None:
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
    return _hit(start, end, value, name, others=tuple((v, k) for v, k, _ in readings[:-1]))


VALUE_BYTES = 200
"""MariaDB's messages have up to 192 bytes of a value, MySQL's 64."""


def _hit(
    start: int, end: int, value: str, key: str, *, others: tuple[tuple[str, str], ...] = (), truncated: bool = False
) -> Hit:
    return Hit(start, end, Product.MYSQL, key, value, others=others, truncated=truncated)


def _cut_off(text: str, start: int, opened: int, quote: str, between: str) -> Hit | None:
    """Return what is there of a message that its line ends in, inside the value or inside the key."""
    line_end = text.find("\n", opened, opened + VALUE_SPAN)
    line_end = min(len(text), opened + VALUE_SPAN) if line_end < 0 else line_end
    rest = text[opened:line_end]
    value, closing, key = rest.partition(quote + between)
    if not closing:
        whole = rest.rstrip()
        if not whole or quote in whole or (text[line_end:].strip() and not whole.endswith(("...", "…"))):
            return None
        return _hit(start, line_end, unwrapped(_without_dots(whole), quote), "", truncated=True)
    opening = _KEY_OPENING.match(key)
    name = _without_dots(key[opening.end() :].rstrip()) if opening else ""
    if opening is None or not name or opening[0] in name or _FORMAT.match(value) or len(name) > KEY_SPAN:
        return None
    return _hit(start, line_end, unwrapped(value, quote), unwrapped(name, quote), truncated=True)


def _without_dots(text: str) -> str:
    return text.removesuffix("…").removesuffix("...")


def _key(text: str, at: int) -> tuple[str, int] | None:
    """Return the key that begins at ``at`` with a quote or as a number, and where it ends."""
    opening = _KEY_OPENING.match(text, at)
    if opening is None:
        number = _NUMBER.match(text, at)
        return (number[0], number.end()) if number else None
    quote, begins = opening[0], opening.end()
    ends = end_of_name(text, quote, begins, min(len(text), begins + KEY_SPAN))
    return (text[begins:ends], ends + len(quote)) if ends >= 0 else None


def _japanese(text: str) -> Iterator[Hit]:
    """Yield the messages in which the value comes first: its opening quote is the nearest on its left."""
    at = 0
    while (closing := _JAPANESE.search(text, at)) is not None:
        quote = closing["quote"]
        opened = text.rfind(quote, max(at, closing.start() - VALUE_SPAN), closing.start())
        key = _key(text, closing.end() + len(LANGUAGES["Japanese"][1]))
        at = closing.end()
        if opened >= 0 and key is not None:
            yield _hit(opened, key[1], unwrapped(text[opened + len(quote) : closing.start()], quote), key[0])
            at = key[1]
