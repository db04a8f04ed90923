"""Every error that stops an applier, staged on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.incident.known_error import families, family_of
from replfix.core.replication.gtid import GtidSet
from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.replicate import wait_until_received, wait_until_stopped
from replfix.lab.topology import Lab
from replfix.mysql.server import MysqlServer
from replfix.workflow.investigate.investigation import investigate
from tests.integration.broken import BROKEN


@pytest.mark.parametrize("name", BROKEN)
def test_the_server_stops_with_the_error(pair: Lab, name: str) -> None:
    broken = BROKEN[name]
    error = broken.stage(pair)
    assert error.errno == broken.errno
    assert family_of(error.errno) is not None


def test_the_names_are_the_servers_own(lab: Lab) -> None:
    with lab.replica.session() as session:
        names = {
            int(row["number"]): row["name"]
            for row in session.query(
                "SELECT ERROR_NUMBER AS number, ERROR_NAME AS name "
                "FROM performance_schema.events_errors_summary_global_by_error WHERE ERROR_NUMBER IS NOT NULL"
            )
        }
    known = {number: name for family in families() for number, name in family.errors.items()}
    # Errors of the client library, of the file system and of storage engines are in no table of the server; some are those of older servers, 1950 is
    # MariaDB's.
    assert {number for number in known if number not in names} == {
        n for n in known if 2000 <= n < 3000 or n in (1, 126, 127, 144, 145, 1021, 1594, 1677, 1834, 1950, 3002)
    }
    assert {n: known[n] for n in known if n in names} == {n: names[n] for n in known if n in names}


def diagnosed(pair: Lab) -> Diagnosis:
    """As ``replfix diagnose`` does it, with the account that it has."""
    replica = MysqlServer(REPLFIX.at(pair.replica.host, pair.replica.port))
    source = MysqlServer(REPLFIX.at(pair.source.host, pair.source.port))
    try:
        found = investigate(replica, lambda _: source, None)
    finally:
        replica.close()
        source.close()
    assert found is not None
    return found


SHOWN = {
    "1062-statement": ("INSERT INTO d.t VALUES (1, 2, 'y')",),
    "1062-ddl": ("ALTER TABLE d.t ADD UNIQUE KEY ab (a, b)", "the unique key ab over (a, b)", "(1, x) in 2 rows"),
    "1146-statement": ("ALTER TABLE d.t ADD COLUMN c INT", "The replica has no table d.t", "copy that"),
    "1049": ("The replica has no schema d",),
    "1054": ("ALTER TABLE d.t RENAME COLUMN a TO aa", "d.t has no column a"),
    "1072": ("CREATE INDEX a ON d.t (a)", "d.t has no column a"),
    "1837": ("ENGINE=MyISAM", "ENGINE=InnoDB"),
}
"""Errors in which more than one thing can be right: what a human is told."""


@pytest.mark.parametrize("name", SHOWN)
def test_what_differs_is_shown(pair: Lab, name: str) -> None:
    BROKEN[name].stage(pair)
    found = diagnosed(pair)
    assert {proposal.strategy for proposal in found.proposals if proposal.allowed} <= {"skip"}
    told = " ".join(advice.text for advice in found.advice)
    assert [words for words in SHOWN[name] if words not in told] == [], told


def receiver_error(pair: Lab, *statements: str) -> Diagnosis:
    """The channel's settings changed by those statements, and what is diagnosed once the receiver says its error."""
    with pair.replica.session() as session:
        for statement in ("STOP REPLICA", *statements, "START REPLICA"):
            session.execute(statement)
        for _ in range(200):
            if session.query("SHOW REPLICA STATUS")[0]["Last_IO_Errno"] != "0":
                break
            session.query("DO SLEEP(0.05)")
    return diagnosed(pair)


@pytest.fixture
def channel_put_back(pair: Lab) -> Iterator[Lab]:
    yield pair
    with pair.replica.session() as session:
        session.execute("STOP REPLICA")
        session.execute("SET GLOBAL server_id = 2")
        session.execute(
            f"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {pair.source.port}, SOURCE_USER = 'repl', "
            "SOURCE_PASSWORD = 'repl', GET_SOURCE_PUBLIC_KEY = 1, SOURCE_SSL = 0"
        )
        session.execute("START REPLICA")
    pair.wait_until_applied()


