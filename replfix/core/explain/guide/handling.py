"""What a framework offers for a duplicate key, in its own words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Handling:
    """Sentences for people; None where the framework has nothing of the kind. Sources: the frameworks' own manuals.

    ``upsert`` overwrites an existing row: it is shown with what that is, and not where the key's value is generated.
    """

    catch: str  # how this error is recognised and taken as an answer
    find_or_create: str | None = None
    upsert: str | None = None
    ignore: str | None = None  # leaves the existing row
    seeds: str | None = None  # why its seeders and migrations meet it
    sequence: str | None = None  # PostgreSQL: its own way to move a sequence
