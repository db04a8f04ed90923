"""Unique keys that one server of a pair has and the other has not."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.node import KeyTable, Node
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import neighbours
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.remedy import Fix
from replfix.core.schema.table import KeyPart, UniqueKey

CODE = "keys-differ"


def examine(survey: Survey) -> Iterator[Finding]:
    for one, other in neighbours(survey):
        for name, table in sorted(one.tables.items()):
            if name not in other.tables:
                continue
            differences = (*_only(one, table, other.tables[name]), *_only(other, other.tables[name], table))
            if differences:
                yield Finding(
                    CODE,
                    Severity.WARNING,
                    f"{name} has other unique keys on {one.name} than on {other.name}: what one accepts, the other may reject.",
                    table=name,
                    evidence=differences,
                    fixes=(Fix("make the keys equal; compare: SHOW CREATE TABLE on both"),),
                )


def _only(node: Node, table: KeyTable, other: KeyTable) -> tuple[str, ...]:
    theirs = {_parts(key) for key in other.unique_keys}
    return tuple(
        f"Only {node.name} has the unique key {key.name} ({', '.join(map(_shown, key.parts))})."
        for key in table.unique_keys
        if _parts(key) not in theirs
    )


def _parts(key: UniqueKey) -> tuple[tuple[str, int | None], ...]:
    return tuple(((part.column or part.expression or "").lower(), part.prefix) for part in key.parts)


def _shown(part: KeyPart) -> str:
    return (part.column or f"({part.expression})") + (f"({part.prefix})" if part.prefix else "")
