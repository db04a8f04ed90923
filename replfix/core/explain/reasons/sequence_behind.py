"""PostgreSQL: rows were given their ids by somebody else than the sequence, which now hands them out again."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain import text_facts
from replfix.core.explain.duplicate import Duplicate, Kind, Product
from replfix.core.explain.explanation import Case
from replfix.core.explain.guide.frameworks import handling_of
from replfix.core.explain.reasons import loaded_again, subscription_conflict
from replfix.core.explain.reasons.postgresql import sequence_state
from replfix.core.explain.statement_target import Verb
from replfix.core.remedies.remedy import Fix

CODE = "sequence-behind"


def examine(case: Case) -> Cause | None:
    if sequence_state.is_known(case):
        return sequence_state.sequence_behind(case, CODE)
    duplicate = case.duplicate
    column = generated_column(duplicate)
    if column is None:
        return None
    given = text_facts.given_columns(duplicate)
    table = _table(duplicate)
    evidence = [f"The constraint {duplicate.key} is on one column, {column}, with a whole number in it."]
    if given:
        evidence.append(f"The statement gives no value for {column}: its sequence did, or its default.")
    elif duplicate.table is None and table is not None:
        evidence.append(f"The table is taken to be {table}, from the constraint's name: the text does not name it.")
    if table is None:
        fixes: tuple[Fix, ...] = (
            Fix("Find the table of the constraint first:", (sql.postgresql_constraint(duplicate.key),)),
        )
    else:
        schema = duplicate.schema if table == duplicate.table else None
        check, repair = sql.postgresql_sequence(schema, table, column)
        fixes = (
            Fix(
                "Compare the sequence with the table (MAX below last_value is right; no sequence: it is not this reason):",
                check,
            ),
            Fix("Only if it is below, set it to follow the highest id:", (repair,)),
        )
        handling = handling_of(duplicate.framework)
        if handling is not None and handling.sequence is not None:
            fixes += (Fix(f"In {duplicate.framework}: {handling.sequence}"),)
    return Cause(
        CODE,
        Confidence.MEDIUM if given else Confidence.LOW,
        "The sequence may be below the table's ids: rows came with ids of their own (restore, COPY, explicit ids).",
        tuple(evidence),
        fixes,
    )


def generated_column(duplicate: Duplicate) -> str | None:
    """Return the column whose value a sequence can have given; None where the text rules that out."""
    if (
        duplicate.dialect is not Product.POSTGRESQL
        or duplicate.kind is not Kind.DUPLICATE
        or len(duplicate.columns) != 1
    ):
        return None
    column = duplicate.columns[0]
    if text_facts.whole_number(duplicate) is None or "(" in column:
        return None
    if subscription_conflict.applied(duplicate) or loaded_again.copied(duplicate) is not None:
        return None  # these bring their ids
    if not _may_be_an_id(duplicate, column):
        return None
    target = text_facts.target_of(duplicate)
    if target is not None:
        if target.verb is not Verb.INSERT:
            return None
        given = text_facts.given_columns(duplicate)
        if given is None or column.lower() in given:  # without a list, every column is given
            return None
    return column


def _may_be_an_id(duplicate: Duplicate, column: str) -> bool:
    """Whether a sequence fills it: a key on another column has what the application gives (orders.project_id)."""
    return text_facts.is_primary(duplicate) or column.lower() == "id"


def _of_its_table(duplicate: Duplicate, table: str | None) -> bool:
    """Whether the constraint can be the statement's table's own (or a partition's): by its name, where that has the usual form."""
    if table is None or not duplicate.key.endswith("_pkey"):
        return True
    named = duplicate.key.removesuffix("_pkey").lower()
    return re.match(rf"{re.escape(table.lower())}(?:\Z|_)", named) is not None or table.lower().startswith(named)


def _table(duplicate: Duplicate) -> str | None:
    if duplicate.table is not None:
        return duplicate.table if _of_its_table(duplicate, duplicate.table) else None
    return duplicate.key.removesuffix("_pkey") if duplicate.key.endswith("_pkey") else None
