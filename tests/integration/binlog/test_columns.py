"""Table definitions as servers give them, and character sets as servers read them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replfix.core.schema.table import ForeignKey, KeyPart, Table, TableName, Trigger
from replfix.errors import Unreadable
from replfix.lab.lab_accounts import REPLFIX, Account
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from replfix.mysql.read.charsets import _PLAIN, _SINGLE_BYTE, _TRANSLATED, decoder
from replfix.mysql.read.table_definitions import read_columns, read_table

ODD = TableName("we`ird-sch'ema.x", 'ta.b`l"e é')
ODD_SQL = "`we``ird-sch'ema.x`.`ta.b``l\"e é`"


@pytest.fixture
def session(pair: Lab) -> Iterator[Session]:
    with pair.source.session() as session:
        session.execute("CREATE DATABASE shop")
        session.execute("USE shop")
        yield session


def defined(session: Session, name: TableName) -> Table:
    table = read_table(session, name)
    assert table is not None
    return table


def test_columns(pair: Lab, session: Session) -> None:
    session.execute(
        "CREATE TABLE t (Id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, plain INT NOT NULL DEFAULT (1 + 1),"
        " z INT ZEROFILL, d DECIMAL(10,3), f FLOAT(7,2) UNSIGNED, dtm DATETIME(4), ti TIME, ts TIMESTAMP(6) NULL,"
        " bi BINARY(16), vb VARBINARY(20), c CHAR(3) CHARACTER SET latin1, tx TEXT, j JSON,"
        " e ENUM('unsigned','it''s','x,y') CHARACTER SET latin1, s SET('a','b'), bits BIT(9),"
        " virt INT GENERATED ALWAYS AS (plain + 1) VIRTUAL, kept INT GENERATED ALWAYS AS (plain + 1) STORED,"
        " hidden INT INVISIBLE)"
    )
    with pair.source.session(REPLFIX) as limited:
        table = defined(limited, TableName("shop", "t"))
    assert [column.ordinal for column in table.columns] == list(range(19))
    assert (table.engine, table.transactional) == ("InnoDB", True)
    id_ = table.column("id")
    assert (id_.name, id_.unsigned, id_.auto_increment, id_.nullable) == ("Id", True, True, False)
    assert not table.column("plain").generated  # its default is an expression: that is all
    assert table.column("z").unsigned
    assert (table.column("d").scale, table.column("f").scale) == (3, None)
    assert [table.column(name).scale for name in ("dtm", "ti", "ts")] == [4, 0, 6]
    assert [table.column(name).length for name in ("bi", "vb", "c", "z")] == [16, 20, 3, None]
    assert [table.column(name).charset for name in ("bi", "c", "tx", "j")] == [None, "latin1", "utf8mb4", None]
    assert table.column("c").collation == "latin1_swedish_ci"
    assert (table.column("e").labels, table.column("e").unsigned) == (("unsigned", "it's", "x,y"), False)
    assert table.column("s").labels == ("a", "b")
    assert [column.name for column in table.columns if column.generated] == ["virt", "kept"]
    assert [column.name for column in table.columns if column.invisible] == ["hidden"]


def test_unique_keys_in_the_servers_order(session: Session) -> None:
    session.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, m INT NOT NULL, v VARCHAR(50), KEY plain (a), UNIQUE KEY nullable (a),"
        " UNIQUE KEY pair (m, v(5)), UNIQUE KEY expr ((a + 1), m), UNIQUE KEY strict (m), UNIQUE KEY unseen (v) INVISIBLE)"
    )
    table = defined(session, TableName("shop", "t"))
    assert [key.name for key in table.unique_keys] == ["PRIMARY", "strict", "nullable", "unseen", "expr", "pair"]
    by_name = {key.name: key.parts for key in table.unique_keys}
    assert by_name["pair"] == (KeyPart("m"), KeyPart("v", prefix=5))
    assert by_name["expr"] == (KeyPart(None, expression="(`a` + 1)", reads=("a",)), KeyPart("m"))
    assert table.identity is not None
    assert table.identity.is_primary


def test_names_of_every_kind(session: Session) -> None:
    session.execute("CREATE DATABASE `we``ird-sch'ema.x`")
    session.execute(f"CREATE TABLE {ODD_SQL} (`c%s``\"'é` INT, UNIQUE KEY `k``ey.x` (`c%s``\"'é`))")
    table = defined(session, ODD)
    assert table.name == ODD
    assert table.columns[0].name == "c%s`\"'é"
    assert (table.unique_keys[0].name, table.unique_keys[0].columns) == ("k`ey.x", ("c%s`\"'é",))


def test_foreign_keys_in_both_directions(session: Session) -> None:
    session.execute("CREATE TABLE parent (a INT, b INT, PRIMARY KEY (a, b))")
    session.execute(
        "CREATE TABLE child (id INT PRIMARY KEY, x INT, y INT, up INT,"
        " CONSTRAINT to_parent FOREIGN KEY (x, y) REFERENCES parent (a, b) ON DELETE CASCADE ON UPDATE SET NULL,"
        " CONSTRAINT to_self FOREIGN KEY (up) REFERENCES child (id))"
    )
    parent, child = TableName("shop", "parent"), TableName("shop", "child")
    to_parent = ForeignKey("to_parent", child, ("x", "y"), parent, ("a", "b"), "SET NULL", "CASCADE")
    to_self = ForeignKey("to_self", child, ("up",), child, ("id",), "NO ACTION", "NO ACTION")
    assert defined(session, child).foreign_keys == (to_parent, to_self)
    assert defined(session, child).referenced_by == (to_self,)
    assert defined(session, parent).foreign_keys == ()
    assert defined(session, parent).referenced_by == (to_parent,)


def test_triggers_are_seen_with_the_privilege_only(pair: Lab, session: Session) -> None:
    session.execute("CREATE TABLE t (id INT PRIMARY KEY)")
    session.execute("CREATE TRIGGER one AFTER DELETE ON t FOR EACH ROW SET @x = 1")
    session.execute("CREATE TRIGGER two BEFORE INSERT ON t FOR EACH ROW SET @x = 1")
    name = TableName("shop", "t")
    with pair.source.session(REPLFIX) as limited:
        assert defined(limited, name).triggers == (
            Trigger("two", "INSERT", "BEFORE", "SET @x = 1"),
            Trigger("one", "DELETE", "AFTER", "SET @x = 1"),
        )
    blind = Account("blind", "blind")
    for statement in blind.statements(("SELECT",)):
        session.execute(statement)
    with pair.source.session(blind) as limited:
        assert defined(limited, name).triggers == ()


def test_a_hidden_primary_key_is_a_column_whatever_the_setting(pair: Lab, session: Session) -> None:
    session.execute("SET sql_generate_invisible_primary_key = ON")
    session.execute("CREATE TABLE t (v INT)")
    session.execute("SET GLOBAL show_gipk_in_create_table_and_information_schema = OFF")
    try:
        with Session(pair.source.endpoint()) as ours:
            table = defined(ours, TableName("shop", "t"))
            assert read_columns(ours, TableName("shop", "t")) == table.columns
    finally:
        session.execute("SET GLOBAL show_gipk_in_create_table_and_information_schema = DEFAULT")
    assert [column.name for column in table.columns] == ["my_row_id", "v"]
    assert [key.columns for key in table.unique_keys] == [("my_row_id",)]


def test_what_is_no_table(session: Session) -> None:
    session.execute("CREATE TABLE isam (id INT) ENGINE = MyISAM")
    session.execute("CREATE VIEW v AS SELECT 1 AS a")
    assert not defined(session, TableName("shop", "isam")).transactional
    assert read_table(session, TableName("shop", "v")) is None
    assert read_columns(session, TableName("shop", "v")) == ()
    assert read_table(session, TableName("shop", "none")) is None
    assert read_table(session, TableName("none", "none")) is None


def servers_reading(session: Session, charset: str, raws: list[bytes]) -> list[str | None]:
    """The server's text for each; None where it has none and shows a replacement character."""
    texts: list[str | None] = []
    for at in range(0, len(raws), 500):
        chunk = raws[at : at + 500]
        (row,) = session.rows(
            "SELECT " + ", ".join(f"CONVERT(CONVERT(0x{raw.hex()} USING {charset}) USING utf8mb4)" for raw in chunk)
        )
        for raw, text in zip(chunk, row, strict=True):
            replaced = not text or "\ufffd" in text or text.count("?") > raw.count(b"?")
            texts.append(None if replaced else text)
    return texts


