"""What tests of several servers that follow each other share: writes, waiting, and commands with the lab's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import tests.waiting as waiting
from replfix.core.replication.gtid import GtidSet
from replfix.lab.flavours import speaking
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import executed, wait_until_received, wait_until_stopped
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.integration.running import Ran, replfix


@dataclass(frozen=True)
class Connected:
    """``servers`` in the lab's order."""

    lab: Lab

    @property
    def servers(self) -> tuple[LabServer, ...]:
        return self.lab.servers

    def run(self, *arguments: str) -> Ran:
        return replfix(*arguments, "--config", str(self.lab.config_file))

    def diagnosed(self, server: LabServer, code: int = 3) -> dict[str, Any]:
        ran = self.run("diagnose", server.name, "--json")
        assert ran.code == code, ran.out + ran.err
        return ran.document

    def resolved(self, server: LabServer, *options: str) -> dict[str, Any]:
        ran = self.run("resolve", server.name, "--yes", "--json", *options)
        assert ran.code == 0, ran.out + ran.err
        return ran.document

    def until_equal(self, question: str, expected: list[tuple[str, ...]], servers: Sequence[LabServer]) -> None:
        """Wait until each of the servers answers that; plain SQL."""
        for server in servers:
            waiting.until(partial(_answers, server, question, expected), f"{server} does not come to answer {expected}")

    def around(self, *servers: LabServer) -> None:
        """Wait until each of them (all, if none is named) has executed what the others have."""
        servers = servers or self.servers
        for source in servers:
            with source.session() as session:
                wanted = executed(session)
            for server in servers:
                waiting.until(partial(has, server, wanted), f"{server} does not get {wanted}")


def _answers(server: LabServer, question: str, expected: list[tuple[str, ...]]) -> bool:
    return rows(server, question) == expected


def has(server: LabServer, wanted: GtidSet) -> bool:
    with server.session() as session:
        return wanted <= executed(session)


def execute(server: LabServer, *statements: str) -> None:
    with server.session() as session:
        for statement in statements:
            session.execute(statement)


def execute_on_a_replica(server: LabServer, *statements: str) -> None:
    with server.session() as session, speaking(session).writable(session):
        for statement in statements:
            session.execute(statement)


def rows(server: LabServer, question: str) -> list[tuple[str, ...]]:
    with server.session() as session:
        return [tuple(row) for row in session.rows(question)]


def purge(session: Session) -> None:
    """The binlog holds nothing any more of what was written before."""
    if session.rows("SHOW VARIABLES LIKE 'slave_connections_needed_for_purge'"):  # 1 since MariaDB 11.7
        session.execute("SET GLOBAL slave_connections_needed_for_purge = 0")
    session.execute("FLUSH BINARY LOGS")

    def purged() -> bool:
        """MariaDB keeps a file for a moment that crash recovery may need (note 1375)."""
        session.execute(f"PURGE BINARY LOGS TO '{session.query('SHOW BINARY LOGS')[-1]['Log_name']}'")
        return len(session.query("SHOW BINARY LOGS")) == 1

    waiting.until(purged, "the binlog was never purged")


ROW_EVENTS = "SET SESSION binlog_format = ROW"
"""MariaDB ships with MIXED: what it logs as a statement can run on two servers with two results, and no error."""


def stop_appliers(*servers: LabServer) -> None:
    for server in servers:
        execute(server, "STOP REPLICA SQL_THREAD")


def start_appliers(*servers: LabServer) -> None:
    for server in servers:
        execute(server, "START REPLICA SQL_THREAD")


def meet(a: LabServer, on_a: str, b: LabServer, on_b: str) -> None:
    """Both servers, which follow each other, write while neither applies; then both stop on what the other wrote."""
    stop_appliers(a, b)
    execute(a, ROW_EVENTS, on_a)
    execute(b, ROW_EVENTS, on_b)
    wait_until_received(a, b)
    wait_until_received(b, a)
    start_appliers(a, b)
    wait_until_stopped(a)
    wait_until_stopped(b)
