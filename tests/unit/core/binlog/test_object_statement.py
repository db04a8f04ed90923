"""Which accounts a statement is about."""

from __future__ import annotations

import pytest

from replfix.core.binlog.object_statement import account_of

FAILED = "Error 'Operation {} failed for 'app'@'%'' on query. Default database: ''. Query: '…'"


@pytest.mark.parametrize(
    ("text", "message", "accounts", "others", "one_of"),
    [
        ("DROP USER app, app2", FAILED.format("DROP USER"), ["app"], ["app2"], False),
        (
            "CREATE USER IF NOT EXISTS app, 'b,c'@`h` IDENTIFIED BY 'x, y' REQUIRE SSL, d",
            FAILED.format("CREATE USER"),
            ["app"],
            ["b,c@h", "d"],
            False,
        ),
        ("RENAME USER app TO app3, app2 TO app4", FAILED.format("RENAME USER"), ["app"], ["app2"], False),
        ("DROP USER app", FAILED.format("DROP USER"), ["app"], [], False),
        (
            "GRANT SELECT ON d.* TO app, app2",
            "Can't find any matching row in the user table",
            ["app", "app2"],
            [],
            True,
        ),
        (
            "REVOKE ALL PRIVILEGES, GRANT OPTION FROM app",
            "Can't revoke all privileges for one or more of the requested users",
            ["app"],
            [],
            False,
        ),
    ],
)
def test_the_accounts_in_the_way_and_those_beside_them(
    text: str, message: str, accounts: list[str], others: list[str], one_of: bool
) -> None:
    about = account_of(text, message)
    assert about is not None
    assert [_shown(account) for account in about.accounts] == accounts
    assert [_shown(account) for account in about.others] == others
    assert about.one_of == one_of


def _shown(account: tuple[str, str]) -> str:
    user, host = account
    return user if host == "%" else f"{user}@{host}"
