"""One server message found in a text, before anybody looks at what is around it."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.explain.duplicate import Kind, Product


@dataclass(frozen=True, slots=True)
class Hit:
    """Where the words are, and what they name. ``others``: further ways to take value and key apart."""

    start: int
    end: int
    dialect: Product
    key: str = ""  # empty where the message names none
    value: str | None = None
    columns: tuple[str, ...] = ()  # PostgreSQL names them
    kind: Kind = Kind.DUPLICATE
    number: int | None = None  # None: 1062, or none at all
    sqlstate: str | None = None  # None: that of ``dialect``'s duplicate-key error
    others: tuple[tuple[str, str], ...] = ()
    truncated: bool = False  # the text ends inside the message
    schema: str | None = None
    table: str | None = None
    statement: str | None = None
    conflict: str | None = None
    detail: str | None = None
    context: str | None = None
