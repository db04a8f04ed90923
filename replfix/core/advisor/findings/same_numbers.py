"""Two writers hand out the same numbers: their increments and offsets do not keep them apart."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.spacing import settle_all
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import circle_of, meeting, overlap, shared_tables
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.words import counted

CODE = "same-numbers"


def examine(survey: Survey) -> Iterator[Finding]:
    for one, other in meeting(survey):
        tables = shared_tables(one, other)
        if not tables or not overlap(one.step, other.step):
            continue
        yield Finding(
            CODE,
            Severity.CRITICAL,
            f"{one.name} and {other.name} both accept writes, and both generate the same AUTO_INCREMENT values.",
            evidence=(
                f"auto_increment_increment/offset are {one.step} on {one.name} and {other.step} on {other.name}.",
                f"{counted(len(tables), 'table')} with an AUTO_INCREMENT column on both: "
                f"{', '.join(map(str, tables[:3]))}{' …' if len(tables) > 3 else ''}.",
            ),
            fixes=settle_all(circle_of(survey, one)),
        )
