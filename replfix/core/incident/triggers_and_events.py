"""Triggers and events compared with statements that were logged."""

from __future__ import annotations

from collections.abc import Iterable

from replfix.core.incident.incident_context import Program

_LEAST = 8  # characters of a statement: anything shorter is found everywhere


def runs(program: Program, statements: Iterable[str]) -> bool:
    """Return whether one of the statements is in the program's body."""
    body = _plain(program.body)
    return any(len(plain := _plain(statement)) >= _LEAST and plain in body for statement in statements)


def _plain(text: str) -> str:
    return " ".join(text.split()).rstrip("; ").casefold()
