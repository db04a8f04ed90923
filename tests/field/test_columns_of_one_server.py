"""A replica whose table has more columns than its source's, fewer, wider ones, or the same in another order."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from replfix.lab.replicate import write_locally
from replfix.lab.topology import Lab
from tests.field.staging import diagnosed, refused, resolved, rows, stage, undone


def test_columns_behind_the_sources(any_pair: Lab) -> None:
    """A column added on the replica first, as an online migration does: the event fills the first columns, the rest has defaults."""
    stage(
        any_pair,
        ["CREATE TABLE t (id INT PRIMARY KEY, v INT, u INT, UNIQUE KEY (u))", "INSERT INTO t VALUES (1,1,1), (2,2,2), (3,3,3)"],
        [
            "ALTER TABLE t ADD note VARCHAR(9), ADD a INT NOT NULL DEFAULT 7, ADD g INT AS (v * 2) STORED",
            "UPDATE t SET note = 'kept' WHERE id > 1",
            "DELETE FROM t WHERE id = 1",
            "UPDATE t SET v = 77 WHERE id = 2",
            "INSERT INTO t (id, v, u, note, a) VALUES (9, 9, 10, 'own', 99), (4, 4, 44, 'own', 4)",
        ],
        ["UPDATE t SET v = 9 WHERE id = 1", "UPDATE t SET v = v + 1 WHERE id = 2", "INSERT INTO t VALUES (10,10,10), (4,1,1000)",
         "UPDATE t SET u = 44 WHERE id = 3"],
    )  # fmt: skip
    before = rows(any_pair.replica, "SELECT * FROM shop.t ORDER BY id")
    shown = diagnosed(any_pair).document
    missing = next(c for c in shown["conflicts"] if c["kind"] == "missing")
    assert missing["expected"] == {
        "id": 1,
        "v": 1,
        "u": 1,
        **{name: {"not_logged": True} for name in ("note", "a", "g")},
    }
    assert missing["source_row"]["v"] == 9
    assert not [words for words in shown["unknowns"] if "binlog_row_image" in words]
    ran = resolved(any_pair, "SELECT id, v, u FROM shop.t ORDER BY id")
    kept = rows(any_pair.replica, "SELECT id, note, a, g FROM shop.t ORDER BY id")
    assert kept == [
        ("1", None, "7", "18"), ("2", "kept", "7", "6"), ("3", "kept", "7", "6"), ("4", None, "7", "2"), ("10", None, "7", "20"),
    ]  # fmt: skip
    assert any("in rows that are put back they get their default" in r for r in ran.document["rounds"][0]["risks"])
    assert {
        json.dumps(s["current"].get("note")) for s in ran.document["rounds"][0]["steps"] if s["kind"] == "delete"
    } == {'"own"'}
    # What the transaction itself wrote stays in the way of the rows that were displaced.
    write_locally(
        any_pair.replica, "DELETE FROM shop.t WHERE id IN (4, 10)", "UPDATE shop.t SET u = 3 WHERE id = 3", logged=False
    )
    write_locally(
        any_pair.replica, "UPDATE shop.t SET v = 1 WHERE id = 1", "UPDATE shop.t SET v = 2 WHERE id = 2", logged=False
    )
    undone(any_pair, ran)
    assert rows(any_pair.replica, "SELECT * FROM shop.t ORDER BY id") == before


def test_a_generated_key_on_the_replica_only(pair: Lab) -> None:
    """REQUIRE_TABLE_PRIMARY_KEY_CHECK = GENERATE: each table without a key gets my_row_id, as its first column."""
    with pair.replica.session() as replica:
        for statement in (
            "STOP REPLICA",
            "CHANGE REPLICATION SOURCE TO REQUIRE_TABLE_PRIMARY_KEY_CHECK = GENERATE",
            "START REPLICA",
        ):
            replica.execute(statement)
    try:
        stage(
            pair,
            [
                "CREATE TABLE k (v INT, w VARCHAR(9), UNIQUE KEY (v))",
                "CREATE TABLE n (v INT, w VARCHAR(9))",
                "INSERT INTO k VALUES (1,'a'), (2,'b')",
                "INSERT INTO n VALUES (1,'a'), (2,'b'), (2,'b'), (3,'c')",
            ],
            ["DELETE FROM k WHERE v = 1", "INSERT INTO k VALUES (77, 'own')", "DELETE FROM n WHERE v < 3 LIMIT 2"],
            ["UPDATE k SET w = 'y' WHERE v = 1", "INSERT INTO k VALUES (77, 'incoming')"],
            ["DELETE FROM n WHERE v = 2", "UPDATE n SET w = 'q' WHERE v = 1"],
        )  # fmt: skip
        assert "my_row_id" in str(rows(pair.replica, "SHOW CREATE TABLE shop.k"))
        ran = resolved(pair, "SELECT * FROM shop.k ORDER BY v", "SELECT * FROM shop.n ORDER BY v, w")
        assert [[s["kind"] for s in r["steps"]] for r in ran.document["rounds"]] == [
            ["delete", "insert"],
            ["insert"],
            ["insert"],
        ]
        write_locally(
            pair.replica, "DELETE FROM shop.k WHERE v = 77", "UPDATE shop.k SET w = 'a' WHERE v = 1", logged=False
        )
        undone(pair, ran)
        assert rows(pair.replica, "SELECT * FROM shop.k ORDER BY v") == [("2", "b"), ("77", "own")]
    finally:
        with pair.replica.session() as replica:
            for statement in (
                "STOP REPLICA",
                "CHANGE REPLICATION SOURCE TO REQUIRE_TABLE_PRIMARY_KEY_CHECK = STREAM",
                "START REPLICA",
            ):
                replica.execute(statement)


@pytest.fixture
def converting(any_pair: Lab) -> Iterator[Lab]:
    """The replica takes types that are wider than the source's."""
    with any_pair.replica.session() as replica:
        name = "slave_type_conversions" if "MariaDB" in replica.server_version else "replica_type_conversions"
        replica.execute(f"SET GLOBAL {name} = 'ALL_NON_LOSSY'")
        yield any_pair
        replica.execute(f"SET GLOBAL {name} = ''")


