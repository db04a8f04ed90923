"""An XA transaction is prepared, committed or rolled back where the replica's is in another state."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.remedy import LeadsTo, Remedy

FAMILY = Family(
    page="xa-transaction",
    kind=Kind.SERVER,
    thread=Thread.APPLIER,
    errors={
        1397: "ER_XAER_NOTA",
        1398: "ER_XAER_INVAL",
        1399: "ER_XAER_RMFAIL",
        1400: "ER_XAER_OUTSIDE",
        1401: "ER_XAER_RMERR",
        1402: "ER_XA_RBROLLBACK",
        1440: "ER_XAER_DUPID",
        1613: "ER_XA_RBTIMEOUT",
        3197: "ER_XA_RETRY",
        3898: "ER_XA_REPLICATION_FILTERS",
    },
    means=(
        "The replica has a prepared XA transaction of the same name (1440), or has none to commit or roll back (1397): somebody "
        "prepared, committed or rolled one back on the replica."
    ),
    replfix=(
        "Ends none. Shows how prepared XA transactions are listed (1440). Looks for the source's transaction that prepared it (1397), "
        "compares its rows with the replica's, and prints what gives them the source's values."
    ),
    human=(
        "List what is prepared on the replica. One that somebody made there is rolled back before the channel is started (1440). Where "
        "the source's own was ended on the replica (1397), its rows get the source's values, and the XA COMMIT or XA ROLLBACK is skipped."
    ),
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (
        *drift.the_statement(evidence),
        Remedy(
            f"{FAMILY.human} The list has each name in the form that XA ROLLBACK takes.",
            ("XA RECOVER CONVERT XID" if evidence.status.product == "MySQL" else "XA RECOVER FORMAT = 'SQL'",),
            LeadsTo.NOTHING_CHANGED,
        ),
    )
