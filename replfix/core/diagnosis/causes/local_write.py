"""Someone wrote on the replica itself, and the write was logged there: it has a GTID that the source lacks."""

from __future__ import annotations

import re

from replfix.core.conflicts.row_history import mentions
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.authors import Authorship, authors
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.origin import is_own
from replfix.core.incident.provenance import provenances
from replfix.core.words import shortened

CODE = "local-write"
_EMPTIES = re.compile(r"\s*(TRUNCATE|DROP\s+TABLE)\b", re.I)


def _summary(found: tuple[Authorship, ...]) -> str:
    if all(a.conflict.replica_row is None for a in found):
        return "A row that the transaction needs was deleted on the replica itself."
    return "A conflicting row was written on the replica itself."


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from the author; or, with less confidence, from writes of the replica's own that cannot all be read."""
    if evidence.reconciliation is None or not evidence.reconciliation.conflicts:
        return None
    found = authors(evidence)
    if found:
        return Cause(
            CODE,
            Confidence.HIGH,
            _summary(found),
            (*shortened(tuple(a.in_words() for a in found), "row"), *_who(evidence, found), *_how(evidence, found)),
        )
    return _came_back(evidence) or _emptied(evidence) or _perhaps(evidence)


def _came_back(evidence: Evidence) -> Cause | None:
    """Return the replica's own transaction that the source has executed since: its GTID shows the origin."""
    sentences: dict[str, None] = {}
    gone = True
    for one in provenances(evidence):
        by = one.last.by if one.last is not None else None
        if one.last is None or by is None or not one.as_logged or not is_own(evidence, by.gtid):
            continue
        gone = gone and one.state is None
        thread = f", connection {by.thread_id}" if by.thread_id is not None else ""
        sentences[
            f"The replica's own binlog has the {one.last.change.kind} of this {one.table.name} row in {by.gtid}, written on the replica "
            f"itself at {by.when}{thread}; the source has executed that transaction."
        ] = None
    if not sentences:
        return None
    summary = (
        "A row that the transaction needs was deleted on the replica itself."
        if gone
        else "A conflicting row was written on the replica itself."
    )
    return Cause(CODE, Confidence.HIGH, summary, shortened(tuple(sentences), "row"))


def _who(evidence: Evidence, found: tuple[Authorship, ...]) -> tuple[str, ...]:
    threads = dict.fromkeys(a.transaction.thread_id for a in found)
    return tuple(
        f"Connection {thread} is still open on the replica: {who}."
        for thread, who in evidence.around.authors.items()
        if thread in threads
    )


def _how(evidence: Evidence, found: tuple[Authorship, ...]) -> tuple[str, ...]:
    queries = tuple(query for a in found for query in a.transaction.queries)
    if queries:
        return shortened(tuple(f"The statement was logged with it: {query}" for query in queries), "statement")
    setting = evidence.around.settings.get("binlog_rows_query_log_events")
    return (f"The statement was not logged with it (binlog_rows_query_log_events={setting} now).",) if setting else ()


def _emptied(evidence: Evidence) -> Cause | None:
    """Return the replica's own TRUNCATE or DROP TABLE that deleted the rows, after their newest logged change."""
    sentences: dict[str, None] = {}
    for one in provenances(evidence):
        if one.state is not None:
            continue
        for other in one.doubts:
            statement = other.statement or ""
            if other.gtid in evidence.ahead and _EMPTIES.match(statement) and mentions(statement, one.table.name):
                thread = f", connection {other.thread_id}" if other.thread_id is not None else ""
                sentences[f"{other.gtid}, written on the replica at {other.when}{thread}: {statement}"] = None
    if not sentences:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "The table was emptied on the replica itself.",
        (*shortened(tuple(sentences), "statement"), "The source does not have that transaction."),
    )


def _perhaps(evidence: Evidence) -> Cause | None:
    assert evidence.reconciliation is not None
    own = evidence.ahead.of_uuid(evidence.status.server_uuid)
    # Rows that equal the incoming ones were applied before, however little of the replica's own writes can be read.
    identical = all(c.identical for c in evidence.reconciliation.conflicts)
    if not own or identical or len(evidence.local_writes) >= len(evidence.ahead):
        return None
    if (explained := provenances(evidence)) and all(p.as_logged or p.behind_the_log for p in explained):
        return None
    return Cause(
        CODE,
        Confidence.MEDIUM,
        "The replica was written to locally, perhaps this row too.",
        (
            f"The replica has transactions of its own that the source lacks: {own}.",
            f"Only {len(evidence.local_writes)} of {len(evidence.ahead)} could be read from its binlog; none of "
            "those wrote this row.",
        ),
    )
