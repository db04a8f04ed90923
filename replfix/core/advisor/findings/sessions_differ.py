"""Sessions work with other values than the global ones: set by the application, or connected before the change."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import circle_of, overlap, writers
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.remedy import Fix
from replfix.core.words import counted

CODE = "sessions-differ"


def examine(survey: Survey) -> Iterator[Finding]:
    for node in writers(survey):
        others = [other for other in circle_of(survey, node) if other is not node]
        different = [used for used in node.used_since_the_change if used.step != node.step]
        if not others or not different:
            continue
        clash = any(overlap(used.step, other.step) for used in different for other in others)
        yield Finding(
            CODE,
            Severity.CRITICAL if clash else Severity.WARNING,
            f"Sessions on {node.name} generate ids with other values than the server's own "
            f"{node.step} (auto_increment_increment/offset).",
            node=node.name,
            evidence=tuple(
                f"{counted(used.transactions, 'transaction')} worked with {used.step}, the last of them {used.last} at "
                f"{used.last_at:%Y-%m-%d %H:%M:%S} UTC."
                for used in different
            ),
            fixes=(
                Fix(
                    "the application sets the session's values, or its connections are older than the last change: reconnect"
                ),
            ),
        )
