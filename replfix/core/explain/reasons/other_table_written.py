"""The key belongs to another table than the statement's: a trigger, a procedure or a cascade wrote there."""

from __future__ import annotations

import re

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain import text_facts
from replfix.core.explain.duplicate import Duplicate, Kind, Product
from replfix.core.explain.explanation import Case
from replfix.core.explain.statement_target import Verb
from replfix.core.remedies.remedy import Fix
from replfix.core.sql.text_statements import postgresql_triggers, show_triggers

CODE = "other-table-written"


def examine(case: Case) -> Cause | None:
    duplicate = case.duplicate
    target = text_facts.target_of(duplicate)
    if target is None or target.table is None or target.verb is not Verb.INSERT or duplicate.kind is not Kind.DUPLICATE:
        return None
    written = written_table(duplicate)
    if written is None or written.casefold() == target.table.casefold():
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        f"The collision is in {written}, and the statement writes {target.table}: a trigger or a routine inserted there.",
        (f"The message names {duplicate.key}.", f"The statement inserts into {target.table}."),
        (
            _look(duplicate, target.table),
            Fix(
                f"Mend what the trigger writes into {written}; the row for {target.table} itself is right, and was rolled back with it."
            ),
        ),
    )


def written_table(duplicate: Duplicate) -> str | None:
    """Return the table that collided, as the message or PostgreSQL's CONTEXT names it; None where neither does."""
    if duplicate.dialect is Product.MYSQL:
        return duplicate.key_table
    return duplicate.table if _IN_CONTEXT.search(duplicate.context or "") else None


_IN_CONTEXT = re.compile(r'SQL statement "')


def _look(duplicate: Duplicate, table: str) -> Fix:
    postgresql = duplicate.dialect is Product.POSTGRESQL
    statement = postgresql_triggers(None, table) if postgresql else show_triggers(table)
    return Fix(f"Look at the triggers of {table}:", (statement,))
