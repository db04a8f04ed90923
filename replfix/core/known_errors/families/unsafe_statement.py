"""A statement whose outcome is another one on each server."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.by_hand import skip_alone
from replfix.core.remedies.divergent_keys import copied_anew
from replfix.core.remedies.remedy import Remedy
from replfix.core.sql import definition_diff

FAMILY = Family(
    page="unsafe-statement",
    kind=Kind.DATA_REFUSED,
    thread=Thread.APPLIER,
    errors={
        1674: "ER_BINLOG_UNSAFE_SYSTEM_FUNCTION",
    },
    means=(
        "The statement gives each row a value that is another one on every server that runs it, such as uuid(), and the replica logs "
        "rows (binlog_format): it rejects what the source, which logged statements, has done."
    ),
    replfix="Shows the statement, and how the table that it alters is copied from the source, with the values that the rows have there.",
    human="Copy the table from the source, skip the statement, and start the channel.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    table, leave_out = evidence.altered, skip_alone(evidence)
    both = next(
        (
            b
            for b in evidence.definitions
            if table is not None and (b.schema, b.table) == (table.name.schema, table.name.name)
        ),
        None,
    )
    statement = evidence.statement
    if table is None or both is None or statement is None or not statement.whole or not leave_out:
        return (*drift.the_statement(evidence), Remedy(FAMILY.human))
    theirs = definition_diff.parsed(both.source_then) if both.source_then is not None else None
    words = f"The statement would give the rows of {table.name} other values than they have on the source. A copy made now has its result, so the statement is skipped."
    named = theirs is not None and "PRIMARY" in theirs.keys
    return (
        *drift.the_statement(evidence),
        *copied_anew(evidence, both, table, words, named=named, leave_out=leave_out),
    )
