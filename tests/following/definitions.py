"""Definitions that differ, with a backlog behind: how each is staged, after reports of users."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.lab.replicate import wait_until_received, write_locally
from replfix.lab.topology import Lab


@dataclass(frozen=True)
class Drifted:
    """``both`` runs on the source and reaches the replica, ``replica`` on the replica only (not logged), ``source`` on the source,
    all of it before the replica's applier goes on."""

    both: tuple[str, ...]
    replica: tuple[str, ...]
    source: tuple[str, ...]
    taken_by: str = ""  # which kind of server applies it without an error
    remedied: bool = False  # there is something to follow, to the end of the backlog

    def arrange(self, lab: Lab) -> None:
        self._arrange(lab, self.replica)

    def arrange_without_local(self, lab: Lab) -> None:
        """What happens on the replica comes about in another way."""
        self._arrange(lab, ())

    def _arrange(self, lab: Lab, local: tuple[str, ...]) -> None:
        with lab.source.session() as source:
            for statement in ("CREATE DATABASE shop", *self.both):
                source.execute(statement)
        lab.wait_until_applied()
        write_locally(lab.replica, *local, logged=False)
        with lab.replica.session() as replica:
            replica.execute("STOP REPLICA SQL_THREAD")
        with lab.source.session() as source:
            for statement in self.source:
                source.execute(statement)
        wait_until_received(lab.source, lab.replica)
        with lab.replica.session() as replica:
            replica.execute("START REPLICA")


_A = "CREATE TABLE shop.a (id INT PRIMARY KEY, x INT)"
_ROW = "INSERT INTO shop.a VALUES (1, 10)"
_SRC = ("CREATE TABLE shop.src (id INT NOT NULL, v INT)", "INSERT INTO shop.src VALUES (1, 1), (2, 2), (3, 3)")

_DEFINED = (
    *(
        _A,
        "CREATE USER def",
        "GRANT SELECT, INSERT, EXECUTE ON shop.* TO def",
        "CREATE TABLE shop.log (id INT PRIMARY KEY)",
    ),
    "CREATE DEFINER = def FUNCTION shop.f(n INT) RETURNS INT DETERMINISTIC BEGIN INSERT INTO shop.log VALUES (n); RETURN n + 1; END",
)
_CALLS = ("SET binlog_format = STATEMENT", "INSERT INTO shop.a VALUES (1, shop.f(5))")

_OWN_KEYS = (
    "SET binlog_format = STATEMENT",  # MySQL refuses the next one otherwise
    "ALTER TABLE shop.a ADD COLUMN u VARCHAR(36) NOT NULL DEFAULT (uuid()) PRIMARY KEY",
    "SET binlog_format = ROW",
)
_RANGE = (
    "CREATE TABLE shop.a (id INT PRIMARY KEY) PARTITION BY RANGE (id) "
    "(PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))"
)

