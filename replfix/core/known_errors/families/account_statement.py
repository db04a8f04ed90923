"""A statement about accounts meets an account, role or grant that is not as on the source."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.binlog.object_statement import AccountStatement, account_of
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.account_copy import copied_from_source, placeholder
from replfix.core.remedies.by_hand import by_hand
from replfix.core.remedies.remedy import LeadsTo, Loss, Remedy

FAMILY = Family(
    page="account-statement",
    kind=Kind.SCHEMA_DRIFT,
    thread=Thread.APPLIER,
    errors={
        1131: "ER_PASSWORD_ANONYMOUS_USER",
        1132: "ER_PASSWORD_NOT_ALLOWED",
        1133: "ER_PASSWORD_NO_MATCH",
        1141: "ER_NONEXISTING_GRANT",
        1147: "ER_NONEXISTING_TABLE_GRANT",
        1269: "ER_REVOKE_GRANTS",
        1396: "ER_CANNOT_USER",
        1403: "ER_NONEXISTING_PROC_GRANT",
        1410: "ER_CANT_CREATE_USER_WITH_GRANT",
        3523: "ER_UNKNOWN_AUTHID",
        3530: "ER_ROLE_NOT_GRANTED",
    },
    mariadb={
        1959: "ER_INVALID_ROLE",
        1961: "ER_CANNOT_GRANT_ROLE",
        1962: "ER_CANNOT_REVOKE_ROLE",
    },
    means=(
        "The statement creates an account that the replica has already, or drops, changes or grants to one that it does not have: "
        "accounts were changed on one server only."
    ),
    replfix="Shows the statement with its passwords masked, and for each account what lets the statement be applied; changes nothing.",
    human=(
        "Make the account what the statement expects. Change accounts on the source only, or on every server with sql_log_bin = 0."
    ),
)

_NO_SUCH_GRANT = (1141, 1147, 1403, 1962, 3530)
_NO_SUCH_ROLE = 1959


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    statement = drift.the_statement(evidence)
    about = account_of(evidence.statement.text, evidence.error.message) if evidence.statement else None
    if about is None or not about.accounts:
        return (*statement, Remedy(FAMILY.human))
    return (*statement, *_advise(evidence, about))


def _advise(evidence: Evidence, about: AccountStatement) -> tuple[Remedy, ...]:
    accounts, others = _written(about, about.accounts), _written(about, about.others)
    named, verb = ", ".join(accounts), about.verb
    on_mariadb = evidence.status.product == "MariaDB"  # which carries out for the others what fails for one
    if verb == "CREATE":
        return (_make_room(evidence, about.role, accounts, others if on_mariadb else ()),)
    if evidence.error.errno == _NO_SUCH_ROLE:
        return (_role_made(evidence, accounts, f"The replica has no role {named}."),)
    if verb == "DROP" and on_mariadb:
        beside = f"; MariaDB has dropped {', '.join(others)}" if others else ""
        return (drift.nothing_left(evidence, f"The replica has no {named} to drop{beside}."),)
    if verb == "DROP" and about.role:
        return (_role_made(evidence, accounts, f"The replica has no {named} to drop."),)
    if verb == "DROP":
        why = f"The replica has no {named} to drop. This makes a locked one, and the replica runs the whole statement."
        return (placeholder(evidence, accounts, why),)
    if verb == "REVOKE" and evidence.error.errno in _NO_SUCH_GRANT and len(accounts) == 1:
        return (drift.nothing_left(evidence, f"On the replica {named} has nothing of what is revoked."),)
    if verb == "RENAME" and on_mariadb and others:
        return (
            drift.nothing_left(
                evidence,
                f"The replica has no {named} to rename; MariaDB has renamed {', '.join(others)}. Where the account is needed on the replica, "
                "copy it from the source under its new name.",
            ),
        )
    lacks = f"The replica has no {named}. This makes" if verb == "RENAME" else "Or make"
    locked = placeholder(
        evidence,
        accounts,
        f"{lacks} a locked account, which nobody can use, for the statement to find. It lacks the password and the grants that it had on the "
        "source before, until you copy them." + (" Accounts that are there stay as they are." if about.one_of else ""),
    )
    return (locked,) if verb == "RENAME" else (copied_from_source(evidence, accounts, one_of=about.one_of), locked)


def _role_made(evidence: Evidence, roles: tuple[str, ...], why: str) -> Remedy:
    return Remedy(
        f"{why} This makes it, without any privilege, and the replica runs the statement. What the source had granted to it before, SHOW GRANTS "
        "shows there.",
        by_hand(evidence, *(sql.create_role(role) for role in roles)),
        LeadsTo.NEXT_TRANSACTION,
    )


def _written(about: AccountStatement, accounts: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(
        sql.identifier(user) if about.role and host == "%" else sql.account(user, host) for user, host in accounts
    )


def _make_room(evidence: Evidence, role: bool, accounts: tuple[str, ...], made: tuple[str, ...]) -> Remedy:
    """``made``: by the statement, before it failed."""
    drop = sql.drop_role if role else sql.drop_account
    shown = tuple(s for a in accounts for s in (() if role else sql.show_account(a)))
    beside = f" MariaDB made {', '.join(made)} before it failed: dropped too." if made else ""
    return Remedy(
        f"The replica has {', '.join(accounts)} already. When the source ran this statement it had no such account. This shows the replica's, "
        f"drops it, and lets the replica run the statement; grants follow from the source's binlog. Keep what is shown.{beside}",
        by_hand(evidence, *shown, *(drop(a) for a in accounts), *(drop(a, if_there=True) for a in made)),
        LeadsTo.NEXT_TRANSACTION,
        loses=tuple(Loss(1, "account", f"the replica: {a}, with its password and grants") for a in accounts),
    )
