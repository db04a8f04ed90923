"""A statement that changes a table, clause by clause."""

from __future__ import annotations

import pytest

from replfix.core.binlog.alter_table import (
    Action,
    ForeignKeyClause,
    clauses,
    foreign_keys,
    made_not_null,
    meets_rows,
    place,
    plain,
)
from replfix.core.binlog.statement import Statement
from replfix.core.schema.table import TableName


def told(text: str) -> list[tuple[Action, str, str]]:
    return [(one.action, one.name, one.new) for one in clauses(Statement("d", text))]


ADD_C, OTHER = (Action.ADD_COLUMN, "c", ""), (Action.OTHER, "", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALTER TABLE d.t ADD COLUMN c INT", [ADD_C]),
        ("alter table t add c int default 5 after a, algorithm=inplace", [ADD_C]),
        (
            "ALTER TABLE t ADD `a,b` DECIMAL(8,2), DROP x",
            [(Action.ADD_COLUMN, "a,b", ""), (Action.DROP_COLUMN, "x", "")],
        ),
        (
            "ALTER TABLE t RENAME COLUMN a TO b, CHANGE c d INT",
            [(Action.RENAME_COLUMN, "a", "b"), (Action.CHANGE_COLUMN, "c", "d")],
        ),
        (
            "ALTER TABLE t ADD UNIQUE KEY k (a, b), DROP INDEX j",
            [(Action.ADD_KEY, "k", ""), (Action.DROP_KEY, "j", "")],
        ),
        ("CREATE UNIQUE INDEX k ON d.t (a)", [(Action.ADD_KEY, "k", "")]),
        ("DROP INDEX k ON t", [(Action.DROP_KEY, "k", "")]),
        ("ALTER TABLE t MODIFY v VARCHAR(5) NOT NULL", [(Action.MODIFY_COLUMN, "v", "")]),
        ("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES p (id)", [OTHER]),
        ("ALTER TABLE t ADD PRIMARY KEY (a)", [(Action.ADD_PRIMARY_KEY, "", "")]),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 1)", [(Action.ADD_CHECK, "c", "")]),
        (
            "ALTER TABLE t DROP CHECK c, DROP CONSTRAINT d, DROP FOREIGN KEY e",
            [(Action.DROP_CONSTRAINT, name, "") for name in "cde"],
        ),
        ("ALTER TABLE t RENAME KEY k TO j", [(Action.RENAME_KEY, "k", "j")]),
        ("ALTER TABLE t ADD (a INT, b INT)", [OTHER]),
        ("ALTER TABLE t ENGINE = InnoDB", [OTHER]),
        ("INSERT INTO t VALUES (1)", []),
    ],
)
def test_clauses(text: str, expected: list[tuple[Action, str, str]]) -> None:
    assert told(text) == expected


def test_where_a_column_is_put() -> None:
    text = "ALTER TABLE t ADD a INT, ADD b INT FIRST, ADD c INT AFTER `X`"
    assert [place(one) for one in clauses(Statement("", text))] == [None, "", "x"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("INT", "int DEFAULT NULL"),
        ("INTEGER NULL AFTER a", "int(11) DEFAULT NULL"),
        ("BOOL NOT NULL", "tinyint(1) NOT NULL"),
        ("(a, `b`)", "(`a`,`b`)"),
    ],
)
def test_what_a_user_writes_and_what_the_server_shows(written: str, shown: str) -> None:
    assert plain(written) == plain(shown)


def test_a_rename_is_about_both_names_of_each_pair() -> None:
    swap = Statement("d", "RENAME TABLE a TO _a_del, e.`x y` TO d.a")
    assert swap.renames == (
        (TableName("d", "a"), TableName("d", "_a_del")),
        (TableName("e", "x y"), TableName("d", "a")),
    )
    assert [str(name) for name in swap.tables] == ["d.a", "d._a_del", "e.x y"]


def test_a_create_whose_rows_follow() -> None:
    assert Statement("", "CREATE TABLE `d`.`t` (\n  `id` int\n) START TRANSACTION").with_rows
    assert not Statement("", "CREATE TABLE t (id INT) COMMENT 'START TRANSACTION'").with_rows


def test_the_foreign_keys_that_a_statement_adds() -> None:
    text = "ALTER TABLE c ADD CONSTRAINT f FOREIGN KEY k (a, `b c`) REFERENCES e.p (x, y) ON DELETE CASCADE"
    assert foreign_keys(Statement("d", text)) == (
        ForeignKeyClause(TableName("d", "c"), ("a", "b c"), TableName("e", "p"), ("x", "y")),
    )
    assert foreign_keys(Statement("d", "CREATE TABLE c (a INT, FOREIGN KEY (a) REFERENCES p (x))")) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RENAME TABLE a TO b", False),
        ("DROP TABLE a", False),
        ("TRUNCATE TABLE a", False),
        ("CREATE USER app", False),
        ("CREATE PROCEDURE p() INSERT INTO t VALUES (1)", False),
        ("CREATE TABLE t (id INT PRIMARY KEY)", False),
        ("CREATE TABLE t (PRIMARY KEY (id)) SELECT * FROM u", True),
        ("CREATE OR REPLACE TABLE t SELECT * FROM u", True),
        ("CREATE INDEX k ON t (a)", False),
        ("CREATE UNIQUE INDEX k ON t (a)", True),
        ("ALTER TABLE t ADD COLUMN c INT NOT NULL DEFAULT 5, DROP INDEX k", False),
        ("ALTER TABLE t ADD COLUMN c DATE NOT NULL", True),
        ("ALTER TABLE t ADD COLUMN c INT AS (a + b) STORED", True),
        ("ALTER TABLE t ADD UNIQUE KEY k (a)", True),
        ("ALTER TABLE t DROP COLUMN c", True),  # of a unique key
        ("ALTER TABLE t MODIFY c SMALLINT", True),
        ("ALTER TABLE t CONVERT TO CHARACTER SET latin1", True),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (id)", True),
        ("INSERT INTO t VALUES (1)", True),
        ("DELETE FROM t", True),  # a child may reference a row
    ],
)
def test_which_statements_rows_can_stop(text: str, expected: bool) -> None:
    assert meets_rows(Statement("d", text)) is expected


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("ALTER TABLE t MODIFY a INT NOT NULL, MODIFY b VARCHAR(9) DEFAULT 'NOT NULL'", {"a": "a"}),
        ("ALTER TABLE t CHANGE A b INT NOT NULL DEFAULT 5, ADD c INT NOT NULL", {"a": "b"}),
        ("ALTER TABLE t ADD CONSTRAINT x PRIMARY KEY USING BTREE (`a`, b(5) DESC)", {"a": "a", "b": "b"}),
        ("ALTER TABLE t MODIFY a INT PRIMARY KEY", {"a": "a"}),
        ("CREATE UNIQUE INDEX k ON t (a)", {}),
    ],
)
def test_columns_that_are_made_not_null(text: str, columns: dict[str, str]) -> None:
    assert made_not_null(Statement("d", text)) == columns
