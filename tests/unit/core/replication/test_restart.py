"""The table of which threads are started: every situation has one answer, and none costs a relay log."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from replfix.core.replication.mariadb_gtid import MariadbGtidSet
from replfix.core.replication.replica_status import ReceiverState, RelayLog
from replfix.core.replication.start_threads import (
    TABLE,
    Act,
    Received,
    Receiver,
    Situation,
    Source,
    in_words,
    receiver_of,
    situation,
    waits_for_nothing,
)
from replfix.core.replication.transaction_id import LogPosition, TransactionId
from tests.places import DOCS
from tests.unit.making import channel

PAGE = DOCS / "reference" / "restart.md"

ALL = [
    Situation(*each, wanted="0-1-5", said="It has purged 0-1-5.")
    for each in product(RelayLog, Receiver, Received, Source, (False, True))
]
DELETED = [at for at in ALL if at.relay_log is not RelayLog.KEPT]


def test_the_page_shows_the_table() -> None:
    heading, *rows = (f"| {' | '.join(each)} |" for each in in_words())
    shown = "\n".join((heading, "|" + "---|" * len(in_words()[0]), *rows))
    assert shown in PAGE.read_text(encoding="utf-8"), shown


def test_every_row_is_the_answer_to_something() -> None:
    acts = {at.act for at in ALL}
    assert acts == set(Act)
    for n, row in enumerate(TABLE):
        shorter = TABLE[:n]
        assert row not in shorter


def test_a_relay_log_that_may_be_the_only_copy_is_never_given_away() -> None:
    """Where a START deletes it, the source was asked and has all of it."""
    for at in DELETED:
        down = at.receiver in (Receiver.STOPPED, Receiver.FAILED)
        if (down or at.relay_log is RelayLog.REPLACED) and at.act is not Act.NONE:
            assert at.source is Source.HOLDS, at
            assert at.act is Act.FETCH_AGAIN, at
        assert at.act is not Act.APPLIER, f"a receiver that stops at this moment takes the relay log with it: {at}"


def test_no_applier_is_left_waiting() -> None:
    for at in ALL:
        if at.received is Received.IN_PART and at.act in (Act.APPLIER, Act.CHANNEL):
            assert at.receiver is Receiver.RUNNING, at


def test_a_refusal_says_why_and_nothing_else_does() -> None:
    for at in ALL:
        assert bool(at.refusal) == (at.act is Act.NONE), at
        assert bool(at.warning) == (at.act in (Act.RECEIVER_FIRST, Act.FETCH_AGAIN)), at
        assert (at.receiver_first is not None) == bool(at.warning), at
        if at.refusal:
            assert "It has purged 0-1-5." in at.refusal, at


def test_what_is_written_on_the_source_needs_a_receiver() -> None:
    stopped = channel(receiver=ReceiverState.STOPPED)
    at = situation(stopped, None, until=True, source=(Source.HOLDS, ""), from_source=True)
    assert at.act is Act.RECEIVER_FIRST
    assert "what is written on the source has to come to this replica" in at.warning
    at = replace(at, source=Source.LACKS, said="")
    assert at.refusal == "The receiver is stopped: what is written on the source would not come to this replica."


@pytest.mark.parametrize(
    ("state", "errno", "receiver"),
    [
        (ReceiverState.RUNNING, 0, Receiver.RUNNING),
        (ReceiverState.CONNECTING, 0, Receiver.RUNNING),
        (ReceiverState.CONNECTING, 2003, Receiver.CONNECTING),
        (ReceiverState.STOPPED, 0, Receiver.STOPPED),
        (ReceiverState.STOPPED, 1236, Receiver.FAILED),
    ],
)
def test_how_a_receiver_is(state: ReceiverState, errno: int, receiver: Receiver) -> None:
    assert receiver_of(channel(receiver=state, receiver_errno=errno)) is receiver


AT = TransactionId("0-1-5", "binlog.000001", 400, 900)
MARIADB = channel(retrieved=MariadbGtidSet.parse("0-1-4"), received_to=LogPosition("binlog.000001", 700))


def test_whether_the_relay_log_has_all_of_a_transaction() -> None:
    assert MARIADB.holds_whole(AT) is False
    assert replace(MARIADB, retrieved=MariadbGtidSet.parse("0-1-5")).holds_whole(AT) is True
    assert replace(MARIADB, received_to=LogPosition("binlog.000001", 900)).holds_whole(AT) is True
    assert MARIADB.holds_whole(TransactionId("0-1-5", "", 0, 0)) is None
    unreceived = TransactionId("3e11fa47-71ca-11e1-9e33-c80aa9429562:9", "binlog.000001", 4, 9)
    assert channel().holds_whole(unreceived) is False


def test_an_applier_waits_for_nothing() -> None:
    waiting = replace(MARIADB, applier_running=True, all_read=True, receiver=ReceiverState.STOPPED)
    assert waits_for_nothing(waiting, AT)
    others: tuple[dict[str, Any], ...] = (
        {"applier_running": False},
        {"all_read": False},
        {"receiver": ReceiverState.RUNNING},
        {"received_to": LogPosition("binlog.000001", 900)},
    )
    for otherwise in others:
        assert not waits_for_nothing(replace(waiting, **otherwise), AT)
