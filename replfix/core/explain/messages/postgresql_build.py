"""PostgreSQL while a unique index is created: ``could not create unique index``, also SQLSTATE 23505."""

from __future__ import annotations

import re
from collections.abc import Iterator

from replfix.core.explain.duplicate import Kind, Product
from replfix.core.explain.hit import Hit
from replfix.core.explain.messages.postgresql_unique import DETAIL_SPAN, detail_in, name_at
from replfix.core.explain.text.postgresql_fields import fields

NAME = "23505, CREATE UNIQUE INDEX"
NEEDLES: tuple[str, ...] = ("could not create unique index ",)

_COMMAND = re.compile(r"Command was: (?P<statement>[^;]{1,2000})")  # pg_restore


def find(text: str) -> Iterator[Hit]:
    """Yield every such message."""
    at = 0
    words = NEEDLES[0]
    while (start := text.find(words, at)) >= 0:
        at = start + len(words)
        named = name_at(text, at)
        if named is None:
            continue
        name, at = named
        following = text.find(words, at, at + DETAIL_SPAN)
        limit = min(len(text), at + DETAIL_SPAN) if following < 0 else following
        detail = detail_in(text, at, limit, " is duplicated")
        command = _COMMAND.search(text, at, limit)
        own = fields(text, start, at)
        yield Hit(
            start,
            max(at, detail[1].end) if detail else at,
            Product.POSTGRESQL,
            name,
            detail[1].value if detail else None,
            detail[1].columns if detail else (),
            kind=Kind.KEY_BUILD,
            statement=own.get("statement") or (command["statement"] if command else None),
            schema=own.get("schema"),
            table=own.get("table"),
        )
        at = max(at, detail[1].end if detail else 0)
