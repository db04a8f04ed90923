"""Definitions that differ, with a backlog behind: how each is staged, after reports of users."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.lab.replication import wait_until_received, write_locally
from replfix.lab.topology import Lab


@dataclass(frozen=True)
class Drifted:
    """``both`` runs on the source and reaches the replica, ``replica`` on the replica only (not logged), ``source`` on the source,
    all of it before the replica's applier goes on."""

    both: tuple[str, ...]
    replica: tuple[str, ...]
    source: tuple[str, ...]
    servers: str = ""  # of which kind only

    def arrange(self, lab: Lab) -> None:
        with lab.source.session() as source:
            for statement in ("CREATE DATABASE shop", *self.both):
                source.execute(statement)
        lab.wait_until_applied()
        write_locally(lab.replica, *self.replica, logged=False)
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

DRIFTED = {
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
    "create-select": Drifted(
        _SRC,
        ("CREATE TABLE shop.ct (id INT NOT NULL, v INT)",),
        ("CREATE TABLE shop.ct SELECT * FROM shop.src",),
    ),
    "create-select-with-rows": Drifted(
        _SRC,
        ("CREATE TABLE shop.ct (id INT NOT NULL, v INT)", "INSERT INTO shop.ct VALUES (7, 7), (8, 8)"),
        ("CREATE TABLE shop.ct SELECT * FROM shop.src",),
    ),
}