def test_fewer_columns_and_wider_ones(converting: Lab) -> None:
    """The replica lacks the source's last columns, and has wider types, which its type conversions take."""
    stage(
        converting,
        [
            "CREATE TABLE f (id INT PRIMARY KEY, v INT, x VARCHAR(5), y INT)",
            "CREATE TABLE w (id INT PRIMARY KEY, a INT, b VARCHAR(5), d DECIMAL(5,2), e FLOAT, f BINARY(3), g TINYINT, h CHAR(4), i TEXT)",
            "INSERT INTO f VALUES (1,1,'a',1), (2,2,'b',2)",
            "INSERT INTO w VALUES (1,1,'a',1.5,1.1,'ab',1,'h','t'), (2,2,'b',2.5,2.2,'cd',2,'h','t')",
        ],
        [
            "ALTER TABLE f DROP COLUMN y, DROP COLUMN x",
            "ALTER TABLE w MODIFY a BIGINT, MODIFY b VARCHAR(300), MODIFY d DECIMAL(10,4), MODIFY e DOUBLE, MODIFY f BINARY(8), "
            "MODIFY g INT, MODIFY h VARCHAR(20), MODIFY i LONGTEXT",
            "DELETE FROM f WHERE id = 1", "INSERT INTO f VALUES (3, 9)",
            "DELETE FROM w WHERE id = 1", "UPDATE w SET b = 'zz', f = 'q' WHERE id = 2", "INSERT INTO w (id, a) VALUES (3, 1)",
        ],
        ["UPDATE f SET v = 9, x = 'q' WHERE id = 1", "INSERT INTO f VALUES (3, 3, 'c', 3)"],
        ["UPDATE w SET a = 5, d = 3.25 WHERE id = 1", "UPDATE w SET a = 5 WHERE id = 2",
         "INSERT INTO w VALUES (3,3,'c',9.99,0.3,'xyz',3,'x','y')"],
    )  # fmt: skip
    resolved(
        converting,
        "SELECT id, v FROM shop.f ORDER BY id",
        "SELECT id, a, b, d + 0e0, CAST(e * 1e0 AS DECIMAL(20,9)), TRIM(TRAILING '\\0' FROM f), g, h, i FROM shop.w ORDER BY id",
    )


MISFITS = {
    "another order": ("MODIFY v INT AFTER x", "another order on the replica (source: id, v, x; replica: id, x, v)"),
    "in between": ("ADD z INT AFTER id", "not all of them come after the source's"),
    "not the last": ("DROP COLUMN v", "it lacks others than the source's last"),
    "other names": ("RENAME COLUMN v TO vv", "are not the same on both servers (source: id, v, x; replica: id, vv, x)"),
}


@pytest.mark.parametrize("mismatch", MISFITS)
def test_columns_that_do_not_fit_are_named(any_pair: Lab, mismatch: str) -> None:
    alter, words = MISFITS[mismatch]
    stage(
        any_pair,
        ["CREATE TABLE t (id INT PRIMARY KEY, v INT, x INT)", "INSERT INTO t VALUES (1, 1, 1)"],
        ["DELETE FROM t", f"ALTER TABLE t {alter}"],
        ["UPDATE t SET v = 2"],
    )
    refused(any_pair, words)


