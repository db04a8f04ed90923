"""The increment leaves fewer classes of numbers than there are writers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from replfix.core.advisor.spacing import settle_all
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import circles, shared_tables
from replfix.core.diagnosis.finding import Finding, Severity

CODE = "increment-too-small"


def examine(survey: Survey) -> Iterator[Finding]:
    for circle in circles(survey):
        small = [writer for writer in circle if writer.increment.now < len(circle)]
        if not small or not any(shared_tables(one, other) for one, other in combinations(circle, 2)):
            continue
        least = min(writer.increment.now for writer in small)
        yield Finding(
            CODE,
            Severity.CRITICAL,
            f"{len(circle)} servers accept writes, but auto_increment_increment = {least} allows for only {least}.",
            evidence=(
                f"It is {', '.join(f'{writer.increment.now} on {writer.name}' for writer in small)}.",
                f"Rows of these servers meet: {', '.join(writer.name for writer in circle)}.",
            ),
            fixes=settle_all(circle),
        )
