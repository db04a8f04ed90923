"""What steps do to the rows of a server, in one sentence: how many rows, of which tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from replfix.core.plan.plan import Step, StepKind
from replfix.core.words import counted

TABLES_SHOWN = 3
_VERBS = {StepKind.DELETE: "deletes", StepKind.UPDATE: "changes", StepKind.INSERT: "inserts"}


def effect_of(steps: Sequence[Step], server: str) -> str:
    """Return ``Deletes 1 row and changes 2 rows on the replica (shop.orders).``; empty for no steps."""
    if not steps:
        return ""
    numbers = Counter(step.kind for step in steps)
    done = [f"{verb} {counted(numbers[kind], 'row')}" for kind, verb in _VERBS.items() if numbers[kind]]
    said = " and ".join(filter(None, (", ".join(done[:-1]), done[-1])))
    tables = list(dict.fromkeys(str(step.table) for step in steps))
    more = len(tables) - TABLES_SHOWN
    named = ", ".join(tables[:TABLES_SHOWN]) + (f" and {counted(more, 'more table')}" if more > 0 else "")
    return f"{said[0].upper()}{said[1:]} on the {server} ({named})."


def displaced_risk(steps: Sequence[Step]) -> str:
    """Return the risk for the rows that are deleted or changed on the replica; empty for none."""
    displaced = [step for step in steps if step.current is not None]
    copies = "A full copy is" if len(displaced) == 1 else "Full copies are"
    return f"{effect_of(displaced, 'replica')} {copies} saved in the audit trail first." if displaced else ""
