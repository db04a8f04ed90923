"""What an account needs for each thing that replfix does, and what it has.

Tried one by one on MySQL 9.7.4: docs/privileges.md lists the same table.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from replfix.core import sql

_GRANT = re.compile(r"GRANT (?P<what>.+?) ON (?:(?:TABLE|FUNCTION|PROCEDURE) )?(?P<scope>\S+) TO ", re.S)
_REVOKE = re.compile(r"REVOKE (?P<what>.+?) ON (?P<scope>\S+) FROM ", re.S)


class Role(enum.StrEnum):
    """The role of a server in a repair."""

    REPLICA = "replica"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Need:
    """One privilege, any of ``names`` (the first is the one to grant), on ``scope``, for the sake of ``action``."""

    role: Role
    action: str
    names: tuple[str, ...]
    scope: str = "*.*"


def _replica(action: str, *names: str, scope: str = "*.*") -> Need:
    return Need(Role.REPLICA, action, names, scope)


def _source(action: str, *names: str) -> Need:
    return Need(Role.SOURCE, action, names)


_START = "START REPLICA"
_STATUS = "read the replication status"
_WHILE_READ_ONLY = "write while read_only is ON"
_OPEN = "switch super_read_only off and back on"
SEES_READERS = "REPLICATION MASTER ADMIN"
"""On MariaDB, SHOW REPLICA HOSTS."""

NEEDS = (
    _replica(_STATUS, "REPLICATION CLIENT", "SUPER"),
    _replica("read the workers' errors", "SELECT", scope="performance_schema.*"),
    _replica("read rows, and foreign keys of other schemas", "SELECT"),
    _replica("see triggers, which a repair must not fire", "TRIGGER"),
    _replica("find who wrote a row, in the replica's own binlog", "REPLICATION SLAVE"),
    _replica("repair and rehearse without logging (sql_log_bin, gtid_next)", "SESSION_VARIABLES_ADMIN", "SYSTEM_VARIABLES_ADMIN", "SUPER"),
    _replica("rehearse the transaction's own events (BINLOG)", "BINLOG_ADMIN", "REPLICATION_APPLIER", "SUPER"),
    _replica("rehearse under the failing transaction's GTID", "REPLICATION_APPLIER", "SUPER"),
    _replica(_WHILE_READ_ONLY, "CONNECTION_ADMIN", "SUPER"),
    _replica(_OPEN, "SYSTEM_VARIABLES_ADMIN", "SUPER"),
    _replica("lock rows while they are compared (SELECT … FOR UPDATE)", "LOCK TABLES", "UPDATE", "DELETE"),
    _replica("START REPLICA", "REPLICATION_SLAVE_ADMIN", "SUPER"),
    _source("read the failing transaction from the binlog", "REPLICATION SLAVE"),
    _source("read rows and column names", "SELECT"),
)  # fmt: skip

NEEDS_OF_MARIADB = (
    _replica(_STATUS, "REPLICA MONITOR", "SLAVE MONITOR"),
    _replica("learn where the binlog begins", "BINLOG MONITOR"),
    _replica("read rows, and foreign keys of other schemas", "SELECT"),
    _replica("see triggers, which a repair must not fire", "TRIGGER"),
    _replica("find who wrote a row, in the replica's own binlog", "REPLICATION SLAVE"),
    _replica("repair and rehearse without logging (sql_log_bin)", "BINLOG ADMIN"),
    _replica("rehearse the transaction's own events (BINLOG)", "BINLOG REPLAY"),
    _replica(_WHILE_READ_ONLY, "READ_ONLY ADMIN"),
    _replica("START REPLICA, and name the failing transaction", "REPLICATION REPLICA ADMIN", "REPLICATION SLAVE ADMIN"),
    _source("read the failing transaction from the binlog", "REPLICATION SLAVE"),
    _source("learn where the binlog begins", "BINLOG MONITOR"),
    _source("read rows and column names", "SELECT"),
)  # fmt: skip

SOURCE_WRITES = ("INSERT", "UPDATE", "DELETE", "TRIGGER")
"""What keep-both and replica-wins write with on the source; nobody else writes there. They also look whether it is a replica itself."""

SIGHT = ("SELECT", "TRIGGER")
"""Without these on everything, information_schema hides foreign keys and triggers: a plan could fire them unseen."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The privileges of the account that is connected, roles included; names in upper case."""

    account: str
    everywhere: frozenset[str]
    by_schema: Mapping[str, frozenset[str]] = field(default_factory=dict)
    needs: tuple[Need, ...] = NEEDS  # of that server
    stands_in: str = ""  # what is used in place of START REPLICA, in words: a cloud's procedures

    def has(self, need: Need) -> bool:
        """Return whether the account has one of the privileges that serve."""
        return any(name in self.everywhere or name in self._on(need.scope) for name in need.names)

    def _on(self, scope: str) -> frozenset[str]:
        return self.by_schema.get(scope.removesuffix(".*"), frozenset())

    @property
    def may_start(self) -> bool:
        """START REPLICA itself."""
        return all(self.has(need) for need in self.needs if need.action.startswith(_START))

    @property
    def blind_spots(self) -> tuple[str, ...]:
        """Privileges whose lack hides side effects."""
        return tuple(name for name in SIGHT if name not in self.everywhere)


