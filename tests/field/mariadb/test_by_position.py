"""A channel by position (Using_Gtid=No) whose relay log cannot be read, because replfix runs on another host: MariaDB 11.8 names neither
a GTID nor a position in its error. The source is asked from the applier's place on, and the transaction was never found before."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import REPL, REPLFIX
from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from replfix.mysql.server import MysqlServer
from replfix.workflow.investigate.investigation import investigate


@pytest.fixture
def by_position(any_pair: Lab) -> Iterator[Lab]:
    with any_pair.replica.session() as session:
        if not session.is_mariadb:
            pytest.skip("MySQL names the position")
        for statement in ("STOP REPLICA", "CHANGE MASTER TO MASTER_USE_GTID = no", "START REPLICA"):
            session.execute(statement)
    yield any_pair
    with any_pair.replica.session() as session:
        session.execute("STOP REPLICA")
        speaking(session).configure_channel(session, any_pair.source.host, any_pair.source.port, REPL)


def test_the_transaction_is_found_on_the_source(by_position: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = by_position
    with lab.source.session() as session:
        session.execute("CREATE DATABASE shop")
        session.execute("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)")
    lab.wait_until_applied()
    write_locally(lab.replica, "INSERT INTO shop.t VALUES (2, 9)", logged=False)
    with lab.source.session() as session:
        session.execute("INSERT INTO shop.t VALUES (2, 2)")
        session.execute("INSERT INTO shop.t VALUES (3, 3)")
    wait_until_stopped(lab.replica)
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    replica, source = (MysqlServer(server.endpoint(REPLFIX)) for server in (lab.replica, lab.source))
    found = investigate(replica, lambda _: source, None)
    assert found is not None
    assert found.evidence.transaction is not None, found.unknowns
    assert [change.after for change in found.evidence.transaction.changes] == [(2, 2)]
    proposal = found.proposal("source-wins")
    assert proposal is not None
    assert proposal.plan is not None, proposal.reason
