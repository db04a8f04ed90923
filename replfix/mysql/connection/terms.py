"""The one place that knows the words of older servers.

``SHOW REPLICA STATUS`` came with 8.0.22; before it, and on MariaDB, the statement and its columns have other names.
Source: MySQL 8.0 manual, "SHOW REPLICA STATUS Statement"; MariaDB 10.11 answers SHOW REPLICA STATUS with the old columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STATUS_STATEMENTS = ("SHOW REPLICA STATUS", "SHOW SLAVE STATUS")
WORKERS_VARIABLE = "_parallel_workers"  # after the old word or the new one
SKIP_COUNTER_VARIABLE = "_skip_counter"  # likewise
WORKERS_PROGRESS = """
SELECT Channel_name AS channel, Master_log_name AS log_file, Master_log_pos AS pos,
       Checkpoint_master_log_name AS checkpoint_file, Checkpoint_master_log_pos AS checkpoint_pos,
       HEX(Checkpoint_group_bitmap) AS bitmap
  FROM mysql.slave_worker_info WHERE Master_log_name <> ''"""
REPLICAS_STATEMENTS = ("SHOW REPLICAS", "SHOW SLAVE HOSTS")
LOG_STATUS_STATEMENTS = ("SHOW BINARY LOG STATUS", "SHOW MASTER STATUS")
LOG_UPDATES_VARIABLES = ("log_replica_updates", "log_slave_updates")

_COLUMN_WORDS = (("Master", "Source"), ("Slave", "Replica"), ("Relay_Source", "Relay_Source"))


def current_names(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a status row with today's column names.

    ``Master_Host`` becomes ``Source_Host``, ``Slave_IO_Running`` ``Replica_IO_Running``, ``Seconds_Behind_Master``
    ``Seconds_Behind_Source``.
    """
    renamed: dict[str, Any] = {}
    for name, value in row.items():
        for old, new in _COLUMN_WORDS:
            name = name.replace(old, new)
        renamed[name] = value
    return renamed


# What MariaDB (10.11, 11.8) has under the older words only. Its statements know the newer ones: START, STOP, RESET and SHOW
# REPLICA.
APPLIED_POSITION = "gtid_slave_pos"
WAIT_FOR_POSITION = "MASTER_GTID_WAIT"
LOG_APPLIED = "log_slave_updates"
NET_TIMEOUT = "slave_net_timeout"
PARALLEL_THREADS = "slave_parallel_threads"
TYPE_CONVERSIONS = "slave_type_conversions"
TRIGGERS_FOR_ROWS = "slave_run_triggers_for_rbr"  # NO by default; else row events fire triggers (11.8.6)
UNTIL_A_POSITION = "Master"  # in Until_Condition
POSITION_BY_GTID = "MASTER_USE_GTID = slave_pos"
GO_BY_GTID = f"CHANGE MASTER TO {POSITION_BY_GTID}"
# By Using_Gtid: the position that a receiver begins with.
ASKED_FROM = {"Slave_Pos": "position", "Current_Pos": "current"}

# User variables by which a reader introduces itself before COM_BINLOG_DUMP (10.11, 11.8): that it knows GTIDs and checksums,
# and what it has of each domain.
INTRODUCE_READER = (
    "SET @mariadb_slave_capability = %s, @master_binlog_checksum = 'CRC32', @master_heartbeat_period = %s"
)
READ_BEHIND = "SET @slave_connect_state = %s, @slave_gtid_strict_mode = 0, @slave_gtid_ignore_duplicates = 0"


def change_source(connection: str = "''", **settings: object) -> str:
    """Return MariaDB's ``CHANGE MASTER TO``; ``host="'db1'"`` becomes ``MASTER_HOST = 'db1'``. All is finished SQL."""
    said = ", ".join(f"MASTER_{name.upper()} = {value}" for name, value in settings.items())
    return f"CHANGE MASTER {connection} TO {said}"


def by_position(log_file: str, pos: int) -> str:
    """Return the end of MariaDB's ``CHANGE MASTER TO``, in place of ``POSITION_BY_GTID``. ``log_file`` is finished SQL."""
    return f"MASTER_LOG_FILE = {log_file}, MASTER_LOG_POS = {pos}, MASTER_USE_GTID = no"


def relay_log_by_position(connection: str, relay_log: str, relay_pos: int, log_file: str, pos: int) -> str:
    """Return the statements after which MariaDB keeps a relay log that it would delete in GTID mode.

    Without the applier's place in the source's log, it would count as being where the receiver is (10.11.19, 11.8.9).
    Names are finished SQL.
    """
    return (
        f"CHANGE MASTER {connection} TO {by_position(log_file, pos)}, RELAY_LOG_FILE = {relay_log}, "
        f"RELAY_LOG_POS = {relay_pos}"
    )


def until_position(log_file: str, pos: int) -> str:
    """Return the end of MariaDB's START REPLICA: up to that position of the source's log. ``log_file`` is finished SQL."""
    return f" UNTIL MASTER_LOG_FILE = {log_file}, MASTER_LOG_POS = {pos}"


def mean_connection(name: str) -> str:
    """Set which of MariaDB's named connections a session's replication variables are about. ``name`` is finished SQL."""
    return f"SET SESSION default_master_connection = {name}"


HIDDEN = "DB_ROW_HASH_"
"""How the columns begin that MariaDB adds for unique keys over values too long for an index, and shows to nobody."""
