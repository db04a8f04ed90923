"""The tables of the trail, and the triggers that make them append-only inside the database too.

``audit_head`` holds where the trail ends: a chain alone does not show that records were cut off at its end.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Connection, Index, Integer, MetaData, Table, Text

APPLICATION_ID = 0x72706C66  # "rplf", in the header of the SQLite file
USER_VERSION = 1

metadata = MetaData()

audit_record = Table(
    "audit_record",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("recorded_at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("incident", Text, nullable=False),
    Column("replica", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("audit_record_hash", "hash", unique=True),
    Index("audit_record_incident", "incident", "seq"),
    Index("audit_record_replica", "replica", "kind", "seq"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", Text, nullable=False),
)

# INSERT OR REPLACE deletes without firing a delete trigger, hence the one on INSERT: it fires before the replacement.
_TRIGGERS = (
    """CREATE TRIGGER audit_record_no_update BEFORE UPDATE ON audit_record
       BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    """CREATE TRIGGER audit_record_no_delete BEFORE DELETE ON audit_record
       BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    """CREATE TRIGGER audit_record_in_order BEFORE INSERT ON audit_record
       WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit_record)
       BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    """CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head
       BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    """CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head
       WHEN NEW.seq IS NOT OLD.seq + 1
       BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
)


def create(connection: Connection) -> None:
    """Create everything, in the caller's transaction."""
    metadata.create_all(connection, checkfirst=False)
    for trigger in _TRIGGERS:
        connection.exec_driver_sql(trigger)
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {USER_VERSION}")
