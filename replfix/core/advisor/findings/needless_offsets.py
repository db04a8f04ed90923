"""A single writer that leaves numbers out for nobody."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.node import IncrementSetting
from replfix.core.advisor.spacing import settle
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import circle_of, writers
from replfix.core.diagnosis.finding import Finding, Severity

CODE = "needless-offsets"


def examine(survey: Survey) -> Iterator[Finding]:
    read = {node.uuid for node in survey.nodes}
    if any(edge.source not in read for edge in survey.edges):
        return  # another writer may be there
    for node in writers(survey):
        if node.increment.now == 1 or len(circle_of(survey, node)) > 1 or node.group_increment is not None:
            continue
        yield Finding(
            CODE,
            Severity.INFO,
            f"{node.name} is the only writer, and uses one id in {node.increment.now}.",
            node=node.name,
            evidence=(f"auto_increment_increment/offset are {node.step}.",),
            fixes=settle(node, IncrementSetting(1, 1)),
        )
