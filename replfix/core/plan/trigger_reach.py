"""How far a trigger reaches, as its text shows.

A server lets no trigger run SQL that is put together while it runs (error 1336), so whatever it writes is named there,
or in the text of a trigger that it fires in turn.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from replfix.core.rows.json_values import JsonValue
from replfix.core.schema.table import Table, TableName, Trigger

_LONGEST_NAME = 64
_WORD = re.compile(r"[0-9A-Za-z$_\u0080-\uffff]+")
_OUTLASTS = {
    *("CALL", "PREPARE", "EXECUTE", "OUTFILE", "DUMPFILE", "GLOBAL", "PERSIST", "PERSIST_ONLY"),
    *("FOREIGN_KEY_CHECKS", "UNIQUE_CHECKS", "GET_LOCK", "RELEASE_LOCK", "RELEASE_ALL_LOCKS", "NEXTVAL", "SETVAL"),
}
"""Words for what a ROLLBACK does not take back, or what changes the session in which the plan is carried out."""
_WRITTEN_BY = {
    "INSERT": ("INSERT", "REPLACE"),
    "UPDATE": ("UPDATE",),  # INSERT … ON DUPLICATE KEY UPDATE has the word too
    "DELETE": ("DELETE", "REPLACE"),
}


@dataclass(frozen=True, slots=True)
class Fired:
    """A trigger that a write on that table fires, or another trigger's write."""

    table: TableName
    trigger: Trigger

    def __str__(self) -> str:
        """Its name, and when it fires."""
        trigger = self.trigger
        return f"{self.table.schema}.{trigger.name} ({trigger.timing} {trigger.event} on {self.table})"

    def to_document(self) -> JsonValue:
        """Return the trigger as JSON values, with its text."""
        return {
            "schema": self.table.schema,
            "table": self.table.name,
            "name": self.trigger.name,
            "timing": self.trigger.timing,
            "event": self.trigger.event,
            "body": self.trigger.body,
        }


@dataclass(frozen=True, slots=True)
class Reach:
    """Every trigger that a write can fire; or why that is not done."""

    fires: tuple[Fired, ...] = ()
    obstacles: tuple[str, ...] = ()


class Kind(enum.Enum):
    """What a name in a trigger's text can mean on the server."""

    TABLE = "table"
    OTHER_TABLE = "table that keeps no transactions"
    NO_TABLE = "view, sequence or versioned table"
    ROUTINE = "routine"


@dataclass(frozen=True, slots=True)
class Named:
    """Something of the server that a trigger's text may mean."""

    kind: Kind
    schema: str  # empty for a function that has none
    name: str

    def __str__(self) -> str:
        return f"the {self.kind.value} {'.'.join(filter(None, (self.schema, self.name)))}"


def names_in(body: str) -> frozenset[str]:
    """Return every name that the text can contain, quoted or not.

    What is in strings and comments is among them. Names are in it as they are written, and in lower case.
    """
    found = set(_WORD.findall(body))
    for quote in ("`", '"'):
        # Which of the pieces are inside of quotes does not matter, nor that a comment may contain a single one.
        found.update(piece.replace("\0", quote) for piece in body.replace(quote * 2, "\0").split(quote))
    found = {name for name in found if 0 < len(name) <= _LONGEST_NAME}
    return frozenset(found | {name.lower() for name in found})


def outlasting(fired: Fired) -> Iterator[str]:
    """Yield why the text alone shows that a ROLLBACK would not take back what it does."""
    if not fired.trigger.body.strip():
        yield f"What the trigger {fired} does cannot be read."
    words = {word.upper() for word in _WORD.findall(fired.trigger.body)}
    for word in sorted(words & _OUTLASTS):
        yield f"The trigger {fired} has {word} in its text: how far that reaches is unknown."


def events_in(body: str) -> frozenset[str]:
    """Return the kinds of writes that the text can do: INSERT, UPDATE, DELETE."""
    words = {word.upper() for word in _WORD.findall(body)}
    return frozenset(event for event, by in _WRITTEN_BY.items() if words & set(by))


def unbounded(fired: Fired, named: Named) -> str:
    """Return why what it names cannot be rehearsed; empty for a table whose rows can be rolled back."""
    if named.kind is Kind.TABLE:
        return ""
    return f"The trigger {fired} names {named}: how far that reaches, and whether it can be rolled back, is unknown."


def cascading(fired: Fired, table: Table, events: frozenset[str]) -> Iterator[str]:
    """Yield the foreign keys that could carry a write of that trigger on to other tables."""
    for key in table.referenced_by:
        for event, rule in (("DELETE", key.on_delete), ("UPDATE", key.on_update)):
            if event in events and rule in ("CASCADE", "SET NULL", "SET DEFAULT"):
                yield (
                    f"The trigger {fired} names {table.name}, which {key.child} references with ON {event} {rule} "
                    f"({key.name}): what it writes could change rows there."
                )
