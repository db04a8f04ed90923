"""An offset above the increment: below it, servers give numbers of other classes."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.spacing import settle_all
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import circle_of, writers
from replfix.core.diagnosis.finding import Finding, Severity

CODE = "offset-above-increment"


def examine(survey: Survey) -> Iterator[Finding]:
    for node in writers(survey):
        circle = circle_of(survey, node)
        if not node.step.ignores_offset or len(circle) < 2:
            continue
        yield Finding(
            CODE,
            Severity.CRITICAL,
            f"auto_increment_offset of {node.name} is {node.offset.now}, above its auto_increment_increment of "
            f"{node.increment.now}: a table with few rows gets numbers that other servers generate.",
            node=node.name,
            evidence=(
                f"auto_increment_increment/offset are {node.step}: from {node.offset.now} on the numbers leave "
                f"{node.step.residue} when they are divided by {node.increment.now}, below it they can leave anything.",
            ),
            fixes=settle_all(circle),
        )
