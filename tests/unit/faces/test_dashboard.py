"""What a line of the dashboard says of a channel, and what it says it does not know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.mariadb_gtid import MariadbGtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState
from replfix.core.replication.source_gap import SourceGap, backlog_of
from replfix.errors import ConnectError
from replfix.present import dashboard
from replfix.present.dashboard import Age
from replfix.workflow.watch.read_source_gap import read_source_gaps
from tests.unit.fakes import FakeReplica, FakeServer, Rows, World
from tests.unit.making import REPLICA, SOURCE, channel, row_message, status

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FAILED = {"applier_errno": 1062, "applier_message": row_message(1062, "Write_rows", "a.b", "Duplicate entry", "")}
MISSING = GtidSet.parse(f"{SOURCE}:6-10")
STRAYS = GtidSet.parse(f"{REPLICA}:1-3")
NONE = GtidSet()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119.9, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172_800, "2 d"), (9e6, "104 d")],
)
def test_a_time_in_few_cells(seconds: float, words: str) -> None:
    assert dashboard.brief_time(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "at_least", "in_line", "in_full"),
    [
        (5, True, "", "≥ 5 s"),
        (5, False, "< 2 min", "5 s"),
        (300, True, "≥ 5 min", "≥ 5 min"),
        (300, False, "5 min", "5 min"),
    ],
)
def test_an_age_that_began_before_the_first_look_is_at_least_that(
    seconds: int, at_least: bool, in_line: str, in_full: str
) -> None:
    age = Age.of(NOW - timedelta(seconds=seconds), NOW, at_least=at_least)
    assert (dashboard.age_of(age), str(age)) == (in_line, in_full)


@pytest.mark.parametrize(
    ("of", "symbols"),
    [
        (channel(applier_running=True), "✔ ✔"),
        (channel(), "✔ ■"),
        (channel(**FAILED), "✔ ✗"),
        (channel(receiver=ReceiverState.CONNECTING, receiver_errno=2003, applier_running=True), "✗ ✔"),
        (channel(receiver=ReceiverState.CONNECTING, applier_running=True), "… ✔"),
        (channel(receiver=ReceiverState.STOPPED), "■ ■"),
    ],
)
def test_the_threads(of: ChannelStatus, symbols: str) -> None:
    assert dashboard.threads_of(of) == symbols


def test_what_keeps_clients_from_writing_and_the_version() -> None:
    of = status(channel())
    assert dashboard.read_only_of(of) == "super"
    assert dashboard.read_only_of(replace(of, super_read_only=False)) == "on"
    assert dashboard.read_only_of(replace(of, super_read_only=False, read_only=False)) == "off"
    assert dashboard.version_of(replace(of, version="8.4.2-log")) == "8.4.2"
    assert dashboard.version_of(replace(of, version="11.8.3-MariaDB-ubu2404")) == "11.8.3 MariaDB"


@pytest.mark.parametrize(
    ("gap", "backlog", "errant"),
    [
        (None, "", ""),
        (SourceGap(None, None, "refused"), "?", "?"),
        (SourceGap(NONE, OnlyHere(NONE)), "0", "0"),
        (SourceGap(MISSING, OnlyHere(STRAYS)), "5", "! 3"),
        (SourceGap(MISSING, OnlyHere(NONE, undecided=STRAYS)), "5", "0 ?"),
        (SourceGap(MariadbGtidSet.parse("0-1-5"), OnlyHere(MariadbGtidSet())), "~5", "0"),
    ],
)
def test_what_is_unknown_is_no_number(gap: SourceGap | None, backlog: str, errant: str) -> None:
    assert (dashboard.backlog_of(gap), dashboard.errant_of(gap)) == (backlog, errant)


def test_without_gtids_nothing_is_counted() -> None:
    assert dashboard.waiting_of(status(channel()), channel()) == "1"
    assert dashboard.waiting_of(status(channel(), gtid_mode="OFF"), channel()) == ""


def test_what_the_receiver_filters_out_is_no_backlog() -> None:
    of = status(channel(ignored_domains=("7",)), executed="")
    of = replace(of, executed=MariadbGtidSet.parse("0-1-5"))
    assert str(backlog_of(of, of.channels[0], MariadbGtidSet.parse("0-1-9,7-1-3"))) == str(
        MariadbGtidSet.parse("0-1-9") - MariadbGtidSet.parse("0-1-5")
    )


def test_the_details_have_everything_in_full() -> None:
    message = "Duplicate entry " + "x" * 500
    of = channel(applier_errno=1062, applier_message=message, lag_seconds=None)
    gap = SourceGap(MISSING, OnlyHere(STRAYS, undecided=MISSING), "A source is gone.")
    text = dashboard.details_text(dashboard.details("db2:3306", status(of), of, Age(5, True), gap, "rehearsed"))
    for words in (message, str(MISSING), str(STRAYS), "A source is gone.", "db2:3306", "≥ 5 s", "rehearsed", SOURCE):
        assert words in text


# --- asking the sources ---


def replica_of(*channels: ChannelStatus, **over: str) -> FakeReplica:
    replica = FakeReplica(World(), "replica", REPLICA, Rows({}, {}), source_with(""))
    replica.status = lambda: status(*channels, executed=f"{SOURCE}:1-5,{REPLICA}:1", **over)  # type: ignore[method-assign]
    return replica


def source_with(gtids: str) -> FakeServer:
    source = FakeServer(World(), "source", SOURCE, Rows({}, {}))
    source.gtids = GtidSet.parse(gtids)
    return source


def test_backlog_and_errant_transactions_of_a_channel() -> None:
    gaps = read_source_gaps(replica_of(channel()), lambda _: source_with(f"{SOURCE}:1-9"))
    assert str(gaps[""].backlog) == f"{SOURCE}:6-9"
    assert gaps[""].only_here is not None
    assert str(gaps[""].only_here.errant) == f"{REPLICA}:1"


def test_a_source_that_cannot_be_asked_leaves_its_channel_unknown() -> None:
    def source_of(of: ChannelStatus) -> FakeServer:
        if of.name == "eu":
            raise ConnectError("The source: refused.")
        return source_with(f"{SOURCE}:1-5,{REPLICA}:1")

    gaps = read_source_gaps(replica_of(channel(), channel(name="eu")), source_of)
    assert gaps["eu"] == SourceGap(None, None, "The source: refused.")
    assert not gaps[""].backlog


def test_without_gtids_no_source_is_asked() -> None:
    def source_of(_: ChannelStatus) -> FakeServer:
        raise AssertionError

    assert read_source_gaps(replica_of(channel(), gtid_mode="OFF"), source_of) == {}