def test_digits_of_a_second_that_no_applier_converts(any_pair: Lab) -> None:
    """The column has become DATETIME(3) on the replica, behind the error: MariaDB 11.8.9 ends when it is given such an event."""
    stage(
        any_pair,
        ["CREATE TABLE t (id INT PRIMARY KEY, a INT, c DATETIME)", "INSERT INTO t VALUES (1, 1, '2020-01-01')"],
        ["DELETE FROM t"],
        ["UPDATE t SET a = 2"],
    )
    write_locally(any_pair.replica, "ALTER TABLE shop.t MODIFY c DATETIME(3)", logged=False)
    refused(any_pair, "has other digits of a second in the event")
    write_locally(any_pair.replica, "ALTER TABLE shop.t MODIFY c DATETIME", logged=False)
    resolved(any_pair, "SELECT * FROM shop.t")


def test_a_narrower_column_and_a_later_index(any_pair: Lab) -> None:
    """The backlog changes the table, and no column: the types are those of the failing transaction all the same."""
    two = ("CREATE TABLE t (id INT PRIMARY KEY, v INT)", "CREATE TABLE u (id INT PRIMARY KEY, v INT)")
    failing = ["INSERT INTO t VALUES (2, 2)", "INSERT INTO u VALUES (2, 2)"]
    here = ["ALTER TABLE u MODIFY v SMALLINT", "INSERT INTO t VALUES (2, 20)"]
    stage(any_pair, two, here, failing, then=["CREATE INDEX later ON u (v)"])
    refused(any_pair, "Column v of shop.u is narrower on the replica")


@pytest.mark.parametrize(
    ("type_", "alter", "back"),
    [
        ("INT", "MODIFY v SMALLINT", "MODIFY COLUMN `v` int"),
        # In its rehearsal 11.8.9 says no more than "Unknown error" (1105).
        ("CHAR(4) CHARACTER SET utf8mb4", "CONVERT TO CHARACTER SET latin1", "MODIFY COLUMN `v` char(4)"),
    ],
    ids=["number", "character set"],
)
def test_a_narrower_column_of_another_table_of_the_transaction(
    any_pair: Lab, type_: str, alter: str, back: str
) -> None:
    """The applier stops on the row of t, and would on the rows of u next: no rehearsal has to find that out."""
    two = ("CREATE TABLE t (id INT PRIMARY KEY, v INT)", f"CREATE TABLE u (id INT PRIMARY KEY, v {type_})")
    both = ("INSERT INTO t VALUES (1, 1)", "INSERT INTO u VALUES (1, 1)")
    here = (f"ALTER TABLE u {alter}", "INSERT INTO t VALUES (2, 20)")
    failing = ["INSERT INTO t VALUES (2, 2)", "INSERT INTO u VALUES (2, 2)"]
    stage(any_pair, [*two, *both], here, failing)
    shown = diagnosed(any_pair).document
    refused_by = shown["strategies"][0]
    assert not refused_by["allowed"]
    assert "Column v of shop.u is narrower on the replica" in refused_by["reason"]
    (remedy,) = [advice for advice in shown["advice"] if advice["sql"]]
    assert remedy["leads_to"]["code"] == "same-columns"
    assert any(back in statement for statement in remedy["sql"])


@pytest.mark.parametrize(
    ("alter", "back", "swapped"),
    [
        ("MODIFY v VARCHAR(60)", "MODIFY COLUMN `v` varchar(30)", False),
        ("MODIFY v VARCHAR(60)", "", True),
        ("MODIFY n BIGINT", "MODIFY COLUMN `n` int", False),
    ],
    ids=["string", "string of a table that is swapped later", "number"],
)
def test_a_wider_column_of_another_table_of_the_transaction(
    any_pair: Lab, alter: str, back: str, swapped: bool
) -> None:
    """No applier converts it by default; in a rehearsal 9.7.4 and 10.11.19 say no more than "Unknown error" (1105). When the
    backlog changes the table by RENAME, the event alone shows the type of that time."""
    two = (
        "CREATE TABLE t (id INT PRIMARY KEY, v INT)",
        "CREATE TABLE u (id INT PRIMARY KEY, v VARCHAR(30), n INT) DEFAULT CHARSET=utf8mb4",
    )
    failing = ["INSERT INTO t VALUES (2, 2)", "INSERT INTO u VALUES (2, NULL, NULL)"]
    swap = ["CREATE TABLE w LIKE u", "ALTER TABLE w ADD COLUMN x INT", "RENAME TABLE u TO old, w TO u"]
    stage(
        any_pair, two, [f"ALTER TABLE u {alter}", "INSERT INTO t VALUES (2, 20)"], failing, then=swap if swapped else ()
    )
    shown = diagnosed(any_pair).document
    refused_by = shown["strategies"][0]
    assert not refused_by["allowed"]
    assert "of shop.u is another type on the replica" in refused_by["reason"]
    remedies = [advice for advice in shown["advice"] if advice["sql"]]
    assert [any(back in statement for statement in each["sql"]) for each in remedies] == [True] * (not swapped)
