"""Where a transaction begins, found by the end of one of its events: without GTIDs an applier's error says no more."""

from __future__ import annotations

from collections.abc import Iterable

from replfix.core.replication.transaction_id import LogPosition
from replfix.mysql.binlog.events.checked_events import POSITIONS, Event
from replfix.mysql.binlog.events.openings import OPENINGS


def start_of(events: Iterable[Event], end_log_pos: int, log_file: str) -> LogPosition | None:
    """Return the start of the transaction in which an event ends at a position; None when none does.

    In ``log_file`` only, or where that is empty in any file: the first one counts then.
    """
    start: LogPosition | None = None
    for event in events:
        if log_file and event.log_file != log_file:
            return None
        if event.type in OPENINGS:
            start = LogPosition(event.log_file, event.start_pos)
        if event.end_pos == end_log_pos % POSITIONS and start is not None and start.log_file == event.log_file:
            return start
    return None
