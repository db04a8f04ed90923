"""PostgreSQL's 23P01: ``conflicting key value violates exclusion constraint``, for rows that must not overlap."""

from __future__ import annotations

import re
from collections.abc import Iterator

from replfix.core.explain.duplicate import Kind, Product
from replfix.core.explain.hit import Hit
from replfix.core.explain.messages.postgresql_unique import DETAIL_SPAN, listed, name_at
from replfix.core.explain.text.postgresql_fields import fields

NAME = "23P01"
NEEDLES: tuple[str, ...] = ("conflicting key value violates exclusion constraint ",)

_DETAIL = re.compile(
    r"Key \((?P<columns>[^\n]{1,400}?)\)=\((?P<value>[^\n]{0,2000}?)\) conflicts with existing key "
    r"\([^\n]{1,400}?\)=\((?P<existing>[^\n]{0,2000})\)\."
)


def find(text: str) -> Iterator[Hit]:
    """Yield every such message; the existing key is in ``detail``."""
    at = 0
    while (start := text.find(NEEDLES[0], at)) >= 0:
        at = start + len(NEEDLES[0])
        named = name_at(text, at)
        if named is None:
            continue
        name, at = named
        detail = _DETAIL.search(text, at, at + DETAIL_SPAN)
        own = fields(text, start, at)
        yield Hit(
            start,
            detail.end() if detail else at,
            Product.POSTGRESQL,
            name,
            detail["value"] if detail else None,
            tuple(column.strip() for column in listed(detail["columns"])) if detail else (),
            kind=Kind.EXCLUSION,
            sqlstate="23P01",
            detail=f"({detail['existing']})" if detail else own.get("detail"),
            statement=own.get("statement"),
            schema=own.get("schema"),
            table=own.get("table"),
        )
