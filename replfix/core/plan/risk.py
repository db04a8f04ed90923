"""A warning of a plan: a sentence, and what it is about."""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Concern(enum.StrEnum):
    """What a warning is about, in the order of their weight."""

    ROWS = "Rows of the replica"
    SOURCE = "What is written on the source"
    OTHERS = "Other servers"
    SETTINGS = "Settings and counters of the replica"


class Risk(str):
    """The sentence. It is compared, recorded and printed as a text alone; one out of a record has no ``about`` of its own."""

    __slots__ = ("about",)
    about: Concern

    def __new__(cls, text: str, about: Concern) -> Risk:
        """Return the sentence with what it is about."""
        risk = super().__new__(cls, text)
        risk.about = about
        return risk


def risks_about(about: Concern, sentences: Iterable[str]) -> tuple[Risk, ...]:
    """Return the sentences as warnings about the same."""
    return tuple(Risk(sentence, about) for sentence in sentences)


def by_concern(risks: Iterable[str]) -> dict[Concern, list[str]]:
    """Return the warnings by what they are about, in the order of ``Concern``; one that does not have that is about rows."""
    groups: dict[Concern, list[str]] = {concern: [] for concern in Concern}
    for risk in risks:
        groups[risk.about if isinstance(risk, Risk) else Concern.ROWS].append(risk)
    return {concern: each for concern, each in groups.items() if each}
