"""The tables of the trail, the same in every database.

``audit_head`` has the end of the trail: a chain alone does not show that records were cut off at its end.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Connection, Index, Integer, MetaData, Table, Text, insert
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR
from sqlalchemy.types import TypeEngine

from replfix.core.trail.audit_record import START

metadata = MetaData()


def text(length: int) -> TypeEngine[str]:
    """Return a text type that every database can index, compared byte by byte."""
    # MySQL has no index on a text of any length; compared byte by byte there, as in the others.
    return Text().with_variant(VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")


_BODY: TypeEngine[str] = Text().with_variant(LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
# SQLite numbers rows by a column that is called INTEGER and nothing else.
number = BigInteger().with_variant(Integer(), "sqlite")

audit_record = Table(
    "audit_record",
    metadata,
    Column("seq", number, primary_key=True, autoincrement=False),
    Column("recorded_at", text(40), nullable=False),
    Column("kind", text(40), nullable=False),
    Column("incident", text(64), nullable=False),
    Column("replica", text(255), nullable=False),
    Column("channel", text(255), nullable=False),
    Column("author", text(255), nullable=False),
    Column("version", text(64), nullable=False),
    Column("payload", _BODY, nullable=False),
    Column("previous_hash", text(64), nullable=False),
    Column("hash", text(64), nullable=False),
    Index("audit_record_hash", "hash", unique=True),
    Index("audit_record_incident", "incident", "seq"),
    Index("audit_record_replica", "replica", "kind", "seq"),
    mysql_engine="InnoDB",
    mariadb_engine="InnoDB",
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("seq", number, nullable=False),
    Column("hash", text(64), nullable=False),
    mysql_engine="InnoDB",
    mariadb_engine="InnoDB",
)

# The last record that was pruned: what the first one that is left is chained to.
audit_start = Table(
    "audit_start",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("seq", number, nullable=False),
    Column("hash", text(64), nullable=False),
    mysql_engine="InnoDB",
    mariadb_engine="InnoDB",
)


# Beside the records: trails of before have no such table, and a record without a row here is not signed.
signatures = MetaData()
audit_signature = Table(
    "audit_signature",
    signatures,
    Column("seq", number, primary_key=True, autoincrement=False),
    Column("key_id", text(64), nullable=False),
    Column("signature", text(255), nullable=False),
    mysql_engine="InnoDB",
    mariadb_engine="InnoDB",
)


def start(connection: Connection) -> None:
    """Write both ends of an empty trail."""
    for end in (audit_head, audit_start):
        connection.execute(insert(end).values(one=1, seq=START.seq, hash=START.hash))
