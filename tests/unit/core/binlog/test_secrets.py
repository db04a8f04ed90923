"""Authentication strings in the text of statements and of servers' messages are masked, and nothing else is."""

from __future__ import annotations

import pytest

from replfix.core.binlog.secrets import has_mask, masked, without_passwords

SECRET = "s3cr3t"

HIDDEN = [
    "CREATE USER 'app'@'%' IDENTIFIED BY 's3cr3t'",
    "CREATE USER 'app'@'%' IDENTIFIED WITH 'caching_sha2_password' AS '$A$005$s3cr3t\\'\\r x' REQUIRE NONE PASSWORD EXPIRE DEFAULT",
    "create user app identified with mysql_native_password by \"s3cr3t\"",
    "ALTER USER app IDENTIFIED WITH `sha256_password` AS 0x7333s3cr3t7433".replace("s3cr3t", "5333637233744142"),
    "ALTER USER app IDENTIFIED BY 'new' REPLACE 's3cr3t' RETAIN CURRENT PASSWORD",
    "ALTER USER app ADD 2 FACTOR IDENTIFIED WITH x AS 's3cr3t'",
    "CREATE USER app IDENTIFIED WITH caching_sha2_password BY 's3cr3t' AND IDENTIFIED WITH authentication_ldap_simple AS 'uid=s3cr3t'",
    "CREATE USER app IDENTIFIED VIA ed25519 USING PASSWORD('s3cr3t') OR mysql_native_password USING '*s3cr3t'",
    "GRANT ALL ON *.* TO app IDENTIFIED BY PASSWORD '*s3cr3t'",
    "GRANT ALL ON *.* TO app IDENTIFIED /* so */ BY 's3cr3t', b IDENTIFIED BY 's3cr3t'",
    "SET PASSWORD = 's3cr3t'",
    "SET PASSWORD FOR 'app'@'10.0.%'='s3cr3t'",
    "SET PASSWORD FOR app@`h` = PASSWORD('s3cr3t')",
    "SET PASSWORD FOR CURRENT_USER() TO 's3cr3t'",
    "CHANGE REPLICATION SOURCE TO SOURCE_USER = 'repl', SOURCE_PASSWORD = 's3cr3t'",
    "START REPLICA USER='repl' PASSWORD='s3cr3t'",
    "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'u', PASSWORD 's3cr3t', HOST 'h')",
    "CREATE TABLE d.f (id INT) ENGINE=FEDERATED CONNECTION='mysql://fed:s3cr3t@10.0.0.1:3306/d/t'",
    "UPDATE mysql.user SET authentication_string='s3cr3t' WHERE User = 'app'",
    "UPDATE mysql.user SET Password=PASSWORD('s3cr3t') WHERE User = 'app'",
    # The server cuts the statement in its message; the quote behind it is the message's own.
    "Error 'Operation CREATE USER failed for 'app'@'%'' on query. Default database: ''. Query: 'CREATE USER 'app'@'%' IDENTIFIED WITH "
    "'caching_sha2_password' AS '$A$00A$s3cr3t",
]  # fmt: skip


@pytest.mark.parametrize("text", HIDDEN)
def test_what_authenticates_is_masked(text: str) -> None:
    shown = masked(text)
    assert SECRET not in shown, shown
    assert "5333637233744142" not in shown
    assert has_mask(shown)
    assert masked(shown) == shown


def test_all_else_stays() -> None:
    assert masked("CREATE USER 'app'@'%' IDENTIFIED WITH 'caching_sha2_password' AS 'x\\'y' REQUIRE SSL") == (
        "CREATE USER 'app'@'%' IDENTIFIED WITH 'caching_sha2_password' AS '***' REQUIRE SSL"
    )
    for text in (
        "INSERT INTO d.t VALUES (1, 'x')",
        "UPDATE d.t SET a = REPLACE(a, 'x', 'y')",
        "ALTER USER app PASSWORD EXPIRE INTERVAL 90 DAY PASSWORD HISTORY 5",
        "CREATE TABLE d.t (password VARCHAR(20) DEFAULT 'x', identified INT)",
        "Access denied for user 'repl'@'127.0.0.1' (using password: YES)",
        "DROP USER 'identified'@'%'",
    ):
        assert masked(text) == text
        assert not has_mask(text)


@pytest.mark.parametrize(
    "text",
    [
        *HIDDEN,
        "CHANGE MASTER TO MASTER_USER='repl', MASTER_PASSWORD='s3cr3t'",
        "CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD=\"s3cr3t\" FOR CHANNEL ''",
        "Cannot connect to postgresql+psycopg://x:s3cr3t@z/d, as [audit] url says",
        "No such file: https://me:s3cr3t@h/x",
    ],
)
def test_nothing_that_replfix_says_repeats_it(text: str) -> None:
    shown = without_passwords(text)
    assert SECRET not in shown
    assert "5333637233744142" not in shown
    assert without_passwords(shown) == shown
