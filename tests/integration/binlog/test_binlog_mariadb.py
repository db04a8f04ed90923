"""Transactions out of the binlogs of real MariaDB servers."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from replfix.core.binlog.row_event import ChangeKind, Transaction
from replfix.core.replication.mariadb_gtid import MariadbGtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.errors import ReplicationError, Unreadable
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.conftest import Labs
from tests.integration.binlog.test_binlog_reader import connect, reader

LONG = "x" * 300


@pytest.fixture(params=("mariadb-10.11", "mariadb-11.8"))
def pair(request: pytest.FixtureRequest, labs: Labs) -> Lab:
    lab = labs(request.param)
    lab.reset()
    return lab


@pytest.fixture
def session(pair: Lab) -> Iterator[Session]:
    with connect(pair.source) as session:
        session.execute("CREATE TABLE items (id INT UNSIGNED PRIMARY KEY, name VARCHAR(700), n DECIMAL(5,2))")
        yield session
    with pair.source.session() as after:
        for setting in ("log_bin_compress", "binlog_checksum", "binlog_row_metadata"):
            after.execute(f"SET GLOBAL {setting} = DEFAULT")


def newest(session: Session) -> str:
    return str(session.scalar("SELECT @@global.gtid_binlog_pos"))


def write(session: Session, *statements: str) -> str:
    """Run the statements; the GTID of the last one."""
    for statement in statements:
        session.execute(statement)
    return str(session.scalar("SELECT @@last_gtid"))


def only(pair: Lab, gtid: str) -> Transaction:
    return reader(pair.source).transaction(gtid)


ALL_KINDS = (
    "BEGIN",
    f"INSERT INTO items VALUES (1, '{LONG}', 1.5), (2, 'b', NULL)",
    "SAVEPOINT a",
    f"UPDATE items SET name = CONCAT(name, '{LONG}')",
    "DELETE FROM items WHERE id = 2",
    "COMMIT",
)


@pytest.mark.parametrize("compressed", ["OFF", "ON"])
@pytest.mark.parametrize("checksum", ["NONE", "CRC32"])
@pytest.mark.parametrize("metadata", ["NO_LOG", "FULL"])
def test_rows_of_every_kind(pair: Lab, session: Session, compressed: str, checksum: str, metadata: str) -> None:
    for setting in (
        f"log_bin_compress = {compressed}",
        f"binlog_checksum = {checksum}",
        f"binlog_row_metadata = {metadata}",
    ):
        session.execute(f"SET GLOBAL {setting}")
    gtid = write(session, *ALL_KINDS)
    found = only(pair, gtid)
    assert found.gtid == gtid
    kinds = [change.kind for change in found.changes]
    assert kinds == [ChangeKind.INSERT, ChangeKind.INSERT, ChangeKind.UPDATE, ChangeKind.UPDATE, ChangeKind.DELETE]
    first, second = found.changes[0].after, found.changes[1].after
    assert first is not None
    assert second is not None
    assert (first[:2], str(first[2]), second) == ((1, LONG), "1.50", (2, "b", None))
    assert found.changes[2].before == first
    assert found.changes[4].before == (2, "b" + LONG, None)
    assert [len(query) > 20 for query in found.queries] == [True] * 3
    assert found.thread_id in (None, int(session.scalar("SELECT CONNECTION_ID()")))
    listed = session.rows(f"SHOW BINLOG EVENTS IN '{found.log_file}' FROM {found.start_pos}")
    events = [event for event in listed if event[2] != "Binlog_checkpoint"]  # which comes whenever it likes
    ends = [int(event[1]) for event in events[1:]]
    assert (int(events[0][1]), int(events[-1][4])) == (found.start_pos, found.end_pos)
    assert {change.event_end_pos for change in found.changes} < set(ends)
    again = reader(pair.source).transaction_at(found.id.start, found.changes[-1].event_end_pos, found.log_file)
    assert (again.gtid, again.changes) == (gtid, found.changes)


def test_the_raw_events_can_be_replayed(pair: Lab, session: Session) -> None:
    session.execute("SET GLOBAL log_bin_compress = ON")
    found = only(pair, write(session, *ALL_KINDS))
    session.execute("TRUNCATE items")
    session.execute(f"BINLOG '{base64.b64encode(found.raw.format_description).decode()}'")
    session.execute("BEGIN")
    for statement in found.raw.statements:
        session.execute(f"BINLOG '{base64.b64encode(b''.join(statement)).decode()}'")
    assert session.rows("SELECT id, LENGTH(name) FROM shop.items") == [("1", "600")]
    session.execute("ROLLBACK")
    assert session.rows("SELECT id FROM shop.items") == []


@pytest.fixture
def one_domain_again(pair: Lab) -> Iterator[None]:
    """With several domains on it a replica cannot be made as good as new (error 1966 on its skip counter)."""
    yield
    with pair.replica.session() as replica, pair.source.session() as source:
        replica.execute("STOP REPLICA")
        for server in (source, replica):
            server.execute("RESET MASTER")
        replica.execute("SET GLOBAL gtid_slave_pos = ''")


@pytest.mark.usefixtures("one_domain_again")
def test_one_among_those_of_other_domains_and_servers(pair: Lab, session: Session) -> None:
    gtids = [write(session, "INSERT INTO items VALUES (1, 'a', 1)")]
    session.execute("SET server_id = 4711")
    gtids.append(write(session, "INSERT INTO items VALUES (2, 'b', 1)"))
    session.execute("SET gtid_domain_id = 9")
    gtids.append(write(session, "INSERT INTO items VALUES (3, 'c', 1)"))
    session.execute("FLUSH BINARY LOGS")
    session.execute("SET gtid_domain_id = 0, server_id = @@global.server_id")
    gtids.append(write(session, "INSERT INTO items VALUES (4, 'd', 1)"))
    gtids.append(write(session, "INSERT INTO items VALUES (5, 'e', 1)"))
    assert gtids[2].startswith("9-4711-")
    for number, gtid in enumerate(gtids, 1):
        (change,) = only(pair, gtid).changes
        assert change.after is not None
        assert change.after[0] == number
    state = MariadbGtidSet.parse(str(session.scalar("SELECT @@global.gtid_binlog_state")))
    before = MariadbGtidSet.parse(f"0-{gtids[0].split('-')[1]}-{int(gtids[0].split('-')[2])}")
    found = list(reader(pair.source).transactions(state - before, 10))
    assert [transaction.gtid for transaction in found] == gtids[1:]
    assert [t.gtid for t in reader(pair.source).transactions(state - before, 2)] == gtids[1:3]
    assert list(reader(pair.source).transactions(state - state, 2)) == []


def test_what_the_server_does_not_have(pair: Lab, session: Session) -> None:
    gtid = write(session, "INSERT INTO items VALUES (1, 'a', 1)")
    domain, server, number = gtid.split("-")
    with pytest.raises(ReplicationError, match="has never logged"):
        only(pair, f"{domain}-{server}-{int(number) + 1}")
    with pytest.raises(ReplicationError, match="has never logged"):
        only(pair, f"7-{server}-1")
    with pytest.raises(ValueError, match="not a MariaDB GTID"):
        only(pair, "00000000-0000-0000-0000-000000000001:1")
    pair.wait_until_applied()
    session.execute("FLUSH BINARY LOGS")
    write(session, "INSERT INTO items VALUES (2, 'b', 1)")
    pair.wait_until_applied()
    session.execute(f"PURGE BINARY LOGS TO '{session.rows('SHOW BINARY LOGS')[-1][0]}'")
    if len(session.rows("SHOW BINARY LOGS")) == 1:  # it keeps logs that a replica reads, for a while
        with pytest.raises(ReplicationError, match="has purged"):
            only(pair, gtid)


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (["ALTER TABLE items ADD COLUMN z INT"], "logged as a statement.*ALTER TABLE items ADD COLUMN z INT"),
        (["CREATE TABLE copy AS SELECT 1 AS a"], "logged as a statement.*CREATE TABLE `copy`"),
        (
            [f"SET STATEMENT binlog_format = STATEMENT FOR INSERT INTO items VALUES (1, '{LONG}', 1)"],
            r"logged as a statement.*INSERT INTO items VALUES \(1",
        ),
    ],
    ids=lambda value: value[0][:20] if isinstance(value, list) else "",
)
@pytest.mark.parametrize("compressed", ["OFF", "ON"])
def test_statements_are_refused_with_their_text(
    pair: Lab, session: Session, statements: list[str], told: str, compressed: str
) -> None:
    session.execute(f"SET GLOBAL log_bin_compress = {compressed}")
    with pytest.raises(Unreadable, match=told):
        only(pair, write(session, *statements))


def test_xa_transactions(pair: Lab, session: Session) -> None:
    xa = "'a', 'b', 3"
    part = [f"XA START {xa}", "INSERT INTO items VALUES (1, 'x', 1)", f"XA END {xa}", f"XA PREPARE {xa}"]
    write(session, *part)
    prepared = only(pair, newest(session))
    assert len(prepared.changes) == 1
    assert any("only prepares the XA transaction X'61',X'62',3" in note for note in prepared.notes)
    session.execute(f"XA COMMIT {xa}")
    with pytest.raises(Unreadable, match=r"has no rows: it ends an XA transaction.*XA COMMIT X'61',X'62',3"):
        only(pair, newest(session))


def test_an_engine_without_transactions_and_a_backlog_by_position(pair: Lab, session: Session) -> None:
    session.execute("CREATE TABLE aria (id INT) ENGINE = Aria")
    file, pos = session.rows("SHOW MASTER STATUS")[0][:2]
    session.execute("INSERT INTO aria VALUES (1)")
    session.execute("INSERT INTO items VALUES (1, 'a', 1)")
    found = list(reader(pair.source).transactions_from(LogPosition(file, int(pos)), 10))
    assert [len(transaction.changes) for transaction in found] == [1, 1]
    assert found[0].changes[0].after == (1,)
