"""Accounts and what they may do."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.core.sql.names import identifier, string


def account(user: str, host: str) -> str:
    """Return ``user@host``, quoted."""
    return f"{identifier(user)}@{identifier(host)}"


def grant(privileges: Sequence[str], scope: str, to: str, *, may_give: bool = False) -> str:
    """``scope`` and ``to`` as they are written in a statement."""
    return f"GRANT {', '.join(privileges)} ON {scope} TO {to}{' WITH GRANT OPTION' if may_give else ''}"


def accounts_named(user: str) -> str:
    """Return the query for the accounts of that user name, on any host."""
    return f"SELECT User, Host FROM mysql.user WHERE User = {string(user)}"


def show_grants(of: str) -> str:
    """Return SHOW GRANTS; ``of`` is quoted."""
    return f"SHOW GRANTS FOR {of}"


def show_account(of: str) -> tuple[str, ...]:
    """Return the statements that show an account's authentication and privileges; ``of`` is quoted."""
    return (f"SHOW CREATE USER {of}", show_grants(of))


def create_locked_account(name: str, *, mariadb: bool) -> str:
    """Create an account that nobody can use, for a statement that needs it; an existing account stays as it is.

    MySQL checks the password policy, of locked accounts too.
    """
    password = "" if mariadb else " IDENTIFIED BY RANDOM PASSWORD"
    return f"CREATE USER IF NOT EXISTS {name}{password} ACCOUNT LOCK"


def drop_account(name: str, *, if_there: bool = False) -> str:
    """Return DROP USER; ``name`` is quoted."""
    return f"DROP USER {'IF EXISTS ' if if_there else ''}{name}"


def create_role(name: str) -> str:
    """Return CREATE ROLE; ``name`` is quoted."""
    return f"CREATE ROLE {name}"


def drop_role(name: str, *, if_there: bool = False) -> str:
    """Return DROP ROLE; ``name`` is quoted."""
    return f"DROP ROLE {'IF EXISTS ' if if_there else ''}{name}"
