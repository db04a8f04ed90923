"""What the advisor asks of a server. Nothing here takes a lock or changes anything; each query has a time limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from replfix.core import sql
from replfix.core.advisor.node import Channel, IncrementSetting, KeyTable, LogSample, Node, Origin, Setting
from replfix.core.connection.endpoint import Endpoint
from replfix.core.connection.privileges import parse_grants
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState
from replfix.core.schema.auto_increment import Counter
from replfix.core.schema.filters import NO_FILTERS
from replfix.core.schema.table import Column, KeyPart, Table, TableName, UniqueKey
from replfix.core.words import counted
from replfix.errors import ConnectError, PrivilegeError, ReplicationError, ServerError
from replfix.mysql.binlog.activity import read_activity
from replfix.mysql.connection.dialects import dialect_of
from replfix.mysql.connection.session import Row, Session
from replfix.mysql.read import table_definitions
from replfix.mysql.read.circumstances import UNKNOWN_VARIABLE
from replfix.wire.understood import understood

SECONDS = 10
TABLES = 5_000
"""Tables of one server that are looked at."""
_AT_ONCE = 50  # MAX() in one statement

_SYSTEM = ("mysql", "information_schema", "performance_schema", "sys")
_INCREMENT, _OFFSET = "auto_increment_increment", "auto_increment_offset"
_VARIABLES = (
    *("server_id", "read_only", "super_read_only", "binlog_format", "binlog_row_image"),
    *("innodb_autoinc_lock_mode", "group_replication_auto_increment_increment", _INCREMENT, _OFFSET),
)
_UNKNOWN_COLUMN = 1054

_PERSISTED = """
SELECT VARIABLE_NAME AS `name`, VARIABLE_VALUE AS `value` FROM performance_schema.persisted_variables
WHERE VARIABLE_NAME IN %s
"""
_ORIGIN = """
SELECT VARIABLE_NAME AS `name`, VARIABLE_SOURCE AS `origin`, VARIABLE_PATH AS `path`,
  UNIX_TIMESTAMP(SET_TIME) AS `since` FROM performance_schema.variables_info
WHERE VARIABLE_NAME IN %s
"""
_ORIGIN_OF_MARIADB = """
SELECT LOWER(VARIABLE_NAME) AS `name`, GLOBAL_VALUE_ORIGIN AS `origin`, GLOBAL_VALUE_PATH AS `path`, NULL AS `since`
FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME IN %s
"""
_ORIGINS = {
    **dict.fromkeys(("COMPILED", "COMPILE-TIME", "AUTO"), "default"),
    **dict.fromkeys(("GLOBAL", "SERVER", "EXPLICIT", "EXTRA", "USER", "LOGIN", "CONFIG"), "file"),
    **dict.fromkeys(("COMMAND_LINE", "COMMAND-LINE", "ENV"), "command-line"),
    "PERSISTED": "persisted",
    **dict.fromkeys(("DYNAMIC", "SQL"), "session"),
}
_TABLES = """
SELECT TABLE_SCHEMA AS `schema`, TABLE_NAME AS `table`, ENGINE AS `engine` FROM information_schema.TABLES
WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN %s ORDER BY TABLE_SCHEMA, TABLE_NAME LIMIT %s
"""
_COLUMNS = (
    "SELECT TABLE_SCHEMA AS `schema`, TABLE_NAME AS `table`,"
    + table_definitions.COLUMN_FIELDS
    + "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA NOT IN %s ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
)
_KEYS = """
SELECT TABLE_SCHEMA AS `schema`, TABLE_NAME AS `table`, INDEX_NAME AS `key`, NON_UNIQUE AS `non_unique`,
  COLUMN_NAME AS `column`, SUB_PART AS `prefix`, {expression} AS `expression` FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA NOT IN %s ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX
"""
_NEXT = """
SELECT TABLE_SCHEMA AS `schema`, TABLE_NAME AS `table`, AUTO_INCREMENT AS `next` FROM information_schema.TABLES
WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN %s AND AUTO_INCREMENT IS NOT NULL
"""
_NEXT_OF_ONE = """
SELECT AUTO_INCREMENT AS `next` FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s
"""


@understood
class ServerKeySpaces:
    """Implements ``ports.KeySpaces``; connects when the first thing is asked."""

    def __init__(self, endpoint: Endpoint, connect: Callable[[], Session]) -> None:
        self.endpoint = endpoint
        self._connect = connect
        self._defined: dict[TableName, Table] = {}

    @property
    def address(self) -> str:
        return str(self.endpoint)

    @cached_property
    def _session(self) -> Session:
        session = self._connect()
        for statement in (
            f"SET SESSION max_execution_time = {SECONDS * 1000}",  # MySQL, milliseconds
            f"SET SESSION max_statement_time = {SECONDS}",  # MariaDB, seconds
        ):
            try:
                session.execute(statement)
            except ServerError as error:
                if error.errno != UNKNOWN_VARIABLE:
                    raise
        return session

    def uuid(self) -> str:
        return dialect_of(self._session).identity(self._session)

    def channels(self) -> tuple[ChannelStatus, ...]:
        try:
            return dialect_of(self._session).status(self._session).channels
        except ReplicationError:  # it is no replica
            return ()

    def node(self, name: str, channels: Sequence[ChannelStatus]) -> Node:
        session, unknowns = self._session, list[str]()
        granted = parse_grants("", (str(row[0]) for row in session.rows("SHOW GRANTS")))
        if "SELECT" not in granted.everywhere:
            unknowns.append(
                f"{self.address} may have tables that the account does not see: it lacks GRANT SELECT ON *.*"
            )
        variables = {
            str(row["Variable_name"]): str(row["Value"])
            for row in session.query("SHOW GLOBAL VARIABLES WHERE Variable_name IN %s", (_VARIABLES,))
        }
        settings = self._settings(variables, unknowns)
        executed = dialect_of(session).executed(session)
        read_only = variables["read_only"].upper() not in ("OFF", "0")
        lock_mode, group = variables.get("innodb_autoinc_lock_mode"), variables.get(_VARIABLES[6])
        return Node(
            uuid=self.uuid(),
            name=name,
            address=self.address,
            server_id=int(variables["server_id"]),
            version=session.server_version,
            read_only=read_only,
            super_read_only=variables.get("super_read_only", "OFF" if not read_only else "ON") == "ON",
            increment=settings[_INCREMENT],
            offset=settings[_OFFSET],
            executed=executed,
            binlog_format=variables.get("binlog_format", ""),
            row_image=variables.get("binlog_row_image", ""),
            lock_mode=None if lock_mode is None else int(lock_mode),
            group_increment=None if group is None else int(group),
            channels=tuple(map(_channel, channels)),
            origins=tuple(Origin(uuid, len(executed.of_uuid(uuid))) for uuid in sorted(executed.uuids())),
            tables=self._tables(unknowns),
            unknowns=tuple(unknowns),
        )

    def _settings(self, variables: Mapping[str, str], unknowns: list[str]) -> dict[str, Setting]:
        names = (_INCREMENT, _OFFSET)
        persisted: dict[str, int] = {}
        origins: dict[str, Row] = {}
        mariadb = self._session.is_mariadb
        try:
            for row in self._session.query(_ORIGIN_OF_MARIADB if mariadb else _ORIGIN, (names,)):
                origins[row["name"]] = row
            if not mariadb:
                for row in self._session.query(_PERSISTED, (names,)):
                    persisted[row["name"]] = int(row["value"])
        except PrivilegeError:
            unknowns.append(
                f"What a restart of {self.address} makes of {_INCREMENT} and {_OFFSET} is not known: the account lacks "
                "GRANT SELECT ON performance_schema.*"
            )
        except ServerError as error:
            unknowns.append(f"What a restart of {self.address} makes of {_INCREMENT} is not known: {error.text}")
        started = self._started()
        return {
            name: Setting(
                now=int(variables[name]),
                persisted=persisted.get(name),
                origin=_ORIGINS.get(str(origins[name]["origin"]).upper(), "") if name in origins else "",
                path=str(origins[name]["path"] or "") if name in origins else "",
                since=(_moment(origins[name]["since"]) if name in origins else None) or started,
            )
            for name in names
        }

    def _started(self) -> datetime | None:
        found = self._session.query("SHOW GLOBAL STATUS LIKE 'Uptime'")
        return None if not found else self._now() - timedelta(seconds=int(found[0]["Value"]))

    def _now(self) -> datetime:
        now = _moment(self._session.scalar("SELECT UNIX_TIMESTAMP(NOW(6))"))
        assert now is not None
        return now

    # --- tables ---

    def _tables(self, unknowns: list[str]) -> dict[TableName, KeyTable]:
        try:
            return self._read_tables(unknowns)
        except (
            ConnectError,
            ServerError,
        ) as error:  # of very many tables, information_schema can take too long
            unknowns.append(f"The tables of {self.address} were not read: {error.message}")
            return {}

    def _read_tables(self, unknowns: list[str]) -> dict[TableName, KeyTable]:
        session = self._session
        engines = {
            TableName(row["schema"], row["table"]): str(row["engine"] or "")
            for row in session.query(_TABLES, (_SYSTEM, TABLES + 1))
        }
        if len(engines) > TABLES:
            engines.popitem()
            unknowns.append(f"{self.address} has more than {TABLES:,} tables: the others are not read.")
        columns: dict[TableName, list[Column]] = defaultdict(list)
        for row in session.query(_COLUMNS, (_SYSTEM,)):
            of = TableName(row["schema"], row["table"])
            if of in engines:
                columns[of].append(table_definitions.column(len(columns[of]), row))
        unique, leading = self._keys(engines, columns)
        self._defined = {
            name: Table(name, tuple(columns[name]), tuple(unique[name]), engine, transactional=engine == "InnoDB")
            for name, engine in engines.items()
        }
        counters = self._counters(leading, unknowns)
        return {
            name: KeyTable(
                name,
                table.engine,
                _of_keys(table),
                table.unique_keys,
                counters.get(name),
                leading[name].get(counters[name].column.name, "") if name in counters else "",
            )
            for name, table in self._defined.items()
        }

    def _keys(
        self, known: Collection[TableName], columns: Mapping[TableName, list[Column]]
    ) -> tuple[dict[TableName, list[UniqueKey]], dict[TableName, dict[str, str]]]:
        """Return the unique keys of each table, and for each first column of any key the name of that key."""
        try:
            rows = self._session.query(_KEYS.format(expression="EXPRESSION"), (_SYSTEM,))
        except ServerError as error:  # MariaDB and servers before 8.0.13 have no keys on expressions, nor that column
            if error.errno != _UNKNOWN_COLUMN:
                raise
            rows = self._session.query(_KEYS.format(expression="NULL"), (_SYSTEM,))
        parts: dict[tuple[TableName, str], list[KeyPart]] = defaultdict(list)
        leading: dict[TableName, dict[str, str]] = defaultdict(dict)
        for row in rows:
            name, key = TableName(row["schema"], row["table"]), str(row["key"])
            if name not in known:
                continue
            if row["expression"] is None:
                part = KeyPart(row["column"], None if row["prefix"] is None else int(row["prefix"]))
            else:
                part = table_definitions.key_expression(row["expression"], {c.name for c in columns[name]})
            if not parts[name, key] and part.column is not None:
                leading[name].setdefault(part.column, key)
            parts[name, key].append(part)
        plain = {(TableName(r["schema"], r["table"]), str(r["key"])) for r in rows if int(r["non_unique"])}
        unique: dict[TableName, list[UniqueKey]] = defaultdict(list)
        for (name, key), of_key in parts.items():
            if (name, key) not in plain:
                unique[name].append(UniqueKey(key, tuple(of_key)))
        return unique, leading

    def _counters(
        self, leading: Mapping[TableName, Mapping[str, str]], unknowns: list[str]
    ) -> dict[TableName, Counter]:
        """Without their next values, which are asked for later."""
        found = {
            name: column for name, table in self._defined.items() for column in table.columns if column.auto_increment
        }
        indexed = [(name, column.name) for name, column in found.items() if column.name in leading[name]]
        highest: dict[TableName, int] = {}
        refused: list[str] = []
        for at in range(0, len(indexed), _AT_ONCE):
            batch = indexed[at : at + _AT_ONCE]
            try:
                for number, value in self._session.rows(sql.highest_of_each(batch)):
                    if value is not None:
                        highest[batch[int(number)][0]] = int(Decimal(value))  # MariaDB takes FLOAT columns too
            except (ConnectError, ServerError) as error:  # no privilege, a lock, a table too large to look at
                refused.append(
                    f"The highest ids of {counted(len(batch), 'table')} of {self.address} are not known: {error.message}"
                )
        unknowns.extend(refused)
        return {name: Counter(column, None, highest.get(name)) for name, column in found.items()}

    def next_values(self) -> Mapping[TableName, int]:
        return {
            TableName(row["schema"], row["table"]): int(row["next"]) for row in self._session.query(_NEXT, (_SYSTEM,))
        }

    def next_value(self, table: TableName) -> int | None:
        found = self._session.scalar(_NEXT_OF_ONE, (table.schema, table.name))
        return None if found is None else int(found)

    def numbers(
        self, table: TableName, column: str, step: IncrementSetting, least: int, most: int
    ) -> tuple[int, int, int] | None:
        statement = sql.numbers_of_class(table, column, least, most, step.increment, step.residue)
        count, lowest, highest = self._session.rows(statement)[0]
        return (int(count), int(lowest), int(highest)) if int(count) else None

    # --- the log ---

    def log(self, node: Node) -> LogSample:
        own: GtidSet = node.executed.of_uuid(node.uuid)
        with Session(self.endpoint) as session:
            return read_activity(session, node.server_id, own, self._defined, self._now())


def _of_keys(table: Table) -> dict[str, Column]:
    named = {name.lower() for key in table.unique_keys for name in key.columns}
    return {c.name: c for c in table.columns if c.auto_increment or c.name.lower() in named}


def _channel(status: ChannelStatus) -> Channel:
    return Channel(
        name=status.name,
        source_uuid=status.source_uuid,
        source_host=status.source_host,
        source_port=status.source_port,
        running=status.receiver is ReceiverState.RUNNING and status.applier_running,
        filtered=status.filters != NO_FILTERS,
    )


def _moment(value: object) -> datetime | None:
    return None if value is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(str(value)))
