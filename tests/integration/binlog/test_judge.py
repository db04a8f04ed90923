"""The decoder against its judges, on random tables with random rows: the server's own answers, and mysqlbinlog.

Tables have columns of every type, of every character set, with and without NULLs, generated, invisible, with all kinds
of keys and with none; rows are logged with both kinds of metadata and all three kinds of images. Every decoded value is
held against what replfix selects, and against an answer of the server's that replfix has no part in (``HEX``, ``CAST``,
``UNIX_TIMESTAMP``, ``ST_AsWKB``, …); what mysqlbinlog prints in a form that can be compared is compared too, and what
python-mysql-replication reads right.

``REPLFIX_JUDGE_ROWS`` says how many rows (5,000 in an ordinary run), ``REPLFIX_JUDGE_SEED`` begins elsewhere.
"""

from __future__ import annotations

import json
import os
import random
import re
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import WriteRowsEvent

from replfix.core import sql
from replfix.core.binlog.row_event import ChangeKind, Transaction
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows.row_values import NOT_LOGGED, Json, RowImage, Value
from replfix.core.schema.table import Table, TableName
from replfix.core.sql.conditions import is_exactly
from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import ADMIN, REPL
from replfix.lab.lab_state import LabServer
from replfix.lab.provision.software import Software
from replfix.lab.topology import Lab
from replfix.mysql.binlog import BinlogReader
from replfix.mysql.connection.session import Session
from replfix.mysql.read.find_rows import image
from replfix.mysql.read.table_definitions import read_columns, read_table

