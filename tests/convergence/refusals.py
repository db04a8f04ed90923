"""Why ``resolve`` may leave a case to a human: reasons that the documentation names. Whatever else it says is a fault."""

from __future__ import annotations

import re

_REASONS = {
    "one like it": r"The replica has a row like it that the source did not have then",
    "child without a key": r"has no key that names its rows: a child too many cannot be taken out",
    "trigger": r"which a repair by statement would fire",
    "children": r"a foreign key constraint fails .*error 1451, on: (DELETE|UPDATE)",
    "orphan": r"The replica lacks that parent, and how the source had it then cannot be told",
    "cascade": r"could change rows of it, which would be in no binlog",
}

MOST = 0.35
"""The share of seeds that may end so. It only ever goes down."""


def reason_of(message: str) -> str | None:
    return next((name for name, pattern in _REASONS.items() if re.search(pattern, message)), None)
