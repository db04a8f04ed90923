"""What the topologies share: servers without channels, channels, gtid_mode."""

from __future__ import annotations

from collections.abc import Iterable

from replfix.lab import lab_accounts
from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import REPL
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import as_new, end_other_sessions


def disconnect(servers: Iterable[LabServer]) -> None:
    """Leave the servers without channels, schemas and GTIDs, open for writes."""
    kept = frozenset(account.name for account in lab_accounts.ALL)
    for server in servers:
        with server.session() as session:
            end_other_sessions(session)
            speaking(session).remove_channels(session)
            session.execute("SET GLOBAL read_only = OFF")  # and with it super_read_only
            as_new(server, session, kept)


def follow(replica: LabServer, source: LabServer, channel: str = "", *, by_position: bool = False) -> None:
    """Make ``replica`` read from ``source`` by that channel from the source's first transaction on, and start it."""
    position = None
    if by_position:
        with source.session() as session:
            position = speaking(session).log_start(session)
    with replica.session() as session:
        flavour = speaking(session)
        flavour.configure_channel(session, source.host, source.port, REPL, channel, position=position)
        flavour.start_channel(session, channel)


def protect(replica: LabServer) -> None:
    """Open for nobody's writes, as replicas should be."""
    with replica.session() as session:
        speaking(session).protect(session)


def set_gtid_mode(servers: Iterable[LabServer], mode: str) -> None:
    """Change it step by step, on all servers in turn, as the manual wants it; binlogs and GTID sets are emptied after it.

    MariaDB has no such mode: each of its transactions has a GTID.
    """
    modes = ("OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON")
    servers = tuple(server for server in servers if _has_modes(server))
    wanted = modes.index(mode)
    while True:
        left = False
        for server in servers:
            with server.session() as session:
                now = modes.index(str(session.scalar("SELECT @@GLOBAL.gtid_mode")))
                if now != wanted:
                    left = True
                    step = now + (1 if wanted > now else -1)
                    session.execute(f"SET GLOBAL gtid_mode = {modes[step]}")
        if not left:
            break
    for server in servers:
        with server.session() as session:
            speaking(session).forget(session)


def _has_modes(server: LabServer) -> bool:
    with server.session() as session:
        return bool(session.rows("SHOW GLOBAL VARIABLES LIKE 'gtid_mode'"))
