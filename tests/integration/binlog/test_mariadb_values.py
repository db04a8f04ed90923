"""What MariaDB has and MySQL has not: values decoded from its binary log against the server's own answers."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from replfix.core import sql
from replfix.core.binlog.row_event import RowChange
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName
from replfix.errors import Unreadable
from replfix.lab.lab_state import LabServer
from replfix.mysql.binlog.events.checked_events import HEADER, EventType, events
from replfix.mysql.binlog.events.layout import layout
from replfix.mysql.binlog.events.rows_events import KINDS, RowDecoder, read_head
from replfix.mysql.binlog.events.table_map import read_table_map
from replfix.mysql.connection.session import Session
from replfix.mysql.read.find_rows import image
from replfix.mysql.read.table_definitions import read_table
from tests.conftest import SERVERS, Labs, selected
from tests.integration.binlog.test_columns import replfixs_reading, servers_reading

MARIADB = [name for name in SERVERS if name.startswith("mariadb")]
METADATA = ("NO_LOG", "MINIMAL", "FULL")


@dataclass(frozen=True, slots=True)
class Source:
    server: LabServer
    session: Session

    def log(self) -> tuple[str, int]:
        status = self.session.query("SHOW MASTER STATUS")[0]
        return status["File"], int(status["Position"])

    def written(self, *statements: str) -> list[RowChange]:
        """What the statements logged, read from the server's file."""
        name, start = self.log()
        for statement in statements:
            self.session.execute(statement)
        log = (self.server.data / name).read_bytes()
        charsets = {
            int(row["id"]): row["charset"]
            for row in self.session.query(
                "SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
            )
        }
        maps = {}
        changes: list[RowChange] = []
        for event in events(raws(log, start)):
            if event.type == EventType.TABLE_MAP:
                found = read_table_map(event)
                maps[found.table_id] = found
            elif event.type in KINDS:
                head = read_head(event)
                of = layout(maps[head.table_id], lambda name: self.definition(name).columns, charsets.__getitem__)
                changes += RowDecoder(of).changes(event, head)
        return changes

    def definition(self, name: TableName) -> Table:
        table = read_table(self.session, name)
        assert table is not None
        return table

    def selected(self, table: Table) -> list[RowImage]:
        rows = self.session.rows(f"SELECT {sql.select_list(table)} FROM {sql.table_name(table.name)} ORDER BY id")
        return [image(table, row) for row in rows]


def raws(log: bytes, start: int) -> Iterator[bytes]:
    """The Format_description event, and the events from a position on."""
    at = 4
    while at < len(log):
        size = HEADER.unpack_from(log, at)[3]
        if at == 4 or at >= start:
            yield log[at : at + size]
        at += size


@pytest.fixture(scope="module", params=MARIADB)
def source(request: pytest.FixtureRequest, labs: Labs) -> Iterator[Source]:
    if request.param not in selected(request.config):
        pytest.skip("not among --servers")
    lab = labs(request.param)
    with lab.source.session() as session:
        for statement in ("CREATE DATABASE IF NOT EXISTS shop", "USE shop", "SET time_zone = '+00:00'"):
            session.execute(statement)
        session.execute("SET sql_mode = 'ALLOW_INVALID_DATES'")
        yield Source(lab.source, session)
        session.execute("DROP DATABASE shop")
        for setting in ("binlog_row_metadata", "mysql56_temporal_format"):
            session.execute(f"SET GLOBAL {setting} = DEFAULT")


def same(decoded: Sequence[RowChange], rows: Sequence[RowImage]) -> None:
    assert [repr(change.after) for change in decoded] == [repr(row) for row in rows]
    assert rows


