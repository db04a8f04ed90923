"""Ways to stop an applier that no conflict of rows explains: accounts, routines, partitions, limits, settings."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.lab.replicate import transaction, write_locally
from replfix.lab.topology import Lab

T = "CREATE TABLE d.t (id INT PRIMARY KEY, a INT, b VARCHAR(20))"
PARENT = ("CREATE TABLE d.p (id INT PRIMARY KEY)", "INSERT INTO d.p VALUES (1), (2)")
CHILD = "CREATE TABLE d.c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES d.p (id))"
APPLIES_AS = (
    "STOP REPLICA",
    "CHANGE REPLICATION SOURCE TO PRIVILEGE_CHECKS_USER = 'appl'@'%'",
    "START REPLICA",
)
APPLIER = ("CREATE USER appl", "GRANT REPLICATION_APPLIER ON *.* TO appl")
KEY_DEMANDED = (
    "STOP REPLICA",
    "CHANGE REPLICATION SOURCE TO REQUIRE_TABLE_PRIMARY_KEY_CHECK = ON",
    "START REPLICA",
)
SMALL_CACHE = (
    "STOP REPLICA SQL_THREAD",
    "SET GLOBAL max_binlog_cache_size = 4096",
    "SET GLOBAL binlog_cache_size = 4096",
    "START REPLICA SQL_THREAD",
)


@dataclass(frozen=True)
class Refused:
    errno: int
    page: str
    before: tuple[str, ...] = ()  # on the source
    local: tuple[str, ...] = ()  # on the replica, not logged
    then: tuple[str, ...] = ()  # on the source
    settings: tuple[str, ...] = ()  # on the replica
    session: tuple[str, ...] = ()  # of the source that runs ``then``
    on_source: tuple[str, ...] = ()  # settings there, which a reset puts back
    same_accounts: bool = True  # afterwards
    words: tuple[str, ...] = ()  # that are said where there is nothing to follow
    mariadb: int = 0  # its number there, where that is another one
    only: str = ""  # the kind of server that has it
    taken_by: str = ""  # which kind of server applies it without an error

    @property
    def errors(self) -> tuple[int, ...]:
        return (self.errno, self.mariadb) if self.mariadb else (self.errno,)

    def arrange(self, lab: Lab) -> None:
        with lab.source.session() as session:
            for statement in ("CREATE DATABASE d", *self.before):
                session.execute(statement)
        lab.wait_until_applied()
        if self.local:
            write_locally(lab.replica, *self.local, logged=False)
        with lab.replica.session() as session:
            for statement in self.settings:
                session.execute(statement)
        with lab.source.session() as session:
            for statement in (*self.on_source, *self.session):
                session.execute(statement)
            transaction(session, *self.then)


REFUSED = {
    "1142": Refused(
        1142, "applier-privilege", (T, *APPLIER, "CREATE TABLE d.u (id INT PRIMARY KEY)"),
        then=("INSERT INTO d.t VALUES (1, 1, 'x'), (2, 2, 'y')", "INSERT INTO d.u VALUES (1)", "DELETE FROM d.t WHERE id = 2"), settings=APPLIES_AS, only="mysql",
        same_accounts=False,
    ),
    "1227 table": Refused(
        1227, "applier-privilege", (T, *APPLIER), then=("CREATE TABLE d.u (id INT PRIMARY KEY)",), settings=APPLIES_AS, only="mysql", same_accounts=False
    ),
    "1227 schema": Refused(1227, "applier-privilege", APPLIER, then=("CREATE DATABASE e",), settings=APPLIES_AS, only="mysql", same_accounts=False),
    "1227 account": Refused(1227, "applier-privilege", APPLIER, then=("CREATE USER app",), settings=APPLIES_AS, only="mysql", same_accounts=False),
    "1227 routine": Refused(1227, "applier-privilege", APPLIER, then=("CREATE PROCEDURE d.p() SELECT 1",), settings=APPLIES_AS, only="mysql", same_accounts=False),
    "1396 create": Refused(
        1396, "account-statement", local=("CREATE USER app IDENTIFIED BY 'other'", "GRANT SELECT ON *.* TO app"),
        then=("CREATE USER app IDENTIFIED BY 'secret'",),
    ),
    "1396 drop of two": Refused(1396, "account-statement", ("CREATE USER app, app2",), ("DROP USER app",), ("DROP USER app, app2",)),
    "1396 create of two": Refused(
        1396, "account-statement", local=("CREATE USER app",), then=("CREATE USER app, app2 IDENTIFIED BY 'secret'",),
    ),
    "1396 rename of two": Refused(
        1396, "account-statement", ("CREATE USER app, app2",), ("DROP USER app",), ("RENAME USER app TO app3, app2 TO app4",), same_accounts=False,
    ),
    "1396 alter of two": Refused(
        1396, "account-statement", ("CREATE USER app, app2",), ("DROP USER app2",), ("ALTER USER app IDENTIFIED BY 'a', app2 IDENTIFIED BY 'b'",),
    ),
    "1396 roles of two": Refused(1396, "account-statement", ("CREATE ROLE r, r2",), ("DROP ROLE r2",), ("DROP ROLE r, r2",)),
    "1410 of two": Refused(1410, "account-statement", ("CREATE USER app, app2",), ("DROP USER app2",), ("GRANT SELECT ON d.* TO app, app2",), mariadb=1133),
    "1269 of two": Refused(1269, "account-statement", ("CREATE USER app, app2",), ("DROP USER app2",), ("REVOKE ALL PRIVILEGES, GRANT OPTION FROM app, app2",)),
    "1396 role": Refused(1396, "account-statement", ("CREATE ROLE r",), ("DROP ROLE r",), ("DROP ROLE r",)),
    "1396 role exists": Refused(1396, "account-statement", (), ("CREATE ROLE r",), ("CREATE ROLE r",)),
    "1396 alter": Refused(
        1396, "account-statement", ("CREATE USER app@localhost IDENTIFIED BY 'secret'",), ("DROP USER app@localhost",),
        ("ALTER USER app@localhost IDENTIFIED BY 'new'",),
    ),
    "1396 rename": Refused(
        1396, "account-statement", ("CREATE USER app IDENTIFIED BY 'secret'",), ("DROP USER app",), ("RENAME USER app TO app3",), same_accounts=False
    ),
    "1410": Refused(1410, "account-statement", ("CREATE USER app",), ("DROP USER app",), ("GRANT SELECT ON d.* TO app",), mariadb=1133),
    "3523": Refused(3523, "account-statement", ("CREATE ROLE r", "CREATE USER app"), ("DROP USER app",), ("GRANT r TO app",), mariadb=1133),
    "1141": Refused(
        1141, "account-statement", ("CREATE USER app", "GRANT SELECT ON d.* TO app"), ("REVOKE SELECT ON d.* FROM app",),
        ("REVOKE SELECT ON d.* FROM app",),
    ),
    "1147": Refused(
        1147, "account-statement", (T, "CREATE USER app", "GRANT SELECT ON d.t TO app"), ("REVOKE SELECT ON d.t FROM app",),
        ("REVOKE SELECT ON d.t FROM app",),
    ),
    "1269": Refused(1269, "account-statement", ("CREATE USER app",), ("DROP USER app",), ("REVOKE ALL PRIVILEGES, GRANT OPTION FROM app",)),
    "1304": Refused(1304, "stored-object", (), ("CREATE PROCEDURE d.p() SELECT 2",), ("CREATE PROCEDURE d.p() SELECT 1",)),
    "1305 drop": Refused(1305, "stored-object", ("CREATE PROCEDURE d.p() SELECT 1",), ("DROP PROCEDURE d.p",), ("DROP PROCEDURE d.p",)),
    "1359": Refused(
        1359, "stored-object", (T,), ("CREATE TRIGGER d.g BEFORE INSERT ON d.t FOR EACH ROW SET NEW.a = 2",),
        ("CREATE TRIGGER d.g BEFORE INSERT ON d.t FOR EACH ROW SET NEW.a = 1",),
    ),
    "1537": Refused(
        1537, "stored-object", (), ("CREATE EVENT d.e ON SCHEDULE EVERY 1 DAY DO SELECT 2",), ("CREATE EVENT d.e ON SCHEDULE EVERY 1 DAY DO SELECT 1",)
    ),
    "1539": Refused(1539, "stored-object", ("CREATE EVENT d.e ON SCHEDULE EVERY 1 DAY DO SELECT 1",), ("DROP EVENT d.e",), ("DROP EVENT d.e",)),
    "1347": Refused(
        1347, "stored-object", (T, "CREATE VIEW d.v AS SELECT id FROM d.t"), ("DROP VIEW d.v", "CREATE TABLE d.v (id INT PRIMARY KEY)"),
        ("DROP VIEW d.v",), mariadb=4092,
    ),
    "1517": Refused(
        1517, "partitions", ("CREATE TABLE d.t (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10))",),
        ("ALTER TABLE d.t ADD PARTITION (PARTITION p1 VALUES LESS THAN (20))",), ("ALTER TABLE d.t ADD PARTITION (PARTITION p1 VALUES LESS THAN (20))",),
    ),
    "1701": Refused(1701, "foreign-key-definition", PARENT, (CHILD,), ("TRUNCATE TABLE d.p",)),
    "3730": Refused(3730, "foreign-key-definition", PARENT, (CHILD,), ("DROP TABLE d.p",), mariadb=1451),
    "1553": Refused(
        1553, "foreign-key-definition", ("CREATE TABLE d.p (id INT PRIMARY KEY, u INT, UNIQUE KEY u (u))",),
        ("CREATE TABLE d.c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES d.p (u))",), ("ALTER TABLE d.p DROP KEY u",),
    ),
    "1826": Refused(
        1826, "foreign-key-definition", (*PARENT, "CREATE TABLE d.c (id INT PRIMARY KEY, p INT)"),
        ("ALTER TABLE d.c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES d.p (id)",), ("ALTER TABLE d.c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES d.p (id)",), mariadb=1005,
    ),
    "1118": Refused(
        1118, "refused-definition", ("CREATE TABLE d.t (id INT PRIMARY KEY, a VARCHAR(10000))",), ("ALTER TABLE d.t ADD COLUMN x VARCHAR(4000)",),
        ("ALTER TABLE d.t ADD COLUMN c VARCHAR(4000)",), words=("only the replica has the column x",),
    ),
    "3750": Refused(3750, "server-setting", (T,), then=("CREATE TABLE d.nopk (id INT)",), settings=KEY_DEMANDED, only="mysql"),
    "3750 alter": Refused(3750, "server-setting", (T,), then=("ALTER TABLE d.t DROP PRIMARY KEY",), settings=KEY_DEMANDED, only="mysql"),
    "1197": Refused(
        1197, "limit", ("CREATE TABLE d.t (id INT PRIMARY KEY, b LONGTEXT)",), then=("INSERT INTO d.t VALUES (1, REPEAT('x', 200000))",),
        settings=SMALL_CACHE,
    ),
    "1114": Refused(
        1114, "limit", ("CREATE TABLE d.t (id INT PRIMARY KEY, b CHAR(250)) ENGINE = MEMORY",),
        ("SET SESSION max_heap_table_size = 16384", "ALTER TABLE d.t ENGINE = MEMORY"),
        tuple(f"INSERT INTO d.t VALUES ({n}, 'x')" for n in range(200)),
    ),
}  # fmt: skip
