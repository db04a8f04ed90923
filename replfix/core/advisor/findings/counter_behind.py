"""The only writer's counter is below existing rows: it generates numbers that are taken."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core import sql
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import circle_of, writers
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.remedy import Fix
from replfix.core.words import counted

CODE = "counter-behind"


def examine(survey: Survey) -> Iterator[Finding]:
    for taken in survey.taken:
        node, other = survey.node(taken.node), survey.node(taken.other)
        if len(circle_of(survey, node)) > 1:
            continue
        yield Finding(
            CODE,
            Severity.CRITICAL,
            f"The counter of {taken.table} on {node.name} is below rows that {other.name} has: its next inserts stop the "
            "replica.",
            node=node.name,
            table=taken.table,
            evidence=(
                f"The counter is at {taken.next_value}. {other.name} has {counted(taken.rows, 'row')} from {taken.lowest} to "
                f"{taken.highest} that it will still generate.",
            ),
            fixes=(Fix(sql=(sql.advance_counter(taken.table, taken.highest + 1),), where=node.name),),
        )
    for node in writers(survey):
        for name, table in sorted(node.tables.items()):
            counter = table.counter
            if counter is None or counter.next_value is None or counter.highest is None:
                continue
            if counter.next_value > counter.highest or counter.highest == counter.limit:
                continue  # at its very end: that is a matter of head room
            yield Finding(
                CODE,
                Severity.CRITICAL,
                f"The counter of {name} on {node.name} is below its own rows: the next inserts fail there.",
                node=node.name,
                table=name,
                evidence=(f"The counter is at {counter.next_value}, MAX({counter.column.name}) is {counter.highest}.",),
                fixes=(Fix(sql=(sql.advance_counter(name, counter.highest + 1),), where=node.name),),
            )
