"""The decoder against its judges: what the server itself returns, and what mysqlbinlog prints."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Iterator, Sequence
from decimal import Decimal

import pytest

from replfix.core import sql
from replfix.core.binlog.row_event import ChangeKind, Transaction
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value
from replfix.core.schema.table import Table, TableName
from replfix.errors import Unreadable
from replfix.lab.lab_accounts import ADMIN, REPL
from replfix.lab.lab_state import LabServer
from replfix.lab.provision.software import Software
from replfix.lab.topology import Lab
from replfix.mysql.binlog import BinlogReader
from replfix.mysql.connection.session import Session
from replfix.mysql.read.column_values import from_server
from replfix.mysql.read.table_definitions import read_table

TABLE = TableName("shop", "every")

# Column by column: its type, and values that stand at its edges, as SQL.
EDGES: dict[str, tuple[str, Sequence[str]]] = {
    "t8": ("TINYINT", ["-128", "127", "0"]),
    "u8": ("TINYINT UNSIGNED", ["255", "128", "0"]),
    "t16": ("SMALLINT", ["-32768", "32767"]),
    "u16": ("SMALLINT UNSIGNED ZEROFILL", ["65535", "7"]),
    "t24": ("MEDIUMINT", ["-8388608", "8388607", "-1"]),
    "u24": ("MEDIUMINT UNSIGNED", ["16777215", "8388608"]),
    "t32": ("INT", ["-2147483648", "2147483647"]),
    "u32": ("INT UNSIGNED", ["4294967295", "2147483648"]),
    "t64": ("BIGINT", ["-9223372036854775808", "9223372036854775807"]),
    "u64": ("BIGINT UNSIGNED", ["18446744073709551615", "9223372036854775808"]),
    "flag": ("BOOLEAN", ["TRUE", "FALSE"]),
    "y": ("YEAR", ["0", "1901", "2155", "2000"]),
    "d65": ("DECIMAL(65,30)", [f"{'9' * 35}.{'9' * 30}", f"-{'9' * 35}.{'9' * 30}", "-0.000000000000000000000000000001", "0"]),
    "d10": ("DECIMAL(10,0)", ["-9999999999", "0", "12"]),
    "d99": ("DECIMAL(9,9)", ["0.123456789", "-0.000000001"]),
    "du": ("DECIMAL(18,9) UNSIGNED", ["123456789.987654321", "1000000000 - 999999999"]),
    "f32": ("FLOAT", ["0.1", "-3.4e38", "1e-45", "16777217", "-0e0"]),
    "f72": ("FLOAT(7,2)", ["12345.67", "-0.01"]),
    "f64": ("DOUBLE", ["1.7976931348623157e308", "5e-324", "-0e0", "0.1", "123456789.12345679e0"]),
    "f202": ("DOUBLE(20,2)", ["123456789012345678.12", "-1.5"]),
    "b1": ("BIT(1)", ["1", "0"]),
    "b8": ("BIT(8)", ["255", "1"]),
    "b13": ("BIT(13)", ["4097", "8191"]),
    "b64": ("BIT(64)", ["18446744073709551615", "1"]),
    "dt": ("DATE", ["'0000-00-00'", "'9999-12-31'", "'2020-02-00'", "'2024-02-29'"]),
    "ti": ("TIME", ["'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'"]),
    "ti1": ("TIME(1)", ["'-00:00:00.1'", "'12:13:14.9'"]),
    "ti4": ("TIME(4)", ["'-00:00:00.5'", "'-100:59:59.0001'"]),
    "ti6": ("TIME(6)", ["'-838:59:58.999999'", "'00:00:00.000001'", "'-00:00:00.000001'", "'-01:00:00'"]),
    "dtm": ("DATETIME", ["'0000-00-00'", "'9999-12-31 23:59:59'", "'1000-01-01'", "'2020-02-30 01:02:03'"]),
    "dtm3": ("DATETIME(3)", ["'2024-05-06 07:08:09.123'", "'0000-00-00'"]),
    "dtm6": ("DATETIME(6)", ["'9999-12-31 23:59:59.999999'", "'0001-01-01 00:00:00.000001'"]),
    "ts": ("TIMESTAMP NULL", ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'0000-00-00'"]),
    "ts2": ("TIMESTAMP(2) NULL", ["'2024-03-31 02:30:00.99'", "'0000-00-00'"]),
    "ts6": ("TIMESTAMP(6) NULL", ["'2038-01-19 03:14:07.999999'", "'1970-01-01 00:00:01.000001'"]),
    "c": ("CHAR(10)", ["'pad  '", "''", "'é😀'", "' lead'"]),
    "c255": ("CHAR(255)", ["REPEAT('😀', 255)", "''"]),
    "v": ("VARCHAR(255) CHARACTER SET latin1", ["'trail  '", "REPEAT('é', 255)", "CHAR(0x81, 0x80 USING latin1)"]),
    "v300": ("VARCHAR(300)", ["REPEAT('€', 300)", "'a\\0b'"]),
    "vbin": ("VARCHAR(10) COLLATE utf8mb4_bin", ["'Aa'"]),
    "l1": ("CHAR(5) CHARACTER SET latin1 COLLATE latin1_bin", ["'ÿ€'", "''"]),
    "asc": ("VARCHAR(10) CHARACTER SET ascii", ["'abc'"]),
    "utf16": ("CHAR(5) CHARACTER SET utf16", ["'a😀'", "'ab '"]),
    "utf32": ("VARCHAR(5) CHARACTER SET utf32", ["'😀b'"]),
    "ucs2": ("VARCHAR(5) CHARACTER SET ucs2", ["'é€'"]),
    "u16le": ("VARCHAR(5) CHARACTER SET utf16le", ["'é😀'"]),
    "utf8": ("VARCHAR(5) CHARACTER SET utf8mb3", ["'é€'"]),
    "gbk": ("VARCHAR(10) CHARACTER SET gbk", ["'中文'"]),
    "gb18030": ("VARCHAR(10) CHARACTER SET gb18030", ["'中文😀ḿ'"]),
    "big5": ("VARCHAR(10) CHARACTER SET big5", ["'中文'"]),
    "sjis": ("VARCHAR(10) CHARACTER SET sjis", ["'日本ｱ'"]),
    "ujis": ("VARCHAR(10) CHARACTER SET ujis", ["'日本ｱ'"]),
    "euckr": ("VARCHAR(10) CHARACTER SET euckr", ["'한국'"]),
    "koi8r": ("VARCHAR(10) CHARACTER SET koi8r", ["'привет'"]),
    "cp1251": ("VARCHAR(10) CHARACTER SET cp1251", ["'привет'"]),
    "greek": ("VARCHAR(10) CHARACTER SET greek", ["'αβγ'"]),
    "hebrew": ("VARCHAR(10) CHARACTER SET hebrew", ["'שלום'"]),
    "latin2": ("VARCHAR(10) CHARACTER SET latin2", ["'žšč'"]),
    "tt": ("TINYTEXT", ["''", "REPEAT('x', 255)"]),
    "tx": ("TEXT", ["'text\\n'", "REPEAT('é', 3000)"]),
    "mt": ("MEDIUMTEXT", ["REPEAT('x', 70000)", "'1'"]),
    "lt": ("LONGTEXT CHARACTER SET latin1", ["'é'"]),
    "bi": ("BINARY(8)", ["0x0102", "''", "0x0100000000000000", "0x2020"]),
    "bi255": ("BINARY(255)", ["0xFF"]),
    "vb": ("VARBINARY(300)", ["0x010000", "''", "REPEAT(0xFF, 300)"]),
    "tb": ("TINYBLOB", ["0x00", "''"]),
    "bl": ("BLOB", ["0xFF00FE"]),
    "mb": ("MEDIUMBLOB", ["REPEAT(0xFF, 70000)"]),
    "lb": ("LONGBLOB", ["0x00FF00"]),
    "e": ("ENUM('a','it''s','x,y','back\\\\slash','new\\nline','')", ["'a'", "'it\\'s'", "'back\\\\slash'", "'none'", "4", "''"]),
    "el": ("ENUM('é','ü') CHARACTER SET latin1", ["'ü'", "'é'"]),
    "eu": ("ENUM('é','€') CHARACTER SET utf16", ["'€'"]),
    "s": ("SET('a','b','c','d','e','f','g','h','i')", ["'i,a'", "''", "'b'"]),
    "sl": ("SET('é','ü') CHARACTER SET latin1", ["'ü,é'"]),
    "j": (
        "JSON",
        [
            "'{\"bb\": [1, -1, 32768, -2147483649, 18446744073709551615, 1.0, 1e100, -0.0], \"a\": {}, \"\": []}'",
            "'null'",
            "'[true, false, null, \"\\\\u0001é😀\\\\\"\\\\\\\\/\"]'",
            "CAST(1.50 AS JSON)",
            "CAST(123456789012345678901234567890.12 AS JSON)",
            "JSON_ARRAY(DATE'2020-01-02', TIME'-13:04:05.6', TIMESTAMP'2020-01-02 03:04:05.000006', x'00FF', b'101')",
            "JSON_ARRAY(REPEAT(x'FF', 100), CAST('1990' AS YEAR), 18446744073709551616, 1e22, 5e-324)",
            "JSON_OBJECT('long', REPEAT('é', 40000), 'k', JSON_ARRAY(JSON_OBJECT('x', 1)))",
            "'\"\"'",
        ],
    ),
    "virt": ("INT GENERATED ALWAYS AS (t8 + 1) VIRTUAL", []),
    "stored": ("VARCHAR(20) GENERATED ALWAYS AS (CONCAT('t', t8)) STORED", []),
    "hidden": ("INT INVISIBLE DEFAULT 7", ["8"]),
}  # fmt: skip


@pytest.fixture
def source(pair: Lab) -> Iterator[LabServer]:
    yield pair.source
    with pair.source.session() as session:
        session.execute("SET GLOBAL binlog_row_metadata = DEFAULT")


def connect(server: LabServer) -> Session:
    session = server.session()
    session.execute("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
    session.execute("CREATE DATABASE IF NOT EXISTS shop")
    session.execute("USE shop")
    return session


def write(session: Session, *statements: str) -> str:
    """The GTID of the last of the statements."""
    for statement in statements[:-1]:
        session.execute(statement)
    before = GtidSet.parse(session.scalar("SELECT @@global.gtid_executed"))
    session.execute(statements[-1])
    return str(GtidSet.parse(session.scalar("SELECT @@global.gtid_executed")) - before)


def definition(session: Session, name: TableName = TABLE) -> Table:
    table = read_table(session, name)
    assert table is not None
    return table


def read(server: LabServer, gtid: str) -> Transaction:
    """Read with the account that replicas use: REPLICATION SLAVE and nothing else."""
    with server.session() as lookups:
        return BinlogReader(server.endpoint(REPL), lambda name: definition(lookups, name).columns).transaction(gtid)


def selected(session: Session, table: Table) -> list[RowImage]:
    """Every row in the order of its key, through the statement that replfix itself uses."""
    keys = [int(row[0]) for row in session.rows(f"SELECT id FROM {sql.table_name(table.name)} ORDER BY id")]
    rows = []
    columns = sql.select_list(table)
    for key in keys:
        (row,) = session.rows(f"SELECT {columns} FROM {sql.table_name(table.name)} WHERE id = {key}")
        rows.append(tuple(from_server(c, v) for c, v in zip(table.columns, row, strict=True)))
    return rows


def create_every(session: Session) -> Table:
    session.execute("DROP TABLE IF EXISTS every")
    columns = ", ".join(f"`{name}` {type_}" for name, (type_, _) in EDGES.items())
    session.execute(f"CREATE TABLE every (id INT PRIMARY KEY, {columns}) ROW_FORMAT = DYNAMIC")
    return definition(session)


def insert_edges() -> str:
    names = [name for name, (_, values) in EDGES.items() if values]
    rows = [
        [str(number), *(values[number % len(values)] for _, values in EDGES.values() if values)]
        for number in range(max(len(values) for _, values in EDGES.values()))
    ]
    rows.append([str(len(rows)), *("NULL" for _ in names)])
    return f"INSERT INTO every (id, {', '.join(f'`{name}`' for name in names)}) VALUES " + ", ".join(
        f"({', '.join(row)})" for row in rows
    )


def assert_same(table: Table, decoded: RowImage | None, expected: RowImage) -> None:
    """Equal in value and in type; the message names the columns."""
    assert decoded is not None
    differ = {
        column.name: (left, right)
        for column, left, right in zip(table.columns, decoded, expected, strict=True)
        if repr(left) != repr(right)
    }
    assert not differ


@pytest.mark.parametrize("metadata", ["MINIMAL", "FULL"])
@pytest.mark.parametrize("image", ["FULL", "MINIMAL", "NOBLOB"])
def test_every_type_is_read_as_the_server_returns_it(source: LabServer, metadata: str, image: str) -> None:
    with connect(source) as session:
        session.execute(f"SET GLOBAL binlog_row_metadata = {metadata}")
        session.execute(f"SET binlog_row_image = {image}")
        table = create_every(session)
        inserted = read(source, write(session, insert_edges()))
        rows = selected(session, table)
        assert [change.kind for change in inserted.changes] == [ChangeKind.INSERT] * len(rows)
        assert inserted.column_names == {TABLE: tuple(column.name for column in table.columns)}
        assert bool(inserted.notes) == (metadata == "MINIMAL")
        # An insert logs every column that has a value of its own, whatever the image: all of them but two.
        for change, row in zip(inserted.changes, rows, strict=True):
            after = change.after
            assert after is not None
            logged = tuple(r if a is NOT_LOGGED else a for a, r in zip(after, row, strict=True))
            assert_same(table, logged, row)
            assert image != "FULL" or NOT_LOGGED not in after

        update = "UPDATE every SET t8 = 5, tx = 'new', j = JSON_OBJECT('new', 1.5) WHERE id < 3"
        updated = read(source, write(session, update))
        now = selected(session, table)
        for change, before, after in zip(updated.changes, rows[:3], now[:3], strict=True):
            assert change.before is not None
            assert change.after is not None
            assert_same(table, only_logged(change.before, before), change.before)
            assert_same(table, only_logged(change.after, after), change.after)
        first = updated.changes[0]
        assert first.before is not None
        assert first.after is not None
        blob = table.column("lt").ordinal
        other = table.column("d10").ordinal
        assert (first.before[blob] is NOT_LOGGED) == (image != "FULL")
        assert (first.after[blob] is NOT_LOGGED) == (image != "FULL")
        assert (first.before[other] is NOT_LOGGED) == (image == "MINIMAL")
        assert first.after[table.column("tx").ordinal] == "new"

        deleted = read(source, write(session, "DELETE FROM every"))
        for change, row in zip(deleted.changes, now, strict=True):
            assert change.kind is ChangeKind.DELETE
            assert change.before is not None
            assert_same(table, only_logged(change.before, row), change.before)


def only_logged(logged: RowImage, row: RowImage) -> RowImage:
    return tuple(NOT_LOGGED if seen is NOT_LOGGED else value for seen, value in zip(logged, row, strict=True))


def test_rows_selected_in_a_union_are_the_same(source: LabServer) -> None:
    """The look-ups of several rows are joined by UNION ALL, where the server works out the types anew."""
    with connect(source) as session:
        table = create_every(session)
        write(session, insert_edges())
        rows = selected(session, table)
        one = f"SELECT {sql.select_list(table)} FROM every WHERE id = "
        joined = session.rows(" UNION ALL ".join(f"({one}{number})" for number in range(len(rows))))
        by_id = {int(row[0]): row for row in joined}
        for number, row in enumerate(rows):
            answer = by_id[number]
            assert_same(table, tuple(from_server(c, v) for c, v in zip(table.columns, answer, strict=True)), row)


# --- mysqlbinlog as the judge ---

_PRINTED = re.compile(r"###   @(\d+)=(.*?) /\* ")


def as_mysqlbinlog_prints(table: Table, ordinal: int, value: Value) -> str | None:
    """What mysqlbinlog shows for a value, for the types that it shows in a form that can be compared."""
    column = table.columns[ordinal]
    if value is None:
        return "NULL"
    if column.data_type in ("tinyint", "smallint", "mediumint", "int", "bigint", "decimal"):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if column.data_type == "bit":
        width = int(re.findall(r"\d+", column.column_type)[0])
        return f"b'{int(str(value)):0{width}b}'"
    if column.data_type == "enum" and value != "":  # '' is the error value 0, or a label
        return str(column.labels.index(str(value)) + 1)
    if column.data_type in ("time", "datetime") or column.name == "asc":
        return f"'{value!s}'"
    if column.data_type == "date":
        return "'" + str(value).replace("-", ":") + "'"
    return None


def test_mysqlbinlog_says_the_same(pair: Lab) -> None:
    source = pair.source
    if not isinstance(pair.provision, Software):
        pytest.fail("mysqlbinlog comes with servers that are processes of this machine")
    with connect(source) as session:
        table = create_every(session)
        transaction = read(source, write(session, insert_edges()))
    printed = subprocess.run(
        pair.provision.client_command(
            "mysqlbinlog",
            "--read-from-remote-server",
            f"--host={source.host}",
            f"--port={source.port}",
            f"--user={ADMIN.name}",
            f"--password={ADMIN.password}",
            "--base64-output=decode-rows",
            "-vv",
            f"--include-gtids={transaction.gtid}",
            transaction.log_file,
        ),
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout.decode("utf-8", "replace")
    rows = printed.split("### INSERT INTO `shop`.`every`")[1:]
    assert len(rows) == len(transaction.changes)
    compared = 0
    for text, change in zip(rows, transaction.changes, strict=True):
        shown = {int(number) - 1: value for number, value in _PRINTED.findall(text)}
        assert change.after is not None
        for ordinal, value in enumerate(change.after):
            expected = as_mysqlbinlog_prints(table, ordinal, value)
            if expected is not None:
                # Unsigned integers above the half are shown as "-1 (255)", and so are negative ones: "-1 (4294967295)".
                assert expected in re.split(r"[ ()]+", shown[ordinal]) or shown[ordinal] == expected, table.columns[
                    ordinal
                ]
                compared += 1
    assert compared > 200


def test_labels_that_information_schema_cannot_show_are_not_guessed(source: LabServer) -> None:
    with connect(source) as session:
        session.execute("CREATE TABLE smileys (id INT PRIMARY KEY, e ENUM('a','😀'))")
        insert = "INSERT INTO smileys VALUES "
        minimal = write(session, insert + "(1, '😀')")
        session.execute("SET GLOBAL binlog_row_metadata = FULL")
        full = write(session, insert + "(2, '😀')")
    assert [change.after for change in read(source, full).changes] == [(2, "😀")]
    with pytest.raises(Unreadable, match=r"Column e of shop.smileys.*question mark"):
        read(source, minimal)


def test_a_float_comes_back_as_the_float32_that_is_stored(source: LabServer) -> None:
    with connect(source) as session:
        session.execute("CREATE TABLE floats (id INT PRIMARY KEY, f FLOAT)")
        gtid = write(
            session, "INSERT INTO floats VALUES (1, 0.1), (2, 16777217), (3, 3.4028235e38), (4, 1.17549435e-38)"
        )
        table = definition(session, TableName("shop", "floats"))
        exact = [
            struct.unpack("<f", struct.pack("<f", number))[0]
            for number in (0.1, 16777217, 3.4028235e38, 1.17549435e-38)
        ]
        assert [row[1] for row in selected(session, table)] == exact
        assert [change.after and change.after[1] for change in read(source, gtid).changes] == exact


@pytest.mark.parametrize("metadata", ["MINIMAL", "FULL"])
def test_hundreds_of_columns_and_long_rows(source: LabServer, metadata: str) -> None:
    types = ("INT UNSIGNED", "VARCHAR(40)", "BIGINT", "DECIMAL(9,2)", "TEXT")
    with connect(source) as session:
        session.execute(f"SET GLOBAL binlog_row_metadata = {metadata}")
        columns = ", ".join(f"c{n} {types[n % len(types)]}" for n in range(400))
        session.execute(f"CREATE TABLE wide (id INT PRIMARY KEY, {columns})")
        values = ("4294967295", "'é'", "-1", "1234567.89", "REPEAT('y', 30)")
        rows = [[values[n % len(types)] if (n + row) % 3 else "NULL" for n in range(400)] for row in range(3)]
        rows.append([values[n % len(types)] for n in range(400)])
        given = ", ".join(f"({number}, {', '.join(row)})" for number, row in enumerate(rows))
        decoded = read(source, write(session, f"INSERT INTO wide VALUES {given}"))
        table = definition(session, TableName("shop", "wide"))
        for change, row in zip(decoded.changes, selected(session, table), strict=True):
            assert_same(table, change.after, row)
