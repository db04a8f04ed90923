"""The failing event is a statement: it runs again on the replica, and can do there what it did not on the source."""

from __future__ import annotations

import re

from replfix.core.conflicts.row_history import Logged, mentions
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.provenance import provenances
from replfix.core.words import counted, shortened

CODE = "statement-event"
_SHOWN = 200
_UNSAFE = re.compile(
    r"\b(UUID|UUID_SHORT|RAND|SYSDATE|USER|CURRENT_USER|SESSION_USER|SYSTEM_USER|FOUND_ROWS|ROW_COUNT|GET_LOCK|IS_FREE_LOCK|"
    r"LOAD_FILE|CONNECTION_ID|VERSION|SLEEP|RANDOM_BYTES)\s*\(|\bLIMIT\b|@@[\w.]+",
    re.I,
)
_DDL = re.compile(r"\s*(ALTER|CREATE)\b", re.I)


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from statements; never with high confidence: what a statement changed on the source is in no log."""
    if evidence.error.event == "Query":
        return _failing(evidence, evidence.error.statement or "")
    return _earlier(evidence)


def _failing(evidence: Evidence, statement: str) -> Cause:
    sentences = [f"The replica stopped on a statement: {statement[:_SHOWN]}"]
    if _DDL.match(statement):
        sentences.append("It defines a key that rows of the replica violate, while the source's rows did not.")
    elif unsafe := _unsafe(statement):
        sentences.append(f"Its outcome is not the same everywhere: it has {unsafe} in it.")
    if evidence.ahead:
        sentences.append(
            f"The replica has {counted(len(evidence.ahead), 'transaction')} of its own, which it can conflict with."
        )
    return Cause(
        CODE,
        Confidence.MEDIUM,
        "The transaction was logged as a statement, and has another result on the replica than on the source.",
        tuple(sentences),
    )


def _earlier(evidence: Evidence) -> Cause | None:
    """Return the statement that may have changed the row on the replica, as its log shows.

    The row's newest change there is of a transaction that the source logged as a statement; or a statement in the
    replica's own log that names the table follows it.
    """
    certain: dict[str, None] = {}
    likely: dict[str, None] = {}
    for one in provenances(evidence):
        if one.last is not None and one.as_logged:
            at_source = evidence.around.source_log.of(one.last.by.gtid)
            if at_source is not None and at_source.statement:
                into = certain if _unsafe(at_source.statement) else likely
                into[
                    f"The {one.last.change.kind} in {one.last.by.gtid} left the replica's row of {one.table.name}; "
                    f"{_told(at_source)}"
                ] = None
            continue
        for other in one.doubts:
            if other.statement and other.gtid not in evidence.ahead and mentions(other.statement, one.table.name):
                likely[_told(other)] = None
    if not certain and not likely:
        return None
    return Cause(
        CODE,
        Confidence.HIGH if certain else Confidence.MEDIUM,
        "The row comes from a statement of the source that had another result on the replica.",
        shortened((*certain, *likely), "statement"),
    )


def _told(one: Logged) -> str:
    statement = one.statement or ""
    unsafe = _unsafe(statement)
    why = f" Its outcome is not the same everywhere: it has {unsafe} in it." if unsafe else ""
    return f"{one.gtid}, of {one.when}, was logged by the source as a statement: {statement[:_SHOWN]}.{why}"


def _unsafe(statement: str) -> str:
    return ", ".join(dict.fromkeys(m[0].strip(" (").upper() for m in _UNSAFE.finditer(statement)))
