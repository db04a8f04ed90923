"""What a server holds, in plain SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from replfix.core.replication.gtid import GtidSet
from replfix.errors import ServerError
from replfix.lab.flavours import ChannelState, speaking
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import SYSTEM_SCHEMAS, channel_state, executed
from replfix.mysql.connection.session import Session

DAMAGED = (126, 127, 144, 145, 1034, 1194, 1195)
"""A table of MyISAM or Aria that has to be repaired: of its rows, nobody knows any."""
Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A table: its columns in order, its rows (values as the server prints them) and how it is defined."""

    columns: tuple[str, ...]
    rows: Counter[Row]
    definition: str
    readable: bool = True  # else its rows are unknown

    def only(self, columns: Iterable[str]) -> Counter[Row]:
        """The rows as far as these columns go."""
        at = [self.columns.index(column) for column in columns]
        found: Counter[Row] = Counter()
        for row, count in self.rows.items():
            found[tuple(row[n] for n in at)] += count
        return found


@dataclass(frozen=True, slots=True)
class Seen:
    tables: Mapping[str, Held]
    executed: GtidSet
    read_only: tuple[bool, bool | None]
    channel: ChannelState | None


def look(server: LabServer, channel: str = "") -> Seen:
    with server.session() as session:
        session.execute("SET SESSION time_zone = '+00:00'")  # a server may have another
        return Seen(
            _tables(session), executed(session), speaking(session).read_only(session), channel_state(session, channel)
        )


def _tables(session: Session) -> dict[str, Held]:
    named = session.query(
        "SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' "
        "AND TABLE_SCHEMA NOT IN %s ORDER BY 1, 2",
        (SYSTEM_SCHEMAS,),
    )
    return {f"{row['s']}.{row['t']}": _held(session, str(row["s"]), str(row["t"])) for row in named}


def _held(session: Session, schema: str, name: str) -> Held:
    quoted = f"{_quoted(schema)}.{_quoted(name)}"
    types = {
        str(row["c"]): str(row["t"])
        for row in session.query(
            "SELECT COLUMN_NAME AS c, DATA_TYPE AS t FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s "
            "ORDER BY ORDINAL_POSITION",
            (schema, name),
        )
    }
    columns = tuple(types)
    listed = ", ".join(f"HEX({_quoted(c)})" if types[c] == "vector" else _quoted(c) for c in columns)
    try:
        rows = Counter(tuple(map(_text, row)) for row in session.rows(f"SELECT {listed} FROM {quoted}"))
        return Held(columns, rows, str(session.rows(f"SHOW CREATE TABLE {quoted}")[0][1]))
    except ServerError as error:
        if error.errno not in DAMAGED:
            raise
        return Held(columns, Counter(), error.message, readable=False)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.hex() if isinstance(value, bytes) else str(value)