@pytest.mark.parametrize(
    ("statements", "errno", "page", "words"),
    [
        (("CHANGE REPLICATION SOURCE TO SOURCE_PORT = 1",), 2003, "source-unreachable", "From here it can be reached"),
        (
            ("CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'no.such.host.invalid'",),
            2005,
            "source-unreachable",
            "cannot reach no.such.host.invalid",
        ),
        (
            ("CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = 'x'",),
            1045,
            "account-refused",
            "rejects the login of the account",
        ),
        (("SET GLOBAL server_id = 1",), 13117, "receiver-configuration", "the same server_id"),
    ],
    ids=["2003", "2005", "1045", "13117"],
)
def test_a_receiver_that_stands(
    channel_put_back: Lab, statements: tuple[str, ...], errno: int, page: str, words: str
) -> None:
    found = receiver_error(channel_put_back, *statements)
    assert (found.evidence.error.errno, found.evidence.family and found.evidence.family.page) == (errno, page)
    assert any(words in advice.text for advice in found.advice)
    assert {proposal.strategy for proposal in found.proposals if proposal.allowed} <= {"skip"}


def test_an_account_of_caching_sha2_without_tls_is_let_in_as_advised(channel_put_back: Lab) -> None:
    """The source forgets the passwords that it has seen with FLUSH PRIVILEGES, as with a restart."""
    pair = channel_put_back
    with pair.source.session() as session:
        session.execute("FLUSH PRIVILEGES")
    found = receiver_error(pair, "CHANGE REPLICATION SOURCE TO GET_SOURCE_PUBLIC_KEY = 0, SOURCE_SSL = 0")
    assert found.evidence.error.errno == 2061
    advised = [advice.sql for advice in found.advice]
    assert any("SOURCE_SSL = 1" in statement for statement in advised[0])
    with pair.replica.session() as session:
        for statement in advised[1]:
            session.execute(statement)
    with pair.source.session() as session:
        session.execute("CREATE DATABASE d")
    pair.wait_until_applied()


def test_a_file_that_a_killed_server_left_is_named(pair: Lab) -> None:
    with pair.replica.session() as session:
        session.execute("STOP REPLICA")
        where = Path(str(session.scalar("SELECT @@replica_load_tmpdir")))
        left = where / f"SQL_LOAD-{session.scalar('SELECT @@server_uuid')}"
        left.touch()
        session.execute("START REPLICA")
    assert wait_until_stopped(pair.replica).errno == 1
    (advice,) = diagnosed(pair).advice
    assert f"Delete {left} on" in advice.text
    left.unlink()
    with pair.replica.session() as session:
        for statement in advice.sql:
            session.execute(statement)
    with pair.source.session() as session:
        session.execute("CREATE DATABASE d")
    pair.wait_until_applied()


def test_a_damaged_relay_log_is_fetched_again_as_advised(pair: Lab) -> None:
    with pair.replica.session() as session:
        session.execute("STOP REPLICA SQL_THREAD")
    with pair.source.session() as session:
        for statement in (
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY)",
            "INSERT INTO d.t VALUES (1), (2)",
        ):
            session.execute(statement)
    wait_until_received(pair.source, pair.replica)
    with pair.replica.session() as session:
        relay_log = pair.replica.data / session.query("SHOW REPLICA STATUS")[0]["Relay_Log_File"]
        session.execute("STOP REPLICA")
        damaged = bytearray(relay_log.read_bytes())
        damaged[-60] ^= 0xFF
        relay_log.write_bytes(damaged)
        session.execute("START REPLICA")
    assert wait_until_stopped(pair.replica).errno == 13121
    found = diagnosed(pair)
    assert found.evidence.lost == GtidSet()
    assert "The source still has everything" in found.advice[0].text
    with pair.replica.session() as session:
        for statement in found.advice[0].sql:
            session.execute(statement)
    pair.wait_until_applied()
    with pair.replica.session() as session:
        assert session.scalar("SELECT COUNT(*) FROM d.t") == "2"
