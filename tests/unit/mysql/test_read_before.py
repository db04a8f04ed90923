"""What a binlog gave is not read again in a look, while it still means the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import pytest

from replfix.core.binlog.row_event import Transaction
from replfix.core.replication.gtid import GtidSet
from replfix.core.schema.table import Column, TableName
from replfix.mysql.binlog import BinlogReader
from replfix.mysql.read.read_before import ROWS_KEPT, ReadBefore, RecordedColumns
from replfix.one_look import one_look
from tests.unit.making import ORDERS, SOURCE, inserted, transaction


@dataclass
class _Log:
    """A log of three transactions, and how often it was read."""

    rows: int = 1
    executed: GtidSet = field(default_factory=lambda: GtidSet.parse(f"{SOURCE}:1-3"))
    columns: tuple[Column, ...] = ORDERS.columns
    readings: int = 0

    def __post_init__(self) -> None:
        recorded = RecordedColumns(self.columns_of)
        self._recorded = recorded
        self.before = ReadBefore(cast("BinlogReader", self), lambda: self.executed, [recorded])

    def columns_of(self, _: TableName) -> tuple[Column, ...]:
        return self.columns

    def _read(self, gtids: GtidSet) -> Iterator[Transaction]:
        self.readings += 1
        self._recorded(ORDERS.name)
        for number in (1, 2, 3):
            if f"{SOURCE}:{number}" in gtids:
                yield transaction([inserted(ORDERS, number, "a", "1.00")] * self.rows, gtid=f"{SOURCE}:{number}")

    def transaction(self, gtid: str, _: object = None) -> Transaction:
        return next(self._read(GtidSet.single(gtid)))

    def transactions(self, gtids: GtidSet, limit: int) -> Iterator[Transaction]:
        return (one for _, one in zip(range(limit), self._read(gtids), strict=False))

    readable = _read


def _numbers(log: _Log, numbers: str, limit: int = 10) -> list[str | None]:
    return [one.gtid for one in log.before.transactions(GtidSet.parse(f"{SOURCE}:{numbers}"), limit)]


def _all(log: _Log) -> None:
    assert _numbers(log, "1-3") == [f"{SOURCE}:{number}" for number in (1, 2, 3)]


def test_the_same_and_less_are_read_once() -> None:
    """By each of the three ways to ask, in the log's order."""
    log = _Log()
    with one_look():
        _all(log)
        _all(log)
        assert _numbers(log, "2") == [f"{SOURCE}:2"]
        assert [one.gtid for one in log.before.readable(GtidSet.parse(f"{SOURCE}:2-3"))] == [
            f"{SOURCE}:2",
            f"{SOURCE}:3",
        ]
        assert log.before.transaction(f"{SOURCE}:3").gtid == f"{SOURCE}:3"
    assert log.readings == 1


def test_nothing_is_not_asked_for() -> None:
    """An empty backlog takes no connection."""
    log = _Log()
    with one_look():
        assert not list(log.before.transactions(GtidSet(), 10))
        assert not list(log.before.readable(GtidSet()))
    assert log.readings == 0


@pytest.mark.parametrize("meanwhile", ["altered", "reset", "outside of a look"])
def test_read_again_when_it_may_mean_something_else(meanwhile: str) -> None:
    """Names and types come from definitions; after a RESET the same number can be another transaction."""
    log = _Log()
    with one_look():
        _all(log)
    if meanwhile == "altered":
        log.columns = log.columns[:2]
    if meanwhile == "reset":
        log.executed = GtidSet.parse(f"{SOURCE}:1")
    if meanwhile == "outside of a look":
        _all(log)
    else:
        with one_look():
            _all(log)
    assert log.readings == 2


@pytest.mark.parametrize("how", ["in part", "up to a limit", "too many rows"])
def test_what_was_not_read_whole_or_is_large_is_read_again(how: str) -> None:
    """A reading that ended early is no proof that there is no more."""
    log = _Log(rows=ROWS_KEPT if how == "too many rows" else 1)
    with one_look():
        if how == "in part":
            next(log.before.transactions(GtidSet.parse(f"{SOURCE}:1-3"), 10))
        else:
            _numbers(log, "1-3", limit=3 if how == "up to a limit" else 10)
        _all(log)
    assert log.readings == 2
