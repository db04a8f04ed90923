"""A replica that is read-only now, and has written what its source does not have."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import strays
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.errant_transactions import SEE_ERRANT
from replfix.core.remedies.remedy import Fix
from replfix.core.words import counted

CODE = "stray-write"


def examine(survey: Survey) -> Iterator[Finding]:
    for node in survey.nodes:
        found = strays(survey, node) if node.read_only else None
        if not found:
            continue
        number = counted(len(found), "transaction") if found.counts else "transactions"
        last = node.log.last_at if node.log is not None else None
        yield Finding(
            CODE,
            Severity.WARNING,
            f"{node.name} is read-only now, and has {number} of its own that its source does not have. It does not count as a writer.",
            node=node.name,
            evidence=(
                f"Only {node.name} has {found}.",
                *(
                    [f"The newest change of its own in its binary log is of {last:%Y-%m-%d %H:%M:%S} UTC."]
                    if last
                    else []
                ),
            ),
            fixes=(Fix(SEE_ERRANT.rstrip(".")),),
        )
