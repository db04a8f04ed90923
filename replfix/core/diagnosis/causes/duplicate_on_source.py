"""The source itself has two rows with one value of the unique key by which the replica rejects one of them."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.held_twice import HeldTwice, held_twice
from replfix.core.words import shortened

CODE = "duplicate-on-source"


def examine(evidence: Evidence) -> Cause | None:
    found = tuple(held_twice(evidence))
    if not found:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "The source's unique key has one value twice: no server with that key accepts both rows.",
        (
            *shortened(tuple(_in_words(found)), "value"),
            "InnoDB lets that happen where rows are loaded with unique_checks=0.",
        ),
    )


def _in_words(found: tuple[HeldTwice, ...]) -> Iterator[str]:
    for one in found:
        yield (
            f"On the source now, two rows of {one.table.name} have the value {one.value} in the unique key {one.key.name}: "
            f"{one.incoming} and {one.replica}. The replica has the second one as the source has it."
        )
