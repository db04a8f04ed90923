"""What every incident here needs: both servers set up, the replica written to without a trace, then the source's transactions.

Rows are judged by plain SQL on both servers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import transaction, wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.integration.running import Ran, replfix

Rows = list[tuple[object, ...]]


def stage(
    lab: Lab, setup: Sequence[str], local: Sequence[str], failing: Sequence[str], then: Sequence[str] = ()
) -> None:
    """``failing`` is one transaction, each statement of ``then`` one of its own, in the same session. Waits until the applier has
    stopped and everything is received."""
    (lab.directory / "audit.db").unlink(missing_ok=True)
    with lab.source.session() as session:
        for statement in ("CREATE DATABASE shop", "USE shop", *setup):
            session.execute(statement)
    lab.wait_until_applied()
    if local:
        write_locally(lab.replica, "USE shop", *local, logged=False)
    with lab.source.session() as session:
        session.execute("USE shop")
        if failing:
            transaction(session, *failing)
        for statement in then:
            session.execute(statement)
    wait_until_stopped(lab.replica)
    wait_until_received(lab.source, lab.replica)


@contextmanager
def elsewhere(server: LabServer) -> Iterator[None]:
    """Sessions that begin meanwhile have another time zone, as where the server is not in UTC."""
    with server.session() as session:
        (before,) = session.rows("SELECT @@GLOBAL.time_zone")[0]
        session.execute("SET GLOBAL time_zone = '+05:00'")
        try:
            yield
        finally:
            session.execute(f"SET GLOBAL time_zone = '{before}'")


def write_unlogged(lab: Lab, server: LabServer, *statements: str) -> None:
    """On either server; the replica alone is protected."""
    if server == lab.replica:
        write_locally(server, *statements, logged=False)
        return
    with server.session() as session:
        for statement in ("SET sql_log_bin = 0", *statements):
            session.execute(statement)


def rows(server: LabServer, statement: str) -> Rows:
    with server.session() as session:
        return list(session.rows(statement))


def run(lab: Lab, command: str, *arguments: str) -> Ran:
    return replfix(command, *arguments, "--config", str(lab.config_file), "--json")


def diagnosed(lab: Lab) -> Ran:
    return run(lab, "diagnose", "replica1")


def resolved(lab: Lab, *statements: str) -> Ran:
    """To the end of the backlog, and then what the statements read is the same on both servers."""
    ran = run(lab, "resolve", "replica1", "--yes")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
    lab.wait_until_applied()
    for statement in statements:
        assert rows(lab.replica, statement) == rows(lab.source, statement), statement
    return ran


def refused(lab: Lab, words: str, *statements: str) -> Ran:
    """Not done, for this reason, and what the statements read on the replica is as before."""
    before = [rows(lab.replica, statement) for statement in statements]
    ran = run(lab, "resolve", "replica1", "--yes")
    assert ran.code == 4, ran.out + ran.err
    assert words in ran.document["message"], ran.out
    assert [rows(lab.replica, statement) for statement in statements] == before
    return ran


def undone(lab: Lab, ran: Ran) -> None:
    """The first repair of that run taken back."""
    back = run(lab, "undo", ran.document["audit_ids"][0], "--yes")
    assert back.code == 0, back.out + back.err
