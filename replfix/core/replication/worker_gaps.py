"""What workers have committed ahead of the failing transaction, on replicas without GTIDs.

Source: the table in which the server keeps its workers' progress (9.7.4; ``mysql/connection/terms.py`` names it). Each
worker keeps a checkpoint in the source's binlog and a bitmap: bit *n*, the lowest of the first byte first, is the
*n*-th transaction after that checkpoint, set when this worker committed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from replfix.core.replication.transaction_id import LogPosition, TransactionId


@dataclass(frozen=True, slots=True)
class WorkerProgress:
    """The progress of one worker, as the server stores it."""

    committed_to: LogPosition  # the end of the last transaction that it committed
    checkpoint: LogPosition
    bitmap: bytes

    @property
    def committed(self) -> tuple[int, ...]:
        """The numbers of its transactions after the checkpoint, from 0."""
        bits = int.from_bytes(self.bitmap, "little")
        return tuple(number for number in range(bits.bit_length()) if bits >> number & 1)


def left_open(
    workers: Iterable[WorkerProgress], transactions: Sequence[TransactionId]
) -> tuple[TransactionId, ...] | None:
    """Return the source's transactions between the first checkpoint and the last commit that no worker committed.

    None when the bitmaps have transactions that are not among these.
    """
    committed: set[int] = set()
    for worker in workers:
        behind = [number for number, each in enumerate(transactions) if worker.checkpoint <= each.start]
        for number in worker.committed:
            if number >= len(behind):
                return None
            committed.add(behind[number])
    return tuple(each for number, each in enumerate(transactions) if number not in committed)
