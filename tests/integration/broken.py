"""Ways to stop a replica's applier, one for each error that a DBA meets: what is done where, and the error it makes."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.replication.applier_error import ApplierError
from replfix.lab.replicate import transaction, wait_until_stopped, write_locally
from replfix.lab.topology import Lab


@dataclass(frozen=True)
class Broken:
    """``before`` runs on the source and reaches the replica, ``local`` on the replica only (not logged), ``then`` on the
    source, in one transaction where there is more than one statement of rows."""

    errno: int
    before: tuple[str, ...]
    local: tuple[str, ...]
    then: tuple[str, ...]
    source_session: tuple[str, ...] = ()  # settings of the session that runs ``then``

    def stage(self, lab: Lab) -> ApplierError:
        self.arrange(lab)
        return wait_until_stopped(lab.replica)

    def arrange(self, lab: Lab) -> None:
        with lab.source.session() as source:
            for statement in ("CREATE DATABASE d", *self.before):
                source.execute(statement)
        lab.wait_until_applied()
        if self.local:
            write_locally(lab.replica, *self.local, logged=False)
        with lab.source.session() as source:
            for statement in self.source_session:
                source.execute(statement)
            transaction(source, *self.then)


_T = "CREATE TABLE d.t (id INT PRIMARY KEY, a INT, b VARCHAR(20))"
_FAMILY = (
    "CREATE TABLE d.p (x INT, y INT, note VARCHAR(10), PRIMARY KEY (x, y))",
    "CREATE TABLE d.c (id INT PRIMARY KEY, x INT, y INT, CONSTRAINT c_p FOREIGN KEY (x, y) REFERENCES d.p (x, y))",
    "INSERT INTO d.p VALUES (1, 1, 'one'), (2, 2, 'two')",
)

BROKEN = {
    "1062-row": Broken(1062, (_T,), ("INSERT INTO d.t VALUES (1, 1, 'x')",), ("INSERT INTO d.t VALUES (1, 2, 'y')",)),
    "1062-statement": Broken(
        1062,
        (_T,),
        ("INSERT INTO d.t VALUES (1, 1, 'x')",),
        ("INSERT INTO d.t VALUES (1, 2, 'y')",),
        source_session=("SET binlog_format = STATEMENT",),
    ),
    "1062-ddl": Broken(
        1062,
        (_T, "INSERT INTO d.t VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'z')"),
        ("UPDATE d.t SET b = 'x' WHERE id = 2", "UPDATE d.t SET a = 1 WHERE id = 2"),
        ("ALTER TABLE d.t ADD UNIQUE KEY ab (a, b)",),
    ),
    "1032-row": Broken(
        1032, (_T, "INSERT INTO d.t VALUES (1, 1, 'x')"), ("DELETE FROM d.t",), ("UPDATE d.t SET a = 2",)
    ),
    "1452": Broken(1452, _FAMILY, ("DELETE FROM d.p WHERE x = 2",), ("INSERT INTO d.c VALUES (1, 2, 2)",)),
    "1451": Broken(1451, _FAMILY, ("INSERT INTO d.c VALUES (7, 2, 2)",), ("DELETE FROM d.p WHERE x = 2",)),
    "3819": Broken(
        3819,
        (_T,),
        ("ALTER TABLE d.t ADD CONSTRAINT a_small CHECK (a < 10)",),
        ("INSERT INTO d.t VALUES (1, 11, 'x')",),
    ),
    "1146-row": Broken(1146, (_T,), ("DROP TABLE d.t",), ("INSERT INTO d.t VALUES (1, 1, 'x')",)),
    "1146-statement": Broken(1146, (_T,), ("DROP TABLE d.t",), ("ALTER TABLE d.t ADD COLUMN c INT",)),
    "1049": Broken(1049, (), ("DROP DATABASE d",), ("CREATE TABLE d.t2 (id INT PRIMARY KEY)",)),
    "1007": Broken(1007, (), ("CREATE DATABASE e",), ("CREATE DATABASE e",)),
    "1008": Broken(1008, ("CREATE DATABASE e",), ("DROP DATABASE e",), ("DROP DATABASE e",)),
    "1050": Broken(1050, (), (_T,), (_T,)),
    "1051": Broken(1051, (_T,), ("DROP TABLE d.t",), ("DROP TABLE d.t",)),
    "1054": Broken(1054, (_T,), ("ALTER TABLE d.t DROP COLUMN a",), ("ALTER TABLE d.t RENAME COLUMN a TO aa",)),
    "1060": Broken(1060, (_T,), ("ALTER TABLE d.t ADD COLUMN c INT",), ("ALTER TABLE d.t ADD COLUMN c INT",)),
    "1061": Broken(1061, (_T,), ("CREATE INDEX a ON d.t (a)",), ("CREATE INDEX a ON d.t (a)",)),
    "1072": Broken(1072, (_T,), ("ALTER TABLE d.t DROP COLUMN a",), ("CREATE INDEX a ON d.t (a)",)),
    "1091": Broken(1091, (_T,), ("ALTER TABLE d.t DROP COLUMN a",), ("ALTER TABLE d.t DROP COLUMN a",)),
    "13146": Broken(13146, (_T,), ("ALTER TABLE d.t MODIFY a VARCHAR(10)",), ("INSERT INTO d.t VALUES (1, 1, 'x')",)),
    "13146-narrower": Broken(
        13146,
        ("CREATE TABLE d.t (id INT PRIMARY KEY, a BIGINT)",),
        ("ALTER TABLE d.t MODIFY a INT",),
        ("INSERT INTO d.t VALUES (1, 1)",),
    ),
    "1048-statement": Broken(
        1048,
        (_T,),
        ("ALTER TABLE d.t MODIFY a INT NOT NULL",),
        ("INSERT INTO d.t VALUES (1, NULL, 'x')",),
        source_session=("SET binlog_format = STATEMENT",),
    ),
    "1364": Broken(
        1364,
        (_T,),
        ("ALTER TABLE d.t ADD COLUMN c INT NOT NULL",),
        ("INSERT INTO d.t (id, a, b) VALUES (1, 1, 'x')",),
        source_session=("SET binlog_format = STATEMENT",),
    ),
    "1837": Broken(
        1837,
        ("CREATE TABLE d.a (id INT PRIMARY KEY)", "CREATE TABLE d.b (id INT PRIMARY KEY)"),
        ("ALTER TABLE d.b ENGINE = MyISAM",),
        ("INSERT INTO d.b VALUES (1)", "INSERT INTO d.a VALUES (1)"),
    ),
    "1264": Broken(
        1264,
        ("CREATE TABLE d.t (id INT PRIMARY KEY, a BIGINT)",),
        ("ALTER TABLE d.t MODIFY a TINYINT",),
        ("INSERT INTO d.t VALUES (1, 1000)",),
        source_session=("SET binlog_format = STATEMENT",),
    ),
    "1406": Broken(
        1406,
        (_T,),
        ("ALTER TABLE d.t MODIFY b VARCHAR(3)",),
        ("INSERT INTO d.t VALUES (1, 1, 'longer')",),
        source_session=("SET binlog_format = STATEMENT",),
    ),
    "1366": Broken(
        1366,
        (_T,),
        ("ALTER TABLE d.t MODIFY b INT",),
        ("INSERT INTO d.t VALUES (1, 1, 'words')",),
        source_session=("SET binlog_format = STATEMENT",),
    ),
}
"""Each is staged on a pair that is healthy and empty. Values that the replica's column refuses (1048, 1264, 1364, 1366,
1406) stop statements only: a row event stores something else instead, without an error (9.7.4)."""
