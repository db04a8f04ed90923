"""Transactions without GTIDs, found by what an applier's error says: a file and the end of one event."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from replfix.core.replication.transaction_id import LogPosition
from replfix.errors import ReplicationError, Unreadable
from replfix.lab.flavours import speaking
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.integration.binlog.test_binlog_reader import connect, reader

OFF = ("ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF")
ON = ("OFF_PERMISSIVE", "ON_PERMISSIVE", "ON")


@pytest.fixture
def session(pair: Lab) -> Iterator[Session]:
    """The source without GTIDs, in a log of its own; the replica does not listen."""
    with pair.replica.session() as replica, connect(pair.source) as source:
        source.execute("CREATE TABLE items (id INT PRIMARY KEY, name VARCHAR(20))")
        pair.wait_until_applied()
        replica.execute("STOP REPLICA")
        try:
            for mode in OFF:
                source.execute(f"SET GLOBAL gtid_mode = {mode}")
            source.execute("FLUSH BINARY LOGS")
            yield source
        finally:
            for mode in ON:
                source.execute(f"SET GLOBAL gtid_mode = {mode}")
            speaking(source).forget(source)
            speaking(replica).forget(replica)
            replica.execute("RESET REPLICA")
            replica.execute("START REPLICA")


def here(session: Session) -> LogPosition:
    return speaking(session).log_end(session)


def several(session: Session) -> list[LogPosition]:
    """Three transactions of two rows events each; where each begins, and the end."""
    found = [here(session)]
    for number in range(3):
        for statement in (
            "BEGIN",
            f"INSERT INTO items VALUES ({number}, 'a')",
            f"UPDATE items SET name = 'b' WHERE id = {number}",
            "COMMIT",
        ):
            session.execute(statement)
        found.append(here(session))
    return found


def test_a_transaction_is_found_by_the_end_of_any_of_its_events(pair: Lab, session: Session) -> None:
    starts = several(session)
    events = session.rows(f"SHOW BINLOG EVENTS IN '{starts[0].log_file}' FROM {starts[0].pos}")
    for number, (start, end) in enumerate(itertools.pairwise(starts)):
        ends = [int(event[4]) for event in events if start.pos < int(event[4]) <= end.pos]
        assert len(ends) == 7
        for low in (starts[0], start):
            for pos in ends:
                found = reader(pair.source).transaction_at(low, pos, start.log_file)
                assert (found.gtid, found.id.start, found.id.end) == (None, start, end)
                assert not any("names no" in note for note in found.notes)
                assert [change.after for change in found.changes] == [(number, "a"), (number, "b")]


def test_a_position_that_no_event_of_the_log_ends_at(pair: Lab, session: Session) -> None:
    starts = several(session)
    for low, pos, file in (
        (starts[0], starts[1].pos + 1, starts[0].log_file),
        (starts[2], starts[1].pos, starts[0].log_file),  # behind it
    ):
        with pytest.raises(ReplicationError, match=rf"an event that ends at {file}:{pos} \(read from {low} on\)"):
            reader(pair.source).transaction_at(low, pos, file)
    with pytest.raises(ReplicationError, match="has purged the binary log that is needed"):
        reader(pair.source).transaction_at(starts[0], 500, "binlog.999999")


def test_a_transaction_behind_a_rotation(pair: Lab, session: Session) -> None:
    low = several(session)[0]
    session.execute("FLUSH BINARY LOGS")
    start, end = several_more(session)
    assert start.log_file != low.log_file
    assert reader(pair.source).transaction_at(low, end.pos, start.log_file).id.start == start
    unnamed = reader(pair.source).transaction_at(low, end.pos)
    assert unnamed.id.start == start
    assert "names no binary log file" in unnamed.notes[-1]


def several_more(session: Session) -> tuple[LogPosition, LogPosition]:
    """A transaction that ends where none of the log before does."""
    session.execute(f"INSERT INTO items VALUES (100, '{'x' * 20}')")
    start = here(session)
    session.execute(f"INSERT INTO items VALUES (101, '{'x' * 19}')")
    return start, here(session)


def test_a_backlog_without_gtids(pair: Lab, session: Session) -> None:
    starts = several(session)
    session.execute("FLUSH BINARY LOGS")
    session.execute("INSERT INTO items VALUES (9, 'new file')")
    found = list(reader(pair.source).transactions_from(starts[1], 100))
    assert [len(transaction.changes) for transaction in found] == [2, 2, 1]
    assert [transaction.id.start for transaction in found[:2]] == starts[1:3]
    assert len(list(reader(pair.source).transactions_from(starts[1], 1))) == 1
    assert list(reader(pair.source).transactions_from(here(session), 5)) == []


def test_a_compressed_one(pair: Lab, session: Session) -> None:
    session.execute("SET binlog_transaction_compression = ON")
    starts = several(session)
    found = reader(pair.source).transaction_at(starts[0], starts[2].pos, starts[0].log_file)
    assert (found.id.start, [change.after for change in found.changes]) == (starts[1], [(1, "a"), (1, "b")])


def test_reading_from_the_middle_of_a_transaction_is_an_error(pair: Lab, session: Session) -> None:
    starts = several(session)
    begin = int(session.rows(f"SHOW BINLOG EVENTS IN '{starts[0].log_file}' FROM {starts[0].pos} LIMIT 1")[0][4])
    middle = LogPosition(starts[0].log_file, begin)
    with pytest.raises(Unreadable, match=f"{middle} is not the start of a transaction"):
        list(reader(pair.source).transactions_from(middle, 5))
    with pytest.raises(ReplicationError, match="cannot send its binary log"):
        list(reader(pair.source).transactions_from(LogPosition(starts[0].log_file, begin + 3), 5))
