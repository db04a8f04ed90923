"""What ``explain`` asks a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from replfix.core import sql
from replfix.core.replication.subscription import Subscription
from replfix.core.rows.postgresql_row import Cell, PostgresqlRow
from replfix.core.schema.postgresql_key import WHOLE_NUMBERS, UniqueIndex
from replfix.core.schema.postgresql_sequence import ColumnSequence
from replfix.errors import PostgresqlError, PrivilegeError, TooOld
from replfix.postgresql import catalog
from replfix.postgresql.postgresql_session import PostgresqlSession, Row
from replfix.wire.understood import understood

OLDEST = 110000


@understood
class PostgresqlQuestions:
    """Implements ``ports.PostgresqlInquiry``; connects when the first thing is asked."""

    def __init__(self, name: str, connect: Callable[[], PostgresqlSession]) -> None:
        """``name``: for people, before it is connected."""
        self._name = name
        self._connect = connect

    @cached_property
    def _session(self) -> PostgresqlSession:
        session = self._connect()
        if session.version_number < OLDEST:
            session.close()
            raise TooOld(
                f"{self._name} is PostgreSQL {session.version_number // 10000}, which replfix does not ask.",
                "PostgreSQL 11 and later have what it reads.",
            )
        return session

    @property
    def address(self) -> str:
        return self._session.address if "_session" in self.__dict__ else self._name

    def close(self) -> None:
        """Close the connection, if there is one."""
        if "_session" in self.__dict__:
            self._session.close()

    @cached_property
    def _facts(self) -> Row:
        (facts,) = self._session.rows(
            "SELECT current_setting('server_version'), pg_is_in_recovery(), current_setting('default_transaction_read_only')"
        )
        return facts

    def version(self) -> str:
        return str(self._facts[0])

    def standby(self) -> bool:
        return self._facts[1] == "t"

    def read_only(self) -> bool:
        return self.standby() or self._facts[2] == "on"

    def databases(self, limit: int) -> tuple[str, ...]:
        found = self._session.rows(
            "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname <> current_database() "
            "AND has_database_privilege(oid, 'CONNECT') ORDER BY datname LIMIT %(limit)s",
            {"limit": limit},
        )
        return tuple(str(row[0]) for row in found)

    def unique_indexes(self, name: str, schema: str | None, table: str | None, limit: int) -> list[UniqueIndex]:
        return catalog.unique_indexes(self._session, name, schema, table, limit)

    def rows(self, key: UniqueIndex, condition: str, limit: int) -> tuple[PostgresqlRow, ...]:
        found = self._session.rows(sql.postgresql_select_cells(key, condition, limit))
        most = sql.CELL_CHARACTERS
        return tuple(
            tuple(
                Cell(
                    column.name,
                    column.type,
                    text if text is None else text[:most],
                    cut=text is not None and len(text) > most,
                )
                for column, text in zip(key.columns, row, strict=True)
            )
            for row in found[:limit]
        )

    def sequence(self, key: UniqueIndex) -> ColumnSequence | None:
        numbers = [p.column for p in key.parts if p.column is not None and p.compared_as in WHOLE_NUMBERS]
        candidates = (catalog.column_sequence(self._session, key, column) for column in numbers)
        sequence = next((found for found in candidates if found is not None), None)
        if sequence is None:
            return None
        try:
            ((highest,),) = self._session.rows(
                sql.postgresql_highest(sequence.table_schema, sequence.table, sequence.column)
            )
        except (PrivilegeError, PostgresqlError) as error:
            return replace(sequence, unread=error.message)
        return replace(sequence, highest=None if highest is None else int(highest))

    def subscriptions(self, key: UniqueIndex) -> tuple[Subscription, ...] | None:
        try:
            return catalog.subscriptions(self._session, key.table_oid)
        except PrivilegeError:
            return None
