"""What a human can do about an error: what its family says once the evidence is there."""

from __future__ import annotations

from replfix.core import drift, known_errors, prepared_xa
from replfix.core.discover import modules_of
from replfix.core.evidence import Evidence
from replfix.core.known_error import Thread
from replfix.core.remedy import Remedy
from replfix.core.rows_in_the_way import beside_statements


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Nothing for a row conflict that a strategy answers."""
    if known := beside_statements(evidence) or prepared_xa.advise(evidence):
        return known
    family = evidence.family
    if family is None:
        return (*drift.the_statement(evidence), Remedy(_unknown(evidence)))
    for module in modules_of(known_errors):
        if module.FAMILY is family and hasattr(module, "advise"):
            found: tuple[Remedy, ...] = module.advise(evidence)
            return found
    return (Remedy(family.human),)


def _unknown(evidence: Evidence) -> str:
    """For a number that no family has."""
    none = f"replfix has no guidance for error {evidence.error.errno}. Read the server's message above."
    if evidence.thread is Thread.RECEIVER:
        return f"{none} The receiver says it of its connection to the source: look at the error logs of both servers at that time."
    return (
        f"{none} The source ran this transaction and the replica does not: mostly an object, an account, a setting or a version is not the "
        "same. Compare on both servers what the message names, make the replica's equal in a session with SET sql_log_bin = 0, then START "
        "REPLICA. 'replfix resolve --strategy skip --dry-run' shows what leaving the transaction out would lose."
    )
