"""A column of a unique key compares in another way on another server."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import neighbours
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.remedy import Fix

CODE = "collations-differ"


def examine(survey: Survey) -> Iterator[Finding]:
    for one, other in neighbours(survey):
        for name, table in sorted(one.tables.items()):
            if name not in other.tables:
                continue
            theirs = other.tables[name].columns
            differences = tuple(
                f"{column.name} has {column.collation} on {one.name} and {theirs[column.name].collation} on {other.name}."
                for column in table.columns.values()
                if column.name in theirs and column.collation != theirs[column.name].collation
            )
            if differences:
                yield Finding(
                    CODE,
                    Severity.WARNING,
                    f"Unique keys of {name} compare in another way on {one.name} than on {other.name}: values that differ "
                    "on one can be equal on the other.",
                    table=name,
                    evidence=differences,
                    fixes=(Fix("give the columns the same collation; compare: SHOW CREATE TABLE on both"),),
                )
