"""What a session is set to."""

from __future__ import annotations

from replfix.core.sql.names import identifier, string

SESSION_SETTINGS = (
    "SET SESSION time_zone = '+00:00'",
    # Strict, so that nothing is ever stored cut or rounded; zero dates and the id 0 are stored as they are.
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
)


NOT_LOGGED_SESSION = "SET SESSION sql_log_bin = 0"


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


def limits(statement_seconds: float) -> str:
    """Limit how long a session waits for a lock, how long one statement runs, and how long an idle session is kept.

    An idle session can be that of a replfix that hangs, with its locks. It also makes information_schema show generated
    invisible primary keys (8.0.30+), which are in the binary log: without them the ordinals would be one off.

    MySQL limits SELECTs (max_execution_time, 5.7.8), MariaDB every statement. MariaDB passes over what is for MySQL
    5.7, MySQL over what is for MariaDB (MariaDB manual, "Comment Syntax").
    """
    milliseconds = round(statement_seconds * 1000)
    return (
        f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}, innodb_lock_wait_timeout = {LOCK_SECONDS}, "
        f"wait_timeout = {IDLE_SECONDS} /*!50708 , max_execution_time = {milliseconds} */ "
        "/*!80030 , show_gipk_in_create_table_and_information_schema = ON */ "
        f"/*M!100101 , max_statement_time = {milliseconds / 1000} */"
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
