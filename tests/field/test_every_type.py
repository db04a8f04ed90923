"""Rows of every column type are put back, corrected, displaced and brought back: equal on both servers, in plain SQL."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.lab.replicate import write_locally
from replfix.lab.topology import Lab
from tests.field.staging import resolved, rows, stage, undone


@dataclass(frozen=True)
class Type:
    """Three values, each of them another one; ``index``: what the table needs beside the column."""

    sql: str
    values: tuple[str, str, str]
    index: str = ""


def _numbers(sql: str, low: int, high: int) -> Type:
    return Type(sql, (str(low), str(high), "1"))


def _digits(name: str, one: str, other: str) -> list[Type]:
    return [
        Type(f"{name}({n})" if n else name, (f"'{one}{'.987654'[: n + 1] if n else ''}'", f"'{other}'", "NULL"))
        for n in range(7)
    ]


def _point(srid: int) -> str:
    return f"ST_GeomFromText('POINT(1.5 2.5)', {srid})"


GEOMETRIES = {
    "POINT": ("POINT(1 2)", "POINT(-3.25 4e10)", "POINT(0 0)"),
    "LINESTRING": ("LINESTRING(0 0,1 1)", "LINESTRING(0 0,1 1,2 0)", "LINESTRING(5 5,6 6)"),
    "POLYGON": ("POLYGON((0 0,4 0,4 4,0 0))", "POLYGON((0 0,4 0,4 4,0 0),(2 1,3 1,3 2,2 1))", "POLYGON((0 0,9 0,9 9,0 0))"),
    "MULTIPOINT": ("MULTIPOINT(0 0,1 1)", "MULTIPOINT(2 2)", "MULTIPOINT(0 0,1 1,2 2)"),
    "MULTILINESTRING": ("MULTILINESTRING((0 0,1 1))", "MULTILINESTRING((0 0,1 1),(2 2,3 3))", "MULTILINESTRING((4 4,5 5))"),
    "MULTIPOLYGON": (
        "MULTIPOLYGON(((0 0,4 0,4 4,0 0)))", "MULTIPOLYGON(((0 0,4 0,4 4,0 0)),((9 9,8 9,8 8,9 9)))", "MULTIPOLYGON(((0 0,7 0,7 7,0 0)))",
    ),
    "GEOMETRYCOLLECTION": (
        "GEOMETRYCOLLECTION(POINT(1 1))", "GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))", "GEOMETRYCOLLECTION(POINT(2 2))",
    ),
    "GEOMETRY": ("POINT(1 1)", "LINESTRING(0 0,1 1)", "MULTIPOINT(2 2)"),
}  # fmt: skip

BOTH = [
    *(t for n, bits in (("TINYINT", 8), ("SMALLINT", 16), ("MEDIUMINT", 24), ("INT", 32), ("BIGINT", 64)) for t in
      (_numbers(n, -(1 << bits - 1), (1 << bits - 1) - 1), _numbers(f"{n} UNSIGNED", 0, (1 << bits) - 1))),
    Type("DECIMAL(65,30)", (f"{'9' * 35}.{'9' * 30}", f"-{'1' * 35}.{'0' * 29}1", "0")),
    Type("DECIMAL(5,0) UNSIGNED", ("99999", "1", "0")),
    Type("FLOAT", ("1.1", "-3.4028234e38", "1e-38")),
    Type("DOUBLE", ("0.1", "-1.7976931348623157e308", "5e-324")),
    *(Type(f"BIT({n})", (f"b'{'1' * n}'", "b'0'", "NULL")) for n in (1, 7, 8, 9, 33, 63, 64)),
    Type("BOOLEAN", ("TRUE", "FALSE", "NULL")),
    Type("DATE", ("'1000-01-01'", "'9999-12-31'", "NULL")),
    Type("YEAR", ("1901", "2155", "0")),
    *_digits("TIME", "-838:59:58", "12:00:00"),
    *_digits("DATETIME", "1000-01-01 00:00:00", "9999-12-31 23:59:59"),
    *_digits("TIMESTAMP", "2000-01-01 00:00:01", "2038-01-19 03:14:07"),
    Type("CHAR(255)", ("'é € 😀'", "''", "'trailing '")),
    Type("CHAR(0)", ("''", "NULL", "NULL")),
    *(Type(f"VARCHAR(60) CHARACTER SET {c}", ("'abc'", "'Abc'", "''"))
      for c in ("latin1", "ascii", "utf8mb3", "utf16", "utf32", "gbk", "sjis", "koi8r", "cp1251", "big5", "euckr")),
    Type("VARCHAR(60) COLLATE utf8mb4_bin", ("'é'", "'É'", "'e'")),
    Type("VARCHAR(300) CHARACTER SET utf8mb4", ("REPEAT('€', 300)", "'x'", "' x '")),
    Type("BINARY(20)", ("0x00FF5C27", "''", "0x2000")),
    Type("VARBINARY(300)", ("0x00FF5C2700", "''", "REPEAT(0xFE, 300)")),
    *(Type(f"{n}{kind}", (f"REPEAT('a', {size})", "''", "'b'")) for kind in ("BLOB", "TEXT") for n, size in
      (("TINY", 255), ("", 65535), ("MEDIUM", 70000), ("LONG", 70000))),
    Type("ENUM('a','é','it''s','')", ("'é'", "''", "'it''s'")),
    Type("SET('a','b','c','d','e','f','g','h','ü')", ("'a,ü'", "''", "'b'")),
    *(Type(kind, tuple(f"ST_GeomFromText('{v}')" for v in values)) for kind, values in GEOMETRIES.items()),  # type: ignore[arg-type]
    Type("POINT NOT NULL", (_point(0), _point(4326), "ST_GeomFromText('POINT(7 7)')"), "SPATIAL INDEX (v)"),
]  # fmt: skip

MYSQL = [
    Type("JSON", ("""'{"a": [1, 2.5, null, "é"], "b": {}}'""", "'[]'", "'null'")),
    Type("POINT SRID 4326", (_point(4326), "NULL", "NULL")),
    Type("VECTOR(3)", ("STRING_TO_VECTOR('[1,2,3]')", "STRING_TO_VECTOR('[-1e10,0,0.5]')", "NULL")),
    Type("BLOB DEFAULT (0xFF)", ("0x00", "0x01", "NULL")),
]

MARIADB = [
    Type("JSON", ("""'{"a": [1, 2.5]}'""", "'[]'", "'null'")),
    Type("INET6", ("'2001:db8::1'", "'::ffff:1.2.3.4'", "NULL")),
    Type("INET4", ("'1.2.3.4'", "'255.255.255.255'", "NULL")),
    Type("UUID", ("'123e4567-e89b-12d3-a456-426655440000'", "'00000000-0000-0000-0000-000000000001'", "NULL")),
    Type("VARCHAR(60) COMPRESSED", ("REPEAT('a', 60)", "''", "NULL")),
    Type("TEXT COMPRESSED", ("REPEAT('a', 300)", "''", "NULL")),
]

MARIADB_11_8 = [
    Type("VECTOR(3)", ("VEC_FromText('[1,2,3]')", "VEC_FromText('[-1e10,0,0.5]')", "NULL")),
    Type("VECTOR(70)", tuple(f"VEC_FromText('[{n}{',0' * 69}]')" for n in (1, 2, 3))),  # type: ignore[arg-type]
    Type("VECTOR(3) NOT NULL", ("VEC_FromText('[1,2,3]')", "VEC_FromText('[-1,0,0.5]')", "VEC_FromText('[9,9,9]')"), "VECTOR INDEX (v)")
]  # fmt: skip


def types_of(lab: Lab) -> list[Type]:
    with lab.source.session() as session:
        if "MariaDB" not in session.server_version:
            return [*BOTH, *MYSQL]
        return [*BOTH, *MARIADB, *(MARIADB_11_8 if session.server_version.startswith("11.8") else [])]


def test_rows_of_every_type(any_pair: Lab) -> None:
    """Of each type: row 1 is missing, row 2 differs in that column alone, row 3 holds a key that the source's row needs."""
    types = list(enumerate(types_of(any_pair)))
    setup, local, failing = [], [], []
    for n, type_ in types:
        one, two, three = type_.values
        index = f", {type_.index}" if type_.index else ""
        setup += [
            f"CREATE TABLE t{n} (id INT PRIMARY KEY, u INT, v {type_.sql}, n INT, UNIQUE KEY (u){index})",
            f"INSERT INTO t{n} (id, u, v) VALUES (1, 1, {one}), (2, 2, {two})",
        ]
        local += [f"DELETE FROM t{n} WHERE id = 1", f"UPDATE t{n} SET v = {three} WHERE id = 2"]
        local += [f"INSERT INTO t{n} (id, u, v) VALUES (9, 3, {one})"]
        failing += [f"UPDATE t{n} SET n = 1 WHERE id = 1", f"UPDATE t{n} SET n = 1 WHERE id = 2"]
        failing += [f"INSERT INTO t{n} (id, u, v) VALUES (3, 3, {two})"]
    stage(any_pair, setup, local, failing)
    reads = [f"SELECT id, u, HEX(v), n FROM shop.t{n} ORDER BY id" for n, _ in types]
    diverged = [rows(any_pair.replica, read) for read in reads]
    ran = resolved(any_pair)
    wrong = [
        (type_.sql, ours, theirs)
        for (_, type_), read in zip(types, reads, strict=True)
        if (ours := rows(any_pair.replica, read)) != (theirs := rows(any_pair.source, read))
    ]
    assert wrong == []
    # What the transaction itself wrote goes, as a human would do it: then the displaced rows come back just as they were.
    write_locally(
        any_pair.replica,
        *(f"DELETE FROM shop.t{n} WHERE id = 3" for n, _ in types),
        *(f"UPDATE shop.t{n} SET n = NULL" for n, _ in types),
        logged=False,
    )
    undone(any_pair, ran)
    back = [rows(any_pair.replica, read) for read in reads]
    assert [(t.sql, a, b) for (_, t), a, b in zip(types, back, diverged, strict=True) if a != b] == []
