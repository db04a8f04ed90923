"""Transactions fetched from real servers by their GTIDs, and everything that can stand in the way."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from replfix.core.binlog.row_event import ChangeKind, LoggedAsStatement, Transaction
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.schema.table import Column, TableName
from replfix.errors import ConnectError, PrivilegeError, ReplicationError, Unreadable
from replfix.lab.lab_accounts import REPL, REPLFIX, Account
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import write_locally
from replfix.lab.topology import Lab
from replfix.mysql.binlog import BinlogReader
from replfix.mysql.binlog import reader as binlog_reader
from replfix.mysql.binlog.mysql_log import MysqlLog
from replfix.mysql.connection.session import Session
from replfix.mysql.read.table_definitions import read_columns

ITEMS = TableName("shop", "items")


def connect(server: LabServer) -> Session:
    session = server.session()
    session.execute("CREATE DATABASE IF NOT EXISTS shop")
    session.execute("USE shop")
    return session


def executed(session: Session) -> GtidSet:
    return GtidSet.parse(session.scalar("SELECT @@global.gtid_executed"))


def write(session: Session, *statements: str) -> str:
    """Run the statements; the GTIDs they got."""
    before = executed(session)
    for statement in statements:
        session.execute(statement)
    return str(executed(session) - before)


def reader(server: LabServer, account: Account = REPLFIX) -> BinlogReader:
    def columns_of(name: TableName) -> tuple[Column, ...]:
        with server.session() as session:
            return read_columns(session, name)

    return BinlogReader(server.endpoint(account), columns_of)


@pytest.fixture
def session(pair: Lab) -> Iterator[Session]:
    with connect(pair.source) as session:
        session.execute("CREATE TABLE items (id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20), doc JSON)")
        yield session
    with pair.source.session() as after:
        after.execute("SET GLOBAL binlog_checksum = DEFAULT")


def test_one_transaction_among_others(pair: Lab, session: Session) -> None:
    gtids = [write(session, f"INSERT INTO items (name) VALUES ('n{number}')") for number in range(5)]
    for number in (0, 2, 4):
        found = reader(pair.source).transaction(gtids[number])
        assert found.gtid == gtids[number]
        assert [change.after for change in found.changes] == [(number + 1, f"n{number}", None)]
        assert found.thread_id == int(session.scalar("SELECT CONNECTION_ID()"))
        assert found.server_id == pair.source.server_id
        events = session.rows(f"SHOW BINLOG EVENTS IN '{found.log_file}' FROM {found.start_pos} LIMIT 5")
        assert [event[2] for event in events] == ["Gtid", "Query", "Table_map", "Write_rows", "Xid"]
        assert int(events[3][4]) == found.changes[0].event_end_pos
        assert int(events[4][4]) == found.end_pos
        assert abs(found.committed_at.timestamp() - float(session.scalar("SELECT UNIX_TIMESTAMP(NOW(6))"))) < 60


def test_a_position_is_only_a_hint(pair: Lab, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is, the transaction is the one of that GTID; where it is right, no GTID is asked for."""
    gtids = [write(session, f"INSERT INTO items (name) VALUES ('n{number}')") for number in range(3)]
    session.execute("FLUSH BINARY LOGS")
    later = reader(pair.source).transaction(write(session, "INSERT INTO items (name) VALUES ('later')"))
    first, wanted, last = (reader(pair.source).transaction(gtid) for gtid in gtids)
    beside = LogPosition(wanted.log_file, wanted.start_pos + 1)

    def known(near: LogPosition | None) -> tuple[object, ...]:
        found = reader(pair.source).transaction(gtids[1], near) if near is not None else wanted
        return found.id, found.changes, found.raw.statements

    elsewhere = (LogPosition(wanted.log_file, 1 << 30), LogPosition("binlog.999999", 4), beside, last.id.start)
    for near in (*elsewhere, later.id.start, LogPosition(later.log_file, 4)):
        assert known(near) == known(None)
    statement = write(session, "CREATE TABLE others (id INT)")
    with pytest.raises(LoggedAsStatement, match="others"):
        reader(pair.source).transaction(statement, later.id.end)
    monkeypatch.setattr(MysqlLog, "one", None)
    for near in (wanted.id.start, first.id.start):
        assert known(near) == known(None)
    monkeypatch.setattr(binlog_reader, "SOON_BYTES", first.end_pos - first.start_pos - 1)
    with pytest.raises(TypeError):  # too far from it: by its GTID
        reader(pair.source).transaction(gtids[1], first.id.start)
    assert known(wanted.id.start) == (wanted.id, wanted.changes, wanted.raw.statements)


