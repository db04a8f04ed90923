"""What an account needs to leave a transaction out on MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.lab_state import LabServer


@contextmanager
def may_skip(*servers: LabServer) -> Iterator[None]:
    """MariaDB's skip counter takes SUPER (11.8), which the labs' account does without otherwise."""
    _say(servers, f"GRANT SUPER ON *.* TO '{REPLFIX.name}'@'%'")
    try:
        yield
    finally:
        _say(servers, f"REVOKE SUPER ON *.* FROM '{REPLFIX.name}'@'%'")


def _say(servers: tuple[LabServer, ...], statement: str) -> None:
    for server in servers:
        with server.session() as session:
            if session.is_mariadb:
                session.execute("SET SESSION sql_log_bin = 0")
                session.execute(statement)
