"""The key's column got 0 or an empty text, because nobody gave it a value: it has no AUTO_INCREMENT, or a default."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain import text_facts
from replfix.core.explain.duplicate import Duplicate, Kind, Product
from replfix.core.explain.explanation import Case
from replfix.core.explain.statement_target import Verb
from replfix.core.remedies.remedy import Fix

CODE = "no-value-given"
_EMPTY = frozenset({"0", ""})
_ID = "id"


def examine(case: Case) -> Cause | None:
    duplicate = case.duplicate
    if (
        duplicate.dialect is not Product.MYSQL
        or duplicate.kind is not Kind.DUPLICATE
        or duplicate.value not in _EMPTY
        or duplicate.truncated
    ):
        return None
    if duplicate.replication:
        return None
    target = text_facts.target_of(duplicate)
    if target is not None and target.verb in (Verb.ALTER, Verb.CREATE_INDEX, Verb.UPDATE):
        return None
    place = case.place
    key = place.key.columns if place is not None else _column(duplicate)
    given = text_facts.given_columns(duplicate)
    if place is not None:
        column = place.table.column(key[0]) if len(key) == 1 else None
        if column is None or (
            column.auto_increment and duplicate.value == "0" and given is not None and column.name.lower() in given
        ):
            return None
    left_out = given is not None and bool(key) and not given & {name.lower() for name in key}
    if given is not None and key and not left_out:
        return None  # the application gives it
    shown = repr(duplicate.value) if duplicate.value == "" else duplicate.value
    named = key[0] if len(key) == 1 else "the key's column"
    evidence = [
        f"The value is {shown if duplicate.value else 'an empty text'}, which a column without a value of its own gets."
    ]
    if left_out:
        evidence.append(f"The statement gives no value for {named}.")
    elif text_facts.is_primary(duplicate):
        evidence.append("The key is PRIMARY, and an AUTO_INCREMENT column never generates 0.")
    return Cause(
        CODE,
        Confidence.HIGH
        if left_out and place is not None
        else Confidence.MEDIUM
        if left_out or text_facts.is_primary(duplicate)
        else Confidence.LOW,
        "Nobody gave the column a value: it has lost its AUTO_INCREMENT (an import, a copy of the table), or never had one or a default.",
        tuple(evidence),
        _fixes(duplicate, key),
    )


def _column(duplicate: Duplicate) -> tuple[str, ...]:
    index = text_facts.index_of(duplicate)
    if text_facts.is_primary(duplicate):
        return (_ID,)
    return (index,) if index and duplicate.key_table is None else ()


def _fixes(duplicate: Duplicate, key: tuple[str, ...]) -> tuple[Fix, ...]:
    table = text_facts.table_of(duplicate)
    show = (sql.show_create_table(table),) if table is not None else ()
    if duplicate.value == "":
        return (
            Fix("Look at the column's definition:", show),
            Fix(
                "Give the column a value in the INSERT; or let it be NULL, which a unique key may have any number of times, in place of the empty text."
            ),
        )
    name = sql.identifier(key[0]) if len(key) == 1 else "`id`"
    named = sql.table_name(table) if table is not None else "the table"
    return (
        Fix("Look whether the column has AUTO_INCREMENT:", show),
        Fix(
            f"If it has not: give the row with 0 a free number first (also where other tables refer to it), then ALTER TABLE {named} MODIFY {name} … "
            "AUTO_INCREMENT with the rest of its definition as SHOW CREATE TABLE prints it. The other tables of the same import are likely to lack it too."
        ),
        Fix(
            "If it has: sql_mode has NO_AUTO_VALUE_ON_ZERO (as dumps set it), and the INSERT gives 0; give NULL or leave the column out."
        ),
    )