def test_several_transactions_in_the_order_of_the_log(pair: Lab, session: Session) -> None:
    gtids = []
    for number in range(6):
        gtids.append(write(session, f"INSERT INTO items (name) VALUES ('n{number}')"))
        if number % 2:
            session.execute("FLUSH BINARY LOGS")
    wanted = GtidSet.parse(",".join(gtids[1:5]))
    found = list(reader(pair.source).transactions(wanted, 100))
    assert [transaction.gtid for transaction in found] == gtids[1:5]
    assert len({transaction.log_file for transaction in found}) == 3
    assert [t.gtid for t in reader(pair.source).transactions(wanted, 2)] == gtids[1:3]
    unknown = wanted | GtidSet.parse("00000000-0000-0000-0000-000000000001:1-5")
    assert [t.gtid for t in reader(pair.source).transactions(unknown, 100)] == gtids[1:5]
    assert list(reader(pair.source).transactions(GtidSet(), 100)) == []


def test_an_errant_transaction_is_read_from_the_replica_that_wrote_it(pair: Lab, session: Session) -> None:
    pair.wait_until_applied()
    write_locally(pair.replica, "INSERT INTO shop.items (id, name) VALUES (77, 'errant')")
    with pair.replica.session() as on_replica:
        uuid = on_replica.scalar("SELECT @@server_uuid")
        errant = executed(on_replica).of_uuid(uuid)
    (found,) = reader(pair.replica).transactions(errant, 10)
    assert found.changes[0].after == (77, "errant", None)
    assert found.server_id == pair.replica.server_id
    with pytest.raises(ReplicationError, match="has never executed"):
        reader(pair.source).transaction(str(found.gtid))


def test_replication_slave_is_enough_and_needed(pair: Lab, session: Session) -> None:
    gtid = write(session, "INSERT INTO items (name) VALUES ('x')")
    assert reader(pair.source, REPL).transaction(gtid).changes
    nobody = Account("nobody", "nobody")
    for statement in nobody.statements(("USAGE",)):
        session.execute(statement)
    with pytest.raises(PrivilegeError, match="REPLICATION SLAVE"):
        reader(pair.source, nobody).transaction(gtid)
    with pytest.raises(ConnectError, match="rejected the login"):
        reader(pair.source, Account("nobody", "wrong")).transaction(gtid)


def test_a_purged_transaction(pair: Lab, session: Session) -> None:
    pair.wait_until_applied()
    gone = write(session, "INSERT INTO items (name) VALUES ('gone')")
    pair.wait_until_applied()
    session.execute("FLUSH BINARY LOGS")
    kept = write(session, "INSERT INTO items (name) VALUES ('kept')")
    session.execute(f"PURGE BINARY LOGS TO '{session.rows('SHOW BINARY LOGS')[-1][0]}'")
    with pytest.raises(ReplicationError, match=f"{pair.source.endpoint()} has purged .*{gone}"):
        reader(pair.source).transaction(gone)
    both = GtidSet.parse(f"{gone},{kept}")
    assert [transaction.gtid for transaction in reader(pair.source).transactions(both, 10)] == [kept]


def test_what_is_no_gtid(pair: Lab) -> None:
    for text in ("", "x", "00000000-0000-0000-0000-000000000001:1-2"):
        with pytest.raises(ValueError, match="GTID"):
            reader(pair.source).transaction(text)


def test_logs_with_and_without_checksums(pair: Lab, session: Session) -> None:
    """What a log says of itself counts, not the setting of now."""
    gtids = {}
    for checksum in ("NONE", "CRC32", "NONE"):
        session.execute(f"SET GLOBAL binlog_checksum = {checksum}")
        gtids[write(session, f"INSERT INTO items (name) VALUES ('{checksum}')")] = checksum
    for setting in ("CRC32", "NONE"):
        session.execute(f"SET GLOBAL binlog_checksum = {setting}")
        for gtid, checksum in gtids.items():
            (change,) = reader(pair.source).transaction(gtid).changes
            assert change.after is not None
            assert change.after[1] == checksum
        assert len(list(reader(pair.source).transactions(GtidSet.parse(",".join(gtids)), 10))) == 3


