"""A row that the transaction changes is not there."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.plan.plan import SHOWN_ROWS
from replfix.core.plan.plan_steps import steps_of
from replfix.core.remedies import drift, partial_images
from replfix.core.remedies.by_hand import rows_by_hand
from replfix.core.remedies.no_applier import by_hand
from replfix.core.remedies.remedy import LeadsTo, Remedy

FAMILY = Family(
    page="missing-row",
    kind=Kind.ROW_CONFLICT,
    thread=Thread.APPLIER,
    errors={
        1032: "ER_KEY_NOT_FOUND",
    },
    means=(
        "The replica does not have the row that the transaction updates or deletes, or not as it was on the source."
    ),
    replfix="Puts the row back as the event says it was, then the replica applies the transaction itself.",
    human="Look for more of them: one missing row is rarely alone.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return what helps in tables where nothing can be rehearsed; other missing rows are for a strategy."""
    return (
        *_put_back(evidence),
        *partial_images.advise(evidence),
        *by_hand(evidence),
        *drift.columns_behind_rows(evidence),
    )


def _put_back(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return the rows of tables without transactions, as statements."""
    found = evidence.reconciliation
    if found is None or not found.repairs or found.blockers or len(found.repairs) > SHOWN_ROWS:
        return ()
    tables = [evidence.tables[name] for name in dict.fromkeys(repair.table for repair in found.repairs)]
    if any(table.transactional or table.triggers for table in tables) or any(
        repair.current for repair in found.repairs
    ):
        return ()
    steps = tuple(steps_of(found.repairs, evidence.tables))
    if not all(step.sql for step in steps):
        return ()
    names = ", ".join(str(table.name) for table in tables)
    emptied = [str(table.name) for table in tables if table.engine.upper() == "MEMORY"]
    why = f"A restart of the replica empties {', '.join(emptied)} (ENGINE=MEMORY). " if emptied else ""
    return (
        Remedy(
            f"{why}Rows that the transaction changes are missing in {names}, and nothing done to this kind of table can be rehearsed. "
            "This writes them as the event says they were. Others can be missing too: compare the table with the source's once "
            "replication runs.",
            rows_by_hand(evidence, *(step.sql for step in steps)),
            LeadsTo.NEXT_TRANSACTION,
        ),
    )
