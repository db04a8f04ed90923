"""The account as which the applier works may not do what the transaction does."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.binlog.object_statement import account_of, object_of
from replfix.core.binlog.row_event import ChangeKind
from replfix.core.binlog.statement import NAME
from replfix.core.connection.privileges import privilege_in
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.by_hand import by_hand
from replfix.core.remedies.remedy import LeadsTo, Remedy

FAMILY = Family(
    page="applier-privilege",
    kind=Kind.SERVER,
    thread=Thread.APPLIER,
    errors={
        1044: "ER_DBACCESS_DENIED_ERROR",
        1142: "ER_TABLEACCESS_DENIED_ERROR",
        1143: "ER_COLUMNACCESS_DENIED_ERROR",
        1211: "ER_NO_PERMISSION_TO_CREATE_USER",
        1227: "ER_SPECIFIC_ACCESS_DENIED_ERROR",
        1370: "ER_PROCACCESS_DENIED_ERROR",
        1419: "ER_BINLOG_CREATE_ROUTINE_NEED_SUPER",
        3879: "ER_DB_ACCESS_DENIED",
    },
    means=(
        "The channel applies with the privileges of an account (PRIVILEGE_CHECKS_USER), and that account lacks one that the "
        "transaction needs."
    ),
    replfix="Names the account and shows the GRANT for everything that the transaction is seen to need; changes nothing.",
    human=(
        "Grant the account what the source's applications may do, or let the channel apply without privilege checks "
        "(PRIVILEGE_CHECKS_USER = NULL)."
    ),
)

_NOT_TRUSTED = 1419
_OF_CHANGE = {ChangeKind.INSERT: "INSERT", ChangeKind.UPDATE: "UPDATE", ChangeKind.DELETE: "DELETE"}
_SESSION = "SESSION_VARIABLES_ADMIN"  # each statement sets variables of its session first
_PROGRAMS = {"VIEW": ("CREATE VIEW", "DROP", "SHOW VIEW", "SELECT"), "TRIGGER": ("TRIGGER",), "EVENT": ("EVENT",)}
_ROUTINES = ("CREATE ROUTINE", "ALTER ROUTINE")


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    account = evidence.channel.applies_as
    if not account:
        return (
            *drift.the_statement(evidence),
            Remedy("The channel applies without privilege checks now (PRIVILEGE_CHECKS_USER is not set): start it again.",
                   (sql.start_replica(evidence.named_channel, receiver=True),), LeadsTo.NEXT_TRANSACTION),
        )  # fmt: skip
    if evidence.error.errno == _NOT_TRUSTED:
        return (
            *drift.the_statement(evidence),
            Remedy(
                f"The channel applies as {account} (PRIVILEGE_CHECKS_USER). With a binary log, who makes a routine or trigger has to have SUPER, "
                "or the server trusts whoever may make one. With ROW or MIXED logging this does no harm; set it in the configuration file too:",
                (sql.TRUST_CREATORS, sql.start_replica(evidence.named_channel, receiver=True)),
                LeadsTo.REAL_ERROR,
            ),
        )
    grants = (
        *(sql.grant(privileges, scope, account) for scope, privileges in _needed(evidence).items()),
        *_to_give_on(evidence, account),
    )
    return (
        *drift.the_statement(evidence),
        Remedy(
            f"The channel applies as {account} (PRIVILEGE_CHECKS_USER). This gives it what this transaction is seen to need. If it lacks "
            "more, the channel stops again and the next diagnosis names that.",
            by_hand(evidence, *grants),
            LeadsTo.REAL_ERROR,
        ),
    )


def _to_give_on(evidence: Evidence, account: str) -> tuple[str, ...]:
    """Return the GRANT for an account that grants or revokes: the privileges, WITH GRANT OPTION."""
    given = _GIVES.match(evidence.statement.text) if evidence.statement is not None else None
    if given is None:
        return ()
    privileges = tuple(" ".join(name.split()) for name in given["privileges"].split(","))
    return (sql.grant(privileges, given["scope"], account, may_give=True),)


def _needed(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """Privileges by scope, in the order in which a GRANT is written."""
    found: dict[str, list[str]] = {}
    if evidence.transaction is not None:
        for change in evidence.transaction.changes:
            found.setdefault(sql.table_name(change.table), []).append(_OF_CHANGE[change.kind])
    asked = privilege_in(evidence.error.message)
    if (asked and "_" in asked) or asked == "SUPER":
        found.setdefault("*.*", []).append(asked)
    statement = evidence.statement
    if statement is not None:
        found.setdefault("*.*", []).append(_SESSION)
        made = object_of(statement.schema, statement.text)
        if account_of(statement.text, evidence.error.message) is not None:
            roles = _OF_ROLES.match(statement.text) and not _GIVES.match(statement.text)
            found["*.*"] += ["ROLE_ADMIN"] if roles else ["CREATE USER", "CREATE ROLE", "DROP ROLE"]
        elif made is not None:
            privileges = _PROGRAMS.get(made.kind, _ROUTINES)
            found.setdefault(f"{sql.identifier(made.name.schema)}.*", []).extend(privileges)
            found["*.*"].append("SET_ANY_DEFINER")
        elif statement.of_schema is not None:
            found.setdefault(f"{sql.identifier(statement.of_schema)}.*", []).extend(("CREATE", "ALTER", "DROP"))
        elif (of_row := _OF_ROWS.match(statement.text)) is not None:
            for table in statement.tables:
                found.setdefault(sql.table_name(table), []).extend(
                    ("SELECT", of_row[1].upper().replace("REPLACE", "INSERT"))
                )
        else:
            for table in statement.tables:
                found.setdefault(f"{sql.identifier(table.schema)}.*", []).extend(
                    ("CREATE", "ALTER", "DROP", "INDEX", "INSERT", "SELECT", "REFERENCES")
                )
    if not found and asked:
        found["*.*"] = [asked]
    return {scope: tuple(dict.fromkeys(names)) for scope, names in found.items()}


_OF_ROWS = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
_OF_ROLES = re.compile(r"\s*(?:GRANT|REVOKE)\b", re.IGNORECASE)
_GIVES = re.compile(
    rf"\s*(?:GRANT|REVOKE)\s+(?P<privileges>[A-Za-z_ ]+(?:,[A-Za-z_ ]+)*)\s+ON\s+(?:TABLE\s+)?(?P<scope>(?:\*|{NAME})\.(?:\*|{NAME}))\s+(?:TO|FROM)\b",
    re.IGNORECASE,
)
"""Of columns and routines it is not read."""
