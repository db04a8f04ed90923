"""An applier stopped on an error that is no duplicate key, or whose message does not name the key."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.duplicate import Kind
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "replica-error"

_MEANINGS = {
    1032: "the row that the event changes or deletes is missing on the replica",
    1452: "the row that the event writes references a row that the replica does not have",
    1451: "the row that the event deletes or changes is still referenced on the replica",
    1062: "a row of the replica has the key of the row that the event writes",
}


def examine(case: Case) -> Cause | None:
    duplicate = case.duplicate
    if duplicate.kind is not Kind.REPLICA:
        return None
    number = duplicate.errno
    meaning = _MEANINGS.get(number or 0)
    said = [
        f"Error {number}: {meaning}." if meaning else f"Error {number}." if number else "The text has no error number."
    ]
    if not duplicate.table:
        said.append("The coordinator's message does not name the row: the worker's does.")
    return Cause(
        CODE,
        Confidence.HIGH,
        "A replica's applier has stopped: replica and source differ.",
        (*said, f"The failing transaction is {duplicate.gtid}." if duplicate.gtid else "The text names no GTID."),
        (
            Fix(
                "replfix diagnose NAME reads the whole error, the row on both servers and who wrote it; replfix resolve NAME repairs it."
            ),
            Fix("Do not skip the transaction: that drops every row of it, not only this one."),
        ),
    )
