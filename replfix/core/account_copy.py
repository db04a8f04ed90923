"""Accounts that a human copies, or makes so that a statement finds them."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.by_hand import by_hand
from replfix.core.evidence import Evidence
from replfix.core.remedy import SOURCE, LeadsTo, Remedy


def copied_from_source(accounts: tuple[str, ...]) -> Remedy:
    """``accounts`` as statements have them. A password's hash is in what the source prints, and nowhere in what replfix says."""
    named = ", ".join(accounts)
    return Remedy(
        f"The replica has no {named}. This shows how the source has it; run what it prints on the replica, in a session with "
        "SET sql_log_bin = 0 and super_read_only off, then START REPLICA. If the source has no such account now either, a later "
        "statement of the backlog dropped or renamed it.",
        tuple(statement for account in accounts for statement in sql.show_account(account)),
        LeadsTo.NOTHING_CHANGED,
        SOURCE,
    )


def placeholder(evidence: Evidence, accounts: tuple[str, ...], why: str) -> Remedy:
    mariadb = evidence.status.product == "MariaDB"
    return Remedy(
        why,
        by_hand(evidence, *(sql.create_locked_account(account, mariadb=mariadb) for account in accounts)),
        LeadsTo.NEXT_TRANSACTION,
    )
