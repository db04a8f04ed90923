"""A prepared XA transaction of the replica that is in the way of the source's, or that is missing there."""

from __future__ import annotations

import re

from replfix.core.by_hand import by_hand, skip
from replfix.core.evidence import Evidence
from replfix.core.remedy import LeadsTo, Loss, Remedy

ER_XAER_NOTA = 1397
ER_XAER_DUPID = 1440
_ENDS = re.compile(r"XA (?P<verb>COMMIT|ROLLBACK) (?P<xid>X'[0-9a-f]*',X'[0-9a-f]*',[0-9]+)(?: ONE PHASE)?\s*\Z", re.I)


def in_the_way(evidence: Evidence) -> bool:
    """The replica has prepared one of the same name. Were the source's left out, its XA COMMIT would commit the replica's."""
    return evidence.error.errno == ER_XAER_DUPID


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Nothing for any other error, and where the message does not name the transaction."""
    if in_the_way(evidence):  # MariaDB's message has no statement
        xid = evidence.transaction.xa_id if evidence.transaction is not None else ""
        return _rolled_back(evidence, xid) if xid else ()
    told = _ENDS.match(evidence.error.statement or "")
    if evidence.error.errno == ER_XAER_NOTA and told is not None:
        return _missing(evidence, told["verb"].upper(), told["xid"])
    return ()


def _rolled_back(evidence: Evidence, xid: str) -> tuple[Remedy, ...]:
    list_them = "XA RECOVER CONVERT XID" if evidence.status.product == "MySQL" else "XA RECOVER FORMAT = 'SQL'"
    return (
        Remedy(
            f"The replica holds a prepared XA transaction of the name {xid}, which the source's has too. It is in this list:",
            (list_them,),
            LeadsTo.NOTHING_CHANGED,
        ),
        Remedy(
            "Roll it back: what it wrote was never committed, and the source's brings its own rows. Do not leave the source's out: its "
            "XA COMMIT would commit the replica's rows in place of them.",
            by_hand(evidence, f"XA ROLLBACK {xid}"),
            LeadsTo.NEXT_TRANSACTION,
            loses=(Loss(None, "row", f"the XA transaction {xid} of the replica"),),
        ),
    )


def _missing(evidence: Evidence, verb: str, xid: str) -> tuple[Remedy, ...]:
    what = f"The replica holds no prepared XA transaction {xid}: somebody committed it or rolled it back there."
    if verb == "ROLLBACK":
        statements = skip(evidence)
        return (
            Remedy(
                f"{what} The source rolls its own back, so nothing is left to do once the replica has none of its rows: the transaction "
                "can be left out." + (" By hand:" if statements else ""),
                statements,
                LeadsTo.LEFT_OUT if statements else None,
            ),
        )
    return (
        Remedy(
            f"{what} Its rows are in the source's transaction that prepared it: look for XA START {xid} in the source's binlog, before "
            "the failing transaction. Where they are on the replica, this XA COMMIT has nothing left to do. Where they are not, write them "
            "there first, not logged. Then the XA COMMIT is left out: replfix prints no statements for that, because it does not know which of "
            "the two it is."
        ),
    )
