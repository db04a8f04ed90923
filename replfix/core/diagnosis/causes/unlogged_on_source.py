"""The source's row was changed with sql_log_bin=0: the replica has it as the source's last logged change left it."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.diagnosis.causes import collation_differs, duplicate_on_source, extra_unique_key
from replfix.core.incident.earlier_repairs import explained
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.origin import is_of_source
from replfix.core.incident.provenance import Provenance, cascades, provenances
from replfix.core.words import shortened

CODE = "unlogged-on-source"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude when both binlogs have the same newest change, the replica is as it left the row, and the source is not.

    Not where the two servers' definitions or a repair by replfix explain it.
    """
    channel, transaction = evidence.channel, evidence.transaction
    if transaction is None or evidence.status.waiting_before(channel, transaction.id):
        return None
    if any(cause.examine(evidence) for cause in (duplicate_on_source, extra_unique_key, collation_differs)):
        return None
    known = explained(evidence, on_source=True)
    found = [one for one in provenances(evidence) if one.row not in known and _unlogged(evidence, one)]
    if not found:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "A row was written or deleted on the source without being logged, so the replica never got it.",
        (
            *shortened(tuple(_in_words(one) for one in found), "row"),
            "The source's transaction does not continue from that: between the two the row changed there with sql_log_bin=0, or the source was restored. Who did it is unknown.",
        ),
    )


def _unlogged(evidence: Evidence, one: Provenance) -> bool:
    theirs = evidence.around.source.tables.get(one.table.name)
    return (
        one.at_source is not None
        and one.last is not None
        and one.last.by.gtid == one.at_source.by.gtid
        and one.as_logged
        and is_of_source(evidence, one.last.by.gtid)
        and theirs is not None
        and not cascades(theirs)
        and not one.doubts_at_source
    )


def _in_words(one: Provenance) -> str:
    assert one.last is not None
    by, change = one.last.by, one.last.change
    return (
        f"The newest logged change of the {one.table.name} row, in both binlogs, is the {change.kind} in {by.gtid}, of "
        f"{by.when}, and the replica's row is as it left it."
    )
