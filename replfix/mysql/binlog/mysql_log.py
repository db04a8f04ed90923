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


class MysqlLog:
    """Implements ``LogDialect``."""

    def parse(self, gtid: str) -> GtidSet:
        found = GtidSet.parse(gtid)
        if len(found) != 1:
            raise ValueError(f"not one GTID: {gtid!r}")
        return found

    def one(self, session: Session, gtid: str) -> tuple[str, Request]:
        wanted = self.parse(gtid)
        executed, gone = _executed_and_purged(session)
        if not wanted <= executed:
            raise ReplicationError(
                f"{session.endpoint} has never executed {gtid}.",
                "Check that this is the server the transaction came from, and that its gtid_mode is ON.",
            )
        if wanted <= gone:
            raise purged(session, gtid)
        return str(wanted), _without(session, executed - wanted)

    def those(self, session: Session, gtids: GtidSet) -> tuple[GtidSet, Request]:
        executed, gone = _executed_and_purged(session)
        held = (gtids & executed) - gone
        return held, _without(session, executed - held)

    def position(self, session: Session, start: LogPosition) -> Request:
        _introduce(session)
        return from_position(start, NON_BLOCK)

    def charset_of(self, session: Session) -> Callable[[int], str]:
        return charsets(session, "SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATIONS")


def _executed_and_purged(session: Session) -> tuple[GtidSet, GtidSet]:
    row = session.query("SELECT @@global.gtid_executed AS executed, @@global.gtid_purged AS purged")[0]
    return GtidSet.parse(row["executed"]), GtidSet.parse(row["purged"])


def _without(session: Session, gtids: GtidSet) -> Request:
    """Request every event that is not in a transaction of the set."""
    _introduce(session)
    packed = encode(gtids)
    head = struct.pack("<HIIQI", NON_BLOCK | _THROUGH_GTID, server_id(), 0, 4, len(packed))
    return Request(_COM_BINLOG_DUMP_GTID, head + packed)


def _introduce(session: Session) -> None:
    """Set what a replica sets before it asks; servers before 8.0.26 know the old names only."""
    name = uuid.uuid4()  # one that another reader has would end that one
    # 'CRC32' means "able to check": every file is then sent as it was written, whatever the server's setting is now.
    session.query(
        "SET @source_binlog_checksum = 'CRC32', @master_binlog_checksum = 'CRC32',"
        " @source_heartbeat_period = %s, @master_heartbeat_period = %s, @replica_uuid = %s, @slave_uuid = %s",
        [str(HEARTBEAT_NANOSECONDS)] * 2 + [str(name)] * 2,
    )
