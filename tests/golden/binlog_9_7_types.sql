-- What binlog_9_7_types.000001 holds: written by MySQL 9.7.4 with GTIDs, between two FLUSH BINARY LOGS.
CREATE DATABASE types;
USE types;
SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES';
SET GLOBAL binlog_row_metadata = FULL;

-- 3: what the other sample has not
CREATE TABLE more (id INT PRIMARY KEY, g GEOMETRY, p POINT SRID 4326, v VECTOR(4), j JSON, u BIGINT UNSIGNED, m MEDIUMINT, e ENUM('é','ü') CHARACTER SET latin1, w VARCHAR(20) CHARACTER SET utf16, jp TEXT CHARACTER SET eucjpms, bin ENUM('a','é') CHARACTER SET binary, s SET('a','b','c','d','e','f','g','h','i'), d DECIMAL(65,30), t TINYBLOB, b64 BIT(64), ti TIME(6), dtm DATETIME(5), ts TIMESTAMP(4) NULL, lt LONGTEXT);
INSERT INTO more VALUES (1, ST_GeomFromText('LINESTRING(1 2, 3 4)'), ST_GeomFromText('POINT(10 20)', 4326), STRING_TO_VECTOR('[1, -2.5, 1e9]'), JSON_OBJECT('d', CAST(-1.50 AS DECIMAL(10,4)), 't', JSON_ARRAY(DATE'2020-01-02', TIME'-13:04:05.6', TIMESTAMP'2020-01-02 03:04:05.000006', x'00FF', b'101'), 'n', NULL), 18446744073709551615, -8388608, 'ü', 'a😀', '①黑', 'é', 'i,a', -99999999999999999999999999999999999.999999999999999999999999999999, x'00FF', 18446744073709551615, '-838:59:58.999999', '9999-12-31 23:59:59.99999', '2038-01-19 03:14:07.9999', 'long'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

-- 4: an update and a delete, compressed
SET binlog_transaction_compression = ON;
BEGIN;
UPDATE more SET j = JSON_ARRAY(j, REPEAT('x', 300), 1.5), lt = REPEAT('y', 300) WHERE id = 1;
DELETE FROM more WHERE id = 2;
COMMIT;
SET binlog_transaction_compression = OFF;
