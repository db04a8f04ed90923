"""The AUTO_INCREMENT counter is not above the highest value: it hands out values that are there."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "counter-behind"


def examine(case: Case) -> Cause | None:
    place = case.place
    counter = place.counter if place else None
    if place is None or counter is None or counter.next_value is None or counter.highest is None:
        return None
    if counter.next_value > counter.highest or counter.highest == counter.limit:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        f"The counter of {place.table.name} is below its rows: it generates values that are there already.",
        (
            f"AUTO_INCREMENT is {counter.next_value}, MAX({counter.column.name}) is {counter.highest}.",
            "In MySQL 5.7 and older an UPDATE of the column leads to that; restored tablespaces and engines other than InnoDB can, "
            "too.",
        ),
        (
            Fix(
                "Set the counter above the rows. It takes an exclusive lock for a moment and copies nothing.",
                (sql.advance_counter(place.table.name, counter.highest + 1),),
            ),
        ),
    )
