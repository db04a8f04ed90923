"""How much of long lists a page shows: a collision of 800 rows is not to hide what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detail:
    """How many of each a page shows; None: all. ``more``: where the others are, as the end of a sentence."""

    conflicts: int | None
    examples: int  # of more conflicts the first few, and one of each kind
    columns: int | None  # of one row
    statements: int | None  # of one plan
    more: str


WHOLE = Detail(None, 0, None, None, "")
REPORT = Detail(50, 50, None, None, "--json lists all of them")
"""A ticket: its writer cuts long lists of statements by itself."""
BRIEF = Detail(5, 1, 12, 20, "'replfix diagnose --all' shows all of them")
AHEAD = Detail(5, 1, 12, None, "'replfix forecast --all' shows all of them")
ASKING = Detail(5, 1, 12, 20, "--all shows all of them")
"""The same above the question of a command that takes that option."""
IN_A_RUN = Detail(5, 1, 12, 20, "--json has all of them")
"""The same while a plan is carried out, which can be shown in full before."""


def fits(number: int, most: int | None) -> bool:
    """Return whether so many are shown."""
    return most is None or number <= most
