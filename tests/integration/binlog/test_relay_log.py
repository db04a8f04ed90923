"""Transactions out of the relay logs of real replicas, with the source gone."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from replfix.core.binlog.row_event import Transaction
from replfix.errors import ReplicationError
from replfix.lab.lab_accounts import ADMIN, REPLFIX, Account
from replfix.lab.replicate import wait_until_received
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from replfix.mysql.server import MysqlServer
from tests.integration.binlog.test_binlog_reader import connect, reader, write


@pytest.fixture
def received(any_pair: Lab) -> Iterator[tuple[Lab, Session]]:
    """The replica receives and does not apply."""
    with connect(any_pair.source) as source, any_pair.replica.session() as replica:
        source.execute("CREATE TABLE items (id INT UNSIGNED PRIMARY KEY, name VARCHAR(20))")
        source.execute("CREATE TABLE large (id INT PRIMARY KEY, b LONGBLOB)")
        any_pair.wait_until_applied()
        replica.execute("STOP REPLICA SQL_THREAD")
        yield any_pair, source
        replica.execute("START REPLICA SQL_THREAD")


def relayed(
    lab: Lab, gtid: str | None, end_log_pos: int | None = None, account: Account = REPLFIX, channel: str = ""
) -> Transaction:
    return MysqlServer(lab.replica.endpoint(account)).relayed(channel, gtid, end_log_pos)


def several(lab: Lab, source: Session) -> list[str]:
    """Transactions in several logs of the source and in several files of the relay log, one with checksums of its own."""
    gtids = []
    with lab.replica.session() as on_replica:
        for number in range(5):
            source.execute("BEGIN")
            source.execute(f"INSERT INTO items VALUES ({number}, 'a')")
            source.execute(f"UPDATE items SET name = 'b' WHERE id = {number}")
            gtids.append(last(source))
            wait_until_received(lab.source, lab.replica)
            if number == 1:
                on_replica.execute("FLUSH RELAY LOGS")
            if number == 2:
                source.execute("SET GLOBAL binlog_checksum = NONE")
            if number == 3:
                source.execute("SET GLOBAL binlog_checksum = DEFAULT")
    return gtids


def last(source: Session) -> str:
    if source.is_mariadb:
        source.execute("COMMIT")
        return str(source.scalar("SELECT @@last_gtid"))
    return write(source, "COMMIT")


def test_every_transaction_is_as_the_source_has_it(received: tuple[Lab, Session]) -> None:
    lab, source = received
    gtids = several(lab, source)
    for number, gtid in enumerate(gtids):
        theirs = reader(lab.source).transaction(gtid)
        found = relayed(lab, gtid)
        assert [change.after for change in found.changes] == [(number, "a"), (number, "b")]
        assert found.changes == theirs.changes or number == 3  # the one without checksums has other sizes
        assert (found.gtid, found.log_file, found.end_pos) == (gtid, theirs.log_file, theirs.end_pos)
        assert "relay log" in found.notes[-1]
    first = reader(lab.source).transaction(gtids[0])
    for change in first.changes:
        assert relayed(lab, None, change.event_end_pos).gtid == gtids[0]


def test_what_the_relay_log_does_not_hold(received: tuple[Lab, Session]) -> None:
    lab, source = received
    gtids = several(lab, source)
    for gtid, pos in ((re.sub(r"\d+$", "99999", gtids[0]), None), (None, 5)):
        with pytest.raises(ReplicationError, match="does not have all of "):
            relayed(lab, gtid, pos)
    with pytest.raises(ReplicationError, match="has no channel 'nowhere'"):
        relayed(lab, gtids[0], channel="nowhere")


def test_a_replica_on_another_host(received: tuple[Lab, Session], monkeypatch: pytest.MonkeyPatch) -> None:
    """MariaDB sends files when nothing is said about it, MySQL does not; the account needs FILE, the files are for all."""
    lab, source = received
    gtids = several(lab, source)
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    if source.is_mariadb:
        with lab.replica.session() as on_replica:
            base = Path(str(on_replica.scalar("SELECT @@relay_log_basename")))
        for file in base.parent.glob(f"{base.name}.*"):
            file.chmod(0o664)
        for gtid in gtids:
            assert relayed(lab, gtid, account=ADMIN).gtid == gtid
        told = "replfix runs on elsewhere; the server does not send the file: the account has no FILE privilege"
    else:
        told = "replfix runs on elsewhere; secure_file_priv is NULL"
    with pytest.raises(ReplicationError, match=told):
        relayed(lab, gtids[0])


def test_a_transaction_that_was_received_in_two_pieces(received: tuple[Lab, Session]) -> None:
    """The receiver is stopped inside a transaction: it is cut short in one file and whole in the next."""
    lab, source = received
    with lab.replica.session() as on_replica:
        source.execute("BEGIN")
        for number in range(40):
            source.execute(f"INSERT INTO large VALUES ({number}, REPEAT('x', 1000000))")
        gtid = last(source)
        for _ in range(3):
            on_replica.execute("STOP REPLICA IO_THREAD")
            on_replica.execute("START REPLICA IO_THREAD")
            time.sleep(0.05)
        # After a stop in the middle the receiver of MariaDB 11.8 sometimes waits for what it has been sent already: for a heartbeat (30 s).
        for seconds in (*[5.0] * 3, 60.0):
            try:
                wait_until_received(lab.source, lab.replica, seconds)
                break
            except ReplicationError:
                if seconds == 60.0:
                    raise
                on_replica.execute("STOP REPLICA IO_THREAD")
                on_replica.execute("START REPLICA IO_THREAD")
    found = relayed(lab, gtid)
    assert len(found.changes) == 40