DRIFTED = {
    "partition-lost": Drifted(
        (_RANGE,),
        ("ALTER TABLE shop.a DROP PARTITION p1",),
        ("INSERT INTO shop.a VALUES (15)",),
        remedied=True,
    ),
    "partition-lost-and-window-moved-since": Drifted(
        (_RANGE,),
        ("ALTER TABLE shop.a DROP PARTITION p1",),
        (
            "INSERT INTO shop.a VALUES (15)",
            "ALTER TABLE shop.a ADD COLUMN c INT",
            "ALTER TABLE shop.a ADD PARTITION (PARTITION p2 VALUES LESS THAN (30))",
            "ALTER TABLE shop.a DROP PARTITION p0",
            "INSERT INTO shop.a VALUES (25, 1)",
        ),
        remedied=True,
    ),
    "partition-added-with-another-bound": Drifted(
        (_RANGE,),
        ("ALTER TABLE shop.a ADD PARTITION (PARTITION p2 VALUES LESS THAN (25))",),
        ("ALTER TABLE shop.a ADD PARTITION (PARTITION p2 VALUES LESS THAN (30))", "INSERT INTO shop.a VALUES (27)"),
        remedied=True,
    ),
    "routine-lost": Drifted(_DEFINED, ("DROP FUNCTION shop.f",), _CALLS, remedied=True),
    "definer-lost": Drifted(_DEFINED, ("DROP USER def",), _CALLS, remedied=True),
    "routine-and-definer-lost": Drifted(_DEFINED, ("DROP FUNCTION shop.f", "DROP USER def"), _CALLS, remedied=True),
    "routine-lost-and-replaced-since": Drifted(
        _DEFINED,
        ("DROP FUNCTION shop.f",),
        (*_CALLS, "DROP FUNCTION shop.f", "CREATE FUNCTION shop.f(n INT) RETURNS INT DETERMINISTIC RETURN n + 2"),
    ),
    "swap-without-shadow": Drifted(  # gh-ost, pt-online-schema-change
        (
            "CREATE TABLE shop.a (id INT PRIMARY KEY, k INT, secret VARCHAR(20) NOT NULL)",
            "INSERT INTO shop.a VALUES (1, 1, 'precious'), (2, 2, 'data')",
            "CREATE TABLE shop._a_gho (id INT PRIMARY KEY, k INT)",
            "INSERT INTO shop._a_gho SELECT id, k FROM shop.a",
        ),
        ("DROP TABLE shop._a_gho",),
        ("RENAME TABLE shop.a TO shop._a_del, shop._a_gho TO shop.a",),
    ),
    "column-ahead": Drifted(
        (_A, _ROW),
        ("ALTER TABLE shop.a ADD COLUMN c INT",),
        (
            "ALTER TABLE shop.a ADD COLUMN c INT",
            "INSERT INTO shop.a VALUES (2, 20, 200)",
            "ALTER TABLE shop.a DROP COLUMN x",
            "INSERT INTO shop.a VALUES (3, 300)",
        ),
    ),
    "narrower-and-altered-since": Drifted(
        ("CREATE TABLE shop.a (id INT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO shop.a VALUES (1, '10')"),
        ("ALTER TABLE shop.a MODIFY v VARCHAR(5)",),
        (
            "INSERT INTO shop.a VALUES (2, '20000000')",
            "ALTER TABLE shop.a MODIFY v INT",
            "INSERT INTO shop.a VALUES (3, 30)",
        ),
    ),
    "character-set": Drifted(
        (
            "CREATE TABLE shop.a (id INT PRIMARY KEY, v VARCHAR(20)) DEFAULT CHARSET = latin1",
            "INSERT INTO shop.a VALUES (1, 'a')",
        ),
        ("ALTER TABLE shop.a CONVERT TO CHARACTER SET gbk",),
        ("INSERT INTO shop.a VALUES (2, 'é')", "UPDATE shop.a SET v = 'b' WHERE id = 1"),
    ),
    "wider-on-purpose": Drifted(
        (_A, _ROW),
        ("ALTER TABLE shop.a MODIFY x BIGINT UNSIGNED",),
        ("INSERT INTO shop.a VALUES (2, 20)", "UPDATE shop.a SET x = 11 WHERE id = 1"),
    ),
    "wider-in-another-character-set": Drifted(
        (
            "CREATE TABLE shop.a (id INT PRIMARY KEY, v VARCHAR(30)) DEFAULT CHARSET = utf8mb4",
            "INSERT INTO shop.a VALUES (1, 'é')",
        ),
        ("ALTER TABLE shop.a MODIFY v VARCHAR(60) CHARACTER SET latin1",),
        ("INSERT INTO shop.a VALUES (2, 'ü')", "UPDATE shop.a SET v = 'b' WHERE id = 1"),
        remedied=True,
    ),
    "wider-in-a-larger-character-set": Drifted(
        (
            "CREATE TABLE shop.a (id INT PRIMARY KEY, v VARCHAR(20)) DEFAULT CHARSET = utf8mb3",
            "INSERT INTO shop.a VALUES (1, 'é')",
        ),
        ("ALTER TABLE shop.a CONVERT TO CHARACTER SET utf8mb4",),
        ("INSERT INTO shop.a VALUES (2, 'ü')", "UPDATE shop.a SET v = 'b' WHERE id = 1"),
        remedied=True,
    ),
    "create-select": Drifted(
        _SRC,
        ("CREATE TABLE shop.ct (id INT NOT NULL, v INT)",),
        ("CREATE TABLE shop.ct SELECT * FROM shop.src",),
        taken_by="mariadb",
    ),
    "create-select-with-rows": Drifted(
        _SRC,
        ("CREATE TABLE shop.ct (id INT NOT NULL, v INT)", "INSERT INTO shop.ct VALUES (7, 7), (8, 8)"),
        ("CREATE TABLE shop.ct SELECT * FROM shop.src",),
        taken_by="mariadb",
    ),
    "column-ahead-elsewhere": Drifted(  # in another place than the statement puts it
        (_A, _ROW),
        ("ALTER TABLE shop.a ADD COLUMN c INT FIRST", "UPDATE shop.a SET c = 5"),
        ("ALTER TABLE shop.a ADD COLUMN c INT", "INSERT INTO shop.a VALUES (2, 20, 200)"),
    ),
    "two-columns-one-ahead": Drifted(
        (_A, _ROW),
        ("ALTER TABLE shop.a ADD COLUMN c INT",),
        ("ALTER TABLE shop.a ADD COLUMN c INT, ADD COLUMN d INT", "INSERT INTO shop.a VALUES (2, 20, 200, 2)"),
    ),
    "key-of-other-columns": Drifted(
        (_A, _ROW),
        ("CREATE INDEX k ON shop.a (x, id)",),
        ("CREATE INDEX k ON shop.a (x)",),
    ),
    "dropped-and-added": Drifted(
        (_A, _ROW, "ALTER TABLE shop.a ADD INDEX k (x)"),
        ("ALTER TABLE shop.a DROP INDEX k",),
        ("ALTER TABLE shop.a DROP INDEX k, ADD COLUMN c INT", "INSERT INTO shop.a VALUES (2, 20, 200)"),
    ),
    "changed-column-ahead": Drifted(
        (_A, _ROW),
        ("ALTER TABLE shop.a CHANGE x y INT",),
        ("ALTER TABLE shop.a CHANGE x y BIGINT", "INSERT INTO shop.a VALUES (2, 20)"),
    ),
    "renamed-column-ahead": Drifted(
        (_A, _ROW),
        ("ALTER TABLE shop.a RENAME COLUMN x TO y",),
        ("ALTER TABLE shop.a RENAME COLUMN x TO y", "INSERT INTO shop.a VALUES (2, 20)"),
    ),
    "column-lost": Drifted(
        (_A, _ROW),
        ("ALTER TABLE shop.a DROP COLUMN x",),
        ("ALTER TABLE shop.a MODIFY x BIGINT", "INSERT INTO shop.a VALUES (2, 20)"),
    ),
    "drop-of-two-one-missing": Drifted(
        (_A, _ROW, "CREATE TABLE shop.b (id INT PRIMARY KEY)"),
        ("DROP TABLE shop.b",),
        ("DROP TABLE shop.a, shop.b",),
        taken_by="mariadb",
        remedied=True,
    ),
    "rename-over-a-table": Drifted(
        (_A, _ROW),
        ("CREATE TABLE shop.b (id INT PRIMARY KEY)", "INSERT INTO shop.b VALUES (7)"),
        ("RENAME TABLE shop.a TO shop.b",),
    ),
    "create-over-rows": Drifted(
        (),
        (_A, _ROW),
        ("CREATE TABLE shop.a (id INT PRIMARY KEY, y INT)", "INSERT INTO shop.a VALUES (1, 11)"),
        taken_by="mariadb",
    ),
    "swap-with-writes-behind": Drifted(
        (
            "CREATE TABLE shop.a (id INT PRIMARY KEY, k INT)",
            "CREATE TABLE shop._a_new (id INT PRIMARY KEY, k INT)",
            "INSERT INTO shop.a VALUES (1, 1)",
            "INSERT INTO shop._a_new VALUES (1, 1)",
        ),
        ("DROP TABLE shop._a_new",),
        ("RENAME TABLE shop.a TO shop._a_old, shop._a_new TO shop.a", "INSERT INTO shop.a VALUES (2, 2)"),
    ),
    "column-order": Drifted(
        ("CREATE TABLE shop.a (id INT PRIMARY KEY, x INT, v VARCHAR(20))", "INSERT INTO shop.a VALUES (1, 10, 'a')"),
        ("ALTER TABLE shop.a MODIFY x INT AFTER v",),
        ("INSERT INTO shop.a VALUES (2, 20, 'b')",),
    ),
    "column-between": Drifted(  # that only the replica has, with its values
        ("CREATE TABLE shop.a (id INT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO shop.a VALUES (1, 'a')"),
        ("ALTER TABLE shop.a ADD COLUMN own INT AFTER id", "UPDATE shop.a SET own = 7"),
        ("INSERT INTO shop.a VALUES (2, 'b')",),
    ),
    "narrower-varchar": Drifted(
        ("CREATE TABLE shop.a (id INT PRIMARY KEY, v VARCHAR(200))", "INSERT INTO shop.a VALUES (1, 'a')"),
        ("ALTER TABLE shop.a MODIFY v VARCHAR(5)",),
        ("INSERT INTO shop.a VALUES (2, 'longer than five')",),
    ),
    "schema-lost-with-tables": Drifted(
        (_A, _ROW),
        ("DROP DATABASE shop",),
        ("CREATE TABLE shop.b (id INT PRIMARY KEY)",),
    ),
    "table-lost-with-rows": Drifted((_A, _ROW), ("DROP TABLE shop.a",), ("INSERT INTO shop.a VALUES (2, 20)",)),
    "order-behind-1032": Drifted(
        ("CREATE TABLE shop.a (x INT, y INT)", "INSERT INTO shop.a VALUES (1, 2), (3, 4)"),
        ("ALTER TABLE shop.a MODIFY x INT AFTER y",),
        ("DELETE FROM shop.a WHERE x = 1",),
    ),
    "order-behind-1062": Drifted(
        ("CREATE TABLE shop.a (x INT, y INT, UNIQUE KEY k (y))", "INSERT INTO shop.a VALUES (5, 1)"),
        ("ALTER TABLE shop.a MODIFY x INT AFTER y",),
        ("INSERT INTO shop.a VALUES (1, 2)",),
    ),
    "generated-in-another-way": Drifted(
        (
            "CREATE TABLE shop.a (id INT PRIMARY KEY, x INT, g INT AS (x * 2) STORED, UNIQUE KEY (g))",
            "INSERT INTO shop.a (id, x) VALUES (1, 2)",
        ),
        ("ALTER TABLE shop.a MODIFY g INT AS (x DIV 2) STORED",),
        ("INSERT INTO shop.a (id, x) VALUES (2, 3)",),
        taken_by="mariadb-10.11",  # stores what was logged, and works nothing out
    ),
    "null-where-not-null": Drifted(
        (_A, "INSERT INTO shop.a VALUES (1, 10), (2, 20)"),
        ("UPDATE shop.a SET x = NULL WHERE id = 2",),
        ("ALTER TABLE shop.a CHANGE x y INT NOT NULL", "UPDATE shop.a SET y = 22 WHERE id = 2"),
        remedied=True,
    ),
    "null-in-a-row-of-its-own": Drifted(
        (_A, _ROW),
        ("INSERT INTO shop.a VALUES (2, NULL)",),
        ("ALTER TABLE shop.a MODIFY x INT NOT NULL",),
        remedied=True,
    ),
    "null-where-primary-key": Drifted(
        ("CREATE TABLE shop.a (x INT, u INT NOT NULL UNIQUE)", "INSERT INTO shop.a VALUES (1, 1), (2, 2)"),
        ("UPDATE shop.a SET x = NULL WHERE u = 2",),
        ("ALTER TABLE shop.a ADD PRIMARY KEY (x)",),
        remedied=True,
    ),
    "keys-of-each-server": Drifted(
        ("CREATE TABLE shop.a (x INT, y INT)", "INSERT INTO shop.a VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)"),
        (),
        (
            *_OWN_KEYS,
            "UPDATE shop.a SET y = 30 WHERE x = 3",
            "DELETE FROM shop.a WHERE x = 1",
            "UPDATE shop.a SET y = 40 WHERE x = 4",
            "INSERT INTO shop.a (x, y) VALUES (6, 6)",
        ),
        remedied=True,
    ),
    "values-of-each-server-without-a-key": Drifted(
        ("CREATE TABLE shop.a (x INT, y INT)", "INSERT INTO shop.a VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)"),
        (),
        (_OWN_KEYS[0], _OWN_KEYS[1].removesuffix(" PRIMARY KEY"), _OWN_KEYS[2], "UPDATE shop.a SET y = 30 WHERE x = 3"),
    ),
    "foreign-key-over-orphans": Drifted(
        (
            "CREATE TABLE shop.p (id INT PRIMARY KEY)",
            "CREATE TABLE shop.c (id INT PRIMARY KEY, p INT)",
            "INSERT INTO shop.p VALUES (1), (2)",
            "INSERT INTO shop.c VALUES (1, 1), (2, 2)",
        ),
        ("DELETE FROM shop.p WHERE id = 2",),
        ("ALTER TABLE shop.c ADD FOREIGN KEY (p) REFERENCES shop.p (id)",),
    ),
}