ROWS = int(os.environ.get("REPLFIX_JUDGE_ROWS", "5000"))
SEED = int(os.environ.get("REPLFIX_JUDGE_SEED", "97"))
WAYS = [(metadata, logged) for metadata in ("FULL", "MINIMAL") for logged in ("FULL", "NOBLOB", "MINIMAL")]
ROWS_OF_A_TABLE = 280
WRITTEN_BACK = 40
LOOKED_UP = 10
TABLES = max(2 * len(WAYS), -(-ROWS // ROWS_OF_A_TABLE))

Make = Callable[[], str]  # a random value as SQL


@dataclass(frozen=True, slots=True)
class Kind:
    """One column type, and how the judge asks for its values."""

    type: str
    make: Make
    ask: str  # SQL with {} for the column: the server's answer
    expect: Callable[[Value], object]  # the same answer from a decoded value
    hear: Callable[[str], object] = str  # an answer in a form that can be compared
    blob: bool = False


class Kinds:
    """Random column types and values. ``alphabets``: for each character set, what the server can store in it."""

    def __init__(self, rng: random.Random, alphabets: dict[str, str], metadata: str) -> None:
        self.rng = rng
        self.alphabets = alphabets
        self.metadata = metadata

    def every(self, *, geometry: bool) -> list[Kind]:
        """One of each type, in random order, character sets dealt out in turn."""
        charsets = list(self.alphabets)
        self.rng.shuffle(charsets)
        kinds = [
            *(self.integer(name, bytes_, sign) for name, bytes_ in _INTEGERS for sign in ("", " UNSIGNED")),
            *(make() for make in (self.decimal, self.decimal, self.bit, self.year, self.date, self.json)),
            *(make(self.rng.randrange(7)) for make in (self.time, self.datetime, self.timestamp)),
            *(make(0) for make in (self.time, self.datetime, self.timestamp)),
            *(self.real("FLOAT", "f"), self.real("DOUBLE", "d")),
            *(self.text(f"{name}({length})", length, charsets.pop()) for name, length in (("CHAR", 7), ("VARCHAR", 9))),
            self.text("VARCHAR(300)", 300, "latin1"),
            *(self.text(name, 200, charsets.pop(), blob=True) for name in ("TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT")),
            *(self.labels(name, charset) for name in ("ENUM", "SET") for charset in (charsets.pop(), "binary")),
            *(self.bytes(f"{name}({length})", length) for name, length in (("BINARY", 5), ("VARBINARY", 270))),
            *(self.bytes(name, 200, blob=True) for name in ("TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB")),
            *(self.vector(), self.long_text(), *([self.geometry()] if geometry else [])),
        ]  # fmt: skip
        self.rng.shuffle(kinds)
        return kinds

    def integer(self, name: str, width: int, sign: str) -> Kind:
        low, high = (0, 256**width - 1) if sign else (-(256**width) // 2, 256**width // 2 - 1)
        return Kind(name + sign, lambda: str(self.edge(low, high)), "CAST({} AS CHAR)", str)

    def edge(self, low: int, high: int) -> int:
        return self.rng.choice((low, high, 0, 1, self.rng.randint(low, high), self.rng.randint(low, high)))

    def decimal(self) -> Kind:
        scale = self.rng.randint(0, 30)
        precision = self.rng.randint(max(scale, 1), 65)
        limit = 10**precision - 1

        def make() -> str:
            return format(Decimal(f"{self.edge(-limit, limit)}E-{scale}"), "f")

        return Kind(f"DECIMAL({precision},{scale})", make, "CAST({} AS CHAR)", lambda value: format(value, "f"))

    def real(self, name: str, form: str) -> Kind:
        width = struct.calcsize(form)

        def make() -> str:
            while True:
                (value,) = struct.unpack(form, self.rng.randbytes(width))
                if value == value and abs(value) != float("inf"):
                    return f"{value!r}" if "e" in repr(value) else f"{value!r}e0"

        return Kind(name, make, "CAST({} AS DOUBLE)", lambda value: value, float)

    def bit(self) -> Kind:
        bits = self.rng.randint(1, 64)
        return Kind(f"BIT({bits})", lambda: str(self.edge(0, 2**bits - 1)), "CAST({} AS UNSIGNED)", str)

    def year(self) -> Kind:
        return Kind("YEAR", lambda: str(self.rng.choice((0, 1901, 2155, 1999))), "{} + 0", str)

    def a_date(self) -> str:
        year, month, day = self.rng.randint(1, 9999), self.rng.randint(1, 12), self.rng.randint(1, 31)
        return self.rng.choice(
            ("0000-00-00", f"{year:04d}-{month:02d}-{day:02d}", f"{year:04d}-{month:02d}-00", f"{year:04d}-00-00")
        )

    def a_clock(self, hours: int, digits: int) -> str:
        fraction = f".{self.rng.randrange(10**digits):0{digits}d}" if digits else ""
        return f"{self.rng.randrange(hours):02d}:{self.rng.randrange(60):02d}:{self.rng.randrange(60):02d}{fraction}"

    def date(self) -> Kind:
        return Kind("DATE", lambda: f"'{self.a_date()}'", "CAST({} AS CHAR)", str)

    def time(self, digits: int) -> Kind:
        def make() -> str:
            return f"'{self.rng.choice(('', '-'))}{self.a_clock(self.rng.choice((1, 24, 838)), digits)}'"

        return Kind(f"TIME({digits})", make, "CAST({} AS CHAR)", str)

    def datetime(self, digits: int) -> Kind:
        return Kind(
            f"DATETIME({digits})", lambda: f"'{self.a_date()} {self.a_clock(24, digits)}'", "CAST({} AS CHAR)", str
        )

    def timestamp(self, digits: int) -> Kind:
        def make() -> str:
            if self.rng.random() < 0.1:
                return "'0000-00-00'"
            return f"FROM_UNIXTIME({self.rng.randint(1, 2**31 - 2)}.{self.rng.randrange(10**digits) if digits else 0:0{digits}d})"

        return Kind(f"TIMESTAMP({digits}) NULL", make, "UNIX_TIMESTAMP({})", _since_1970, Decimal)

    def some_text(self, charset: str, longest: int) -> str:
        length = self.rng.choice((0, 1, longest, self.rng.randint(0, longest)))
        return "".join(self.rng.choices(self.alphabets[charset], k=length))

    def text(self, type_: str, longest: int, charset: str, *, blob: bool = False) -> Kind:
        if type_ == "TINYTEXT":
            longest = 60
        return Kind(
            f"{type_} CHARACTER SET {charset}",
            lambda: _hex(self.some_text(charset, longest)),
            "HEX(CONVERT({} USING utf8mb4))",
            lambda value: str(value).encode().hex().upper(),
            blob=blob,
        )

    def long_text(self) -> Kind:
        return Kind(
            "LONGTEXT",
            lambda: f"REPEAT({_hex(self.some_text('utf8mb4', 10))}, {self.rng.choice((0, 1, 500, 9000))})",
            "HEX({})",
            lambda value: str(value).encode().hex().upper(),
            blob=True,
        )

    def labels(self, name: str, charset: str) -> Kind:
        alphabet = "abcXYZ09é中" if charset == "binary" else self.alphabets[charset]
        hidden = self.metadata == "MINIMAL" and charset != "binary"
        beyond = "?" + "".join(c for c in alphabet if c > "\uffff") if hidden else "?"
        letters = [c for c in alphabet if c.isprintable() and c not in beyond + ", "]
        count = self.rng.choice((1, 3, 9, 64 if name == "SET" else 300))
        labels = sorted({"".join(self.rng.choices(letters, k=self.rng.randint(1, 6))) for _ in range(count)})
        self.rng.shuffle(labels)
        inner = ", ".join(_hex(label, introducer=False) for label in labels)
        type_ = f"{name}({inner}) CHARACTER SET {charset} COLLATE {_BIN.get(charset, charset + '_bin')}"
        if name == "ENUM":
            return Kind(
                type_,
                lambda: str(self.rng.randint(1, len(labels))),
                "{} + 0",
                lambda value: str(labels.index(str(value)) + 1),
            )
        return Kind(
            type_,
            lambda: str(self.rng.getrandbits(len(labels))),
            "CAST({} AS UNSIGNED)",
            lambda value: str(sum(1 << labels.index(label) for label in str(value).split(",") if label)),
        )

    def bytes(self, type_: str, longest: int, *, blob: bool = False) -> Kind:
        def make() -> str:
            length = self.rng.choice((0, 1, longest, self.rng.randint(0, longest)))
            zeros = self.rng.choice((0, 0, min(2, length)))
            return f"x'{(self.rng.randbytes(length - zeros) + bytes(zeros)).hex()}'"

        return Kind(type_, make, "HEX({})", _bytes_hex, blob=blob)

    def json(self) -> Kind:
        def make() -> str:
            if self.rng.random() < 0.4:
                return self.rng.choice(_OPAQUE)
            return f"CAST({_hex(json.dumps(self.document(3)))} AS JSON)"

        return Kind("JSON", make, "CAST({} AS CHAR)", lambda value: _loads(_json(value)), _loads, blob=True)

    def document(self, depth: int) -> object:
        leaves = 6
        match self.rng.randrange(leaves if not depth else leaves + 2):
            case 0:
                return self.rng.choice((None, True, False))
            case 1:
                return self.edge(-(2**63), 2**64 - 1)
            case 2:
                return self.edge(-40000, 70000)
            case 3:
                return self.rng.choice((-0.0, 1.5, 1e100, 5e-324, self.rng.uniform(-1e6, 1e6)))
            case 4 | 5:
                return self.some_text("utf8mb4", self.rng.choice((3, 20, 200)))
            case 6:
                return [self.document(depth - 1) for _ in range(self.rng.choice((0, 2, 5)))]
            case _:
                return {
                    self.some_text("utf8mb4", 5): self.document(depth - 1) for _ in range(self.rng.choice((0, 1, 4)))
                }

    def geometry(self) -> Kind:
        name, shape = self.rng.choice(_SHAPES)
        srid = self.rng.choice((0, 4326, 3857))

        def make() -> str:
            points = [f"{self.rng.uniform(-80, 80)!r} {self.rng.uniform(-80, 80)!r}" for _ in range(4)]
            return f"ST_GeomFromText('{shape.format(*points)}', {srid}, 'axis-order=long-lat')" if srid == 4326 else (
                f"ST_GeomFromText('{shape.format(*points)}', {srid})"
            )  # fmt: skip

        ask = "CONCAT(ST_SRID({0}), ' ', HEX(ST_AsWKB({0}{1})))".replace(
            "{1}", ", 'axis-order=long-lat'" if srid == 4326 else ""
        )
        return Kind(name, make, ask, _srid_and_wkb, blob=True)

    def vector(self) -> Kind:
        count = self.rng.randint(1, 20)

        def make() -> str:
            return f"STRING_TO_VECTOR('[{','.join(str(self.rng.uniform(-9, 9)) for _ in range(count))}]')"

        return Kind(
            f"VECTOR({self.rng.choice((count, 40))})",
            make,
            "VECTOR_TO_STRING({})",
            lambda value: [f"{number:.5e}" for (number,) in struct.iter_unpack("<f", _bytes(value))],
            lambda answer: [f"{float(number):.5e}" for number in answer.strip("[]").split(",")],
            blob=True,
        )


_INTEGERS = (("TINYINT", 1), ("SMALLINT", 2), ("MEDIUMINT", 3), ("INT", 4), ("BIGINT", 8))
_BIN = {"binary": "binary"}
_SHAPES = [
    ("GEOMETRY", "POINT({0})"),
    ("POINT", "POINT({0})"),
    ("LINESTRING", "LINESTRING({0}, {1}, {2})"),
    ("POLYGON", "POLYGON(({0}, {1}, {2}, {3}, {0}))"),
    ("MULTIPOINT", "MULTIPOINT({0}, {1})"),
    ("MULTILINESTRING", "MULTILINESTRING(({0}, {1}), ({2}, {3}))"),
    ("MULTIPOLYGON", "MULTIPOLYGON((({0}, {1}, {2}, {0})))"),
    ("GEOMETRYCOLLECTION", "GEOMETRYCOLLECTION(POINT({0}), LINESTRING({1}, {2}))"),
]
_OPAQUE = [
    "JSON_ARRAY(CAST(-1.50 AS DECIMAL(10,4)), CAST(12345678901234567890123.5 AS DECIMAL(40,10)), 1.10, 18446744073709551616)",
    "JSON_ARRAY(DATE'2020-01-02', TIME'-13:04:05.6', TIMESTAMP'2020-01-02 03:04:05.000006', TIME'838:59:59')",
    "JSON_OBJECT('b', x'00FF', 'long', REPEAT(x'FF', 100), 'y', CAST('1999' AS YEAR))",
    "CAST(CAST(1.50 AS DECIMAL(5,2)) AS JSON)",
    "CAST(NULL AS JSON)",
    "CAST('null' AS JSON)",
    "JSON_OBJECT('k', REPEAT('\u00e9', 40000))",
]
# What the server's character sets are made of: each keeps what it can store of it.
_CANDIDATES = (
    "".join(map(chr, range(1, 128)))
    + "\u0081\u009d\u00a0¤§é\u00fcÿŸœŒžščřůßığş–—€™¼½"
    + "приветёўґ│─αβγΩέשלום\u064b\u0628\u0629กขคքՔაბ"
    + "中文繁體碁日本ｱぱ々①㈱～\\￢한국힝ḿ\ue000\ue3ac\ue757😀𠀋"
)


def _hex(text: str, *, introducer: bool = True) -> str:
    code = text.encode().hex()
    return f"_utf8mb4 x'{code}'" if introducer else f"_utf8mb4 x'{code}'".replace("_utf8mb4 x", "x") if not code else (
        "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    )  # fmt: skip


def _bytes(value: Value) -> bytes:
    assert isinstance(value, bytes)
    return value


def _bytes_hex(value: Value) -> str:
    return _bytes(value).hex().upper()


def _json(value: Value) -> str:
    assert isinstance(value, Json)
    return value.text


def _loads(text: str) -> object:
    return json.loads(text, parse_float=Decimal, object_pairs_hook=lambda pairs: sorted(pairs))


def _since_1970(value: Value) -> Decimal:
    text = str(value)
    if text.startswith("0000"):
        return Decimal(0)
    whole, _, fraction = text.partition(".")
    seconds = datetime.strptime(whole, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    return Decimal(f"{int(seconds)}.{fraction or 0}")


def _srid_and_wkb(value: Value) -> str:
    raw = _bytes(value)
    return f"{int.from_bytes(raw[:4], 'little')} {raw[4:].hex().upper()}"


# --- tables ---


@dataclass(frozen=True, slots=True)
class Made:
    """A random table: its columns after ``id``."""

    name: TableName
    create: str
    kinds: tuple[Kind | None, ...]  # None: generated
    nullable: tuple[bool, ...]


_KEYS = (
    "PRIMARY KEY (id)",
    "UNIQUE KEY (id)",
    "KEY (id)",
    "PRIMARY KEY (id), UNIQUE KEY both_of_them (id, c0)",
    "",  # with sql_generate_invisible_primary_key, or with no key at all
)


def made(rng: random.Random, number: int, kinds: Sequence[Kind]) -> Made:
    name = TableName("shop", f"t{number}")
    columns, flags = [], []
    for index, kind in enumerate(kinds):
        nullable = rng.random() < 0.8 or kind.type.startswith("TIMESTAMP")
        invisible = " INVISIBLE" if rng.random() < 0.1 else ""
        columns.append(f"c{index} {kind.type}{'' if nullable else ' NOT NULL'}{invisible}")
        flags.append(nullable)
    of_all: list[Kind | None] = list(kinds)
    for virtual in ("VIRTUAL", "STORED"):
        columns.append(f"g{virtual} VARCHAR(30) GENERATED ALWAYS AS (CONCAT('n', id * 2)) {virtual}")
        of_all.append(None)
        flags.append(True)
    key = _KEYS[number % len(_KEYS)].replace(
        ", UNIQUE KEY both_of_them (id, c0)", "" if kinds[0].blob else ", UNIQUE KEY both_of_them (id, c0)"
    )
    order = list(zip(columns, of_all, flags, strict=True))
    parts = ["id INT NOT NULL", *(column for column, _, _ in order), *([key] if key else [])]
    return Made(
        name,
        f"CREATE TABLE {name} ({', '.join(parts)}) CHARACTER SET utf8mb4 ROW_FORMAT = DYNAMIC",
        tuple(kind for _, kind, _ in order),
        tuple(nullable for _, _, nullable in order),
    )  # fmt: skip


def insert(rng: random.Random, table: Made, ids: Sequence[int]) -> str:
    stored = [(i, k, n) for i, (k, n) in enumerate(zip(table.kinds, table.nullable, strict=True)) if k is not None]
    names = ", ".join(f"c{i}" for i, _, _ in stored)
    rows = (
        ", ".join([str(id_), *("NULL" if nullable and rng.random() < 0.15 else kind.make() for _, kind, nullable in stored)])
        for id_ in ids
    )  # fmt: skip
    return f"INSERT INTO {table.name} (id, {names}) VALUES " + ", ".join(f"({row})" for row in rows)


# --- the judges ---


class Judged:
    """What has been compared so far."""

    def __init__(self) -> None:
        self.rows = 0
        self.types: Counter[str] = Counter()
        self.mysqlbinlog = 0
        self.written_back = 0


@pytest.fixture(scope="module")
def alphabets(lab: Lab) -> dict[str, str]:
    """What each character set of the server can store, of a sample of everything."""
    with lab.source.session() as session:
        return _alphabets(session)


def _alphabets(session: Session) -> dict[str, str]:
    found = {}
    for row in session.query("SHOW CHARACTER SET"):
        charset = row["Charset"]
        if charset != "binary":
            asked = ", ".join(
                f"CONVERT(CONVERT({_hex(c)} USING {charset}) USING utf8mb4) <=> BINARY {_hex(c)}" for c in _CANDIDATES
            )
            (answer,) = session.rows(f"SELECT {asked}")
            found[charset] = "".join(c for c, kept in zip(_CANDIDATES, answer, strict=True) if kept == "1")
    return found


def written(session: Session, *statements: str) -> str:
    """One transaction; its GTID."""
    before = GtidSet.parse(session.scalar("SELECT @@global.gtid_executed"))
    for statement in ("BEGIN", *statements, "COMMIT"):
        session.execute(statement)
    return str(GtidSet.parse(session.scalar("SELECT @@global.gtid_executed")) - before)


def read(server: LabServer, gtid: str) -> Transaction:
    with server.session() as lookups:
        return BinlogReader(server.endpoint(REPL), lambda name: read_columns(lookups, name)).transaction(gtid)


def by_id(table: Table, images: Sequence[RowImage]) -> dict[int, RowImage]:
    at = table.column("id").ordinal
    return {int(str(row[at])): row for row in images}


def selected(session: Session, table: Table) -> dict[int, RowImage]:
    """As replfix selects."""
    rows = session.rows(f"SELECT {sql.select_list(table)} FROM {sql.table_name(table.name)}")
    return by_id(table, [image(table, row) for row in rows])


def answers(session: Session, of: Made) -> dict[int, dict[str, object]]:
    """As the server answers the judge, by id and column."""
    asked = {f"c{i}": kind for i, kind in enumerate(of.kinds) if kind is not None}
    columns = ", ".join(f"{kind.ask.replace('{0}', name).replace('{}', name)}" for name, kind in asked.items())
    return {
        int(row[0]): {
            name: None if answer is None else kind.hear(answer.decode() if isinstance(answer, bytes) else answer)
            for (name, kind), answer in zip(asked.items(), row[1:], strict=True)
        }
        for row in session.rows(f"SELECT id, {columns} FROM {of.name}")
    }


def assert_judged(
    of: Made, table: Table, logged: RowImage, row: RowImage, answer: dict[str, object] | None, judged: Judged
) -> None:
    for column, value, other in zip(table.columns, logged, row, strict=True):
        if value is NOT_LOGGED:
            continue
        assert repr(value) == repr(other), f"{of.name}.{column.name} {column.column_type}"
        kind = of.kinds[int(column.name[1:])] if column.name.startswith("c") else None
        if kind is None or answer is None:
            continue
        expected = None if value is None else kind.expect(value)
        assert expected == answer[column.name], f"{of.name}.{column.name} {column.column_type}"
        judged.types[column.data_type + (f" {column.charset}" if column.charset else "")] += 1


_PRINTED = re.compile(rb"###   @(\d+)=(.*?) /\* ")


def mysqlbinlog(pair: Lab, transaction: Transaction) -> list[dict[int, str]]:
    """Each row of a transaction of one INSERT as mysqlbinlog prints it, by ordinal."""
    assert isinstance(pair.provision, Software), "mysqlbinlog comes with servers that are processes of this machine"
    command = pair.provision.client_command(
        "mysqlbinlog", "--base64-output=decode-rows", "-vv", f"--include-gtids={transaction.gtid}",
        str(pair.source.data / transaction.log_file),
    )  # fmt: skip
    printed = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    return [
        {int(number) - 1: value.decode("latin-1") for number, value in _PRINTED.findall(text)}
        for text in printed.split(b"### INSERT INTO")[1:]
    ]


def as_printed(table: Table, ordinal: int, value: Value) -> str | None:
    """What mysqlbinlog prints for a value; None for a type whose print cannot be compared."""
    column = table.columns[ordinal]
    if value is None:
        return "NULL"
    match column.data_type:
        case "tinyint" | "smallint" | "mediumint" | "int" | "bigint":
            return str(value)
        case "decimal":
            return format(value, "f")
        case "bit":
            width = int(re.findall(r"\d+", column.column_type)[0])
            return f"b'{int(str(value)):0{width}b}'"
        case "enum" if not any("?" in label for label in column.labels):
            return str(column.labels.index(str(value)) + 1)
        case "time" | "datetime":
            return f"'{value!s}'"
        case "date":
            return "'" + str(value).replace("-", ":") + "'"
        case "timestamp":
            seconds = _since_1970(value)
            return f"{seconds:.{column.scale}f}" if column.scale else str(int(seconds))
        case "binary" | "varbinary" | "blob" | "tinyblob" | "mediumblob" | "longblob":
            return _quoted(_bytes(value).rstrip(b"\0") if column.data_type == "binary" else _bytes(value))
        case "varchar" | "char" | "text" | "tinytext" | "longtext" if column.charset == "utf8mb4":
            return _quoted(str(value).encode())
    return None


def _quoted(raw: bytes) -> str:
    return "'" + "".join(_ESCAPES.get(b) or (f"\\x{b:02x}" if b < 32 else chr(b)) for b in raw) + "'"


_ESCAPES = {ord(c): f"\\{e}" for c, e in zip("\n\r\t\b\f\\'", "nrtbf\\'", strict=True)}


# --- the test ---


@pytest.fixture(scope="module")
def judged() -> Iterator[Judged]:
    found = Judged()
    yield found
    print(
        f"\njudged {found.rows} rows: {sum(found.types.values())} values of {len(found.types)} types and character sets; "
        f"{found.mysqlbinlog} values as mysqlbinlog prints them; {found.written_back} rows written back",
        file=sys.__stderr__,
    )


@pytest.fixture
def session(pair: Lab) -> Iterator[Session]:
    with pair.source.session() as opened:
        opened.execute("CREATE DATABASE shop")
        yield opened
        opened.execute("SET GLOBAL binlog_row_metadata = DEFAULT")


@pytest.mark.parametrize("number", range(TABLES))
def test_random_rows_of_a_random_table(
    pair: Lab, session: Session, alphabets: dict[str, str], judged: Judged, number: int
) -> None:
    rng = random.Random(SEED * 100_000 + number)
    metadata, logged = WAYS[number % len(WAYS)]
    session.execute(f"SET GLOBAL binlog_row_metadata = {metadata}")
    for statement in (
        "SET sql_mode = 'ALLOW_INVALID_DATES'",
        f"SET time_zone = '{rng.choice(('+00:00', '-11:30', '+05:45', '+14:00'))}'",
        f"SET sql_generate_invisible_primary_key = {'ON' if rng.random() < 0.5 else 'OFF'}",
        f"SET binlog_row_image = {logged}",
        "USE shop",
    ):
        session.execute(statement)
    geometry = number // len(WAYS) % 2 == 1  # mysqlbinlog stops at such a column
    of = made(rng, number, Kinds(rng, alphabets, metadata).every(geometry=geometry))
    session.execute(of.create)
    count = ROWS_OF_A_TABLE
    ids = range(count)
    inserts = [insert(rng, of, ids[at : at + 40]) for at in range(0, count, 40)]
    inserted = read(pair.source, written(session, *inserts))
    table = read_table(session, of.name)
    assert table is not None
    assert bool(inserted.notes) == (metadata == "MINIMAL")
    with pair.source.session() as asking:
        for statement in sql.SESSION_SETTINGS:
            asking.execute(statement)
        rows, said = selected(asking, table), answers(session, of)
        assert len(inserted.changes) == len(rows) == count
        printed = [{}] * count if geometry else mysqlbinlog(pair, inserted)
        for change, shown in zip(inserted.changes, printed, strict=True):
            assert change.after is not None
            id_ = int(str(change.after[table.column("id").ordinal]))
            assert_judged(of, table, change.after, rows[id_], said[id_], judged)
            for ordinal, text in shown.items():
                value = change.after[ordinal]
                expected = None if value is NOT_LOGGED else as_printed(table, ordinal, value)
                if expected is not None:
                    assert text == expected or expected in re.split(r"[ ()]+", text), table.columns[ordinal]
                    judged.mysqlbinlog += 1
        judged.rows += count

        # A row of a table without a key is found by all of its values, whatever their types.
        for id_, row in list(rows.items())[:LOOKED_UP]:
            asked = ", ".join(is_exactly(column, value) for column, value in zip(table.columns, row, strict=True))
            (found,) = asking.rows(f"SELECT {asked} FROM {sql.table_name(table.name)} WHERE id = {id_}")
            lost = [column for column, equal in zip(table.columns, found, strict=True) if equal != "1"]
            assert not lost, [(column.column_type, row[column.ordinal]) for column in lost]

        # Each column changes in some rows; what an image leaves out is not asked of it.
        sets = [
            f"UPDATE {of.name} SET c{i} = {kind.make()} WHERE id % {len(of.kinds)} = {i}"
            for i, kind in enumerate(of.kinds)
            if kind is not None
        ]
        updated = read(pair.source, written(session, *sets))
        now, said = selected(asking, table), answers(session, of)
        for change in updated.changes:
            assert change.kind is ChangeKind.UPDATE
            assert change.before is not None
            assert change.after is not None
            ours = [i for i, row in rows.items() if _is_of(change.before, row)]
            assert ours, "the before image is of a row that was there"
            if len(ours) == 1:
                assert_judged(of, table, change.after, now[ours[0]], said[ours[0]], judged)
        deleted = read(pair.source, written(session, f"DELETE FROM {of.name}"))
        assert len(deleted.changes) == count
        for change in deleted.changes:
            assert change.before is not None
            assert any(_is_of(change.before, row) for row in now.values())
        judged.rows += len(updated.changes) + len(deleted.changes)

        # What was decoded, written as replfix writes it, is the same again.
        whole = [c.after for c in inserted.changes if c.after is not None and NOT_LOGGED not in c.after][:WRITTEN_BACK]
        if whole:
            again = read(pair.source, written(asking, *(sql.insert_row(table, row) for row in whole)))
            for row, change in zip(whole, again.changes, strict=True):
                assert change.after is not None
                assert_judged(of, table, only_logged(change.after, row), row, None, judged)
        judged.written_back += len(whole)


def only_logged(logged: RowImage, row: RowImage) -> RowImage:
    """An insert logs no column that has no value of its own under binlog_row_image=MINIMAL."""
    return tuple(other if value is NOT_LOGGED else value for value, other in zip(logged, row, strict=True))


def _is_of(logged: RowImage, row: RowImage) -> bool:
    return all(value is NOT_LOGGED or repr(value) == repr(other) for value, other in zip(logged, row, strict=True))


# --- the third judge: another decoder ---

# What python-mysql-replication 1.0.17 reads right, with full metadata. It decides by the server's setting of now.
_AGREED = {
    "id": "INT PRIMARY KEY",
    **{f"i{n}": f"{name}{sign}" for n, (name, sign) in enumerate((name, sign) for name, _ in _INTEGERS for sign in ("", " UNSIGNED"))},
    "d": "DECIMAL(65,30)", "g": "DOUBLE", "f": "FLOAT", "dtm": "DATETIME(6)", "dt": "DATE", "bl": "BLOB",
    "v": "VARCHAR(60)", "gbk": "VARCHAR(60) CHARACTER SET gbk", "koi": "VARCHAR(60) CHARACTER SET koi8r", "tx": "TEXT",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:'db' is deprecated:DeprecationWarning")  # the library's own call
def test_python_mysql_replication_reads_the_same(pair: Lab, session: Session, alphabets: dict[str, str]) -> None:
    rng = random.Random(SEED)
    kinds = Kinds(rng, alphabets, "FULL")
    session.execute("SET GLOBAL binlog_row_metadata = FULL")
    columns = ", ".join(f"{name} {type_}" for name, type_ in _AGREED.items())
    session.execute(f"CREATE TABLE shop.agreed ({columns})")
    integers = [kinds.integer(name, width, sign) for name, width in _INTEGERS for sign in ("", " UNSIGNED")]

    def row(number: int) -> str:
        digits = rng.randrange(10**65)
        moment = f"'{rng.randint(1, 9999):04d}-{rng.randint(1, 12)}-{rng.randint(1, 28)} 23:{rng.randrange(60)}:59.{rng.randrange(10**6):06d}'"
        values = [
            str(number),
            *(kind.make() for kind in integers),
            *(
                f"-{digits // 10**30}.{digits % 10**30:030d}",
                kinds.real("DOUBLE", "d").make(),
                "0.1e0",
                moment,
                moment,
                f"x'{rng.randbytes(40).hex()}'",
            ),
            *(_hex(kinds.some_text(charset, 50)) for charset in ("utf8mb4", "gbk", "koi8r", "utf8mb4")),
        ]
        return f"({', '.join(values)})"

    start = speaking(session).log_end(session)
    ours = read(pair.source, written(session, f"INSERT INTO shop.agreed VALUES {', '.join(map(row, range(500)))}"))
    stream = BinLogStreamReader(
        connection_settings={
            "host": pair.source.host,
            "port": pair.source.port,
            "user": ADMIN.name,
            "password": ADMIN.password,
        },
        server_id=987655,
        log_file=start.log_file,
        log_pos=start.pos,
        resume_stream=True,
        only_events=[WriteRowsEvent],
    )
    try:
        theirs = [tuple(found["values"].values()) for event in stream for found in event.rows]
    finally:
        stream.close()
    assert len(theirs) == len(ours.changes) == 500
    for change, other in zip(ours.changes, theirs, strict=True):
        assert change.after is not None
        for name, value, expected in zip(_AGREED, change.after, other, strict=True):
            assert _as_theirs(name, value) == expected, name


def _as_theirs(name: str, value: Value) -> object:
    if name == "dtm":
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S.%f")  # noqa: DTZ007 - as theirs, without a time zone
    return date.fromisoformat(str(value)) if name == "dt" else value
