"""An offset above the increment: servers ignore it where a table is empty."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.finding import Finding, Severity
from replfix.core.advisor.spacing import settle_all
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import circle_of, writers

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
            f"{node.increment.now}: the server ignores it.",
            node=node.name,
            evidence=(
                f"auto_increment_increment/offset are {node.step}. In an empty table the first row gets 1 all the same, as on "
                "every server with such an offset.",
            ),
            fix_sql=settle_all(circle),
        )
