"""MySQL: the key is one of a temporary table that the server made for GROUP BY or DISTINCT."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.explanation import Case
from replfix.core.explain.text_facts import index_of
from replfix.core.remedies.remedy import Fix

CODE = "internal-table"
INTERNAL = frozenset({"<group_key>", "group_key", "<auto_key>", "distinct_key", "<auto_distinct_key>"})


def examine(case: Case) -> Cause | None:
    index = index_of(case.duplicate).lower()
    if index not in INTERNAL and not index.startswith("<auto_key"):
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "The key is of a temporary table that the server made for a GROUP BY or DISTINCT: no table of yours has it, and no row collides.",
        (f"{case.duplicate.key} is a name that only the server gives.",),
        (
            Fix(
                "The query is at fault, not the data: a GROUP BY over an expression whose value changes (RAND(), a user variable, a ROLLUP), a full temporary directory, or a defect of that version."
            ),
            Fix(
                "Group by plain columns, or update the server; look for the version in the list of fixed bugs with this key's name."
            ),
        ),
    )
