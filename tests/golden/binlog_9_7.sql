-- What binlog_9_7.000001 holds: written by MySQL 9.7.4 with GTIDs, between two FLUSH BINARY LOGS.
CREATE DATABASE shop;
USE shop;
SET time_zone = '+00:00', sql_mode = '';

-- 3 to 5: names, signs, character sets and labels in the log
SET GLOBAL binlog_row_metadata = FULL;
CREATE TABLE every (id INT UNSIGNED PRIMARY KEY, t TINYINT, m MEDIUMINT UNSIGNED, b BIGINT UNSIGNED, y YEAR, d DECIMAL(20,5), f FLOAT, g DOUBLE, bits BIT(10), dt DATE, ti TIME(3), dtm DATETIME(6), ts TIMESTAMP(1) NULL, c CHAR(10), v VARCHAR(300), l VARCHAR(20) CHARACTER SET latin1, tx TEXT, bi BINARY(4), vb VARBINARY(8), bl BLOB, e ENUM('a','b''c','ü') CHARACTER SET latin1, s SET('x','y','z'), j JSON, gen INT GENERATED ALWAYS AS (t + 1) VIRTUAL, hidden INT INVISIBLE DEFAULT 7);
INSERT INTO every (id, t, m, b, y, d, f, g, bits, dt, ti, dtm, ts, c, v, l, tx, bi, vb, bl, e, s, j) VALUES (4294967295, -128, 16777215, 18446744073709551615, 0, -123456789012345.12345, 0.1, 1e100, 1023, '2024-02-29', '-00:00:00.5', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.9', 'pad  ', 'é😀', 'é€', 'text', 0x01, 0x0200, 0x00FF, 'ü', 'x,z', '{"bb": [1, -1.5, 1e100, true, null, "é\\n"], "a": {}, "n": 18446744073709551615}'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3, 127, 0, 0, 2155, 0.00001, -1.5, -0.5, 0, '0000-00-00', '838:59:59', '0000-00-00', '0000-00-00', '', '', '', '', '', '', '', 'none', '', 'null');
UPDATE every SET t = 5, v = 'new' WHERE id = 3;
DELETE FROM every WHERE id = 2;

-- 7 to 9: the server's default
SET GLOBAL binlog_row_metadata = MINIMAL;
CREATE TABLE small (id INT UNSIGNED PRIMARY KEY, name VARCHAR(20), size ENUM('S','M','L'), note TEXT);
INSERT INTO small VALUES (1, 'one', 'M', 'first'), (2, 'two', NULL, NULL);
SET binlog_row_image = MINIMAL;
UPDATE small SET name = 'uno' WHERE id = 1;
SET binlog_row_image = NOBLOB;
UPDATE small SET name = 'dos' WHERE id = 2;
SET binlog_row_image = FULL;

-- 10: two statements, their texts, a savepoint
SET binlog_rows_query_log_events = ON;
BEGIN;
INSERT INTO small VALUES (3, 'three', 'L', NULL);
SAVEPOINT `a``b`;
DELETE FROM small WHERE id = 2;
COMMIT;
SET binlog_rows_query_log_events = OFF;

-- tag:1
SET gtid_next = 'AUTOMATIC:tag';
INSERT INTO small VALUES (4, 'tagged', NULL, NULL);
SET gtid_next = 'AUTOMATIC';

-- 11 to 16: refused by name
SET SESSION binlog_format = STATEMENT;
INSERT INTO small VALUES (5, 'statement', NULL, NULL);
SET SESSION binlog_format = ROW;
SET binlog_transaction_compression = ON;
INSERT INTO small VALUES (6, 'compressed', NULL, NULL);
SET binlog_transaction_compression = OFF;
SET binlog_row_value_options = PARTIAL_JSON;
UPDATE every SET j = JSON_SET(j, '$.n', 1) WHERE id = 4294967295;
SET binlog_row_value_options = '';
XA START 'x';
INSERT INTO small VALUES (7, 'xa', NULL, NULL);
XA END 'x';
XA PREPARE 'x';
XA COMMIT 'x';
ALTER TABLE small ADD COLUMN more INT;
