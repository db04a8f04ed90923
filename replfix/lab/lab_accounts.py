"""The accounts of lab servers and their privileges: throw-away servers on the loopback, so passwords are no secrets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replfix.core.connection.endpoint import Endpoint, Secret

if TYPE_CHECKING:
    from replfix.lab.flavours import Flavour


@dataclass(frozen=True, slots=True)
class Account:
    """One account, ``'name'@'%'``."""

    name: str
    password: str

    def at(self, host: str, port: int) -> Endpoint:
        """Return the address with this account."""
        return Endpoint(host, port, self.name, Secret(self.password))

    def statements(self, privileges: Iterable[str], option: str = "") -> tuple[str, ...]:
        """Return what creates the account; ``privileges``: GRANT lists, one each for those that need a statement of their own."""
        return (
            f"CREATE USER '{self.name}'@'%' IDENTIFIED BY '{self.password}'",
            *(f"GRANT {listed} ON *.* TO '{self.name}'@'%'{option}" for listed in privileges),
        )


ADMIN = Account("admin", "admin")
"""What the lab and the tests use over TCP: may do everything."""

REPL = Account("repl", "repl")
"""What the replicas' channels use."""

REPLFIX = Account("replfix", "replfix")
"""What replfix itself needs, on source and replica, and no more: see the server's flavour."""

ALL = (ADMIN, REPL, REPLFIX)


def statements(flavour: Flavour) -> tuple[str, ...]:
    """Return the statements that create every account, one line each, to run with nothing logged.

    root@localhost stays as a new data directory has it: no password, and with ``skip_name_resolve`` over the unix
    socket only.
    """
    return (
        *ADMIN.statements(("ALL PRIVILEGES",), " WITH GRANT OPTION"),
        *REPL.statements(("REPLICATION SLAVE",)),
        *REPLFIX.statements(flavour.replfix_privileges),
    )
