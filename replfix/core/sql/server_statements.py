"""A server's variables, its sessions, its files."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.core.schema.table import TableName
from replfix.core.sql.counter_statements import advance_counter
from replfix.core.sql.names import identifier, string
from replfix.core.sql.session_statements import LOGGED_SESSION, NOT_LOGGED_SESSION

SET_ROW_FORMAT, PERSIST_ROW_FORMAT = "SET GLOBAL binlog_format = ROW", "SET PERSIST binlog_format = ROW"


def global_variable(name: str) -> str:
    """Select a global variable."""
    return f"SELECT @@global.{identifier(name)}"


def set_global_number(name: str, value: int) -> str:
    """Set a global variable to a number."""
    return f"SET GLOBAL {identifier(name)} = {value:d}"


def persist_number(name: str, value: int) -> str:
    """Set a global variable to a number, restarts included (MySQL 8.0)."""
    return f"SET PERSIST {name} = {value:d}"


def forget_persisted(name: str) -> str:
    """Remove what SET PERSIST has written; the running value stays."""
    return f"RESET PERSIST IF EXISTS {name}"


def hold_writes(*, mariadb: bool) -> str:
    """Wait for running transactions and block new ones; replication goes on.

    MariaDB's accounts with READ_ONLY ADMIN write all the same.
    """
    return f"SET GLOBAL {'read_only' if mariadb else 'super_read_only'} = ON"


def open_writes(counters: Sequence[tuple[TableName, int]] = (), *, mariadb: bool) -> tuple[str, ...]:
    """Let everybody write again; before that, move counters ahead without a trace in the binlog."""
    for_administrators = () if mariadb else ("SET GLOBAL super_read_only = OFF",)
    moved = tuple(advance_counter(table, number) for table, number in counters)
    return (
        *for_administrators,
        *((NOT_LOGGED_SESSION, *moved, LOGGED_SESSION) if moved else ()),
        "SET GLOBAL read_only = OFF",
    )


def sessions_with_other_values(increment: int, offset: int) -> str:
    """Sessions of users whose auto-increment values are others; those that read the binlog insert nothing."""
    return (
        "SELECT t.PROCESSLIST_ID AS id, t.PROCESSLIST_USER AS user, t.PROCESSLIST_HOST AS host, "
        "GROUP_CONCAT(v.VARIABLE_NAME, ' = ', v.VARIABLE_VALUE) AS has "
        "FROM performance_schema.threads t JOIN performance_schema.variables_by_thread v USING (THREAD_ID) "
        f"WHERE ((v.VARIABLE_NAME = 'auto_increment_increment' AND v.VARIABLE_VALUE <> '{increment:d}') "
        f"OR (v.VARIABLE_NAME = 'auto_increment_offset' AND v.VARIABLE_VALUE <> '{offset:d}')) "
        "AND t.PROCESSLIST_ID <> CONNECTION_ID() AND t.NAME LIKE '%one_connection' "
        "AND t.PROCESSLIST_COMMAND NOT LIKE 'Binlog Dump%' GROUP BY t.THREAD_ID"
    )


def sessions_before_this_one() -> str:
    """Sessions of users that are older than the one that asks; those that read the binlog insert nothing."""
    return (
        "SELECT ID, USER, HOST FROM information_schema.PROCESSLIST WHERE ID < CONNECTION_ID() "
        "AND USER NOT IN ('system user', 'event_scheduler') AND COMMAND NOT LIKE 'Binlog Dump%'"
    )


def forget_hosts(*, mariadb: bool) -> str:
    """Unblock hosts that reached max_connect_errors, not logged.

    On MariaDB it changes nothing while performance_schema is off, as it is by default (11.8.9); MySQL has no such FLUSH
    any more.
    """
    return "FLUSH NO_WRITE_TO_BINLOG HOSTS" if mariadb else "TRUNCATE TABLE performance_schema.host_cache"


def find_plugin(name: str) -> str:
    """Query the library of a plugin or storage engine."""
    return f"SELECT PLUGIN_NAME, PLUGIN_LIBRARY FROM information_schema.PLUGINS WHERE PLUGIN_NAME = {string(name)}"


def install_plugin(name: str, library: str) -> str:
    """Return INSTALL PLUGIN."""
    return f"INSTALL PLUGIN {identifier(name)} SONAME {string(library)}"


def size_of_file(path: str) -> str:
    """Query the size in bytes of a file on the server's machine; NULL when the server does not send the file."""
    return f"SELECT LENGTH(LOAD_FILE({string(path)}))"


def piece_of_file(path: str, at: int, length: int) -> str:
    """Query ``length`` bytes of a file on the server's machine, from ``at`` on."""
    return f"SELECT SUBSTRING(LOAD_FILE({string(path)}), {at + 1:d}, {length:d})"


TRUST_CREATORS = "SET GLOBAL log_bin_trust_function_creators = ON"
"""Routines and triggers may be created without SUPER, and without DETERMINISTIC."""


OPEN_TRANSACTIONS = "SELECT trx_mysql_thread_id, trx_started, trx_rows_locked, trx_query FROM information_schema.INNODB_TRX ORDER BY trx_started"
"""With the connections that KILL takes."""
