"""A foreign key took the row along, or not, on one server only."""

from __future__ import annotations

from replfix.core.conflicts.reconcile import ConflictKind
from replfix.core.conflicts.row_history import Touch, touched
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.authors import Authorship, authors
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.parents import Parent, parents
from replfix.core.incident.provenance import left_as
from replfix.core.words import shortened

CODE = "cascade"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from a binlog with the delete of the parent, or the change of its key.

    It was made on the replica, or came from a source whose foreign key has another rule.
    """
    related = parents(evidence, evidence.around)
    sentences = [_explains(evidence, one, gone) for one in related if (gone := _gone(evidence, one)) is not None]
    sentences += [_together(evidence, one, author) for author in authors(evidence) for one in related]
    if not any(sentences):
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "A foreign key's cascade changed rows on one of the two servers only.",
        (
            *shortened(tuple(filter(None, sentences)), "row"),
            "Before MySQL 9.6, and with innodb_native_foreign_keys=ON, the changes of a cascade are in no binlog.",
        ),
    )


def _together(evidence: Evidence, one: Parent, author: Authorship) -> str:
    """Return a cascade that the replica logged: one local transaction deleted the parent and the row."""
    if author.conflict is not one.conflict or author.conflict.replica_row is not None or not one.on_replica:
        return ""
    by = author.transaction
    parent = evidence.around.parents[one.row[0]]
    taken = any(c.before is not None and one.row in touched(c, {parent.name: parent}) for c in by.changes)
    return (
        f"{by.id}, written on the replica itself, deleted a row of {one.row[0]} and with it the row of "
        f"{one.conflict.table} that refers to it; there the foreign key cascades."
        if taken
        else ""
    )


def _gone(evidence: Evidence, one: Parent) -> Touch | None:
    """Return the newest logged change of the parent, when it deleted the parent.

    The replica may have logged the delete in a form that cannot be read (9.7 does, where only the cascade is its own);
    then it is in the source's log.
    """
    for log in (evidence.around.replica_log, evidence.around.source_log):
        last = log.last(one.row)
        if last is not None and left_as(evidence.around.parents[one.row[0]], last.change.left, one.row) is None:
            return last
    return None


def _explains(evidence: Evidence, one: Parent, gone: Touch) -> str:
    by = gone.by
    what = f"The row of {one.conflict.table} refers to a row of {one.row[0]}, which the {gone.change.kind} in {by.gtid}, of {by.when}, took away"
    local = by.gtid in evidence.ahead
    here = one.conflict.kind is not ConflictKind.DUPLICATE
    if here and one.on_replica and local:
        return f"{what}, written on the replica itself; there the foreign key cascades."
    if here and one.on_replica and not one.on_source:
        return f"{what}; the foreign key cascades on the replica and not on the source."
    if not here and one.on_source and not one.on_replica and not local:
        return f"{what}; the foreign key cascades on the source and not on the replica, which still has the row."
    return ""
