"""What a PostgreSQL 18 subscription reports: ``conflict detected on relation "…": conflict=insert_exists``.

insert_exists, update_exists and multiple_unique_conflicts stop the apply worker; the others are logged, and it goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from replfix.core.explain.duplicate import Kind, Product
from replfix.core.explain.hit import Hit
from replfix.core.explain.messages.postgresql_unique import DETAIL_SPAN, listed
from replfix.core.explain.text.postgresql_fields import fields

NAME = "conflict"
NEEDLES: tuple[str, ...] = ("conflict detected on relation ",)

_MESSAGE = re.compile(
    r'conflict detected on relation \\*"(?P<relation>[^"\\\n]{1,300})\\*": conflict=(?P<conflict>\w{1,60})'
)
_INDEX = re.compile(r'unique index \\*"(?P<index>[^"\\\n]{1,200})\\*"')
_KEY = re.compile(
    r"(?:Key|key|[Rr]eplica identity(?: full)?) \((?P<columns>[^\n]{1,400}?)\)=\((?P<value>[^\n]{0,2000}?)\)(?=[;,.]|$)",
    re.M,
)


def find(text: str) -> Iterator[Hit]:
    """Yield every conflict: ``key`` is the unique index, empty for a conflict that names none."""
    for found in _MESSAGE.finditer(text):
        schema, _, table = found["relation"].rpartition(".")
        following = text.find(NEEDLES[0], found.end(), found.end() + DETAIL_SPAN)
        limit = min(len(text), found.end() + DETAIL_SPAN) if following < 0 else following
        index, key = _INDEX.search(text, found.end(), limit), _KEY.search(text, found.end(), limit)
        own = fields(text, found.start(), found.end())
        yield Hit(
            found.start(),
            key.end() if key else found.end(),
            Product.POSTGRESQL,
            index["index"] if index else "",
            key["value"] if key else None,
            tuple(column.strip() for column in listed(key["columns"])) if key else (),
            kind=Kind.CONFLICT,
            sqlstate="23505",
            conflict=found["conflict"],
            schema=schema or None,
            table=table,
            detail=own.get("detail"),
            context=own.get("context"),
        )
