"""The source generates AUTO_INCREMENT values again: its counter is below rows that the replica got from it."""

from __future__ import annotations

from replfix.core.binlog.row_event import ChangeKind
from replfix.core.conflicts.reconcile import ConflictKind
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.origin import is_of_source
from replfix.core.incident.provenance import Provenance, provenances
from replfix.core.schema.auto_increment import Counter

CODE = "auto-increment-behind"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from an inserted row that collides, by the AUTO_INCREMENT column alone, with an earlier row of the source.

    Only where the source's counter is not above the replica's highest value.
    """
    for one in provenances(evidence):
        ours = evidence.around.replica.counters.get(one.table.name)
        theirs = evidence.around.source.counters.get(one.table.name)
        if ours is None or theirs is None or not _meets(one, ours) or not _behind(ours, theirs):
            continue
        assert one.last is not None
        if not is_of_source(evidence, one.last.by.gtid):
            continue
        return Cause(
            CODE,
            Confidence.HIGH,
            "The source's AUTO_INCREMENT counter went back: it generates values that the replica's rows have already.",
            (
                f"The replica's row of {one.table.name} came from the source itself: {one.last.by.gtid} inserted it, "
                f"{one.last.by.when}.",
                f"{ours.column.name} on the source: the counter is at {theirs.next_value}, MAX is {theirs.highest}. On the replica: "
                f"the counter is at {ours.next_value}, MAX is {ours.highest}.",
                "Until the source's counter is past the replica's MAX, each of its inserts can collide with a row of the replica.",
            ),
        )
    return None


def _meets(one: Provenance, counter: Counter) -> bool:
    conflict = one.conflict
    return (
        conflict.kind is ConflictKind.DUPLICATE
        and conflict.expected is None
        and conflict.key_columns == (counter.column.name,)
        and one.last is not None
        and one.last.change.kind is ChangeKind.INSERT
        and one.as_logged
    )


def _behind(ours: Counter, theirs: Counter) -> bool:
    return theirs.next_value is not None and ours.highest is not None and theirs.next_value <= ours.highest
