"""Which account, routine, trigger, event or view a statement creates, changes or drops, by its first words.

No repair depends on it: it decides which statements are printed for a human.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from replfix.core.binlog.statement import NAME, unquoted, without_comments
from replfix.core.replication.applier_error import ApplierError
from replfix.core.schema.table import TableName

_ACCOUNT_PART = r"""(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|[\w.$%-]+)"""
_ACCOUNT = rf"{_ACCOUNT_PART}(?:\s*@\s*{_ACCOUNT_PART})?"
_DEFINER = rf"(?:DEFINER\s*=\s*(?:CURRENT_USER(?:\(\))?|{_ACCOUNT})\s+)?"
_OBJECT = re.compile(
    rf"""\s*(?P<verb>CREATE|DROP|ALTER)\s+(?:OR\s+REPLACE\s+)?(?:ALGORITHM\s*=\s*\w+\s+)?{_DEFINER}(?:SQL\s+SECURITY\s+\w+\s+)?
    (?:AGGREGATE\s+)?(?P<kind>PROCEDURE|FUNCTION|TRIGGER|EVENT|VIEW|SEQUENCE)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?
    (?P<first>{NAME})(?:\s*\.\s*(?P<second>{NAME}))?(?P<more>\s*,)?""",
    re.IGNORECASE | re.VERBOSE,
)
_ABOUT_ACCOUNTS = re.compile(
    r"\s*(?P<verb>CREATE|DROP|ALTER|RENAME)\s+(?P<kind>USER|ROLE)\b|\s*(?P<other>GRANT|REVOKE|SET\s+PASSWORD)\b",
    re.IGNORECASE,
)
_FAILED_FOR = re.compile(r"Operation (?P<what>[A-Z ]+?) failed for (?P<who>.+?)(?: \([^()]*\))?'? on query", re.DOTALL)
_ONE_ACCOUNT = re.compile(rf"(?P<user>{_ACCOUNT_PART})(?:\s*@\s*(?P<host>{_ACCOUNT_PART}))?")
_PART = re.compile(r"""(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\([^()]*\)|[^,'"`(])+""")
_TO_OR_FROM = re.compile(rf"\b(?:TO|FROM)\s+(?P<who>{_ACCOUNT}(?:\s*,\s*{_ACCOUNT})*)", re.IGNORECASE)
_OF_MESSAGE = (
    re.compile(r"defined for user '(?P<user>[^']*)' on host '(?P<host>[^']*)'"),
    re.compile(r"authorization ID `(?P<user>[^`]*)`@`(?P<host>[^`]*)`"),
    re.compile(r"definer \('(?P<user>[^']*)'@'(?P<host>[^']*)'\)"),
)
_NO_ROLE = re.compile(r"Invalid role specification `(?P<role>[^`]*)`")  # MariaDB
_MISSING = re.compile(r"(?P<kind>PROCEDURE|FUNCTION) (?P<name>\S+) does not exist")


@dataclass(frozen=True, slots=True)
class ObjectStatement:
    """A statement about one routine, trigger, event, view or sequence."""

    verb: str  # CREATE | DROP | ALTER
    kind: str  # PROCEDURE | FUNCTION | TRIGGER | EVENT | VIEW | SEQUENCE
    name: TableName
    alone: bool  # it names no other object


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """A statement about accounts or roles."""

    verb: str  # CREATE | DROP | ALTER | RENAME | GRANT | REVOKE | SET PASSWORD
    role: bool
    accounts: tuple[tuple[str, str], ...]  # user and host of those that the error is about
    one_of: bool = False  # of those: the message does not say which
    others: tuple[
        tuple[str, str], ...
    ] = ()  # that CREATE, DROP, ALTER or RENAME lists beside them, under their old names


def object_of(schema: str, text: str) -> ObjectStatement | None:
    """Return the object that a statement is about; ``schema`` is the default schema in which it ran."""
    found = _OBJECT.match(without_comments(text))
    if found is None:
        return None
    first = unquoted(found["first"])
    name = TableName(first, unquoted(found["second"])) if found["second"] else TableName(schema, first)
    return (
        ObjectStatement(found["verb"].upper(), found["kind"].upper(), name, not found["more"]) if name.schema else None
    )


def account_of(text: str, message: str) -> AccountStatement | None:
    """``message`` names the accounts that are in the way, of several in the statement."""
    found = _ABOUT_ACCOUNTS.match(without_comments(text))
    if found is None:
        return None
    verb = " ".join((found["verb"] or found["other"]).upper().split())
    role = (found["kind"] or "").upper() == "ROLE"
    if invalid := _NO_ROLE.search(message):
        return AccountStatement(verb, True, ((invalid["role"], "%"),))
    accounts = accounts_in(text, message)
    one_of = len(accounts) > 1 and _FAILED_FOR.search(message) is None
    others = tuple(one for one in _listed(text[found.end() :]) if found["verb"] and one not in accounts)
    return AccountStatement(verb, role, accounts, one_of, others)


def _listed(text: str) -> Iterator[tuple[str, str]]:
    """Yield the account that each part of a list begins with."""
    list_ = re.sub(r"\s*IF\s+(?:NOT\s+)?EXISTS\b", "", text, count=1, flags=re.IGNORECASE)
    for part in _PART.findall(list_):
        found = _ONE_ACCOUNT.match(part.strip())
        if found is not None:
            yield from _accounts(found[0])


def accounts_in(text: str, message: str) -> tuple[tuple[str, str], ...]:
    """Return the accounts that the message names, else those after TO or FROM."""
    if failed := _FAILED_FOR.search(message):
        return _accounts(failed["who"])
    for pattern in _OF_MESSAGE:
        if named := pattern.search(message):
            return ((named["user"], named["host"]),)
    behind = _TO_OR_FROM.search(text)
    return _accounts(behind["who"]) if behind else ()


def missing_definers(error: ApplierError) -> tuple[tuple[str, str], ...]:
    """User and host of the definers that the server does not have."""
    return accounts_in("", error.message) if error.errno == NO_DEFINER else ()


def missing_routine(message: str) -> tuple[str, TableName] | None:
    """Kind and name of a routine that a statement calls and the server does not have."""
    found = _MISSING.search(message)
    if found is None or "." not in found["name"]:
        return None
    schema, _, name = found["name"].partition(".")
    return found["kind"], TableName(schema, name)


NO_DEFINER = 1449
MISSING = (1305, 1360, 1539, 1347, 4031, 4091, 4092)
"""The errors of a statement that needs a routine, trigger, event or view which is not there."""


def needed(errno: int, message: str, about: ObjectStatement | None) -> tuple[str, TableName] | None:
    """Kind and name of what such a statement needs. Nothing where all that it does is to drop it."""
    if errno not in MISSING or (about is not None and about.verb == "DROP" and about.alone):
        return None
    return missing_routine(message) or ((about.kind, about.name) if about is not None else None)


_DEFINED_BY = re.compile(rf"CREATE\b.*?\bDEFINER\s*=\s*(?P<who>{_ACCOUNT})", re.IGNORECASE | re.DOTALL)


def definer_of(create: str) -> tuple[str, str] | None:
    """User and host of the definer, in what SHOW CREATE prints."""
    found = _DEFINED_BY.match(create)
    return _accounts(found["who"])[0] if found else None


def _accounts(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((_plain(a["user"]), _plain(a["host"]) if a["host"] else "%") for a in _ONE_ACCOUNT.finditer(text))


def _plain(part: str) -> str:
    quote = part[0]
    return part[1:-1].replace(quote * 2, quote) if quote in "'\"`" else part
