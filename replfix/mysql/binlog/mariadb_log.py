"""How MariaDB is asked for its binary log.

The reader sends, for each domain, the last transaction that it has, and gets what follows. A number that its origin
never used will do: the server continues after it (10.11 and 11.8, without strict mode).
"""

from __future__ import annotations

from collections.abc import Callable

from replfix.core.replication.gtid import GtidSet, Origin
from replfix.core.replication.mariadb_gtid import MariadbGtidSet, split
from replfix.core.replication.transaction_id import LogPosition
from replfix.errors import ReplicationError
from replfix.mysql.binlog.dialect import charsets
from replfix.mysql.binlog.events.checked_events import events
from replfix.mysql.binlog.events.openings import OPENINGS
from replfix.mysql.binlog.stream import HEARTBEAT_NANOSECONDS, NON_BLOCK, Request, from_position, raw_events
from replfix.mysql.connection import terms
from replfix.mysql.connection.session import Session

_WITH_ANNOTATIONS = 0x02  # BINLOG_SEND_ANNOTATE_ROWS_EVENT: the texts of the statements, where they are logged
_FLAGS = NON_BLOCK | _WITH_ANNOTATIONS
_KNOWS_GTIDS = 4  # the capability: events are sent as they are, not rewritten for older readers
_ANYWHERE = LogPosition("", 0)  # the server begins where the GTIDs say
_CHARSETS = (
    "SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
)
_CHARSETS_BEFORE = "SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATIONS"
_HAS_NUMBERS = """
SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'information_schema'
AND TABLE_NAME = 'COLLATION_CHARACTER_SET_APPLICABILITY' AND COLUMN_NAME = 'ID'"""


_STATE = "SELECT @@global.gtid_binlog_state"
_POSITION = "SELECT @@global.gtid_binlog_pos"


class MariadbLog:
    """Implements ``LogDialect``."""

    charsets = (_HAS_NUMBERS, _CHARSETS)

    def parse(self, gtid: str) -> GtidSet:
        origin, number = split(gtid)
        return MariadbGtidSet(((origin, ((number, number),)),))

    def one(self, session: Session, gtid: str) -> tuple[str, Request]:
        origin, number = split(gtid)
        with session.at_once(_STATE, _POSITION):
            return self._one(session, gtid, origin, number)

    def _one(self, session: Session, gtid: str, origin: Origin, number: int) -> tuple[str, Request]:
        if gtid not in _logged(session):
            raise ReplicationError(
                f"{session.endpoint} has never logged {gtid}.",
                "Check that this is the server the transaction came from; by default a replica does not "
                "log what it applies.",
            )
        return f"{origin[0]}-{origin[1]}-{number}", _behind(session, origin, number - 1)

    def those(self, session: Session, gtids: GtidSet) -> tuple[GtidSet, Request]:
        with session.at_once(_STATE, _POSITION):
            held = gtids & _logged(session)
            if len(held.intervals) == 1:
                ((origin, intervals),) = held.intervals
                return held, _behind(session, origin, intervals[0][0] - 1)
        # The order of two origins in a domain is not in their numbers alone: the first of each is looked for in the log.
        found = [_first(session, origin, intervals[0][0]) for origin, intervals in held.intervals]
        starts = [start for start in found if start is not None]
        return (held, self.position(session, min(starts))) if starts else (GtidSet(), from_position(_ANYWHERE, _FLAGS))

    def position(self, session: Session, start: LogPosition) -> Request:
        _introduce(session)
        return from_position(start, _FLAGS)

    def behind(self, session: Session, position: str) -> Request:
        """Return what follows a position, as a receiver asks for it."""
        behind = session.written(terms.READ_BEHIND, [position])
        with session.at_once(_introduction(session), behind):
            _introduce(session)
            session.query(behind)
        return from_position(_ANYWHERE, _FLAGS)

    def charset_of(self, session: Session) -> Callable[[int], str]:
        # Since 10.10 there are collations for several character sets, and COLLATIONS has no number for these; before it the
        # other table has no numbers at all (10.5.23).
        return charsets(session, _CHARSETS if session.scalar(_HAS_NUMBERS) else _CHARSETS_BEFORE)


def _logged(session: Session) -> MariadbGtidSet:
    return MariadbGtidSet.parse(str(session.scalar(_STATE)))


def _behind(session: Session, origin: Origin, number: int) -> Request:
    """Request what follows that transaction in its domain, and nothing that is in the log now of other domains."""
    now = str(session.scalar(_POSITION))
    others = [gtid for gtid in now.split(",") if gtid and split(gtid)[0][0] != origin[0]]
    return MariadbLog().behind(session, ",".join([*others, f"{origin[0]}-{origin[1]}-{number}"]))


def _first(session: Session, origin: Origin, number: int) -> LogPosition | None:
    """Return where the first transaction of that origin with that number or a later one begins."""
    with Session(session.endpoint) as asking:
        for event in events(raw_events(asking, _behind(asking, origin, number - 1))):
            if event.type in OPENINGS and event.server_id == int(origin[1]):
                return LogPosition(event.log_file, event.start_pos)
    return None


def _introduce(session: Session) -> None:
    session.query(_introduction(session))


def _introduction(session: Session) -> str:
    return session.written(terms.INTRODUCE_READER, [str(_KNOWS_GTIDS), str(HEARTBEAT_NANOSECONDS)])
