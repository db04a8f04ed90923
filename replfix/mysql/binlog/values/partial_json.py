"""Differences of JSON documents, as Partial_update_rows events log them (binlog_row_value_options=PARTIAL_JSON).

Source: sql-common/json_diff.h and json_path.h (MySQL 9.7). One after the other: an operation (1 byte), a path and,
unless something is removed, a value in the server's binary form; both after their length-encoded lengths. Each is done
on the result of the one before. The server never logs a path that does not fit its document, so none is bent to fit.
"""

from __future__ import annotations

import copy
import json
import re

from replfix.core.rows.json_text import Document, number
from replfix.core.rows.row_values import Json
from replfix.errors import Unreadable
from replfix.mysql.binlog.events.buffer import Buffer
from replfix.mysql.binlog.values import json_binary

_REPLACE, _INSERT, _REMOVE = range(3)
_LEG = re.compile(
    r"""\s*(?:\.\s*(?: "(?P<quoted>(?:[^"\\]|\\.)*)" | (?P<name>[^\s."\[\]*]+) )
          | \[\s*(?P<index>[0-9]+)\s*\]
          | \[\s*last\s*(?:-\s*(?P<back>[0-9]+)\s*)?\])\s*""",
    re.VERBOSE | re.DOTALL,
)

Leg = str | int
"""The key of a member; the index of an element, negative ones counted from the last, which is -1."""


def changed(before: Json, diffs: bytes) -> Document:
    """Apply the differences to the document; :class:`Unreadable` when they are damaged or do not fit it."""
    document = copy.deepcopy(before.typed) if before.typed is not None else _document(before.text)
    fields = Buffer(diffs, "A JSON difference")
    while fields.left:
        operation = fields.uint(1)
        path = _path(fields.take(fields.lenenc()))
        if operation not in (_REPLACE, _INSERT, _REMOVE):
            raise fields.damaged(f"its operation {operation} is unknown")
        value = None if operation == _REMOVE else json_binary.parse(fields.take(fields.lenenc()))
        document = _done(document, operation, path, value)
    return document


def _document(text: str) -> Document:
    return json.loads(text, parse_float=number)


def _path(raw: bytes) -> list[Leg]:
    text = raw.decode("utf-8", "replace")
    legs: list[Leg] = []
    at = 1
    while text[:1] == "$" and at < len(text):
        leg = _LEG.match(text, at)
        if leg is None:
            break
        at = leg.end()
        if leg["quoted"] is not None:
            legs.append(_unquoted(leg["quoted"]))
        elif leg["name"] is not None:
            legs.append(leg["name"])
        else:
            legs.append(int(leg["index"]) if leg["index"] is not None else -1 - int(leg["back"] or 0))
    if text[:1] != "$" or at < len(text):
        raise Unreadable(f"A JSON difference has a path that replfix does not read: {text[:100]!r}.")
    return legs


def _unquoted(quoted: str) -> str:
    try:
        return str(json.loads(f'"{quoted}"', strict=False))
    except ValueError:
        raise Unreadable(f"A JSON difference has a path that replfix does not read: {quoted[:100]!r}.") from None


def _done(document: Document, operation: int, path: list[Leg], value: Document) -> Document:
    if not path:
        if operation != _REPLACE:
            raise _misfit(path)
        return value
    holder = document
    for leg in path[:-1]:
        holder = holder[_place(holder, leg, path)]
    last = path[-1]
    if operation == _INSERT:
        _insert(holder, last, value, path)
    elif operation == _REPLACE:
        holder[_place(holder, last, path)] = value
    else:
        del holder[_place(holder, last, path)]
    return document


def _place(holder: Document, leg: Leg, path: list[Leg]) -> Leg:
    """Return the leg, which has to be there."""
    if isinstance(holder, dict) and isinstance(leg, str) and leg in holder:
        return leg
    if isinstance(holder, list) and isinstance(leg, int) and -len(holder) <= leg < len(holder):
        return leg
    raise _misfit(path)


def _insert(holder: Document, leg: Leg, value: Document, path: list[Leg]) -> None:
    if isinstance(holder, list) and isinstance(leg, int) and leg >= 0:
        holder.insert(leg, value)  # past the end: at the end
    elif isinstance(holder, dict) and isinstance(leg, str) and leg not in holder:
        members = {**holder, leg: value}
        holder.clear()
        # The server's order: by length, then by bytes.
        holder.update(sorted(members.items(), key=lambda member: (len(key := member[0].encode()), key)))
    else:
        raise _misfit(path)


def _misfit(path: list[Leg]) -> Unreadable:
    return Unreadable(f"A JSON difference does not fit the document before it (at {path!r:.100}).")
