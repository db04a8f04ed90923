"""A prepared XA transaction of the replica that is in the way of the source's, or that is missing there."""

from __future__ import annotations

import re
from collections import Counter

from replfix.core import sql
from replfix.core.conflicts.net_rows import net_rows
from replfix.core.conflicts.reconcile import RowRepair
from replfix.core.incident.evidence import Evidence, Prepared
from replfix.core.plan.plan import SHOWN_ROWS
from replfix.core.plan.plan_steps import alone, steps_of
from replfix.core.remedies import drift
from replfix.core.remedies.by_hand import by_hand, rows_by_hand, skip
from replfix.core.remedies.remedy import LeadsTo, Loss, Remedy
from replfix.core.words import counted
from replfix.errors import Refused

ER_XAER_NOTA = 1397
ER_XAER_DUPID = 1440
_ENDS = re.compile(r"XA (?P<verb>COMMIT|ROLLBACK) (?P<xid>X'[0-9a-f]*',X'[0-9a-f]*',[0-9]+)(?: ONE PHASE)?\s*\Z", re.I)


def in_the_way(evidence: Evidence) -> bool:
    """Return the remedy where the replica has prepared an XA transaction of the same name.

    Were the source's left out, its XA COMMIT would commit the replica's.
    """
    return evidence.error.errno == ER_XAER_DUPID


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return the remedies; none for any other error, and where the message does not name the transaction."""
    if in_the_way(evidence):  # MariaDB's message has no statement
        xid = evidence.transaction.xa_id if evidence.transaction is not None else ""
        return _rolled_back(evidence, xid) if xid else ()
    told = _ENDS.match(evidence.error.statement or "")
    return _missing(evidence, told["verb"].upper(), xid) if told is not None and (xid := missing(evidence)) else ()


def _rolled_back(evidence: Evidence, xid: str) -> tuple[Remedy, ...]:
    list_them = "XA RECOVER CONVERT XID" if evidence.status.product == "MySQL" else "XA RECOVER FORMAT = 'SQL'"
    return (
        Remedy(
            f"The replica has a prepared XA transaction of the name {xid}, as the source's is. It is in this list:",
            (list_them,),
            LeadsTo.NOTHING_CHANGED,
        ),
        Remedy(
            "Roll it back: what it wrote was never committed, and the source's brings its own rows. Do not skip the source's: its XA COMMIT would commit the replica's rows in place of them.",
            by_hand(evidence, f"XA ROLLBACK {xid}"),
            LeadsTo.NEXT_TRANSACTION,
            loses=(Loss(None, "row", f"the XA transaction {xid} of the replica"),),
        ),
    )


def missing(evidence: Evidence) -> str:
    """Return the name of the XA transaction that the replica has not prepared, as logged; empty for any other error."""
    told = _ENDS.match(evidence.error.statement or "")
    return told["xid"] if told is not None and evidence.error.errno == ER_XAER_NOTA else ""


def _missing(evidence: Evidence, verb: str, xid: str) -> tuple[Remedy, ...]:
    commits = verb == "COMMIT"
    ended = f"The replica has no prepared XA transaction {xid}"
    prepared = evidence.prepared
    if prepared is None:
        return (
            Remedy(
                f"{ended}: somebody committed it or rolled it back there. Which rows it has is unknown: look for XA START {xid} in the "
                f"source's binlog, before the failing transaction. Bring them to what the source's {verb} makes of them, not logged; then "
                f"'replfix resolve --strategy skip' leaves out the XA {verb}."
            ),
        )
    if not prepared.transaction.changes:
        return (
            drift.nothing_left(evidence, f"{ended}. It was prepared by {prepared.transaction.id}, and has no rows."),
        )
    done, undone = _is_committed(prepared), _is_rolled_back(prepared)
    read = f"It was prepared by {prepared.transaction.id}."
    if not done and not undone:
        return (
            Remedy(
                f"{ended}. {read} The replica's rows are neither what they were before it nor what it makes of them: compare "
                f"{', '.join(map(str, prepared.tables))} with the source's. Correct the rows there, not logged; then 'replfix resolve "
                f"--strategy skip' leaves out the XA {verb}."
            ),
        )
    if done == commits:
        how = "committed" if done else "rolled back"
        return (drift.nothing_left(evidence, f"{ended}: it is {how} there already, as on the source. {read}"),)
    return (
        _carried_out(
            evidence, prepared, f"{ended}: it is {'committed' if done else 'rolled back'} there. {read}", verb
        ),
    )


def _is_committed(prepared: Prepared) -> bool:
    return bool(prepared.applied) and all(prepared.applied)


def _is_rolled_back(prepared: Prepared) -> bool:
    found = prepared.found
    return not _is_committed(prepared) and not (
        found.conflicts or found.repairs or found.unidentified or found.blockers
    )


def _carried_out(evidence: Evidence, prepared: Prepared, why: str, verb: str) -> Remedy:
    """Return the statements that bring the rows to the source's values, in place of the failing statement."""
    rows = net_rows(prepared.transaction.changes, prepared.tables, prepared.found.whole)
    if verb == "ROLLBACK":
        rows = tuple(RowRepair(row.table, row.target, row.current) for row in rows)
    by_name = "'replfix resolve --strategy skip'"
    try:
        steps = tuple(steps_of(rows, prepared.tables))
    except Refused as error:
        return Remedy(
            f"{why} Its rows cannot be written as statements: {error.message} {by_name} leaves out the XA {verb} after that."
        )
    many = f"{why} {counted(len(steps), 'row')} of {', '.join(map(str, prepared.tables))}"
    are = "is" if len(steps) == 1 else "are"
    each = [(prepared.tables[step.table], step.kind.value.upper()) for step in steps]
    unprinted = ""
    if len(steps) > SHOWN_ROWS:
        unprinted = f"more than {SHOWN_ROWS} rows are not printed"
    elif not all(step.sql for step in steps):
        unprinted = "they are logged in part (binlog_row_image is not FULL on the source)"
    elif not all(alone(*one) for one in each):
        unprinted = "as statements they would fire triggers, or reach tables that reference them"
    elif not skip(evidence):
        unprinted = "with several domains and parallel threads only replfix can leave the transaction out"
    if unprinted:
        return Remedy(
            f"{many} {are} to get the source's values, not logged: {unprinted}. Then {by_name} leaves out the XA {verb}."
        )
    below = (
        f" Replicas below this one ({', '.join(evidence.below)}) may have the prepared transaction: end it there too."
        if evidence.below
        else ""
    )
    lost = Counter(str(step.table) for step in steps if verb == "ROLLBACK" and step.current is not None)
    return Remedy(
        f"{many} {are} to get the source's values. This does it in place of the XA {verb}, in one transaction.{below}",
        _in_place_of_it(evidence, tuple(step.sql for step in steps)),
        LeadsTo.CARRIED_OUT,
        loses=tuple(Loss(number, "row", table) for table, number in lost.items()),
    )


def _in_place_of_it(evidence: Evidence, rows: tuple[str, ...]) -> tuple[str, ...]:
    """MySQL: under its GTID, logged, so that replicas below get it too. Else the skip counter passes over it."""
    gtid = evidence.error.gtid
    if gtid is None or evidence.status.product == "MariaDB":
        return (*rows_by_hand(evidence, "BEGIN", *rows, "COMMIT", start=""), *skip(evidence))
    begin, automatic = sql.set_gtid_next(gtid), sql.set_gtid_next("AUTOMATIC")
    # As by hand, but for the first statement, which keeps it from being logged.
    return rows_by_hand(evidence, begin, "BEGIN", *rows, "COMMIT", automatic)[1:]
