"""An upsert found its row by one key, and collides in another one."""

from __future__ import annotations

import re

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.duplicate import Kind, Product
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "upsert-second-key"

_MYSQL = re.compile(r"\bon\s+duplicate\s+key\s+update\b", re.IGNORECASE)
_POSTGRESQL = re.compile(
    r"\bon\s+conflict\b(?:\s*\((?P<target>[^()]{1,400})\))?.{0,200}?\bdo\s+(?:update|nothing)\b",
    re.IGNORECASE | re.DOTALL,
)


def examine(case: Case) -> Cause | None:
    duplicate = case.duplicate
    statement = duplicate.statement or ""
    if duplicate.kind is not Kind.DUPLICATE:
        return None
    if duplicate.dialect is Product.MYSQL and _MYSQL.search(statement):
        evidence: tuple[str, ...] = (
            "The statement has ON DUPLICATE KEY UPDATE, which answers the first unique key that has the new row's value: another row was found by that.",
            f"The UPDATE of that row then collides in {duplicate.key or 'another key'}, with a third row.",
        )
        advice = (
            "The new row has the values of two different rows, one in each key. Decide which of the two is meant: an upsert by the other one "
            "would overwrite a stranger's row. Look both up before writing, or leave the second column out of the UPDATE part."
        )
    elif duplicate.dialect is Product.POSTGRESQL and (conflict := _POSTGRESQL.search(statement)):
        arbiter = f"ON CONFLICT ({conflict['target'].strip()})" if conflict["target"] else "ON CONFLICT"
        evidence = (f"The statement has {arbiter}, which answers that key only; the collision is in {duplicate.key}.",)
        advice = "ON CONFLICT takes one key. Decide what a collision in the other one means: DO NOTHING without columns answers every key, and leaves the row out."
    else:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "The upsert collides in another unique key than the one it found its row by.",
        evidence,
        (Fix(advice),),
    )