@pytest.mark.parametrize("digits", range(7))
def test_temporal_formats_before_5_6(source: Source, digits: int) -> None:
    """``mysql56_temporal_format=OFF``: how many digits there are is in the definition alone."""
    rng = random.Random(digits)
    source.session.execute("SET GLOBAL mysql56_temporal_format = OFF")
    source.session.execute(
        f"CREATE OR REPLACE TABLE old (id INT PRIMARY KEY, ti TIME({digits}), dtm DATETIME({digits}), "
        f"ts TIMESTAMP({digits}) NULL, dt DATE, y YEAR)"
    )
    source.session.execute("SET GLOBAL mysql56_temporal_format = ON")
    fractions = [f".{rng.randrange(10**digits):0{digits}d}" if digits else "" for _ in range(40)]
    edges = [
        ("'-838:59:59'", "'9999-12-31 23:59:59'", "'2038-01-19 03:14:07'"),
        ("'838:59:59'", "'0000-00-00'", "'0000-00-00'"),
        ("'-00:00:00.5'", "'2020-02-30 00:00:00'", "'1970-01-01 00:00:01'"),
        ("NULL", "NULL", "NULL"),
    ]
    drawn = [
        (
            f"'{rng.choice(('', '-'))}{rng.randrange(838)}:{rng.randrange(60)}:{rng.randrange(60)}{part}'",
            f"'{rng.randint(1, 9999):04d}-{rng.randint(1, 12)}-{rng.randint(0, 31)} {rng.randrange(24)}:59:{rng.randrange(60)}{part}'",
            f"FROM_UNIXTIME({rng.randint(1, 2**31 - 2)}{part})",
        )
        for part in fractions
    ]
    values = (f"({n}, {', '.join(row)}, '2020-02-00', 1999)" for n, row in enumerate([*edges, *drawn]))
    decoded = source.written(f"INSERT INTO old VALUES {', '.join(values)}")
    table = source.definition(TableName("shop", "old"))
    same(decoded, source.selected(table))
    said = source.session.rows("SELECT CAST(ti AS CHAR), CAST(dtm AS CHAR), CAST(ts AS CHAR) FROM old ORDER BY id")
    assert [change.after[1:4] for change in decoded if change.after] == [tuple(row) for row in said]


@pytest.mark.parametrize("metadata", METADATA)
def test_types_of_mariadb(source: Source, metadata: str) -> None:
    rng = random.Random(metadata)
    source.session.execute(f"SET GLOBAL binlog_row_metadata = {metadata}")
    vector = "v VECTOR(3) NOT NULL, " if "VECTOR" in _types(source) else ""
    source.session.execute(
        f"CREATE OR REPLACE TABLE types (id INT UNSIGNED PRIMARY KEY, {vector} p POINT, t TINYINT UNSIGNED, i4 INET4, i6 INET6, u UUID, "
        "j JSON, c VARCHAR(20) COLLATE utf8mb4_uca1400_ai_ci, b BLOB COMPRESSED, tx TEXT COMPRESSED, "
        "lt LONGTEXT COMPRESSED CHARACTER SET latin1, vc VARCHAR(300) COMPRESSED, vb VARBINARY(200) COMPRESSED, "
        "e ENUM('a','é') CHARACTER SET latin1, d DECIMAL(65,38), bi BINARY(16), g GEOMETRY, "
        "virt BIGINT AS (id + 1), kept BIGINT AS (id + 2) PERSISTENT, hidden INT INVISIBLE DEFAULT 3)"
    )

    def row(number: int) -> str:
        text = "".join(rng.choices("aé€'\\ 😀", k=rng.choice((0, 1, 20))))
        longer = f"REPEAT({sql.string(text)}, {rng.choice((0, 1, 15))})"
        raw = f"x'{rng.randbytes(rng.choice((0, 3, 199))).hex()}'"
        values = [
            str(number),
            *(["x'0000803F000000C0FFFF7F7F'"] if vector else []),
            *("255", f"'{rng.randrange(256)}.2.{rng.randrange(2)}.0'"),
            *(
                f"'{rng.choice(('::', 'fe80::1:0', '2001:db8::ff00:42:8329'))}'",
                f"'{uuid.UUID(bytes=rng.randbytes(16), version=rng.choice((1, 4)))}'",
            ),
            *("'[1, \"é\"]'", sql.string(text), raw, longer, "REPEAT('é', 40000)", longer, raw),
            *(
                "'é'",
                f"-{rng.randrange(10**20)}.{rng.randrange(10**38):038d}",
                "x'0102'",
                "ST_GeomFromText('POINT(1 2)')",
            ),
        ]
        return f"({', '.join(values)})"

    names = f"id, {'v, ' if vector else ''}t, i4, i6, u, j, c, b, tx, lt, vc, vb, e, d, bi, g"
    decoded = source.written(f"INSERT INTO types ({names}) VALUES {', '.join(map(row, range(60)))}")
    table = source.definition(TableName("shop", "types"))
    rows = source.selected(table)
    same(decoded, rows)
    asked = {
        "u": "REPLACE(u, '-', '')",
        "i4": "HEX(i4)",
        "b": "HEX(b)",
        "vb": "HEX(vb)",
        "tx": "HEX(tx)",
        "vc": "HEX(vc)",
    }
    for name, form in asked.items():
        at = table.column(name).ordinal
        answers = [answer.upper() for (answer,) in source.session.rows(f"SELECT {form} FROM types ORDER BY id")]
        values = [change.after[at] for change in decoded if change.after]
        assert [(v if isinstance(v, bytes) else str(v).encode()).hex().upper() for v in values] == answers, name
    source.session.execute("DELETE FROM types")
    again = source.written(*(sql.insert_row(table, row) for row in rows))
    same(again, rows)


