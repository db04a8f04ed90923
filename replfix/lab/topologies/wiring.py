"""What the topologies share: servers without channels, channels, gtid_mode. Named channels, positions and modes are of
MySQL only."""

from __future__ import annotations

from collections.abc import Iterable

from replfix.core.sql import string
from replfix.lab import accounts
from replfix.lab.accounts import REPL
from replfix.lab.flavours import speaking
from replfix.lab.replication import as_new, end_other_sessions
from replfix.lab.state import Server

BEFORE_THE_FIRST_TRANSACTION = 158
"""The position in a new binlog of 9.7 behind its Format_description and Previous_gtids events."""


def disconnect(servers: Iterable[Server]) -> None:
    """Servers without channels, schemas and GTIDs, open for writes."""
    kept = frozenset(account.name for account in accounts.ALL)
    for server in servers:
        with server.session() as session:
            end_other_sessions(session)
            session.execute("STOP REPLICA")
            session.execute("RESET REPLICA ALL")
            session.execute("SET GLOBAL read_only = OFF")  # and with it super_read_only
            as_new(session, kept)


def follow(replica: Server, source: Server, channel: str = "", *, by_position: bool = False) -> None:
    """Make ``replica`` read from ``source`` through that channel from the source's first transaction on, and start it."""
    if not channel and not by_position:
        with replica.session() as session:
            speaking(session).configure_channel(session, source.host, source.port, REPL)
            session.execute("START REPLICA")
        return
    position = "SOURCE_AUTO_POSITION = 1"
    if by_position:
        with source.session() as session:
            first = next(iter(session.query("SHOW BINARY LOGS")))["Log_name"]
        position = (
            f"SOURCE_AUTO_POSITION = 0, SOURCE_LOG_FILE = {string(first)}, SOURCE_LOG_POS = "
            f"{BEFORE_THE_FIRST_TRANSACTION}"
        )
    with replica.session() as session:
        session.execute(
            f"CHANGE REPLICATION SOURCE TO SOURCE_HOST = {string(source.host)}, SOURCE_PORT = {source.port}, "
            f"SOURCE_USER = {string(REPL.name)}, SOURCE_PASSWORD = {string(REPL.password)}, {position}, "
            "GET_SOURCE_PUBLIC_KEY = 1, SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 86400 "
            f"FOR CHANNEL {string(channel)}"
        )
        session.execute(f"START REPLICA FOR CHANNEL {string(channel)}")


def protect(replica: Server) -> None:
    """read_only and super_read_only on, as replicas should have it."""
    with replica.session() as session:
        session.execute("SET GLOBAL super_read_only = ON")


def set_gtid_mode(servers: Iterable[Server], mode: str) -> None:
    """Step by step, on all servers in turn, as the manual wants it; binlogs and GTID sets are emptied after it."""
    modes = ("OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON")
    servers = tuple(servers)
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
