"""Bytes of a log as text: UTF-8, or the encoding in which one of the servers' languages makes sense of them."""

from __future__ import annotations

from replfix.core.explain.log.server_words import named

LEGACY = ("cp1251", "cp1252", "koi8_u", "cp1250", "cp1253", "cp1257", "cp932", "euc_jp", "euc_kr")
"""What clients of the servers' languages had before UTF-8. Of two that fit, the first."""


def decoded(raw: bytes) -> str:
    """Return the text. Bytes that are no UTF-8 become U+FFFD, unless a legacy encoding turns them into a message."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "replace")
    if named(text):
        return text  # an English message, with a value in whatever encoding
    for encoding in LEGACY:
        other = raw.decode(encoding, "replace")
        if named(other):
            return other
    return text


def legacy_needles(needles: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return the words as bytes of each legacy encoding that has them; not those of ASCII alone."""
    found: dict[bytes, None] = {}
    for needle in needles:
        if needle.isascii():
            continue
        for encoding in LEGACY:
            try:
                found[needle.encode(encoding)] = None
            except UnicodeEncodeError:
                continue
    return tuple(found)
