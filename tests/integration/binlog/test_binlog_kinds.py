"""Transactions that the source writes in other ways than one plain group of rows, read, rehearsed and resolved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from replfix.core.connection.limits import Limits
from replfix.errors import Unreadable
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.integration.binlog.test_binlog_reader import connect, only, reader, write
from tests.integration.resolve.test_trials import resolved, stage

ITEMS = "CREATE TABLE items (id INT PRIMARY KEY, name VARCHAR(40), other INT)"


@pytest.fixture
def session(pair: Lab) -> Iterator[Session]:
    with connect(pair.source) as session:
        session.execute(ITEMS)
        yield session


@pytest.mark.parametrize("level", [1, 22])
def test_a_compressed_transaction_is_the_plain_one(pair: Lab, session: Session, level: int) -> None:
    session.execute("SET cte_max_recursion_depth = 20000")
    insert = (
        "INSERT INTO items WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "SELECT i, LEFT(SHA2(i, 256), 40), i FROM n"
    )
    plain = only(pair, write(session, insert))
    session.execute("DELETE FROM items")
    session.execute("SET binlog_transaction_compression = ON")
    session.execute(f"SET binlog_transaction_compression_level_zstd = {level}")
    packed = only(pair, write(session, insert))
    assert [change.after for change in packed.changes] == [change.after for change in plain.changes]
    assert packed.thread_id == plain.thread_id
    assert packed.end_pos - packed.start_pos < (plain.end_pos - plain.start_pos) * 0.8
    assert len(packed.raw.statements[0]) == len(plain.raw.statements[0]) > 10
    (payload,) = session.rows(f"SHOW BINLOG EVENTS IN '{packed.log_file}' FROM {packed.start_pos} LIMIT 1, 1")
    assert {change.event_end_pos for change in packed.changes} == {int(payload[4])} == {packed.end_pos}


CASES = {
    "compressed": ["SET binlog_transaction_compression = ON", "INSERT INTO items VALUES (1, 'source', 1), (2, 'x', 2)"],
    "compressed, several statements": [
        "SET binlog_transaction_compression = ON",
        "BEGIN",
        "INSERT INTO items VALUES (1, 'source', 1)",
        "UPDATE items SET other = 7 WHERE id = 1",
        "COMMIT",
    ],
    "XA, prepared and committed": [
        "XA START 'a', 'b', 3",
        "INSERT INTO items VALUES (1, 'source', 1), (2, 'x', 2)",
        "XA END 'a', 'b', 3",
        "XA PREPARE 'a', 'b', 3",
        "XA COMMIT 'a', 'b', 3",
    ],
    "XA in one phase, compressed": [
        "SET binlog_transaction_compression = ON",
        "XA START 'a'",
        "INSERT INTO items VALUES (1, 'source', 1), (2, 'x', 2)",
        "XA END 'a'",
        "XA COMMIT 'a' ONE PHASE",
    ],
}


@pytest.mark.parametrize("case", CASES)
def test_a_conflict_in_it_is_resolved(pair: Lab, case: str) -> None:
    """The rehearsal takes the events as they were unpacked, the replica then applies its own."""
    stage(pair, [ITEMS], ["INSERT INTO shop.items VALUES (1, 'local', 0)"], [], CASES[case])
    resolved(pair)
    with pair.replica.session() as replica:
        assert replica.rows("SELECT id, name FROM shop.items WHERE id = 1") == [("1", "source")]


XA = "'a', 'b', 3"


def test_an_xa_transaction_has_its_rows_where_it_is_prepared(pair: Lab, session: Session) -> None:
    part = ["XA START " + XA, "INSERT INTO items VALUES (1, 'x', 1)", "XA END " + XA, "XA PREPARE " + XA]
    prepared = only(pair, write(session, *part))
    assert [change.after for change in prepared.changes] == [(1, "x", 1)]
    assert any("only prepares the XA transaction X'61',X'62',3" in note for note in prepared.notes)
    for end in ("XA COMMIT " + XA, "XA ROLLBACK " + XA):
        with pytest.raises(Unreadable, match=rf"has no rows: it ends an XA transaction.*{end[:8]}.*X'61',X'62',3"):
            only(pair, write(session, end))
        for statement in part if "COMMIT" in end else ():
            session.execute(statement.replace("1, 'x'", "2, 'x'"))
    whole = only(pair, write(session, *(s.replace("1, 'x'", "3, 'x'") for s in part[:-1]), f"XA COMMIT {XA} ONE PHASE"))
    assert [change.after for change in whole.changes] == [(3, "x", 1)]
    assert not any("XA" in note for note in whole.notes)


def test_a_transaction_beyond_the_limits_is_refused_by_the_limit(pair: Lab, session: Session) -> None:
    gtid = write(session, "INSERT INTO items VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)")
    large = write(
        session, "BEGIN", *(f"INSERT INTO items VALUES ({n}, REPEAT('x', 40), 4)" for n in range(10, 30)), "COMMIT"
    )
    packed = write(
        session, "SET binlog_transaction_compression = ON", "BEGIN",
        *(f"INSERT INTO items VALUES ({n}, REPEAT('x', 40), 4)" for n in range(30, 50)), "COMMIT",
    )  # fmt: skip
    deletions = [f"DELETE /* {'x' * 500} */ FROM items WHERE id = {n}" for n in (1, 2, 3)]
    queries = write(session, "SET binlog_rows_query_log_events = ON", "BEGIN", *deletions, "COMMIT")
    assert len(reader(pair.source).transaction(queries).queries) == 3
    for transaction, limits, told in (
        (gtid, Limits(rows=2), "has 3 rows or more: replfix reads transactions of up to 2 rows"),
        (gtid, Limits(values=8), "has 9 values or more: replfix reads transactions of up to 8 values"),
        (gtid, Limits(bytes=60), "more than 60 bytes in one event"),
        (large, Limits(bytes=1000), r"has \d,\d+ bytes of events or more: .* up to 1,000 bytes"),
        (packed, Limits(bytes=1000), r"has \d,\d+ bytes of events or more: .* up to 1,000 bytes"),
        (queries, Limits(bytes=2000), r"has \d,\d+ bytes of events or more: .* up to 2,000 bytes"),
    ):
        small = reader(pair.source)
        small.endpoint = replace(small.endpoint, limits=limits)
        with pytest.raises(Unreadable, match=told):
            small.transaction(transaction)