def missing(granted: Granted, role: Role) -> tuple[Need, ...]:
    """Return what an account lacks on a server of that role."""
    return tuple(
        need
        for need in granted.needs
        if need.role is role and not granted.has(need) and not (granted.stands_in and need.action.startswith(_START))
    )


def lacking_to_write(granted: Granted) -> tuple[str, ...]:
    """Return what keep-both and replica-wins need on the source, of all writing, and the account lacks globally."""
    lacking = tuple(name for name in SOURCE_WRITES if name not in granted.everywhere)
    return (*lacking, *(need.names[0] for need in granted.needs if need.action == _STATUS and not granted.has(need)))


def lacking_behind_the_rehearsal(granted: Granted, *, read_only: bool, super_read_only: bool) -> tuple[Need, ...]:
    """Return what a resolution needs on the replica and the account lacks, where no earlier step would show it clearly.

    The rehearsal tries the rest.
    """
    actions = (_START, *((_WHILE_READ_ONLY,) if read_only else ()), *((_OPEN,) if super_read_only else ()))
    return tuple(need for need in missing(granted, Role.REPLICA) if need.action.startswith(actions))


def granting(account: str, needs: Iterable[Need], *, super_read_only: bool) -> tuple[str, ...]:
    """Return the statements with which an administrator of that server grants the needs, not logged.

    The account may be on this server only, and a GRANT to an account that a replica lacks stops it (1410). ``account``
    as CURRENT_USER() prints it.
    """
    by_scope: dict[str, dict[str, None]] = {}
    for need in needs:
        by_scope.setdefault(need.scope, {})[need.names[0]] = None
    user, _, host = account.rpartition("@")
    to = sql.account(user, host)
    statements = [sql.grant(tuple(names), scope, to) for scope, names in by_scope.items()]
    return sql.by_hand(statements, super_read_only=super_read_only)


def for_an_administrator(address: str, account: str, needs: Iterable[Need], *, super_read_only: bool) -> str:
    """Return the same statements in a sentence for people, on that server."""
    return f"As an administrator of {address}: {in_one_line(granting(account, needs, super_read_only=super_read_only))}"


WHETHER_MORE = "'replfix doctor' shows whether more is missing."


def in_one_line(statements: Iterable[str]) -> str:
    """Return the statements in one line, each with its semicolon."""
    return " ".join(f"{statement};" for statement in statements)


_ONE_OF = re.compile(r"you need \(at least one of\) the (?P<names>.+?) privilege\(s\)")
_COMMAND_DENIED = re.compile(r"(?P<name>[A-Z][A-Z ]*?) command denied to user ")


TAG_PRIVILEGE = "TRANSACTION_GTID_TAG"
"""For a GTID that has a tag (8.3); the server's own words do not name it (9.7.4)."""


def privilege_in(message: str) -> str:
    """Return the privilege that a server's refusal asks for, SUPER only where nothing else serves; empty for none."""
    if TAG_PRIVILEGE in message:
        return TAG_PRIVILEGE
    if one_of := _ONE_OF.search(message):
        names = re.findall(r"[A-Z_]+(?: [A-Z_]+)*", one_of["names"].replace(" or ", ", "))
        return next((name for name in reversed(names) if name != "SUPER"), "SUPER")
    denied = _COMMAND_DENIED.search(message)
    return denied["name"] if denied else ""


def parse_grants(account: str, lines: Iterable[str], needs: tuple[Need, ...] = NEEDS) -> Granted:
    """Parse the lines of SHOW GRANTS.

    ALL PRIVILEGES is every static privilege; the dynamic ones are listed beside it (MySQL 8.0+; MariaDB has none).
    Partial revokes take a schema out of a global privilege: that privilege then counts as missing.
    """
    everywhere: set[str] = set()
    by_schema: dict[str, set[str]] = {}
    revoked: set[str] = set()
    for line in lines:
        if revoke := _REVOKE.match(line):
            revoked |= _names(revoke["what"])
        elif grant := _GRANT.match(line):
            scope = grant["scope"]
            if scope == "*.*":
                everywhere |= _names(grant["what"])
            elif scope.endswith(".*"):
                schema = scope.removesuffix(".*").strip("`").replace("``", "`")
                by_schema.setdefault(schema, set()).update(_names(grant["what"]))
    return Granted(
        account,
        frozenset(everywhere - revoked),
        {schema: frozenset(names) for schema, names in by_schema.items()},
        needs,
    )


_ALL_STATIC = {
    "SELECT", "INSERT", "UPDATE", "DELETE", "LOCK TABLES", "TRIGGER", "SUPER", "REPLICATION SLAVE", "REPLICATION CLIENT",
    *(need.names[0] for need in NEEDS_OF_MARIADB),
}  # fmt: skip


def _names(what: str) -> set[str]:
    names = {name.strip().upper() for name in what.split(",")}
    if names & {"ALL PRIVILEGES", "ALL"}:
        names |= _ALL_STATIC
    return names
