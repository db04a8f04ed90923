"""The AUTO_INCREMENT column has come to the end of its type: every insert gets the last value, which is there."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain import text_facts
from replfix.core.explain.duplicate import Duplicate, Kind, Product
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "counter-exhausted"


def examine(case: Case) -> Cause | None:
    place = case.place
    if case.asked is None:
        return _from_the_text(case.duplicate)
    counter = place.counter if place else None
    if place is None or counter is None or counter.limit is None or counter.highest != counter.limit:
        return None
    if case.duplicate.value != str(counter.limit):
        return None
    column = counter.column
    return Cause(
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


def _from_the_text(duplicate: Duplicate) -> Cause | None:
    number = text_facts.whole_number(duplicate)
    type_ = text_facts.LARGEST.get(number or 0)
    if number is None or type_ is None or duplicate.kind is not Kind.DUPLICATE or duplicate.replication:
        return None
    if duplicate.dialect is not Product.MYSQL or not text_facts.likely_generated(duplicate):
        return None
    table = text_facts.table_of(duplicate)
    small = number <= text_facts.SMALL
    return Cause(
        CODE,
        Confidence.LOW if small else Confidence.MEDIUM,
        f"The AUTO_INCREMENT column may be used up: {number} is the highest value of {type_}.",
        (
            f"{number} is the highest value of {type_}; InnoDB generates it again and again (seen on 9.7.4).",
            *(("An ordinary id can have this value too.",) if small else ()),
        ),
        (
            Fix("Look at the column's type:", (sql.show_create_table(table),) if table is not None else ()),
            Fix(
                "If it is that type: give the column a larger one (BIGINT UNSIGNED), and the columns that refer to it. The ALTER copies the table, and MODIFY drops the "
                "attributes that it does not name. Until then no row can be inserted; an upsert would overwrite the last one."
            ),
        ),
    )
