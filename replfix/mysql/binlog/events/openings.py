"""The events that begin a transaction."""

from __future__ import annotations

from collections.abc import Callable

from replfix.mysql.binlog.events import gtids, mariadb_events
from replfix.mysql.binlog.events.checked_events import Event, EventType
from replfix.mysql.binlog.events.gtids import Opening

OPENINGS: dict[EventType, Callable[[Event], Opening]] = {
    EventType.GTID: gtids.plain,
    EventType.GTID_TAGGED: gtids.tagged,
    EventType.ANONYMOUS_GTID: gtids.plain,
    EventType.MARIADB_GTID: mariadb_events.opening,
}


def opening(event: Event) -> Opening:
    """Read an event of ``OPENINGS``; :class:`~replfix.errors.Unreadable` when it is damaged."""
    return OPENINGS[EventType(event.type)](event)