@pytest.mark.parametrize("checksum", ["CRC32", "NONE"])
def test_the_raw_events_can_be_replayed(pair: Lab, session: Session, checksum: str) -> None:
    """The rehearsal: the replica applies the very bytes, shows the rows and forgets them."""
    session.execute(f"SET GLOBAL binlog_checksum = {checksum}")
    session.execute("CREATE TABLE other (id INT PRIMARY KEY)")
    gtid = write(
        session,
        "BEGIN",
        "INSERT INTO items (name) VALUES ('replayed'), ('too')",
        "INSERT INTO other VALUES (5)",
        "UPDATE items SET name = 'changed' WHERE name = 'too'",
        "COMMIT",
    )
    transaction = reader(pair.source).transaction(gtid)
    assert len(transaction.raw.statements) == 3
    pair.wait_until_applied()
    with pair.replica.session() as replica:
        replica.execute("SET GLOBAL super_read_only = OFF")
        try:
            replica.execute("SET sql_log_bin = 0")
            replica.execute("DELETE FROM shop.items")
            replica.execute("DELETE FROM shop.other")
            before = executed(replica)
            replica.execute(binlog(transaction.raw.format_description))
            replica.execute("SET gtid_next = '00000000-0000-0000-0000-000000000001:1'")
            replica.execute("BEGIN")
            for statement in transaction.raw.statements:
                replica.execute(binlog(b"".join(statement)))
            assert replica.rows("SELECT name FROM shop.items ORDER BY id") == [("replayed",), ("changed",)]
            assert replica.rows("SELECT id FROM shop.other") == [("5",)]
            replica.execute("ROLLBACK")
            replica.execute("SET gtid_next = 'AUTOMATIC'")
            assert replica.rows("SELECT id FROM shop.items") == []
            assert executed(replica) == before
        finally:
            replica.execute("SET GLOBAL super_read_only = ON")


def binlog(events: bytes) -> str:
    return f"BINLOG '{base64.b64encode(events).decode('ascii')}'"


def only(pair: Lab, gtid: str) -> Transaction:
    return reader(pair.source).transaction(gtid)


def test_savepoints_and_what_was_rolled_back_to_them(pair: Lab, session: Session) -> None:
    gtid = write(
        session,
        "BEGIN",
        "INSERT INTO items (name) VALUES ('kept')",
        "SAVEPOINT `a``b`",
        "INSERT INTO items (name) VALUES ('undone')",
        "ROLLBACK TO `a``b`",
        "SAVEPOINT again",
        "INSERT INTO items (name) VALUES ('kept too')",
        "RELEASE SAVEPOINT again",
        "COMMIT",
    )
    names = [change.after[1] for change in only(pair, gtid).changes if change.after]
    assert names == ["kept", "kept too"]


def test_the_statements_that_were_logged_beside_the_rows(pair: Lab, session: Session) -> None:
    session.execute("SET binlog_rows_query_log_events = ON")
    text = "INSERT INTO items (name) VALUES ('" + "é" * 20 + "')" + " " * 300
    gtid = write(session, text.strip() + "/* " + "x" * 300 + " */")
    assert only(pair, gtid).queries == (text.strip() + "/* " + "x" * 300 + " */",)


def test_a_tagged_transaction_and_its_neighbours(pair: Lab, session: Session) -> None:
    session.execute("SET gtid_next = 'AUTOMATIC:blue'")
    tagged = write(session, "INSERT INTO items (name) VALUES ('tagged')")
    session.execute("SET gtid_next = 'AUTOMATIC'")
    plain = write(session, "INSERT INTO items (name) VALUES ('plain')")
    assert ":blue:" in tagged
    for gtid, name in ((tagged, "tagged"), (plain, "plain")):
        (change,) = only(pair, gtid).changes
        assert change.after is not None
        assert change.after[1] == name


def test_the_commit_time_is_that_of_the_original_server(pair: Lab, session: Session) -> None:
    gtid = write(session, "INSERT INTO items (name) VALUES ('x')")
    pair.wait_until_applied()
    on_source, on_replica = only(pair, gtid), reader(pair.replica).transaction(gtid)
    assert on_replica.committed_at == on_source.committed_at
    assert on_replica.server_id == on_source.server_id
    assert on_replica.changes[0].after == on_source.changes[0].after


