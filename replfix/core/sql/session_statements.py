"""What a session is set to."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.core.sql.names import identifier, string

SESSION_VALUES = (
    "time_zone = '+00:00'",
    # Strict, so that nothing is ever stored cut or rounded; zero dates and the id 0 are stored as they are.
    "sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
)


SESSION_SETTINGS = tuple(f"SET SESSION {value}" for value in SESSION_VALUES)


OWN_TIME = "SESSION timestamp = DEFAULT"
"""In SET: events that a session applied leave their time in it (MySQL 9.7.4, MariaDB 11.8.9)."""


NOT_LOGGED = "sql_log_bin = 0"
NOT_LOGGED_SESSION = f"SET SESSION {NOT_LOGGED}"


LOGGED_SESSION = "SET SESSION sql_log_bin = 1"


STRICT = SESSION_SETTINGS[1]
"""Nothing is stored cut: an ALTER TABLE that would do so is refused."""


WITHOUT_FOREIGN_KEYS = "SET SESSION foreign_key_checks = 0"


WITH_FOREIGN_KEYS = "SET SESSION foreign_key_checks = 1"


ROWS_LOGGED_SESSION = "SET SESSION binlog_format = 'ROW'"


CHECKED_SESSION = (WITH_FOREIGN_KEYS, "SET SESSION unique_checks = 1")


UNDO_SETTINGS = (NOT_LOGGED_SESSION, *SESSION_SETTINGS)
"""What a session needs in which somebody runs undo statements by hand: values are written for it."""


SOURCE_UNDO_SETTINGS = SESSION_SETTINGS[:2]
"""The same for the source, where it is logged."""


LOCK_SECONDS = 5


IDLE_SECONDS = 3600


NAMES = "SET NAMES utf8mb4"


_SNAPSHOTS = " /*!50720 , SESSION transaction_isolation = 'REPEATABLE-READ' */ /*M!100101 , SESSION tx_isolation = 'REPEATABLE-READ' */"


def begin_session(statement_seconds: float | None, values: Sequence[str] = (), *, snapshots: bool = False) -> str:
    """Return the one statement that a session begins with: its character set, its limits, and ``values``.

    The limits are how long it waits for a lock, how long one statement runs, and how long it is kept while it is idle:
    that can be the session of a replfix that hangs, with its locks. None for ``statement_seconds``: it has none of
    them. They also make information_schema show generated invisible primary keys (8.0.30+), which are in the binary
    log: without them the ordinals would be one off. And AUTO_INCREMENT as it is, which MySQL 8.0 and later keep for a
    day. With ``snapshots``, each statement reads from one snapshot (REPEATABLE READ).

    MySQL limits SELECTs (max_execution_time, 5.7.8), MariaDB every statement. MariaDB passes over what is for MySQL
    5.7 and later, MySQL over what is for MariaDB (MariaDB manual, "Comment Syntax").
    """
    given = "".join(f", SESSION {value}" for value in values)
    if statement_seconds is None:
        return NAMES + given + (_SNAPSHOTS if snapshots else "")
    milliseconds = round(statement_seconds * 1000)
    return (
        f"{NAMES}, SESSION lock_wait_timeout = {LOCK_SECONDS}, SESSION innodb_lock_wait_timeout = {LOCK_SECONDS}, "
        f"SESSION wait_timeout = {IDLE_SECONDS}{given} /*!50708 , SESSION max_execution_time = {milliseconds} */ "
        "/*!80000 , SESSION information_schema_stats_expiry = 0 */ "
        "/*!80030 , SESSION show_gipk_in_create_table_and_information_schema = ON */ "
        f"/*M!100101 , SESSION max_statement_time = {milliseconds / 1000} */{_SNAPSHOTS if snapshots else ''}"
    )


def set_session_number(name: str, value: int) -> str:
    """Set a session variable to a number."""
    return f"SET SESSION {identifier(name)} = {value:d}"


def set_gtid_next(gtid: str) -> str:
    """Set gtid_next to that GTID."""
    return f"SET SESSION gtid_next = {string(gtid)}"


def set_sql_mode(mode: str) -> str:
    """Set the session's sql_mode."""
    return f"SET SESSION sql_mode = {string(mode)}"


def use(schema: str) -> str:
    """Return USE."""
    return f"USE {identifier(schema)}"
