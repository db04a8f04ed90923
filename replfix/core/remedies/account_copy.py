"""Accounts that a human copies, or makes so that a statement finds them."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.incident.evidence import Evidence, MissingAccount
from replfix.core.remedies.by_hand import by_hand, logged_in_part
from replfix.core.remedies.remedy import SOURCE, LeadsTo, Remedy


def copied_from_source(evidence: Evidence, accounts: tuple[str, ...], *, one_of: bool = False) -> Remedy:
    """Return the remedy that creates accounts as they are on the source; ``accounts`` as statements have them.

    ``one_of``: which of them the replica lacks is unknown. The source prints a password's hash; replfix never does.
    """
    named = ", ".join(accounts)
    lacks = f"The replica has no {named}." if not one_of else f"The replica lacks at least one of {named}."
    what = "what it prints" if not one_of else "what it prints of those that the replica lacks"
    start = f"{sql.LENIENT} and START REPLICA" if logged_in_part(evidence) else "START REPLICA"
    return Remedy(
        f"{lacks} This shows how the source has {'them' if len(accounts) > 1 else 'it'}; run {what} on the replica, in a session with "
        f"SET sql_log_bin = 0 and super_read_only off, then {start}. If the source has no such account now either, a later "
        "statement of the backlog dropped or renamed it.",
        tuple(statement for account in accounts for statement in sql.show_account(account)),
        LeadsTo.NOTHING_CHANGED,
        where=SOURCE,
    )


def made_as_on_source(evidence: Evidence, account: MissingAccount) -> tuple[str, ...]:
    """Return the statements that create them locked, with the privileges that they have on the source."""
    mariadb = evidence.status.product == "MariaDB"
    return (sql.create_locked_account(account.name, mariadb=mariadb), *(account.grants or ()))


def placeholder(evidence: Evidence, accounts: tuple[str, ...], why: str) -> Remedy:
    """Return the remedy that creates locked accounts, only so that the statement can run."""
    mariadb = evidence.status.product == "MariaDB"
    return Remedy(
        why,
        by_hand(evidence, *(sql.create_locked_account(account, mariadb=mariadb) for account in accounts)),
        LeadsTo.NEXT_TRANSACTION,
    )
