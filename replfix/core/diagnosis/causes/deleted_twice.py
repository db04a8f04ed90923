"""Nothing is wrong with the rows: the transaction deletes one that it has deleted before."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.replication.applier_error import ER_KEY_NOT_FOUND
from replfix.core.rows.lookup import by_identity
from replfix.core.words import shortened

CODE = "deleted-twice"


def examine(evidence: Evidence) -> Cause | None:
    found = evidence.reconciliation
    if found is None or evidence.error.errno != ER_KEY_NOT_FOUND:
        return None
    again = [each for each in found.again if str(each.table) == evidence.error.table]
    if not again or any(conflict.table == again[0].table for conflict in found.conflicts):
        return None
    rows = tuple(
        f"Row {each.index + 1} of the transaction deletes the row {by_identity(evidence.tables[each.table], each.row)} of {each.table}, "
        "which an earlier one has deleted or changed."
        for each in again
    )
    return Cause(
        CODE,
        Confidence.HIGH,
        "The source logged the delete of one row twice: the replica does not find it the second time.",
        (
            *shortened(rows, "row"),
            "Every row that the transaction changes is on the replica as it expects it.",
            "MySQL 9.6 and later logs what ON DELETE does to child rows. A DELETE of several tables logs such a row again.",
        ),
    )
