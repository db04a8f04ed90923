-- What binlog_mariadb_11_8.000001 holds: written by MariaDB 11.8.9, between two FLUSH BINARY LOGS.
CREATE DATABASE types;
USE types;
SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES';
SET GLOBAL binlog_row_metadata = FULL, log_bin_compress = OFF;

-- every type
CREATE TABLE everything (id INT UNSIGNED PRIMARY KEY, t TINYINT, m MEDIUMINT, u BIGINT UNSIGNED, d DECIMAL(65,30), f FLOAT, r DOUBLE, b BIT(10), y YEAR, da DATE, ti TIME(3), dt DATETIME(6), ts TIMESTAMP(1) NULL, c CHAR(5), v VARCHAR(20) CHARACTER SET utf16, e ENUM('é','ü') CHARACTER SET latin1, s SET('a','b','c','d','e','f','g','h','i'), te TEXT, lb LONGBLOB, j JSON, g GEOMETRY, uu UUID, i4 INET4, i6 INET6, ve VECTOR(3) NULL, x BINARY(4));
INSERT INTO everything VALUES (4294967295, -128, 16777215 - 8388608, 18446744073709551615, -99999999999999999999999999999999999.999999999999999999999999999999, 0.1, 1e100, 1023, 2024, '2024-02-29', '-00:00:00.5', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.9', 'pad', 'é😀', 'ü', 'i,a', 'text', x'00FF', '{"a": [1, null]}', ST_GeomFromText('LINESTRING(1 2, 3 4)'), 'c9fb7d1e-0000-1000-8000-010203040506', '192.0.2.1', '2001:db8::1', VEC_FromText('[1, -2.5, 1e9]'), x'01'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

-- updates and deletes of two tables in one transaction
CREATE TABLE small (id INT PRIMARY KEY, name VARCHAR(20));
BEGIN;
INSERT INTO small VALUES (1, 'é'), (2, NULL);
UPDATE everything SET te = 'other', e = NULL WHERE id = 2;
UPDATE small SET id = id + 10;
DELETE FROM small WHERE id = 12;
COMMIT;

-- the same, compressed
SET GLOBAL log_bin_compress = ON, log_bin_compress_min_len = 10;
BEGIN;
INSERT INTO small VALUES (21, REPEAT('a', 20)), (22, REPEAT('b', 20)), (23, REPEAT('b', 20));
UPDATE small SET name = REPEAT('c', 20) WHERE id > 20;
DELETE FROM small WHERE id = 22;
COMMIT;
SET GLOBAL log_bin_compress = OFF;

-- XA, prepared and committed
XA START 'a', 'b', 3;
INSERT INTO small VALUES (31, 'xa');
XA END 'a', 'b', 3;
XA PREPARE 'a', 'b', 3;
XA COMMIT 'a', 'b', 3;

-- without names of columns, rows in part
SET GLOBAL binlog_row_metadata = NO_LOG;
SET SESSION binlog_row_image = MINIMAL;
CREATE TABLE plain (id INT UNSIGNED PRIMARY KEY, name VARCHAR(20), size ENUM('S', 'M', 'L'), note TEXT);
INSERT INTO plain VALUES (1, 'x', 'M', 'y');
UPDATE plain SET note = NULL WHERE id = 1;
SET GLOBAL binlog_row_metadata = FULL;

-- a statement
SET SESSION binlog_format = STATEMENT;
INSERT INTO plain VALUES (2, 'statement', 'S', NULL);
