"""How MySQL is asked for its binary log."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable

from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.errors import ReplicationError
from replfix.mysql.binlog.dialect import charsets
from replfix.mysql.binlog.events.gtids import encode
from replfix.mysql.binlog.stream import HEARTBEAT_NANOSECONDS, NON_BLOCK, Request, from_position, purged, server_id
from replfix.mysql.connection.session import Session

_COM_BINLOG_DUMP_GTID = 0x1E
_THROUGH_GTID = 0x04


_CHARSETS = "SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATIONS"


class MysqlLog:
    """Implements ``LogDialect``."""

    charsets = (_CHARSETS,)

    def parse(self, gtid: str) -> GtidSet:
        found = GtidSet.parse(gtid)
        if len(found) != 1:
            raise ValueError(f"not one GTID: {gtid!r}")
        return found

    def one(self, session: Session, gtid: str) -> tuple[str, Request]:
        wanted = self.parse(gtid)
        executed, gone = _introduce(session)
        if not wanted <= executed:
            raise ReplicationError(
                f"{session.endpoint} has never executed {gtid}.",
                "Check that this is the server the transaction came from, and that its gtid_mode is ON.",
            )
        if wanted <= gone:
            raise purged(session, gtid)
        return str(wanted), _without(executed - wanted)

    def those(self, session: Session, gtids: GtidSet) -> tuple[GtidSet, Request]:
        executed, gone = _introduce(session)
        held = (gtids & executed) - gone
        return held, _without(executed - held)

    def position(self, session: Session, start: LogPosition) -> Request:
        _introduce(session)
        return from_position(start, NON_BLOCK)

    def charset_of(self, session: Session) -> Callable[[int], str]:
        return charsets(session, _CHARSETS)


_SETS = "SELECT @@global.gtid_executed AS executed, @@global.gtid_purged AS purged"


def _without(gtids: GtidSet) -> Request:
    """Request every event that is not in a transaction of the set."""
    packed = encode(gtids)
    head = struct.pack("<HIIQI", NON_BLOCK | _THROUGH_GTID, server_id(), 0, 4, len(packed))
    return Request(_COM_BINLOG_DUMP_GTID, head + packed)


def _introduce(session: Session) -> tuple[GtidSet, GtidSet]:
    """Set what a replica sets before it asks; servers before 8.0.26 know the old names only.

    Return what the server has executed, and what it has purged.
    """
    name = uuid.uuid4()  # one that another reader has would end that one
    # 'CRC32' means "able to check": every file is then sent as it was written, whatever the server's setting is now.
    said = session.written(
        "SET @source_binlog_checksum = 'CRC32', @master_binlog_checksum = 'CRC32',"
        " @source_heartbeat_period = %s, @master_heartbeat_period = %s, @replica_uuid = %s, @slave_uuid = %s",
        [str(HEARTBEAT_NANOSECONDS)] * 2 + [str(name)] * 2,
    )
    with session.at_once(said, _SETS):
        session.query(said)
        row = session.query(_SETS)[0]
    return GtidSet.parse(row["executed"]), GtidSet.parse(row["purged"])