def replfixs_reading(charset: str, raw: bytes) -> str | None:
    try:
        return decoder(charset)(raw)
    except Unreadable:
        return None


@pytest.mark.parametrize("charset", sorted({*_SINGLE_BYTE, *_PLAIN, *_TRANSLATED, "ucs2"} - {"utf8"}))
def test_a_character_set_is_read_as_the_server_reads_it(session: Session, charset: str) -> None:
    """Whatever the server reads is read, and read the same; what it has no text for is refused."""
    raws = [bytes([byte]) for byte in range(256)]
    if charset not in (*_SINGLE_BYTE, "ascii"):
        raws += [bytes([first, second]) for first in range(0x80, 256) for second in range(0x30, 256)]
    if charset in ("ujis", "eucjpms"):
        raws += [bytes([0x8F, first, second]) for first in range(0xA1, 0xFF) for second in range(0xA1, 0xFF)]
    if charset in ("utf16", "utf16le", "ucs2"):
        raws = [raw for raw in raws if len(raw) == 2]
    if charset == "utf32":
        raws = [chr(number).encode("utf-32-be") for number in range(0x20, 0x2FFFF, 97) if not 0xD800 <= number < 0xE000]
    if charset == "gb18030":
        raws += [bytes([0x81, first, second, 0x30]) for first in range(0x30, 0x3A) for second in range(0x81, 0xFF)]
    for raw, text in zip(raws, servers_reading(session, charset, raws), strict=True):
        if text is not None:
            assert replfixs_reading(charset, raw) == text, raw.hex()


def test_every_character_set_of_the_server_is_read(session: Session) -> None:
    for row in session.query("SHOW CHARACTER SET"):
        assert row["Charset"] == "binary" or decoder(row["Charset"])(b"") == ""
