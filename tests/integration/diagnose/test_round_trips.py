"""How often servers are asked: far away, each time costs a round trip. Counted by proxies, not timed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

import pytest

from replfix.errors import ServerError
from replfix.lab import scenarios
from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.narration import Quiet
from replfix.lab.staging import stage
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from replfix.mysql.server import MysqlServer
from replfix.one_look import anew, one_look
from tests.integration.failures.test_cut_wires import configured_for
from tests.integration.proxy import Proxy
from tests.integration.running import replfix

MOST = {"mysql": (61, 19), "mariadb": (70, 26)}
"""Queries of resolve and of diagnose, without repeated polls, for one conflict whose author is looked for in the replica's binlog."""
CONNECTIONS = 6
"""To read and to write on the replica, to read on the source, and one for each binlog that is read."""


def test_one_conflict_takes_few_queries_and_connections(any_pair: Lab, tmp_path: Path) -> None:
    """The bound that docs/performance.md names, and what was asked with it."""
    stage(any_pair, scenarios.find("duplicate-primary"), Quiet())
    with any_pair.replica.session() as session:
        resolving, diagnosing = MOST["mariadb" if session.is_mariadb else "mysql"]
    for command, most, connections in (
        (("diagnose", "replica1"), diagnosing, CONNECTIONS - 2),
        (("resolve", "replica1", "--yes"), resolving, CONNECTIONS),
    ):
        with ExitStack() as stack:
            ours, theirs = (
                stack.enter_context(Proxy(("127.0.0.1", server.port))) for server in (any_pair.replica, any_pair.source)
            )
            config = configured_for(
                any_pair, tmp_path, tmp_path / "audit.db", {"replicas": ours.port, "sources": theirs.port}
            )
            ran = replfix(*command, "--json", "--config", config)
            queries = ([name for name in wire.packets if name.startswith("Query")] for wire in (ours, theirs))
            asked = [name for wire in queries for name, _ in groupby(wire)]  # polls, as many as there are, are one
            made = ours.connections + theirs.connections
        assert ran.code in (0, 3), ran
        assert len(asked) <= most, "\n".join([f"{len(asked)} queries:", *asked])
        assert made <= connections, f"{made} connections"
    assert json.loads(ran.out)["outcome"] == "resolved"


@pytest.fixture
def session(any_pair: Lab) -> Iterator[Session]:
    """One that only reads, as a diagnosis has it."""
    server = MysqlServer(any_pair.replica.endpoint(REPLFIX))
    server.connect()
    yield server._session
    server.close()


def test_at_once_each_question_has_its_own_answer_or_error(session: Session) -> None:
    """Whatever is asked, and in which order: what a server rejects is an error when it is asked, and only then."""
    with session.at_once(
        "SELECT 1 AS a", "SELECT no_such_column", "SELECT 2 AS a UNION ALL SELECT 3", "SELECT 'é' AS b"
    ):
        assert session.scalar("SELECT 'é' AS b") == "é"
        assert session.query("SELECT 2 AS a UNION ALL SELECT 3") == [{"a": "2"}, {"a": "3"}]
        with pytest.raises(ServerError, match="no_such_column"):
            session.query("SELECT no_such_column")
        assert session.scalar("SELECT 1 AS a") == "1"
    assert session.query_lossy(r"SELECT _binary'\xff' AS c")[0]["c"] == "xff"


def test_a_look_asks_once_and_anew_when_told(session: Session) -> None:
    """The clock is asked, as an answer that changes; in a transaction and outside of a look, every time."""
    clock = "SELECT UNIX_TIMESTAMP(SYSDATE(6))"
    assert session.scalar(clock) != session.scalar(clock)
    with one_look():
        first = session.scalar(clock)
        assert session.scalar(clock) == first
        with anew():
            later = session.scalar(clock)
        assert later != first
        assert session.scalar(clock) == later
        session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        assert session.scalar(clock) != later
        session.execute("ROLLBACK")
    with one_look(again=True):
        again = session.scalar(clock)
        assert again != later
        assert session.scalar(clock) == again
