"""What workers committed ahead, as 9.7.4 has it in mysql.slave_worker_info."""

from __future__ import annotations

from replfix.core.replication.transaction_id import LogPosition, TransactionId
from replfix.core.replication.worker_gaps import WorkerProgress, left_open

FILE = "binlog.000001"
ENDS = (819, 1094, 1369, 1644, 1919, 2194, 2469, 2744, 3019, 3294)
TRANSACTIONS = [TransactionId(None, FILE, start, end) for start, end in zip((544, *ENDS), ENDS, strict=False)]


def worker(committed_to: int, bitmap: str, checkpoint: int = 544) -> WorkerProgress:
    return WorkerProgress(LogPosition(FILE, committed_to), LogPosition(FILE, checkpoint), bytes.fromhex(bitmap))


def test_a_recorded_gap() -> None:
    """Ten transactions from 544 on; those from 1094 and from 1369 failed."""
    workers = (worker(3019, "A301"), worker(3294, "5002"))
    assert left_open(workers, TRANSACTIONS) == (TRANSACTIONS[2], TRANSACTIONS[3])


def test_each_worker_counts_from_its_own_checkpoint() -> None:
    workers = (worker(1094, "03"), worker(2194, "05", checkpoint=1369))
    assert [TRANSACTIONS.index(t) for t in left_open(workers, TRANSACTIONS) or ()] == [2, 4, 6, 7, 8, 9]


def test_bits_without_a_transaction_mean_that_it_is_another_log() -> None:
    assert left_open((worker(3294, "0004"),), TRANSACTIONS) is None
