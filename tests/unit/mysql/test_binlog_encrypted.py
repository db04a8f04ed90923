"""What MariaDB 10.11.19 with ``encrypt_binlog=ON`` sends of its log: Start_encryption, and behind it events that it has decrypted.

The sample is CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT (1, 'it''s'); UPDATE to 'é'. The plugin that
holds the keys is in no package that a lab is made of, so it was recorded.
"""

from __future__ import annotations

from replfix.core.replication.mariadb_gtid import MariadbGtidSet
from replfix.core.schema.table import Column, TableName
from replfix.mysql.binlog.assemble import Schema, among, transactions
from replfix.mysql.binlog.events.checked_events import HEADER, EventType, events
from tests.places import GOLDEN
from tests.unit.mysql.test_binlog_sample import raws

SAMPLE = (GOLDEN / "stream_mariadb_10_11_encrypted.bin").read_bytes()
COLUMNS = (
    Column("id", 0, "int", "int(11)", nullable=False),
    Column("v", 1, "varchar", "varchar(20)", nullable=True, charset="utf8mb4", length=80),
)


def test_what_lies_behind_start_encryption_is_read() -> None:
    """It was refused: "can be read from the server that wrote it, not from its file". It had been read from the server."""
    assert EventType.MARIADB_START_ENCRYPTION in [HEADER.unpack_from(raw)[1] for raw in raws(SAMPLE, 0)]

    def columns_of(name: TableName) -> tuple[Column, ...]:
        assert name == TableName("d", "t")
        return COLUMNS

    schema = Schema(columns_of, lambda _: "utf8mb4")
    wanted = MariadbGtidSet.parse("0-1-100").exactly(["0-1-3", "0-1-4"])
    read = list(transactions(events(raws(SAMPLE, 0)), among(wanted), schema))
    assert [[(change.before, change.after) for change in t.changes] for t in read] == [
        [(None, (1, "it's"))],
        [((1, "it's"), (1, "é"))],
    ]
