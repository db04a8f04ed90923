"""Why ``resolve`` may leave a case to a human: reasons that the documentation names. Whatever else it says is a fault."""

from __future__ import annotations

import re

_REASONS = {
    "one like it": r"The replica has a row like it that the source did not have then",
    "child without a key": r"has no key that names its rows: those that reference a row that goes cannot be taken out of it",
    "row image": r"the event (did not log|that changes it next does not have) all of its columns|or the source does not log every column",
    "differences only": r"it holds differences only \(binlog_row_value_options\), and not the document before them",
    # Where no transaction can be committed in the applier's place: MySQL without GTIDs.
    "no applier": r"No applier can take the transaction: .+ only on MySQL, where the transaction has a GTID",
    "trigger": r"which a repair by statement would fire",
    # The source itself holds a row without a parent: MySQL 9.7.4 lets one in that references its own table by several columns.
    # Several servers: what to do in its place is said there.
    "as it is there": r"is just as the source had it then",
    "exchange": r"to apply the transaction here would ",
    # MariaDB with a domain for each server: several transactions fail at once, and the message names none.
    "not the one": r"it is not the transaction that the replica stopped on",
    "orphan": r"The replica lacks that parent, and its state on the source at that time is unknown",
}

MOST = 0.25
"""The share of seeds that may end so. It only ever goes down."""


def reason_of(message: str) -> str | None:
    return next((name for name, pattern in _REASONS.items() if re.search(pattern, message)), None)
