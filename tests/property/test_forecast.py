"""The forecast against an independent judge: the backlog run on tables in memory, mended where it stops, and run on.

A source makes random valid transactions; a replica with other rows has them as its backlog. The judge knows nothing of
look-ups: it has the source's tables as they were before each transaction, and mends the replica with them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from hypothesis import event, given
from hypothesis import strategies as st

from replfix.core.binlog.row_event import ChangeKind, RowChange, Transaction
from replfix.core.conflicts.ahead.forecast import Effect, Forecast
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import Table, TableName
from replfix.workflow.forecast.forecast_backlog import Bounds, forecast
from tests.examples import times
from tests.property.test_reconcile import TABLES, run
from tests.unit.fakes import FakeReplica, FakeServer, RowError, Rows, World
from tests.unit.making import REPLICA, SOURCE, transaction

Stop = tuple[str | None, int]  # GTID and error


@dataclass
class Case:
    backlog: list[Transaction]
    before: list[Rows]  # the source's rows before each of them
    replica: Rows


def case_of(seed: int) -> Case:
    rng = random.Random(seed)
    source = Rows.of(*TABLES)
    run(source, [_write(rng, ChangeKind.INSERT) for _ in range(rng.randint(2, 9))])
    replica = source.copy()
    run(replica, [_write(rng) for _ in range(rng.randint(2, 12))])
    backlog, before = list[Transaction](), list[Rows]()
    for number in range(1, rng.randint(1, 8) + 1):
        was = source.copy()
        if changes := run(source, [_write(rng) for _ in range(rng.randint(1, 4))]):
            before.append(was)
            backlog.append(transaction(changes, TABLES, f"{SOURCE}:{number}"))
    return Case(backlog, before, replica)


def _write(rng: random.Random, kind: ChangeKind | None = None) -> RowChange:
    of, kind = rng.choice(TABLES), kind or rng.choice(list(ChangeKind))
    before = _row(rng, of) if kind is not ChangeKind.INSERT else None
    after = _row(rng, of) if kind is not ChangeKind.DELETE else None
    if before is not None and after is not None:  # most updates change some columns only
        after = tuple(NOT_LOGGED if rng.random() < 0.5 else value for value in after)
    return RowChange(of.name, kind, before, after, 0)


def _row(rng: random.Random, of: Table) -> RowImage:
    return tuple(None if c.nullable and rng.random() < 0.3 else rng.randint(0, 4) for c in of.columns)


SEEDS = st.integers(0, 1 << 32)


class Clock:
    def now(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError


UNBOUND = Bounds(None, None, 1 << 30)


def foretold(case: Case, bounds: Bounds = UNBOUND, *, values: bool = False) -> Forecast:
    world = World()
    source = FakeServer(world, "source", SOURCE, Rows.of(*TABLES))
    replica = FakeReplica(world, "replica", REPLICA, case.replica.copy(), source)
    replica.applier_running = False
    source.log = {str(one.gtid): one for one in case.backlog}
    source.gtids = GtidSet.exactly(source.log)
    return forecast(replica, lambda _: source, None, Clock(), bounds, lambda _: None, values=values)


def stops_of(case: Case) -> list[Stop]:
    """Where an applier stops that is mended each time, and by which error."""
    rows, found = case.replica.copy(), list[Stop]()
    for one, source in zip(case.backlog, case.before, strict=True):
        trial = rows.copy()
        try:
            for change in one.changes:
                trial.apply(change)
        except RowError as error:
            found.append((one.gtid, error.errno))
            mend(rows, source, one)
            trial = rows.copy()
            for change in one.changes:
                trial.apply(change)
        rows = trial
    return found


def mend(rows: Rows, source: Rows, one: Transaction) -> None:
    """Give every row that the transaction touches, or that is in the way of such a row, the source's state."""
    for name, table in rows.tables.items():
        images = [image for c in one.changes if c.table == name for image in (c.before, c.left) if image is not None]
        if table.identity is None:
            own = [c.before for c in one.changes if c.table == name and c.before is not None]
            for image in own:
                lacking = source.held[name].count(image) - rows.held[name].count(image)
                rows.held[name] += [image] * lacking
        waiting, done = list(images), list[RowImage]()
        while waiting:
            image = waiting.pop()
            if image in done:
                continue
            done.append(image)
            strangers = [row for row in rows.held[name] if row not in source.held[name]]
            for row in [row for row in strangers if _meet(rows, name, row, image)]:
                rows.held[name].remove(row)
                waiting.append(row)
            theirs = [row for row in source.held[name] if _same_name(rows, name, row, image)]
            waiting += [row for row in theirs if row not in done]
            for row in theirs:
                if row not in rows.held[name]:
                    rows.held[name].append(row)


def _meet(rows: Rows, name: TableName, one: RowImage, other: RowImage) -> bool:
    table = rows.tables[name]
    return any(
        (values := rows._of_key(table, key, one)) is not None and values == rows._of_key(table, key, other)
        for key in table.unique_keys
    )


def _same_name(rows: Rows, name: TableName, one: RowImage, other: RowImage) -> bool:
    table = rows.tables[name]
    if table.identity is None:
        return one == other
    return rows._of_key(table, table.identity, one) == rows._of_key(table, table.identity, other)


@times(4)
@given(SEEDS)
def test_each_stop_is_foretold_and_each_foretold_one_happens(seed: int) -> None:
    case = case_of(seed)
    found = foretold(case)
    stops = stops_of(case)
    event(f"stops: {min(len(stops), 3)}")
    assert found.scanned.complete
    assert found.scanned.rows == sum(len(one.changes) for one in case.backlog)
    assert list(dict.fromkeys(one.transaction.gtid for one in found.stops)) == [gtid for gtid, _ in stops]
    errors = {(one.transaction.gtid, one.errno) for one in found.stops}
    assert all(stop in errors for stop in stops)


@times(0.3)
@given(SEEDS)
def test_what_a_limit_cuts_off_is_named_and_the_rest_is_the_same(seed: int) -> None:
    case = case_of(seed)
    whole = foretold(case)
    for most in range(whole.scanned.rows):
        cut = foretold(case, Bounds(most, None, 1 << 30))
        assert not cut.scanned.complete
        assert cut.conflicts == whole.conflicts[: len(cut.conflicts)]
        assert all(one.effect is Effect.STOPS for one in cut.conflicts)
