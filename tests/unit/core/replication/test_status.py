"""Which of a channel's errors counts, and when a channel is well."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ReceiverState, WorkerError
from replfix.core.replication.transaction_id import LogPosition, TransactionId
from replfix.core.replication.worker_gaps import WorkerProgress
from tests.unit.making import GTID, SOURCE, channel, status


def worker(number: int, errno: int, position: int, file: str = "binlog.000001") -> WorkerError:
    gtid = f"{SOURCE}:{number}"
    text = f"Worker {number} failed executing transaction '{gtid}' at source log {file}, end_log_pos {position}; x"
    return WorkerError(number, errno, text, gtid)


def test_a_worker_says_more_than_its_coordinator() -> None:
    told = channel(
        applier_errno=1062, applier_message="Coordinator stopped because …", worker_errors=(worker(6, 1062, 9),)
    )
    assert told.failure is not None
    assert told.failure.gtid == GTID


def test_of_several_workers_the_earliest_in_the_log_counts() -> None:
    several = channel(
        worker_errors=(
            worker(9, 1032, 100, "binlog.000002"),
            worker(8, 1062, 900),
            worker(7, 1062, 200),
            worker(6, 1756, 4),
            worker(5, 3030, 4),
        )
    )
    assert several.failure is not None
    assert several.failure.gtid == f"{SOURCE}:7"


def test_workers_that_only_stopped_for_another_one_leave_the_word_to_the_coordinator() -> None:
    stopped = channel(
        applier_errno=1062, applier_message="told by the coordinator", worker_errors=(worker(6, 1756, 4),)
    )
    assert stopped.failure is not None
    assert stopped.failure.message == "told by the coordinator"


@pytest.mark.parametrize(
    ("errors", "running", "failed_at"),
    [
        ([(1062, 20), (1032, 10), (1756, 5)], False, 10),  # one that stopped for another does not count
        ([(1062, None), (1032, 10)], False, 10),
        ([(1062, None)], False, None),  # MariaDB
        ([(1062, 20)], True, None),  # of an earlier stop
        ([], False, None),
    ],
)
def test_when_the_applier_failed(errors: list[tuple[int, int | None]], running: bool, failed_at: int | None) -> None:
    failed = tuple(
        replace(worker(5, errno, 9), at=None if at is None else datetime.fromtimestamp(at, UTC)) for errno, at in errors
    )
    found = channel(worker_errors=failed, applier_running=running).failed_at
    assert found == (None if failed_at is None else datetime.fromtimestamp(failed_at, UTC))


def test_no_error_is_no_failure() -> None:
    assert channel().failure is None
    assert channel(applier_running=True, applier_errno=1062, applier_message="of an earlier stop").failure is None


@pytest.mark.parametrize(
    ("well", "over"),
    [
        (True, {"applier_running": True}),
        (True, {"applier_running": True, "receiver": ReceiverState.CONNECTING}),
        (False, {"applier_running": False}),
        (False, {"applier_running": True, "receiver": ReceiverState.STOPPED}),
        (False, {"applier_running": True, "receiver": ReceiverState.CONNECTING, "receiver_errno": 2003}),
    ],
)
def test_healthy(well: bool, over: dict[str, object]) -> None:
    assert channel(**over).healthy is well


def test_channels_by_name() -> None:
    both = status(channel(name="east"), channel(name=""))
    assert both.channel("") is both.channels[1]
    assert both.channel("east") is both.channels[0]
    assert both.channel("EAST") is None


@pytest.mark.parametrize(
    ("executed", "gtid", "waiting"),
    [
        ("1-5", f"{SOURCE}:6", ""),
        ("1-3", f"{SOURCE}:6", "4-5"),
        ("1-3:5", f"{SOURCE}:6", "4"),
        ("1-3", f"{SOURCE}:4", ""),
        ("2", f"{SOURCE}:1", ""),
        ("1-3", f"{SOURCE}:tag:6", ""),  # nothing under that tag was received
    ],
)
def test_what_waits_before_a_transaction(executed: str, gtid: str, waiting: str) -> None:
    on = channel(retrieved=GtidSet.parse(f"{SOURCE}:1-9"))
    found = status(on, executed=f"{SOURCE}:{executed}").waiting_before(on, TransactionId(gtid, "b.1", 4, 9))
    assert found == (f"{SOURCE}:{waiting}" if waiting else "")


FILE = "binlog.000001"


@pytest.mark.parametrize(
    ("at", "applied", "waiting"),
    [
        (LogPosition(FILE, 818), False, f"{FILE}:818 to 1094"),
        (LogPosition(FILE, 1094), False, ""),
        (LogPosition(FILE, 1370), True, ""),
        (LogPosition("binlog.000002", 4), True, ""),
        (None, False, ""),
    ],
)
def test_without_gtids_positions_tell(at: LogPosition | None, applied: bool, waiting: str) -> None:
    on = channel(applied_to=at)
    found = TransactionId(None, FILE, 1094, 1370)
    assert status(on).has_applied(on, found) is applied
    assert status(on).waiting_before(on, found) == waiting


@pytest.mark.parametrize(
    ("committed", "gtid", "behind"),
    [
        (LogPosition(FILE, 1920), None, LogPosition(FILE, 1920)),
        (LogPosition(FILE, 1370), None, None),
        (LogPosition(FILE, 1920), GTID, None),  # the GTID set says which
        (None, None, None),
    ],
)
def test_what_workers_committed_behind(
    committed: LogPosition | None, gtid: str | None, behind: LogPosition | None
) -> None:
    failing = TransactionId(gtid, FILE, 1094, 1370)
    at = LogPosition(FILE, 544)
    workers = (WorkerProgress(at, at, b""), *((WorkerProgress(committed, at, b"\1"),) if committed else ()))
    assert channel(workers=workers).committed_behind(failing) == behind


def test_caught_up_by_position() -> None:
    received = LogPosition("b.1000000", 158)
    assert not channel(received_to=received, applied_to=LogPosition("b.999999", 900)).caught_up
    assert channel(received_to=received, applied_to=received).caught_up
    assert not channel().caught_up


def test_log_files_count_up() -> None:
    assert LogPosition("b.999999", 900) < LogPosition("b.1000000", 4) <= LogPosition("b.1000000", 4)


@pytest.mark.parametrize(
    ("gtid", "error", "same"),
    [
        (GTID, {"gtid": GTID}, True),
        (GTID, {"log_file": FILE, "end_log_pos": 1339}, True),  # an applier without workers names no GTID
        (GTID, {"log_file": FILE, "end_log_pos": 1094}, False),
        (None, {"gtid": GTID, "log_file": FILE, "end_log_pos": 1339}, False),
        (None, {"log_file": FILE, "end_log_pos": 1339}, True),
        (None, {"log_file": FILE, "end_log_pos": 1370}, True),
        (None, {"log_file": FILE, "end_log_pos": 1094}, False),  # the end of the one before it
        (None, {"log_file": "binlog.000002", "end_log_pos": 1339}, False),
        (None, {"end_log_pos": 1339}, True),  # 9.7 leaves the name empty at times
        (None, {}, False),
    ],
)
def test_the_transaction_that_an_error_is_about(gtid: str | None, error: dict[str, Any], same: bool) -> None:
    assert TransactionId(gtid, FILE, 1094, 1370).failed_with(ApplierError(1062, "", **error)) is same
