"""Errors of MySQL and MariaDB that are about a duplicate key and have another number than 1062.

Texts: share/messages_to_clients.txt of 8.0 to 9.7 (English).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from replfix.core.explain.duplicate import Kind, Product
from replfix.core.explain.hit import Hit

NAME = "1022, 1169, 1557, 1569, 1761, 1762, 1859"


@dataclass(frozen=True, slots=True)
class _Words:
    number: int
    needle: str
    pattern: re.Pattern[str]
    kind: Kind = Kind.DUPLICATE
    sqlstate: str = "23000"


_Q = "\\\\*['\"]"
_ALL = (
    _Words(
        1022,
        "duplicate key in table",
        re.compile(rf"Can{_Q}t write;? duplicate key in table {_Q}(?P<table>[^'\"\\\n]{{1,300}}){_Q}"),
    ),
    _Words(
        1169,
        "because of unique constraint, to table",
        re.compile(rf"Can{_Q}t write, because of unique constraint, to table {_Q}(?P<table>[^'\"\\\n]{{1,300}}){_Q}"),
    ),
    _Words(
        1557,
        "Upholding foreign key constraints for table",
        re.compile(
            rf"Upholding foreign key constraints for table {_Q}(?P<table>[^'\"\\\n]{{1,300}}){_Q}, entry {_Q}(?P<value>[^\n]{{0,300}}?){_Q}, "
            rf"key (?P<key>\d{{1,4}}) would lead to a duplicate entry"
        ),
    ),
    _Words(
        1569,
        "auto_increment resequencing",
        re.compile(
            rf"ALTER TABLE causes auto_increment resequencing, resulting in duplicate entry {_Q}(?P<value>[^\n]{{0,300}}?){_Q} for key {_Q}(?P<key>[^'\"\\\n]{{1,300}}){_Q}"
        ),
        Kind.KEY_BUILD,
    ),
    _Words(
        1761,
        "would lead to a duplicate entry in table",
        re.compile(
            rf"Foreign key constraint for table {_Q}(?P<parent>[^'\"\\\n]{{1,300}}){_Q}, record {_Q}(?P<value>[^\n]{{0,300}}?){_Q} would lead to a "
            rf"duplicate entry in table {_Q}(?P<table>[^'\"\\\n]{{1,300}}){_Q}, key {_Q}(?P<key>[^'\"\\\n]{{1,300}}){_Q}"
        ),
    ),
    _Words(
        1762,
        "would lead to a duplicate entry in a child table",
        re.compile(
            rf"Foreign key constraint for table {_Q}(?P<parent>[^'\"\\\n]{{1,300}}){_Q}, record {_Q}(?P<value>[^\n]{{0,300}}?){_Q} would lead to a "
            r"duplicate entry in a child table"
        ),
    ),
    _Words(
        1859,
        "Duplicate entry for key ",
        re.compile(rf"Duplicate entry for key {_Q}(?P<key>[^'\"\\\n]{{1,300}}){_Q}"),
        Kind.KEY_BUILD,
    ),
)
NEEDLES: tuple[str, ...] = tuple(words.needle for words in _ALL)


def find(text: str) -> Iterator[Hit]:
    """Yield every such message."""
    for words in _ALL:
        if words.needle not in text:
            continue
        for found in words.pattern.finditer(text):
            named = found.groupdict()
            schema, _, table = (named.get("table") or "").rpartition(".")
            copy = table.startswith("#sql")  # the copy that an ALTER TABLE builds
            yield Hit(
                found.start(),
                found.end(),
                Product.MYSQL,
                named.get("key") or "",
                named.get("value"),
                kind=Kind.KEY_BUILD if copy else words.kind,
                number=words.number,
                sqlstate=words.sqlstate,
                schema=schema or None,
                table=table or None,
            )
