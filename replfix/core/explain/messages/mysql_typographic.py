"""Error 1062 as word processors and blogs print it: ``Duplicate entry ’174465′ for key ‘PRIMARY’``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from replfix.core.explain.duplicate import Product
from replfix.core.explain.hit import Hit

NAME = "1062, typographic quotes"
NEEDLES: tuple[str, ...] = ("Duplicate entry ",)

_QUOTES = "‘’‚‛′“”„″«»´`"
_MESSAGE = re.compile(
    rf"Duplicate entry [{_QUOTES}](?P<value>[^\n]{{0,400}}?)[{_QUOTES}] for key [{_QUOTES}](?P<key>[^\n{_QUOTES}]{{1,200}})[{_QUOTES}]"
)


def find(text: str) -> Iterator[Hit]:
    """Yield every message in such quotes."""
    for found in _MESSAGE.finditer(text):
        yield Hit(found.start(), found.end(), Product.MYSQL, found["key"], found["value"])
