"""Applications write ids of their own, which offsets cannot keep apart."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import circle_of, writers
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.remedy import Fix
from replfix.core.words import counted

CODE = "explicit-ids"


def examine(survey: Survey) -> Iterator[Finding]:
    """Yield ids that a statement gave, as the log shows them.

    Those logged as statements beside rows, or that no counter gives with the values that their own transaction worked
    with. Of others, those that fit by chance are not seen: with an increment of n, one in n.
    """
    for node in writers(survey):
        if node.log is None or len(circle_of(survey, node)) < 2:
            continue
        for name, inserts in sorted(node.log.inserts.items()):
            if not inserts.outside:
                continue
            counter = node.tables[name].counter if name in node.tables else None
            column = counter.column.name if counter is not None else "id"
            yield Finding(
                CODE,
                Severity.WARNING,
                f"Rows of {name} are inserted on {node.name} with ids that its counter did not generate.",
                node=node.name,
                table=name,
                evidence=(
                    f"{counted(inserts.outside, 'row')} of {inserts.rows:,} in its binary log, such as {column} "
                    f"{', '.join(map(str, inserts.examples))}: their statement gives them, or their session's auto_increment_offset does not.",
                ),
                fixes=(Fix(f"leave {column} out of the INSERT, or give it NULL, so that {node.name} numbers the row"),),
            )
