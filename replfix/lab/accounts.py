"""The accounts of lab servers, and what each may do. Throw-away servers on the loopback: the passwords are no secrets."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.endpoint import Endpoint, Secret


@dataclass(frozen=True, slots=True)
class Account:
    """One account, ``'name'@'%'``. ``privileges`` is a tuple of GRANT lists, static and dynamic ones apart."""

    name: str
    password: str
    privileges: tuple[str, ...]
    with_grant_option: bool = False

    def at(self, host: str, port: int) -> Endpoint:
        return Endpoint(host, port, self.name, Secret(self.password))

    def statements(self) -> tuple[str, ...]:
        option = " WITH GRANT OPTION" if self.with_grant_option else ""
        return (
            f"CREATE USER '{self.name}'@'%' IDENTIFIED BY '{self.password}'",
            *(f"GRANT {listed} ON *.* TO '{self.name}'@'%'{option}" for listed in self.privileges),
        )


ADMIN = Account("admin", "admin", ("ALL PRIVILEGES",), with_grant_option=True)
"""What the lab and the tests use over TCP."""

REPL = Account("repl", "repl", ("REPLICATION SLAVE",))
"""What the replicas' channels use."""

REPLFIX = Account(
    "replfix",
    "replfix",
    (
        "SELECT, INSERT, UPDATE, DELETE, TRIGGER, REPLICATION CLIENT, REPLICATION SLAVE",
        "REPLICATION_SLAVE_ADMIN, SESSION_VARIABLES_ADMIN, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, BINLOG_ADMIN, "
        "REPLICATION_APPLIER",
    ),
)
"""What replfix itself needs, on source and replica, and no more (tried one by one on 9.7.4). TRIGGER makes
information_schema.TRIGGERS show the triggers; the rest is what the statements of a repair ask for."""

ALL = (ADMIN, REPL, REPLFIX)


def statements() -> tuple[str, ...]:
    """The statements that create every account, one line each, to run with nothing logged. root@localhost stays as
    ``--initialize-insecure`` makes it: no password, and with ``skip_name_resolve`` over the unix socket only."""
    return tuple(statement for account in ALL for statement in account.statements())