def test_rows_of_partitions_of_hidden_keys_and_of_triggers(pair: Lab, session: Session) -> None:
    session.execute("SET sql_generate_invisible_primary_key = ON")
    session.execute("CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 4")
    session.execute("CREATE TABLE hidden (v INT)")
    session.execute("CREATE TRIGGER copy AFTER INSERT ON parts FOR EACH ROW INSERT INTO hidden (v) VALUES (NEW.id)")
    transaction = only(pair, write(session, "INSERT INTO parts VALUES (10), (11)"))
    found = sorted((change.table.name, change.after) for change in transaction.changes if change.after)
    assert found == [("hidden", (1, 10)), ("hidden", (2, 11)), ("parts", (10,)), ("parts", (11,))]
    assert transaction.column_names[TableName("shop", "hidden")] == ("my_row_id", "v")


def test_keys_on_expressions_add_no_columns(pair: Lab, session: Session) -> None:
    session.execute(
        "CREATE TABLE keyed (id INT PRIMARY KEY, a INT, j JSON, UNIQUE KEY ((a + 1)),"
        " KEY many ((CAST(j->'$.tags' AS UNSIGNED ARRAY))))"
    )
    (change,) = only(pair, write(session, "INSERT INTO keyed VALUES (1, 2, '{\"tags\": [3, 9]}')")).changes
    assert change.after is not None
    assert change.after[:2] == (1, 2)
    assert len(change.after) == 3


def test_an_engine_without_transactions(pair: Lab, session: Session) -> None:
    session.execute("CREATE TABLE isam (id INT) ENGINE = MyISAM")
    (change,) = only(pair, write(session, "INSERT INTO isam VALUES (1)")).changes
    assert (change.kind, change.after) == (ChangeKind.INSERT, (1,))


def test_a_large_transaction(pair: Lab, session: Session) -> None:
    """Many rows events after one Table_map event, and a value that does not fit one network packet."""
    session.execute("CREATE TABLE large (id INT PRIMARY KEY AUTO_INCREMENT, b LONGBLOB)")
    session.execute("SET cte_max_recursion_depth = 20000")
    gtid = write(
        session,
        "BEGIN",
        "INSERT INTO large (b) WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        " SELECT 'row' FROM n",
        "INSERT INTO large (b) VALUES (REPEAT('x', 17 * 1024 * 1024))",
        "COMMIT",
    )
    transaction = only(pair, gtid)
    assert len(transaction.changes) == 20001
    assert len(transaction.raw.statements[0]) > 10
    last = transaction.changes[-1].after
    assert last is not None
    assert last[1] == b"x" * 17 * 1024 * 1024


def test_a_column_added_since_is_refused_and_named_by_full_metadata(pair: Lab, session: Session) -> None:
    minimal = write(session, "INSERT INTO items (name) VALUES ('before')")
    session.execute("SET GLOBAL binlog_row_metadata = FULL")
    full = write(session, "INSERT INTO items (name) VALUES ('before')")
    session.execute("ALTER TABLE items ADD COLUMN more INT AFTER id")
    with pytest.raises(Unreadable, match="it has 4 columns now and had 3 in the binary log"):
        only(pair, minimal)
    assert only(pair, full).column_names == {ITEMS: ("id", "name", "doc")}


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (["ALTER TABLE items ADD COLUMN z INT"], "logged as a statement.*ALTER TABLE items ADD COLUMN z INT"),
        (["TRUNCATE items"], "logged as a statement.*TRUNCATE items"),
        (["CREATE TABLE copy AS SELECT 1 AS a"], "logged as a statement.*CREATE TABLE `copy`"),
        (
            ["SET SESSION binlog_format = STATEMENT", "INSERT INTO items (name) VALUES ('x')"],
            r"logged as a statement.*INSERT INTO items \(name\) VALUES \('x'\)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_read_is_refused_by_name(pair: Lab, session: Session, statements: list[str], told: str) -> None:
    *before, last = statements
    for statement in before:
        session.execute(statement)
    gtid = write(session, last)
    with pytest.raises(Unreadable, match=told):
        only(pair, gtid)