def _types(source: Source) -> str:
    return "VECTOR" if not source.session.scalar("SELECT VERSION()").startswith("10.") else ""


def test_every_character_set_is_read_as_mariadb_reads_it(source: Source) -> None:
    """All single bytes and a sample of pairs; the whole of it is compared with MySQL."""
    rng = random.Random(97)
    pairs = [bytes([rng.randrange(0x80, 256), rng.randrange(0x30, 256)]) for _ in range(600)]
    names = [row["Charset"] for row in source.session.query("SHOW CHARACTER SET") if row["Charset"] != "binary"]
    assert len(names) > 35
    for charset in names:
        wide = charset in ("utf16", "utf16le", "ucs2", "utf32")
        raws = [*(chr(n).encode("utf-32-be" if charset == "utf32" else "utf-16-be") for n in range(32, 0xD800, 97))]
        raws = raws if wide else [*(bytes([byte]) for byte in range(256)), *pairs]
        for raw, text in zip(raws, servers_reading(source.session, charset, raws), strict=True):
            assert text is None or replfixs_reading(charset, raw) == text, (charset, raw.hex())


def test_a_damaged_compressed_value_is_refused(source: Source) -> None:
    """Every bit of a row with compressed columns, flipped one by one."""
    source.session.execute("SET GLOBAL binlog_row_metadata = FULL")
    source.session.execute(
        "CREATE OR REPLACE TABLE packed (id INT PRIMARY KEY, b BLOB COMPRESSED, v VARCHAR(300) COMPRESSED)"
    )
    name, start = source.log()
    source.session.execute("INSERT INTO packed VALUES (1, REPEAT('ab', 300), REPEAT('x', 300))")
    log = Path(source.server.data / name).read_bytes()
    found = list(events(raws(log, start)))
    table_map = next(event for event in found if event.type == EventType.TABLE_MAP)
    rows = next(event for event in found if event.type in KINDS)
    head = read_head(rows)
    decoder = RowDecoder(
        layout(
            read_table_map(table_map),
            lambda name: source.definition(name).columns,
            lambda n: "binary" if n == 63 else "utf8mb4",
        )
    )
    outcomes = set()
    for at in range(len(head.rows)):
        for bit in range(8):
            broken = bytearray(head.rows)
            broken[at] ^= 1 << bit
            try:
                changes = decoder.changes(rows, replace(head, rows=bytes(broken)))
                assert all(change.after is not None and len(change.after) == 3 for change in changes)
                outcomes.add("read")
            except Unreadable:
                outcomes.add("refused")
    assert outcomes == {"read", "refused"}
