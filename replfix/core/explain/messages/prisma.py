"""Prisma's P2002, which hides the server's own message: ``Unique constraint failed on the fields: (`email`)``.

On MySQL it names the key, on PostgreSQL the columns (seen in 2.28 to 6).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from replfix.core.explain.duplicate import Product
from replfix.core.explain.hit import Hit

NAME = "P2002"
NEEDLES: tuple[str, ...] = ("Unique constraint failed on the ",)

_MESSAGE = re.compile(
    r"Unique constraint failed on the (?:fields: \((?P<fields>[^()\n]{1,400})\)|constraint: [`'\"](?P<key>[^`'\"\n]{1,200})[`'\"])"
)


def find(text: str) -> Iterator[Hit]:
    """Yield every such message; it has no value."""
    for found in _MESSAGE.finditer(text):
        columns = tuple(column.strip(" `'\"") for column in (found["fields"] or "").split(",") if column.strip(" `'\""))
        product = Product.POSTGRESQL if columns else Product.MYSQL
        yield Hit(found.start(), found.end(), product, found["key"] or "", None, columns)
