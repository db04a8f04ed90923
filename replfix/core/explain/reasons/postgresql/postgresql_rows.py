"""Reasons from the rows that a PostgreSQL server has for the value."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.compare import Likeness
from replfix.core.explain.duplicate import Kind
from replfix.core.explain.explanation import Answer, Case, PostgresqlLocation, PostgresqlReading
from replfix.core.explain.reasons import subscription_conflict
from replfix.core.explain.reasons.postgresql.row_likeness import likeness
from replfix.core.remedies.remedy import Fix
from replfix.core.schema.postgresql_key import KeyKind, UniqueIndex


def value_taken(case: Case, code: str) -> Cause | None:
    """Return that another row has the value."""
    place, reading = _found(case)
    if place is None or reading is None:
        return None
    like = _likeness(case, place, reading)
    if like is not None and not like.differing and like.equal:
        return None  # the same one: same-insert-again
    key = place.key
    overlaps = key.kind is KeyKind.EXCLUSION_CONSTRAINT
    evidence = [
        f"A row conflicts with it by the rule of the constraint: {key.definition}."
        if overlaps
        else "A row of the server has the value now."
    ]
    if key.predicate is not None:
        evidence.append(f"The index has only rows with {key.predicate}; others may have the value too.")
    if like is not None and like.differing:
        evidence.append(f"It is another row than the statement's: {', '.join(like.differing)} differ.")
    summary = (
        "An existing row conflicts with the new one: two things want what only one can have, or two sessions raced for it."
        if overlaps
        else "Another row has the value already: two things want the same unique value, or two sessions raced for it."
    )
    return Cause(
        code,
        Confidence.MEDIUM if overlaps or (like is not None and like.differing) else Confidence.LOW,
        summary,
        tuple(evidence),
        (
            Fix("Look at the row:", (reading.query,)),
            Fix(
                "A check before the insert does not help two sessions at once: insert, and take this error for the answer."
            ),
            *_on_conflict(place),
        ),
    )


def _on_conflict(place: PostgresqlLocation) -> tuple[Fix, ...]:
    """Return the upsert, as far as the key can be its arbiter; none for generated ids, where it would overwrite a row."""
    key = place.key
    if place.sequence is not None:
        return ()
    if key.deferrable:
        return (Fix("ON CONFLICT does not help: PostgreSQL does not take a deferrable constraint for it."),)
    if key.kind is KeyKind.EXCLUSION_CONSTRAINT:
        return ()  # exclusion-overlap has it
    target = _target(key)
    return (
        Fix(
            f"INSERT … ON CONFLICT {target} DO NOTHING leaves the new row out without an error; DO UPDATE SET … writes over the "
            "row that is there. Both are for this key only: another unique key still fails."
        ),
    )


def _target(key: UniqueIndex) -> str:
    columns = ", ".join(part.expression for part in key.parts)
    return f"({columns})" if key.predicate is None else f"({columns}) WHERE {key.predicate}"


def same_insert_again(case: Case, code: str) -> Cause | None:
    """Return that the row that is there is the one that was to be inserted."""
    place, reading = _found(case)
    like = None if place is None or reading is None else _likeness(case, place, reading)
    if place is None or like is None or like.differing or not like.equal:
        return None
    evidence = [
        f"The row that is there has the values that the statement gives, beside the key: {', '.join(like.equal)}."
    ]
    if like.but_for_times:
        evidence.append(f"Only times differ: {', '.join(like.but_for_times)}.")
    return Cause(
        code,
        Confidence.MEDIUM if like.but_for_times else Confidence.HIGH,
        "The same insert ran before: a retry after a lost answer, a double submit, a message delivered twice.",
        tuple(evidence),
        (
            Fix("The row is there and right: the application can take this error as success."),
            *(
                ()
                if place.sequence is not None or place.key.deferrable
                else (
                    Fix(
                        f"Make the insert repeatable: the same key on every retry, with INSERT … ON CONFLICT {_target(place.key)} "
                        "DO NOTHING."
                    ),
                )
            ),
        ),
    )


def no_row_now(case: Case, code: str) -> Cause | None:
    """Return that no row has the value now."""
    asked = case.postgresql
    if asked is None or case.duplicate.kind is Kind.KEY_BUILD or any(place.found for place in asked.places):
        return None
    answers = [reading for place in asked.places for reading in place.readings]
    if not answers or any(reading.answer is Answer.NOT_ASKED for reading in answers):
        return None
    tried = [reading for reading in answers if reading.answer is Answer.NO_ROW]
    evidence = [f"{len(tried)} of {len(answers)} readings of the value were looked up on {asked.address}: no row."]
    if any(place.key.predicate is not None for place in asked.places):
        evidence.append("Rows that have left the partial index since are not counted.")
    return Cause(
        code,
        Confidence.MEDIUM if tried else Confidence.LOW,
        "No row has the value now: it was deleted or rolled back since, or the error came from another server.",
        tuple(evidence),
        (
            Fix(
                "Check whether it is the database that the application uses; a row in an open transaction is not seen either."
            ),
            Fix("Look again:", tuple(reading.query for reading in tried[:3]))
            if tried
            else Fix("The value does not fit the key's columns: is it this table?"),
        ),
    )


def equal_by_collation(case: Case, code: str) -> Cause | None:
    """Return that the row has another text than the message, and the key treats them as equal."""
    place, reading = _found(case)
    if place is None or reading is None or place.key.kind is KeyKind.EXCLUSION_CONSTRAINT:
        return None
    cells = {cell.column: cell for cell in reading.rows[0]}
    evidence = []
    for part, said in zip(place.key.parts, reading.values, strict=True):
        cell = cells.get(part.column or "")
        if cell is None or cell.text is None or cell.cut or not part.is_text or cell.text == said:
            continue
        by = f"the collation {part.collation}" if not part.deterministic else f"the type {part.type}"
        evidence.append(
            f"{part.column}: the row has '{cell.text}', the message has '{said}', and {by} treats them as equal."
        )
    if not evidence:
        return None
    return Cause(
        code,
        Confidence.HIGH,
        "The values are different texts that the key treats as equal.",
        tuple(evidence),
        (
            Fix("If they should count as the same: look the row up before inserting, or normalise what is stored."),
            Fix(
                "If they should count as different: ALTER TABLE … ALTER COLUMN … TYPE text, or a deterministic COLLATE. It rebuilds "
                "the index under an ACCESS EXCLUSIVE lock, and every comparison of the column becomes exact."
            ),
        ),
    )


def _found(case: Case) -> tuple[PostgresqlLocation | None, PostgresqlReading | None]:
    """Return the key and the row that an application met; none of an apply worker or of a key that is made."""
    place = case.postgresql_place
    if subscription_conflict.applied(case.duplicate) or case.duplicate.kind is Kind.KEY_BUILD:
        return None, None
    return place, None if place is None else place.found


def _likeness(case: Case, place: PostgresqlLocation, reading: PostgresqlReading) -> Likeness | None:
    return None if case.insert is None else likeness(place, reading.rows[0], case.insert)
