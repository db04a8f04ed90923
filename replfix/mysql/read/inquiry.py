"""What ``explain`` asks of a server. Nothing here takes a lock, and no look-up takes longer than a few seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from replfix.core import sql
from replfix.core.columns.key_probe import Match
from replfix.core.connection.endpoint import Endpoint
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.auto_increment import AutoIncrement, Counter
from replfix.core.schema.table import Column, Table, TableName
from replfix.errors import PrivilegeError, ReplicationError, ServerError
from replfix.mysql.connection.dialects import dialect_of
from replfix.mysql.connection.session import Session
from replfix.mysql.read import circumstances
from replfix.mysql.read.find_rows import image
from replfix.mysql.read.table_definitions import read_table
from replfix.wire.understood import understood

SECONDS = 5
_SYSTEM = ("mysql", "information_schema", "performance_schema", "sys")

# Names of tables are compared without regard to case here: information_schema's collation ignores it, and lower_case_table_names
# can have changed what the message says. The exact ones are preferred afterwards.
_KEYS = """
SELECT TABLE_SCHEMA AS `schema`, TABLE_NAME AS `table`, INDEX_NAME AS `key`
FROM information_schema.STATISTICS
WHERE NON_UNIQUE = 0 AND SEQ_IN_INDEX = 1 AND TABLE_SCHEMA NOT IN %(system)s
  AND (INDEX_NAME = %(key)s OR CONCAT(TABLE_NAME, '.', INDEX_NAME) = %(key)s)
ORDER BY TABLE_SCHEMA, TABLE_NAME LIMIT %(limit)s
"""
_TABLES = """
SELECT TABLE_SCHEMA AS `schema`, TABLE_NAME AS `table` FROM information_schema.TABLES
WHERE TABLE_NAME = %(name)s AND TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN %(system)s
ORDER BY TABLE_SCHEMA LIMIT %(limit)s
"""


@understood
class ServerInquiry:
    """Implements ``ports.Inquiry``; connects when the first thing is asked."""

    def __init__(self, endpoint: Endpoint, connect: Callable[[], Session]) -> None:
        self._endpoint = endpoint
        self._connect = connect

    @property
    def _session(self) -> Session:
        return self._connect()

    @cached_property
    def _limited(self) -> Session:
        """The session with a time limit for what it looks up."""
        for statement in (
            f"SET SESSION max_execution_time = {SECONDS * 1000}",  # MySQL, milliseconds
            f"SET SESSION max_statement_time = {SECONDS}",  # MariaDB, seconds
        ):
            try:
                self._session.execute(statement)
            except ServerError as error:
                if error.errno != circumstances.UNKNOWN_VARIABLE:
                    raise
        return self._session

    @property
    def address(self) -> str:
        return str(self._endpoint)

    def version(self) -> str:
        return str(self._session.scalar("SELECT VERSION()"))

    def replicates(self) -> bool | None:
        try:
            return bool(dialect_of(self._session).status(self._session).channels)
        except PrivilegeError:
            return None
        except ReplicationError:
            return False

    def read_only(self) -> bool:
        return str(self._session.scalar("SELECT @@global.read_only")).upper() not in ("0", "OFF")

    def auto_increment(self) -> AutoIncrement:
        row = self._session.rows("SELECT @@global.auto_increment_increment, @@global.auto_increment_offset")[0]
        return AutoIncrement(int(row[0]), int(row[1]))

    def keys_named(self, key: str, limit: int) -> list[tuple[TableName, str]]:
        rows = self._limited.query(_KEYS, {"system": _SYSTEM, "key": key, "limit": limit})
        found = [(TableName(row["schema"], row["table"]), str(row["key"])) for row in rows]
        exact = [(table, name) for table, name in found if key in (name, f"{table.name}.{name}")]
        return exact or found

    def tables_named(self, name: str, limit: int) -> list[TableName]:
        rows = self._limited.query(_TABLES, {"system": _SYSTEM, "name": name, "limit": limit})
        found = [TableName(row["schema"], row["table"]) for row in rows]
        return [table for table in found if table.name == name] or found

    def table(self, name: TableName) -> Table | None:
        return read_table(self._limited, name)

    def shown(self, table: Table, matches: Sequence[Match], limit: int) -> tuple[RowImage, ...]:
        return tuple(image(table, row) for row in self._limited.rows(sql.select_shown(table, matches, limit)))

    def counter(self, table: Table, column: Column) -> Counter:
        return circumstances.counter(self._limited, table, column)
