"""Tables without a primary key: their rows have no name that two servers agree on."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.survey import Survey
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.remedy import Fix

CODE = "no-primary-key"


def examine(survey: Survey) -> Iterator[Finding]:
    names = sorted({name for node in survey.nodes for name, table in node.tables.items() if not table.has_primary_key})
    for name in names:
        on = [n.name for n in survey.nodes if name in n.tables and not n.tables[name].has_primary_key]
        yield Finding(
            CODE,
            Severity.WARNING,
            f"{name} has no primary key: replicas find its rows by reading all of it, and nothing "
            "distinguishes equal rows.",
            table=name,
            evidence=(f"So on {', '.join(on)}.",),
            fixes=(Fix("give it a primary key, on each server in the same way"),),
        )
