"""Whether the sequence of a PostgreSQL column gave the value: from where it is, and from what the text says of the insert."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain import text_facts
from replfix.core.explain.duplicate import Kind
from replfix.core.explain.explanation import Case, PostgresqlLocation
from replfix.core.explain.insert import Insert, ItemKind
from replfix.core.explain.reasons import loaded_again, subscription_conflict
from replfix.core.explain.statement_target import Verb
from replfix.core.remedies.remedy import Fix
from replfix.core.schema.postgresql_sequence import ColumnSequence, SequenceUse

_GENERATED = re.compile(r"default\Z|nextval\s*\(", re.IGNORECASE)


def is_known(case: Case) -> bool:
    """Return whether a server has told about the key, and where its sequence is, if it has one: the text need not be asked."""
    place = case.postgresql_place
    if place is None:
        return False
    sequence = place.sequence
    return sequence is None or (sequence.last_value is not None and sequence.unread is None)


def sequence_behind(case: Case, code: str) -> Cause | None:
    """Return that the sequence gave out a value that a row had already."""
    place = case.postgresql_place
    sequence = place.sequence if place else None
    if place is None or sequence is None:
        return None
    value = _value(place, sequence)
    after = sequence.next_value
    if value is None or after is None or sequence.highest is None or sequence.last_value is None:
        return None
    generated = _generated(case, sequence, place)
    # What the sequence has not reached, it did not give; what the statement brings, it did not either.
    if generated is False or sequence.increment <= 0 or value >= after:
        return None
    name = f"{sequence.schema}.{sequence.name}"
    evidence = [f"The sequence {name} gives {after} next, and MAX({sequence.column}) is {sequence.highest}."]
    if generated:
        evidence.append(f"The statement gives no value for {sequence.column}: the sequence did.")
    else:
        evidence.append(f"The value {value} is one that the sequence has given out, or has been set past.")
    if not sequence.is_behind:
        return _passed(code, evidence) if generated else None
    evidence += _circumstances(place, sequence)
    return Cause(
        code,
        _confidence(sequence, value, generated=generated is True),
        f"The sequence is below the ids of {sequence.table_schema}.{sequence.table}: it generates values that are there already.",
        tuple(evidence),
        _fixes(sequence),
    )


def _confidence(sequence: ColumnSequence, value: int, *, generated: bool) -> Confidence:
    if generated and sequence.use is not SequenceUse.OWNED:
        return Confidence.HIGH
    return Confidence.MEDIUM if generated or value == sequence.last_value else Confidence.LOW


def _passed(code: str, evidence: list[str]) -> Cause:
    return Cause(
        code,
        Confidence.MEDIUM,
        "The sequence was below the table's ids, and has passed them since: each failed insert takes a number.",
        tuple(evidence),
        (Fix("The sequence is right now. Find out what inserted ids of its own (a restore, COPY, explicit ids)."),),
    )


def _circumstances(place: PostgresqlLocation, sequence: ColumnSequence) -> list[str]:
    said = []
    if sequence.use is SequenceUse.OWNED:
        said.append(
            "The column owns the sequence, and its default does not use it: who inserts may take ids elsewhere."
        )
    if sequence.cycles:
        said.append("The sequence is one with CYCLE: after its end it begins anew, among ids that exist.")
    applied = [s.name for s in place.subscriptions or () if s.has_table]
    if applied:
        said.append(
            f"The subscription {applied[0]} writes the table, and logical replication does not advance sequences (11 to 18)."
        )
    return said


def _fixes(sequence: ColumnSequence) -> tuple[Fix, ...]:
    if not sequence.can_follow:
        return (
            Fix(
                f"The sequence ends at {sequence.maximum}, and the highest id is there: give the column and the sequence a larger "
                "type, or find out who wrote that id.",
                (sql.postgresql_compare_sequence(sequence),),
            ),
        )
    fixes = [
        Fix("Look again at both:", (sql.postgresql_compare_sequence(sequence),)),
        Fix(
            "Set it to follow the highest id, at a moment when nobody inserts ids of his own. It locks no row and never "
            "lowers it; a ROLLBACK does not undo it.",
            (sql.postgresql_advance_sequence(sequence),),
        ),
    ]
    if sequence.use is SequenceUse.IDENTITY and sequence.highest is not None:
        fixes.append(
            Fix(
                "Or, as the SQL standard writes it, under an ACCESS EXCLUSIVE lock on the table; compute the number anew first:",
                (sql.postgresql_restart_identity(sequence, sequence.highest + sequence.increment),),
            )
        )
    return tuple(fixes)


def _value(place: PostgresqlLocation, sequence: ColumnSequence) -> int | None:
    """Return the message's value in the sequence's column; None where it is not clear."""
    position = next(n for n, part in enumerate(place.key.parts) if part.column == sequence.column)
    readings = [place.found] if place.found else list(place.readings)
    values = {reading.values[position] for reading in readings if reading is not None}
    return int(values.pop()) if len(values) == 1 and re.fullmatch(r"-?[0-9]{1,19}", min(values)) else None


def _generated(case: Case, sequence: ColumnSequence, place: PostgresqlLocation) -> bool | None:
    """Return whether the statement leaves the column to its sequence; None where the text leaves that open."""
    duplicate = case.duplicate
    target = text_facts.target_of(duplicate)
    if (
        duplicate.kind is not Kind.DUPLICATE
        or subscription_conflict.applied(duplicate)
        or loaded_again.copied(duplicate) is not None
        or (target is not None and target.verb is not Verb.INSERT)
    ):
        return False
    if case.insert is None or case.insert.table not in (place.key.table, sequence.table):
        return None
    return _leaves_out(case.insert, sequence.column)


def _leaves_out(said: Insert, column: str) -> bool | None:
    if not said.columns:
        return False if said.rows else None
    names = [name.lower() for name in said.columns]
    if column.lower() not in names:
        return True
    items = [row[names.index(column.lower())] for row in said.rows if len(row) == len(names)]
    return bool(items) and all(item.kind is ItemKind.TEXT and _GENERATED.match(item.text) for item in items)
