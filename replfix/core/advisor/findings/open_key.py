"""A unique key that AUTO_INCREMENT does not protect: two writers can still choose the same value."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.key_kinds import is_random
from replfix.core.advisor.node import Node
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import meeting
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.remedy import Fix
from replfix.core.schema.table import TableName

CODE = "open-key"

WHAT_HELPS = Fix(
    "what helps: let one server write this table; make the value a UUID (UUIDv7 keeps the order of inserts); or begin it "
    "with a prefix for each site"
)


def examine(survey: Survey) -> Iterator[Finding]:
    seen: set[tuple[TableName, str]] = set()
    for one, other in meeting(survey):
        for name, table in sorted(one.tables.items()):
            if name not in other.tables:
                continue
            both = all(_inserts(node, name) for node in (one, other))
            for key in table.unprotected:
                if (name, key.name) in seen or is_random(table, key):
                    continue
                seen.add((name, key.name))
                columns = ", ".join(key.columns)
                yield Finding(
                    CODE,
                    Severity.WARNING if both else Severity.INFO,
                    f"The key {key.name} ({columns}) of {name} is open to conflicts: no offset separates what {one.name} and {other.name} write there.",
                    table=name,
                    evidence=(
                        f"Both inserted rows into it lately: {one.name} {_inserts(one, name)}, {other.name} "
                        f"{_inserts(other, name)}."
                        if both
                        else "In the binary logs, not both of them inserted rows into it.",
                    ),
                    fixes=(WHAT_HELPS,),
                )


def _inserts(node: Node, name: TableName) -> int:
    return node.log.inserts[name].rows if node.log is not None and name in node.log.inserts else 0
