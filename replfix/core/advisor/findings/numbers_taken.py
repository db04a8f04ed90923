"""One of several writers is about to hand out numbers that rows of another server have already."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core import sql
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import circle_of
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.remedy import Fix
from replfix.core.words import counted

CODE = "numbers-taken"


def examine(survey: Survey) -> Iterator[Finding]:
    for taken in survey.taken:
        node, other = survey.node(taken.node), survey.node(taken.other)
        if len(circle_of(survey, node)) < 2:
            continue
        yield Finding(
            CODE,
            Severity.CRITICAL,
            f"The counter of {taken.table} on {node.name} will collide with rows of {other.name}: their ids are of the class that {node.name} generates.",
            node=node.name,
            table=taken.table,
            evidence=(
                f"{node.name} generates ids with {node.step} (auto_increment_increment/offset), and its counter is at "
                f"{taken.next_value}.",
                f"{other.name} has {counted(taken.rows, 'row')} of that class ahead of it, from {taken.lowest} to "
                f"{taken.highest}, that {node.name} does not take into account.",
            ),
            fixes=(Fix(sql=(sql.advance_counter(taken.table, taken.highest + 1),), where=node.name),),
        )
