"""How far a look at the backlog may go."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a look at the backlog may go; None: to its end."""

    max_rows: int | None
    max_seconds: float | None
    max_memory: int  # bytes


PROVE = Bounds(max_rows=100_000, max_seconds=60.0, max_memory=256 << 20)
"""Of a rehearsal: one transaction that has locks and undo from its beginning to its end."""
