"""PostgreSQL: rows were given their ids by somebody else than the sequence, which now hands them out again."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.diagnosis.diagnosis import Confidence
from replfix.core.explain.duplicate import Product
from replfix.core.explain.explanation import Case, Fix, Reason

CODE = "sequence-behind"


def examine(case: Case) -> Reason | None:
    duplicate = case.duplicate
    if duplicate.dialect is not Product.POSTGRESQL or len(duplicate.columns) != 1 or duplicate.value is None:
        return None
    if not (duplicate.value.isascii() and duplicate.value.isdigit()):
        return None
    column = duplicate.columns[0]
    given = {name.lower() for name in case.insert.columns} if case.insert else set()
    if column.lower() in given:
        return None
    table = duplicate.table or (duplicate.key.removesuffix("_pkey") if duplicate.key.endswith("_pkey") else None)
    evidence = [f"The constraint {duplicate.key} is on one column, {column}, with a whole number in it."]
    if given:
        evidence.append(f"The statement gives no value for {column}: its sequence did.")
    elif duplicate.table is None and table is not None:
        evidence.append(f"The table is taken to be {table}, from the constraint's name: the text does not name it.")
    if table is None:
        fixes: tuple[Fix, ...] = (
            Fix("Find the table of the constraint first:", (sql.postgresql_constraint(duplicate.key),)),
        )
    else:
        check, repair = sql.postgresql_sequence(duplicate.schema, table, column)
        fixes = (
            Fix("Compare the sequence with the table (MAX below last_value is right):", check),
            Fix("If it is below, set it to follow the highest id:", (repair,)),
        )
    return Reason(
        CODE,
        Confidence.MEDIUM if given else Confidence.LOW,
        "The sequence may be below the table's ids: rows came with ids of their own (restore, COPY, explicit ids).",
        tuple(evidence),
        fixes,
    )
