"""A JSON document of the replica is not the one that the source logged a difference of."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import Remedy

FAMILY = Family(
    page="json-difference",
    kind=Kind.ROW_CONFLICT,
    thread=Thread.APPLIER,
    errors={
        3648: "ER_COULD_NOT_APPLY_JSON_DIFF",
    },
    means=(
        "The source logs differences of JSON documents (binlog_row_value_options=PARTIAL_JSON), and the replica's document is "
        "another one: it lacks the path that the difference changes."
    ),
    replfix="Gives the row the values that the event expects, then the replica applies the transaction itself.",
    human=(
        "With binlog_row_image=MINIMAL the document that the difference was made for is not in the binlog: copy the row from the source, and skip the transaction, where no later transaction changes the same row."
    ),
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:  # noqa: ARG001
    return (Remedy(FAMILY.human),)
