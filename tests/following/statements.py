"""Statements that meet another world on the replica: objects, keys, partitions, values, accounts, settings. Staged as in refused.py."""

from __future__ import annotations

from tests.following.refused import APPLIER, APPLIES_AS, CHILD, PARENT, Refused, T

RANGE = "CREATE TABLE d.t (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))"
AS_STATEMENT = ("SET binlog_format = STATEMENT",)
ROWS = "INSERT INTO d.t VALUES (1, 1, 'x'), (2, 2, 'y')"
LIST = "CREATE TABLE d.t (id INT PRIMARY KEY) PARTITION BY LIST (id) (PARTITION p0 VALUES IN (1, 2), PARTITION p1 VALUES IN (3, 4))"
P0 = "PARTITION p0 VALUES LESS THAN (10)"
PARTIAL_JSON = ("SET binlog_row_value_options = PARTIAL_JSON", "SET binlog_row_image = MINIMAL")

STATEMENTS = {
    # Columns and keys
    "1068": Refused(
        1068, "table-structure", ("CREATE TABLE d.t (id INT NOT NULL, a INT)",), ("ALTER TABLE d.t ADD PRIMARY KEY (id)",),
        ("ALTER TABLE d.t ADD PRIMARY KEY (id)",),
    ),
    "1176": Refused(
        1176, "table-structure", (T, "CREATE INDEX a ON d.t (a)"), ("ALTER TABLE d.t DROP INDEX a",), ("ALTER TABLE d.t RENAME INDEX a TO b",),
    ),
    "1136": Refused(
        1136, "table-structure", (T,), ("ALTER TABLE d.t ADD COLUMN c INT",), ("INSERT INTO d.t VALUES (1, 1, 'x')",), session=AS_STATEMENT,
    ),
    "1054 statement": Refused(
        1054, "table-structure", (T, ROWS), ("ALTER TABLE d.t RENAME COLUMN a TO aa",), ("UPDATE d.t SET a = 9 WHERE id = 1",), session=AS_STATEMENT,
    ),
    "1060 of two": Refused(
        1060, "table-structure", (T, ROWS), ("ALTER TABLE d.t ADD COLUMN c INT",), ("ALTER TABLE d.t ADD COLUMN e INT, ADD COLUMN c INT",),
    ),
    "3821": Refused(
        3821, "table-structure", (T, "ALTER TABLE d.t ADD CONSTRAINT small CHECK (a < 10)"), ("ALTER TABLE d.t DROP CONSTRAINT small",),
        ("ALTER TABLE d.t DROP CHECK small",), only="mysql",
    ),
    "3940": Refused(
        3940, "table-structure", (T, "ALTER TABLE d.t ADD CONSTRAINT small CHECK (a < 10)"), ("ALTER TABLE d.t DROP CONSTRAINT small",),
        ("ALTER TABLE d.t DROP CONSTRAINT small",), mariadb=1091,
    ),
    "3822": Refused(
        3822, "table-structure", (T,), ("ALTER TABLE d.t ADD CONSTRAINT small CHECK (a < 10)",), ("ALTER TABLE d.t ADD CONSTRAINT small CHECK (a < 10)",),
        mariadb=1826,
    ),
    # Routines, triggers, events, views, servers
    "1304 function": Refused(
        1304, "stored-object", (), ("CREATE FUNCTION d.f() RETURNS INT DETERMINISTIC RETURN 2",), ("CREATE FUNCTION d.f() RETURNS INT DETERMINISTIC RETURN 1",),
    ),
    "1305 drop of another": Refused(
        1305, "stored-object", ("CREATE FUNCTION d.f() RETURNS INT DETERMINISTIC RETURN 1",), ("DROP FUNCTION d.f",), ("DROP FUNCTION d.f",),
    ),
    "1360": Refused(
        1360, "stored-object", (T, "CREATE TRIGGER d.g BEFORE INSERT ON d.t FOR EACH ROW SET NEW.a = 1"), ("DROP TRIGGER d.g",), ("DROP TRIGGER d.g",),
        taken_by="m",
    ),
    "1539 alter": Refused(
        1539, "stored-object", ("CREATE EVENT d.e ON SCHEDULE EVERY 1 DAY DO SELECT 1",), ("DROP EVENT d.e",), ("ALTER EVENT d.e ON SCHEDULE EVERY 2 DAY",),
    ),
    "1305 alter": Refused(
        1305, "stored-object", ("CREATE PROCEDURE d.p() SELECT 1",), ("DROP PROCEDURE d.p",), ("ALTER PROCEDURE d.p COMMENT 'x'",),
    ),
    "1050 view": Refused(
        1050, "existing-object", (T,), ("CREATE VIEW d.v AS SELECT id, a FROM d.t",), ("CREATE VIEW d.v AS SELECT id FROM d.t",),
    ),
    "1051 view": Refused(
        1051, "missing-object", (T, "CREATE VIEW d.v AS SELECT id FROM d.t"), ("DROP VIEW d.v",), ("DROP VIEW d.v",), mariadb=4092,
    ),
    "1146 view": Refused(
        1146, "missing-object", (T, "CREATE VIEW d.v AS SELECT id FROM d.t"), ("DROP VIEW d.v",), ("ALTER VIEW d.v AS SELECT a FROM d.t",),
    ),
    "1146 trigger": Refused(
        1146, "missing-object", (T,), ("DROP TABLE d.t",), ("CREATE TRIGGER d.g BEFORE INSERT ON d.t FOR EACH ROW SET NEW.a = 1",),
    ),
    "1146 of rows in a statement": Refused(
        1146, "missing-object", (T, ROWS), ("DROP TABLE d.t",), ("UPDATE d.t SET a = 7",), session=AS_STATEMENT,
    ),
    "1146 truncate": Refused(1146, "missing-object", (T, ROWS), ("DROP TABLE d.t",), ("TRUNCATE TABLE d.t",)),
    "1049 rows": Refused(1146, "missing-object", (T,), ("DROP DATABASE d",), (ROWS,), mariadb=1049),
    "1418": Refused(
        1418, "server-setting", then=("CREATE FUNCTION d.f() RETURNS INT RETURN 1",), on_source=("SET GLOBAL log_bin_trust_function_creators = ON",),
    ),
    # Partitions
    "1507": Refused(1507, "partitions", (RANGE.replace("(20))", "(20), PARTITION p2 VALUES LESS THAN (30))"),), ("ALTER TABLE d.t DROP PARTITION p1",), ("ALTER TABLE d.t DROP PARTITION p1",)),
    "1735": Refused(1735, "partitions", (RANGE,), ("ALTER TABLE d.t DROP PARTITION p1",), ("ALTER TABLE d.t TRUNCATE PARTITION p1",)),
    "1505": Refused(
        1505, "partitions", (RANGE,), ("ALTER TABLE d.t REMOVE PARTITIONING",), ("ALTER TABLE d.t ADD PARTITION (PARTITION p2 VALUES LESS THAN (30))",),
    ),
    "1493": Refused(
        1493, "partitions", (f"CREATE TABLE d.t (id INT PRIMARY KEY) PARTITION BY RANGE (id) ({P0})",),
        ("ALTER TABLE d.t ADD PARTITION (PARTITION p9 VALUES LESS THAN (90))",), ("ALTER TABLE d.t ADD PARTITION (PARTITION p1 VALUES LESS THAN (20))",),
    ),
    "1481": Refused(
        1481, "partitions", (f"CREATE TABLE d.t (id INT PRIMARY KEY) PARTITION BY RANGE (id) ({P0})",),
        ("ALTER TABLE d.t ADD PARTITION (PARTITION p9 VALUES LESS THAN MAXVALUE)",),
        ("ALTER TABLE d.t ADD PARTITION (PARTITION p1 VALUES LESS THAN (20))",),
    ),
    "1526 list": Refused(1526, "partitions", (LIST,), ("ALTER TABLE d.t DROP PARTITION p1",), ("INSERT INTO d.t VALUES (3)",)),
    "1526 statement": Refused(
        1526, "partitions", (RANGE,), ("ALTER TABLE d.t DROP PARTITION p1",), ("INSERT INTO d.t VALUES (15)",), session=AS_STATEMENT,
    ),
    # Foreign keys
    "1451 statement": Refused(
        1451, "foreign-key", (*PARENT, CHILD), ("INSERT INTO d.c VALUES (1, 2)",), ("DELETE FROM d.p WHERE id = 2",), session=AS_STATEMENT,
    ),
    "1452 statement": Refused(
        1452, "foreign-key", (*PARENT, CHILD), ("DELETE FROM d.p WHERE id = 2",), ("INSERT INTO d.c VALUES (1, 2)",), session=AS_STATEMENT,
    ),
    "1824": Refused(1824, "foreign-key-definition", PARENT, ("DROP TABLE d.p",), (CHILD,), mariadb=1005),
    "3780": Refused(
        3780, "foreign-key-definition", (*PARENT, "CREATE TABLE d.c (id INT PRIMARY KEY, p INT)"), ("ALTER TABLE d.c MODIFY p BIGINT",),
        ("ALTER TABLE d.c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES d.p (id)",), mariadb=1005,
    ),
    "1828": Refused(1828, "foreign-key-definition", (*PARENT, "CREATE TABLE d.c (id INT PRIMARY KEY, p INT)"),
        ("ALTER TABLE d.c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES d.p (id)",), ("ALTER TABLE d.c DROP COLUMN p",), mariadb=1553),
    "1829": Refused(1829, "foreign-key-definition", ("CREATE TABLE d.p (id INT PRIMARY KEY, u INT, UNIQUE KEY u (u))",),
        ("CREATE TABLE d.c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES d.p (u))",), ("ALTER TABLE d.p DROP COLUMN u",), mariadb=1553,
    ),
    "3780 child": Refused(
        3780, "foreign-key-definition", (*PARENT, "CREATE TABLE d.c (id INT PRIMARY KEY, p INT)"),
        ("ALTER TABLE d.c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES d.p (id)",), ("ALTER TABLE d.c MODIFY p BIGINT",), mariadb=1832,
    ),
    "3780 parent": Refused(
        3780, "foreign-key-definition", PARENT, (CHILD,), ("ALTER TABLE d.p MODIFY id BIGINT",), mariadb=1833,
    ),
    "1091 foreign key": Refused(
        1091, "table-structure", (*PARENT, CHILD), ("ALTER TABLE d.c DROP FOREIGN KEY c_p",), ("ALTER TABLE d.c DROP FOREIGN KEY c_p",),
    ),
    # Definitions that the replica does not take
    "1071": Refused(
        1071, "refused-definition", ("CREATE TABLE d.t (id INT PRIMARY KEY, b VARCHAR(100))",), ("ALTER TABLE d.t MODIFY b VARCHAR(4000)",),
        ("CREATE INDEX b ON d.t (b)",), taken_by="mariadb",
    ),
    "1170": Refused(
        1170, "refused-definition", ("CREATE TABLE d.t (id INT PRIMARY KEY, b VARCHAR(100))",), ("ALTER TABLE d.t MODIFY b TEXT",),
        ("CREATE INDEX b ON d.t (b)",), taken_by="mariadb",
    ),
    # Values that the replica does not take
    "1292": Refused(1292, "refused-value", (T,), ("ALTER TABLE d.t MODIFY b DATE",), ("INSERT INTO d.t VALUES (1, 1, 'words')",), session=AS_STATEMENT),
    "1265": Refused(
        1265, "refused-value", (T,), ("ALTER TABLE d.t MODIFY b ENUM('a')",), ("INSERT INTO d.t VALUES (1, 1, 'words')",), session=AS_STATEMENT,
    ),
    "3140": Refused(
        3140, "refused-value", (T,), ("ALTER TABLE d.t MODIFY b JSON",), ("INSERT INTO d.t VALUES (1, 1, 'words')",), session=AS_STATEMENT, mariadb=4025,
    ),
    "3819 statement": Refused(
        3819, "check-constraint", (T,), ("ALTER TABLE d.t ADD CONSTRAINT small CHECK (a < 10)",), ("INSERT INTO d.t VALUES (1, 11, 'x')",),
        session=AS_STATEMENT, mariadb=4025,
    ),
    "3648": Refused(
        3648, "json-difference", ("CREATE TABLE d.t (id INT PRIMARY KEY, d JSON)", """INSERT INTO d.t VALUES (1, '{"a": 1, "b": [1, 2, 3]}')"""),
        ("""UPDATE d.t SET d = '{"x": 1}'""",), ("UPDATE d.t SET d = JSON_SET(d, '$.b[1]', 99) WHERE id = 1",), session=PARTIAL_JSON[:1], only="mysql",
    ),
    "13146 text": Refused(
        13146, "column-types", ("CREATE TABLE d.t (id INT PRIMARY KEY, b TEXT)",), ("ALTER TABLE d.t MODIFY b VARCHAR(10)",),
        ("INSERT INTO d.t VALUES (1, 'x')",), mariadb=1677,
    ),
    "13146 date": Refused(
        13146, "column-types", ("CREATE TABLE d.t (id INT PRIMARY KEY, b DATETIME(6))",), ("ALTER TABLE d.t MODIFY b DATE",),
        ("INSERT INTO d.t VALUES (1, '2026-01-02 03:04:05')",), mariadb=1677,
    ),
    "13146 decimal": Refused(
        13146, "column-types", ("CREATE TABLE d.t (id INT PRIMARY KEY, b DECIMAL(12, 4))",), ("ALTER TABLE d.t MODIFY b DECIMAL(10, 2)",),
        ("INSERT INTO d.t VALUES (1, 1.2345)",), mariadb=1677,
    ),
    # Accounts
    "1396 password": Refused(1396, "account-statement", ("CREATE USER app",), ("DROP USER app",), ("SET PASSWORD FOR app = 'x'",), only="mysql"),
    "1403": Refused(
        1403, "account-statement", ("CREATE PROCEDURE d.p() SELECT 1", "CREATE USER app", "GRANT EXECUTE ON PROCEDURE d.p TO app"),
        ("REVOKE EXECUTE ON PROCEDURE d.p FROM app",), ("REVOKE EXECUTE ON PROCEDURE d.p FROM app",),
    ),
    "3530": Refused(
        3530, "account-statement", ("CREATE ROLE r", "CREATE USER app", "GRANT r TO app"), ("REVOKE r FROM app",), ("REVOKE r FROM app",), mariadb=1962, taken_by="mysql",
    ),
    "1141 all": Refused(
        1141, "account-statement", ("CREATE USER app", "GRANT ALL ON d.* TO app"), ("DROP USER app",), ("REVOKE ALL ON d.* FROM app",),
    ),
    "1959": Refused(1959, "account-statement", ("CREATE ROLE r", "CREATE USER app"), ("DROP ROLE r",), ("GRANT r TO app",), only="mariadb"),
    "3523 role": Refused(3523, "account-statement", ("CREATE ROLE r", "CREATE USER app"), ("DROP ROLE r",), ("GRANT r TO app",), only="mysql"),
    # What the applier's account may not
    "1142 rows": Refused(
        1142, "applier-privilege", (T, ROWS, *APPLIER), then=("UPDATE d.t SET a = 5 WHERE id = 1", "DELETE FROM d.t WHERE id = 2"), settings=APPLIES_AS,
        only="mysql", same_accounts=False,
    ),
    "1227 ddl": Refused(
        1227, "applier-privilege", (T, *APPLIER), then=("ALTER TABLE d.t ADD COLUMN c INT",), settings=APPLIES_AS, only="mysql", same_accounts=False,
    ),
    "1227 drop": Refused(
        1227, "applier-privilege", (T, *APPLIER), then=("DROP TABLE d.t",), settings=APPLIES_AS, only="mysql", same_accounts=False,
    ),
    "1227 statement": Refused(
        1227, "applier-privilege", (T, ROWS, *APPLIER), then=("UPDATE d.t SET a = 5 WHERE id = 1",), settings=APPLIES_AS, session=AS_STATEMENT,
        only="mysql", same_accounts=False,
    ),
    "1227 view": Refused(
        1227, "applier-privilege", (T, *APPLIER), then=("CREATE VIEW d.v AS SELECT id FROM d.t",), settings=APPLIES_AS, only="mysql", same_accounts=False,
    ),
    "1227 trigger": Refused(
        1227, "applier-privilege", (T, *APPLIER), then=("CREATE TRIGGER d.g BEFORE INSERT ON d.t FOR EACH ROW SET NEW.a = 1",), settings=APPLIES_AS,
        only="mysql", same_accounts=False,
    ),
    "1227 event": Refused(
        1227, "applier-privilege", (T, *APPLIER), then=("CREATE EVENT d.e ON SCHEDULE EVERY 1 DAY DO SELECT 1",), settings=APPLIES_AS,
        only="mysql", same_accounts=False,
    ),
    "1227 grant": Refused(
        1227, "applier-privilege", (*APPLIER, "CREATE USER app"), then=("GRANT SELECT ON d.* TO app",), settings=APPLIES_AS, only="mysql",
        same_accounts=False,
    ),
    # Without a key, and rows that no transaction holds
    "1032 memory": Refused(
        1032, "missing-row", ("CREATE TABLE d.t (id INT PRIMARY KEY, v INT) ENGINE = MEMORY", "INSERT INTO d.t VALUES (1, 1), (2, 2)"),
        ("DELETE FROM d.t",), ("UPDATE d.t SET v = 9 WHERE id < 3",),
    ),
    "1032 without a key": Refused(
        1032, "missing-row", ("CREATE TABLE d.t (a INT, b INT)", "INSERT INTO d.t VALUES (1, 1), (2, 2)"), ("UPDATE d.t SET b = 7 WHERE a = 2",),
        ("DELETE FROM d.t WHERE a = 2",),
    ),
    "1062 twice on the source": Refused(
        1062, "duplicate-key", ("CREATE TABLE d.t (id INT PRIMARY KEY, u INT, UNIQUE KEY u (u))",), ("INSERT INTO d.t VALUES (1, 1)",),
        ("INSERT INTO d.t VALUES (2, 1)",),
    ),
    "1666": Refused(
        1666, "server-setting", (T,), then=(ROWS,),
        settings=("STOP REPLICA SQL_THREAD", "SET GLOBAL binlog_format = STATEMENT", "START REPLICA SQL_THREAD"), taken_by="mariadb",
    ),
    "1705": Refused(
        1705, "limit", ("CREATE TABLE d.t (id INT PRIMARY KEY, b LONGTEXT) ENGINE = MyISAM",), then=("INSERT INTO d.t VALUES (1, REPEAT('x', 200000))",),
        settings=(
            "STOP REPLICA SQL_THREAD", "SET GLOBAL max_binlog_stmt_cache_size = 4096", "SET GLOBAL binlog_stmt_cache_size = 4096",
            "START REPLICA SQL_THREAD",
        ),
        taken_by="mariadb",
    ),
}  # fmt: skip
