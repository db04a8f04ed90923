"""A unique key of only the replica that excludes rows of the source: no plan helps, another definition does."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core import sql
from replfix.core.conflicts.apart_by_key import KeptApart
from replfix.core.incident.evidence import Evidence
from replfix.core.remedies.by_hand import by_hand
from replfix.core.remedies.remedy import LeadsTo, Remedy


def refusal(evidence: Evidence) -> str:
    """Return why the transaction cannot be applied with the source's rows; empty where no such key is known."""
    return next((f"{_told(pair)} 'replfix diagnose' prints what can be done." for pair in evidence.kept_apart), "")


def _told(pair: KeptApart) -> str:
    return (
        f"Two rows of {pair.table.name} that the source has, or had then ({pair.one} and {pair.other}), have one value ({pair.value}) in the "
        f"unique key {pair.key.name}, which only the replica has: it cannot have both."
    )


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return the ALTER TABLEs that make such keys not unique."""
    return tuple(remedy for pair in evidence.kept_apart for remedy in _not_unique(evidence, pair))


def _not_unique(evidence: Evidence, pair: KeptApart) -> Iterator[Remedy]:
    table, key = pair.table, pair.key
    if key.is_primary or any(part.prefix for part in key.parts):
        yield Remedy(
            f"{_told(pair)} Give the table the source's keys on the replica, in a session with SET sql_log_bin = 0."
        )
        return
    statement = sql.not_unique(table.name, key.name, key.columns)
    text = f"{_told(pair)} Make it not unique: then the replica accepts both as the source has them"
    if _stopped_on(evidence, pair):
        yield Remedy(f"{text}.", by_hand(evidence, statement), LeadsTo.NEXT_ROW)
        return
    yield Remedy(f"{text}. The channel stays stopped.", by_hand(evidence, statement, start=""), LeadsTo.NEXT_STEP)
    yield Remedy("Then run 'replfix resolve' for the row that the replica has stopped on.")


def _stopped_on(evidence: Evidence, pair: KeptApart) -> bool:
    """Return whether no other key blocks."""
    assert evidence.reconciliation is not None
    return all(conflict.keys == (pair.key.name,) for conflict in evidence.reconciliation.conflicts)
