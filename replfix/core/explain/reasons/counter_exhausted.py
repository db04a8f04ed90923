"""The AUTO_INCREMENT column has come to the end of its type: every insert gets the last value, which is there."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.diagnosis.diagnosis import Confidence
from replfix.core.explain.explanation import Case, Fix, Reason

CODE = "counter-exhausted"


def examine(case: Case) -> Reason | None:
    place = case.place
    counter = place.counter if place else None
    if place is None or counter is None or counter.limit is None or counter.highest != counter.limit:
        return None
    if case.duplicate.value != str(counter.limit):
        return None
    column = counter.column
    return Reason(
        CODE,
        Confidence.HIGH,
        f"The AUTO_INCREMENT column {column.name} is used up: its type has no higher value.",
        (
            f"MAX({column.name}) is {counter.highest}, the highest value of {column.column_type}.",
            "InnoDB generates that value again and again (seen on 9.7.4).",
        ),
        (
            Fix(
                "Give the column a larger type; columns that refer to it too. The ALTER copies the table: plan it, or use an "
                "online schema change. Look up the column's other attributes first, because MODIFY drops those that it does not name.",
                (sql.show_create_table(place.table.name), sql.widen_counter(place.table.name, column)),
            ),
        ),
    )
