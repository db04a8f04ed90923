"""What helps whatever the reason is: what the error means, where to look, what it can be, and how to handle it."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain import text_facts
from replfix.core.explain.duplicate import Duplicate, Kind, Product
from replfix.core.explain.explanation import Case, Guidance
from replfix.core.explain.guide.frameworks import handling_of
from replfix.core.explain.guide.possibilities import possibilities
from replfix.core.explain.read_text import unprinted
from replfix.core.explain.reasons import subscription_conflict
from replfix.core.remedies.remedy import Fix
from replfix.core.sql.text_statements import find_unique_key, postgresql_rows_with, rows_with

_HANDLED = frozenset(
    {
        "same-insert-again",
        "value-taken",
        "equal-by-collation",
        "composite-key",
        "expression-key",
        "ids-from-two-sides",
        "upsert-second-key",
        "repeated-in-statement",
    }
)
"""Reasons after which the application still has to answer the error itself."""

_DECIDED = frozenset({"no-value-given"})
"""Reasons that leave no other one, also where a server would have to confirm them."""


def guidance(case: Case, reasons: tuple[Cause, ...]) -> Guidance:
    """Return it for the case; ``reasons`` are those that were concluded."""
    duplicate = case.duplicate
    concluded = any(reason.confidence is Confidence.HIGH or reason.code in _DECIDED for reason in reasons)
    if duplicate.kind is not Kind.DUPLICATE or duplicate.replication or subscription_conflict.applied(duplicate):
        return Guidance(_meaning(duplicate))
    asked = case.asked is not None or case.postgresql_place is not None
    weak = not reasons or reasons[0].confidence is Confidence.LOW
    return Guidance(
        _meaning(duplicate),
        () if asked or concluded else tuple(_look(duplicate)),
        () if asked or concluded else tuple(possibilities(case, {reason.code for reason in reasons})),
        tuple(_handling(case, covered="value-taken" in {r.code for r in reasons}))
        if weak or reasons[0].code in _HANDLED
        else (),
        duplicate.framework,
    )


_MEANINGS = {
    Kind.KEY_BUILD: "A key could not be created, or a table not rebuilt, because rows that are there already have the same value in it. The table is as it was.",
    Kind.EXCLUSION: "The statement would store a row that conflicts with an existing one by the rule of an exclusion constraint. Nothing of it was stored, and the transaction is aborted: ROLLBACK.",
    Kind.CONFLICT: "A subscription got a change of its source, and the rows of this server are not what the change expects.",
    Kind.REPLICA: "A replica's applier could not execute an event of its source, and has stopped.",
}


def _meaning(duplicate: Duplicate) -> str:
    known = _MEANINGS.get(duplicate.kind)
    if known is not None:
        return known
    if duplicate.replication or subscription_conflict.applied(duplicate):
        server = "subscribing server" if duplicate.dialect is Product.POSTGRESQL else "replica"
        return f"The {server} has a row with the key of a row that it should write, and applies nothing more until that is resolved."
    key = f"the unique key {duplicate.key}" if duplicate.key else "a unique key"
    where = f"the columns {', '.join(duplicate.columns)}" if duplicate.columns and not duplicate.key else key
    if duplicate.dialect is Product.POSTGRESQL:
        after = "Nothing of it was stored, and the transaction is aborted: ROLLBACK, or go back to a savepoint."
    else:
        after = "InnoDB stored nothing of it; the transaction is still open, with what it did before (MyISAM keeps the rows before the failing one)."
    return f"The statement would give two rows the same value in {where}. {after}"


def _look(duplicate: Duplicate) -> Iterator[Fix]:
    table = text_facts.table_of(duplicate)
    values = text_facts.key_values(duplicate)
    whole = text_facts.real_value(duplicate) is not None or not (duplicate.cut or unprinted(duplicate.value or ""))
    if duplicate.dialect is Product.POSTGRESQL:
        if table is not None and values:
            statement = postgresql_rows_with(table.schema or None, table.name, values)
            yield Fix("Look at the row that is there:", (statement,))
        elif duplicate.key:
            yield Fix("Find the table and columns of the key:", (sql.postgresql_constraint(duplicate.key),))
        if not values and duplicate.value is None:
            yield Fix(
                "The value is in DETAIL, which is missing here: look into the server's log, or let the client print it "
                "(Npgsql: Include Error Detail=true; log_error_verbosity = default)."
            )
        return
    if table is not None and values:
        begins = not whole and duplicate.cut
        if not whole and not begins:
            yield Fix(
                "A character of the value is not in the message: take the value from the application, and look for it."
            )
            return
        yield Fix("Look at the row that is there:", (rows_with(table, values, begins=begins),))
        return
    index = text_facts.index_of(duplicate)
    if not index:
        yield Fix(
            "The key's name is not in the text: take the whole message, from the log of the application or of the server."
        )
    if index and not index.isdigit():
        yield Fix("Find the columns of the key:", (find_unique_key(index, table),))
        named = sql.table_name(table) if table is not None else "that table"
        joined = ", joined with '-' where there are several" if "-" in (duplicate.value or "") else ""
        yield Fix(f"Then look for the row in {named} by these columns; the message has their values{joined}.")


def _handling(case: Case, *, covered: bool) -> Iterator[Fix]:
    """``covered``: a reason has what an upsert does to this table already."""
    duplicate, place = case.duplicate, case.postgresql_place
    handling = handling_of(duplicate.framework)
    if handling is not None:
        yield Fix(handling.catch)
        if handling.find_or_create:
            yield Fix(handling.find_or_create)
        if handling.ignore:
            yield Fix(handling.ignore)
        if handling.seeds:
            yield Fix(handling.seeds)
    if covered:
        return
    upsert = handling.upsert if handling is not None else None
    if text_facts.likely_generated(duplicate) if place is None else place.sequence is not None:
        yield Fix(
            "No upsert where the value is generated: the row that has it is another one, and would be overwritten without an error "
            "(ON DUPLICATE KEY UPDATE, REPLACE, ON CONFLICT DO UPDATE, save() with an id)."
        )
        return
    if upsert:
        yield Fix(f"{upsert} {_overwrites(duplicate)}")
    if place is not None:
        return  # value-taken has the upsert that this key allows
    if duplicate.dialect is Product.POSTGRESQL:
        listed = ", ".join(duplicate.columns) or "columns"
        yield Fix(
            f"SQL: INSERT … ON CONFLICT ({listed}) DO NOTHING leaves the existing row; DO UPDATE SET … overwrites what it names in it. "
            "It answers this key only: a collision in another one is an error still."
        )
        return
    if not upsert:
        yield Fix(f"SQL: INSERT … ON DUPLICATE KEY UPDATE changes the row that is there. {_overwrites(duplicate)}")
    yield Fix(
        "INSERT IGNORE leaves the row out, and turns every other error of the statement into a warning (values that are cut, NULL, foreign keys). "
        "REPLACE deletes the existing row first: columns that are not given and rows that reference it with ON DELETE CASCADE are lost."
    )


def _overwrites(duplicate: Duplicate) -> str:
    values = text_facts.key_values(duplicate)
    by = " and ".join(f"{name} = {value!r}" for name, value in values) or "the same value in this key"
    if duplicate.dialect is Product.POSTGRESQL:
        return f"It overwrites the row with {by}: only right where that is the same thing as the new row."
    return (
        f"It overwrites the row with {by}, or the row with the new row's value in any other unique key of the table, whichever is found first: "
        "with a second unique key that can be a stranger's."
    )
