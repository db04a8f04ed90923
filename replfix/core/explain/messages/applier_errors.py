"""Errors of a replica's applier that are no duplicate key, and ``Coordinator stopped``: ``replfix diagnose`` explains them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from replfix.core.explain.duplicate import Kind, Product
from replfix.core.explain.hit import Hit

NAME = "applier"
NEEDLES: tuple[str, ...] = ()  # a log is counted by duplicate keys only

_EVENT = re.compile(
    r"Could not execute \w{1,40} event on table (?P<table>[^\n;]{1,300}); [^\n]{1,2000}?Error_code: (?:MY-0*)?(?P<number>\d{4,6})",
    re.IGNORECASE,
)
_COORDINATOR = re.compile(
    r"Coordinator stopped because there were error\(s\) in the worker\(s\)(?:[^\n]{0,200}?failed executing transaction '[^'\n]{1,200}')?"
)
_ERRNO = re.compile(r"Last_(?:SQL_)?Errno: (?P<number>\d{4,6})")
_DUPLICATE = 1062


def find(text: str) -> Iterator[Hit]:
    """Yield every such error; of a coordinator with the number of its status, where that is there too."""
    if "rror_code: " not in text and "Coordinator stopped" not in text:
        return
    for found in _EVENT.finditer(text):
        number = int(found["number"])
        if number != _DUPLICATE:
            schema, _, table = found["table"].partition(".")
            yield _hit(found, number, schema if table else None, table or schema)
    for found in _COORDINATOR.finditer(text):
        errno = _ERRNO.search(text, max(0, found.start() - 400), found.start())
        yield _hit(found, int(errno["number"]) if errno else None, None, None)


def _hit(found: re.Match[str], number: int | None, schema: str | None, table: str | None) -> Hit:
    return Hit(
        found.start(),
        found.end(),
        Product.MYSQL,
        kind=Kind.REPLICA,
        number=number,
        sqlstate="HY000",
        schema=schema,
        table=table,
    )
