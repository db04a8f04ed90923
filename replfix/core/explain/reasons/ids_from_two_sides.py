"""The AUTO_INCREMENT value is taken by another row, and the counter is in order: somebody else gives out ids too."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.compare import compare
from replfix.core.explain.explanation import Asked, Case, KeyLocation
from replfix.core.remedies.remedy import Fix
from replfix.core.schema.auto_increment import Counter

CODE = "ids-from-two-sides"


def examine(case: Case) -> Cause | None:
    place = case.place
    if case.asked is None or place is None or place.counter is None or not place.rows:
        return None
    counter = place.counter
    if counter.next_value is None or counter.highest is None or counter.next_value <= counter.highest:
        return None
    explicit = case.insert is not None and counter.column.name.lower() in {n.lower() for n in case.insert.columns}
    if case.insert is not None:
        likeness = compare(place.table, place.key, place.rows[0], case.insert)
        if likeness is not None and not likeness.differing:
            return None  # the same row
    two_writers = case.asked.replicates and not case.asked.read_only
    return Cause(
        CODE,
        Confidence.MEDIUM if explicit or two_writers else Confidence.LOW,
        "Ids come from two sides: the counter here, and somebody who sets them (a second writer, an import, the application).",
        tuple(_evidence(case.asked, place, counter, explicit=explicit, two_writers=two_writers)),
        (
            Fix("Leave the column out of the INSERT, so that only the server's counter generates ids."),
            Fix(
                "Where two servers are written to: one writer at a time, or auto_increment_increment = number of writers with an "
                "auto_increment_offset of its own on each."
            ),
        ),
    )


def _evidence(asked: Asked, place: KeyLocation, counter: Counter, *, explicit: bool, two_writers: bool) -> list[str]:
    name = counter.column.name
    said = [f"The counter is right: it generates {counter.next_value} next, MAX({name}) is {counter.highest}."]
    if explicit:
        said.append(f"The statement sets {name} itself.")
    settings = asked.auto_increment
    said.append(f"auto_increment_increment/offset are {settings.increment}/{settings.offset} here.")
    if two_writers:
        said.append("This server applies another one's changes, and read_only is OFF: both accept writes.")
    said.append(f"The row that is there is another one ({len(place.rows)} found).")
    return said
