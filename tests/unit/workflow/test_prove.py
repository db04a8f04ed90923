"""A backlog that the replica rehearses: what fails is what it rejects, and nothing is left of it, wherever it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from replfix.core.binlog.row_event import PassedOver, RawEvents, RowChange, Transaction
from replfix.core.conflicts.ahead.forecast import Effect, Forecast
from replfix.core.conflicts.ahead.met import conflicts_met
from replfix.core.conflicts.reconcile import Conflict, ConflictKind, reconcile
from replfix.core.replication.applier_error import ApplierError, parse
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import ForeignKey, Table
from replfix.core.words import Advance
from replfix.errors import Busy, NotDone, Refused, Stale
from replfix.workflow.forecast.batches import ROWS, TRANSACTIONS, in_batches
from replfix.workflow.forecast.forecast_backlog import Bounds
from replfix.workflow.forecast.prove import PROVE, prove
from replfix.workflow.operation import Operation
from tests.unit.fakes import FakeClock, FakeReplica, FakeServer, FakeTrail, Rows, World
from tests.unit.making import (
    ORDERS,
    REPLICA,
    SOURCE,
    WHEN,
    answered,
    column,
    deleted,
    inserted,
    key,
    table,
    transaction,
    updated,
)

NOTES = table("shop.notes", [column("id"), column("text", "varchar")], [key("PRIMARY", "id")])
LOGS = table("shop.logs", [column("id")], [key("PRIMARY", "id")], engine="MyISAM", transactional=False)
ITEMS_KEY = ForeignKey("items_order", table("shop.items", [], []).name, ("order_id",), ORDERS.name, ("id",), "", "")
ITEMS = table(
    "shop.items", [column("id"), column("order_id")], [key("PRIMARY", "id")], foreign_keys=(ITEMS_KEY,)
)  # fmt: skip


class Scene:
    """A replica whose applier was stopped by hand, and transactions of one or several rows that it has not applied."""

    def __init__(
        self,
        *backlog: Sequence[RowChange],
        tables: tuple[Table, ...] = (ORDERS, NOTES),
        here: Sequence[tuple[Table, RowImage]] = (),
        there: Sequence[tuple[Table, RowImage]] = (),
        both: Sequence[tuple[Table, RowImage]] = (),
    ) -> None:
        self.world = World()
        self.source = FakeServer(self.world, "source", SOURCE, Rows.of(*tables))
        self.replica = FakeReplica(self.world, "replica", REPLICA, Rows.of(*tables), self.source)
        self.replica.applier_running = False
        self.trail = FakeTrail(self.world)
        self.clock = FakeClock()
        self.said: list[str | Advance] = []
        for of, row in (*both, *there):
            self.source.rows.insert(of.name, row)
        for of, row in (*both, *here):
            self.replica.rows.insert(of.name, row)
        named = {of.name: of for of in tables}
        for number, changes in enumerate(backlog, 1):
            written = tuple(named[name] for name in dict.fromkeys(change.table for change in changes))
            self.source.write(transaction(changes, written, gtid=f"{SOURCE}:{number}"))
        self.replica.relay = list(self.source.log.values())
        self.at_first = self.replica.rows.contents

    def prove(self, bounds: Bounds = PROVE, channel: str | None = None) -> Forecast:
        operation = Operation("db2", self.replica, lambda _: self.source, self.trail, self.clock, self.said.append)
        return prove(operation, channel, bounds)

    @property
    def batches(self) -> list[int]:
        """How many transactions each statement had, those of the repairs left out."""
        steps = self.world.steps
        own = [n for n, step in enumerate(steps) if step == "repair in rehearsal"]
        return [int(s.split()[1]) for n, s in enumerate(steps) if s.startswith("run ") and n - 1 not in own]

    def assert_untouched(self) -> None:
        assert self.replica.rows.contents == self.at_first
        assert self.replica.super_read_only
        assert not self.replica.held
        assert self.trail.open_settings() == []


def told(found: Forecast) -> list[tuple[str, int | None, str]]:
    return [(str(a.transaction)[-2:], a.errno, a.conflict.table.name) for a in found.conflicts]


def filler(first: int, last: int) -> list[list[RowChange]]:
    return [[inserted(ORDERS, n, str(n), None)] for n in range(first, last + 1)]


def test_every_conflict_of_a_backlog_in_order() -> None:
    scene = Scene(
        *filler(101, 130),
        [inserted(ORDERS, 1, "A", None)],  # 31: its key is taken
        *filler(131, 160),
        [updated(ORDERS, (2, "B", None), (2, "B2", None))],  # 62: missing
        [deleted(ORDERS, 3, "C", None)],  # 63: there
        [inserted(ORDERS, 4, "D", None)],  # 64: its number is taken
        here=[(ORDERS, (1, "local", None)), (ORDERS, (99, "D", None))],
        there=[(ORDERS, (2, "B", None))],
        both=[(ORDERS, (3, "C", None))],
    )
    found = scene.prove()
    assert told(found) == [("31", 1062, "orders"), ("62", 1032, "orders"), ("64", 1062, "orders")]
    assert [a.conflict.keys for a in found.conflicts] == [("PRIMARY",), ("PRIMARY",), ("number",)]
    assert all(a.proven and a.effect is Effect.STOPS and a.committed_at == WHEN for a in found.conflicts)
    assert found.conflicts[0].conflict.replica_row == (1, "local", None)
    assert (found.scanned.transactions, found.scanned.rows, found.scanned.complete) == (64, 64, True)
    assert set(found.tables) == {ORDERS.name}
    scene.assert_untouched()
    assert scene.batches[0] == TRANSACTIONS
    assert max(scene.batches) == TRANSACTIONS
    assert isinstance(scene.said[-1], Advance)


def test_nothing_waits() -> None:
    scene = Scene()
    found = scene.prove()
    assert (found.conflicts, found.scanned.transactions, found.scanned.complete) == ((), 0, True)
    assert "writable" not in scene.world.steps  # no setting is changed for nothing
    scene = Scene(*filler(1, 120))
    found = scene.prove()
    assert (found.conflicts, found.scanned.transactions, found.scanned.complete) == ((), 120, True)
    assert scene.batches == [50, 50, 20]
    scene.assert_untouched()


def test_what_an_earlier_transaction_of_the_backlog_frees_or_takes_is_known() -> None:
    scene = Scene(
        [updated(ORDERS, (5, "E", None), (6, "E", None))],
        [inserted(ORDERS, 5, "F", None)],  # free by then
        [inserted(ORDERS, 7, "G", None)],  # taken here: the row goes
        [updated(ORDERS, (7, "G", None), (8, "G", None))],
        here=[(ORDERS, (7, "local", None))],
        both=[(ORDERS, (5, "E", None))],
    )
    assert told(scene.prove()) == [(":3", 1062, "orders")]


def test_a_repair_that_a_human_has_to_make_leaves_its_tables_open_and_no_others() -> None:
    scene = Scene(
        [inserted(ORDERS, 1, "A", None)],
        [inserted(NOTES, 1, "n")],
        [inserted(ORDERS, 2, "B", None)],  # may depend on the first
        [inserted(NOTES, 2, "m"), inserted(ORDERS, 3, "C", None)],  # and so notes do as well
        [inserted(NOTES, 3, "o")],
        here=[(ORDERS, (1, "local", None)), (NOTES, (1, "local")), (NOTES, (3, "local"))],
    )
    scene.replica.blind = ("TRIGGER",)
    found = scene.prove()
    assert told(found) == [(":1", 1062, "orders"), (":2", 1062, "notes")]
    assert [(u.table, str(u.since)[-2:]) for u in found.scanned.unscanned] == [(ORDERS.name, ":1"), (NOTES.name, ":2")]
    assert "needs a human: The account lacks TRIGGER" in found.scanned.unscanned[0].why
    assert found.scanned.transactions == 0  # the two that fail are left out, and all that can depend on them
    scene.assert_untouched()


def test_what_foreign_keys_join_is_left_open_together() -> None:
    orders = replace(ORDERS, transactional=False, referenced_by=(ITEMS_KEY,))
    scene = Scene(
        [inserted(NOTES, 1, "n")],
        [inserted(orders, 1, "A", None)],
        [inserted(ITEMS, 1, 1)],
        [inserted(NOTES, 2, "n")],
        tables=(orders, NOTES, ITEMS),
        here=[(NOTES, (2, "local"))],
    )
    found = scene.prove()
    assert told(found) == [(":4", 1062, "notes")]
    assert {u.table for u in found.scanned.unscanned} == {ORDERS.name, ITEMS.name}
    assert {str(u.since) for u in found.scanned.unscanned} == {f"{SOURCE}:2"}
    assert found.scanned.transactions == 2


def test_a_table_that_cannot_be_rolled_back_is_never_touched() -> None:
    scene = Scene(
        [inserted(NOTES, 1, "n")], [inserted(LOGS, 1), inserted(NOTES, 2, "n")], [inserted(LOGS, 2)], tables=(LOGS, NOTES)
    )  # fmt: skip
    found = scene.prove()
    assert scene.batches == [1]
    assert [(u.table, "MyISAM" in u.why) for u in found.scanned.unscanned] == [(NOTES.name, True), (LOGS.name, True)]
    scene.assert_untouched()


def test_a_table_that_the_replica_lacks() -> None:
    scene = Scene([inserted(LOGS, 1)], [inserted(NOTES, 1, "n")], tables=(LOGS, NOTES), here=[(NOTES, (1, "local"))])
    del scene.replica.rows.tables[LOGS.name]
    found = scene.prove()
    assert told(found) == [(":2", 1062, "notes")]
    assert [(u.table, u.why) for u in found.scanned.unscanned] == [(LOGS.name, "The replica has no table shop.logs.")]


def passed_over(number: int) -> PassedOver:
    why = "It was logged as a statement."
    return PassedOver(f"{SOURCE}:{number}", "binlog.000001", 400, WHEN, 1, 17, "ALTER TABLE …", why)


ENDS: dict[str, tuple[object, Bounds, str]] = {
    "a statement": (passed_over(3), PROVE, "logged as a statement"),
    "XA": (replace(transaction((), gtid=f"{SOURCE}:3"), prepared=True, xa_id="X'01'"), PROVE, "XA transaction X'01'"),
    "rows": (None, Bounds(2, None, 1 << 30), "2 rows at the most"),
    "memory": (None, Bounds(None, None, 7_000), "0 MiB of memory"),
    "another form": (
        replace(transaction((), gtid=f"{SOURCE}:3"), raw=RawEvents(b"another", ())),
        PROVE,
        "another form",
    ),
}


@pytest.mark.parametrize("case", ENDS)
def test_where_it_ends_is_named(case: str) -> None:
    third, bounds, why = ENDS[case]
    scene = Scene(
        *filler(1, 2), [inserted(ORDERS, 3, "3", None)], [inserted(ORDERS, 4, "4", None)], here=[(ORDERS, (2, "local", None))]
    )  # fmt: skip
    if third is not None:
        scene.source.log[f"{SOURCE}:3"] = third  # type: ignore[assignment]
    found = scene.prove(bounds)
    (end,) = found.scanned.unscanned
    assert (str(end.since), why in end.why, end.table) == (f"{SOURCE}:3", True, None), end
    assert told(found) == [(":2", 1062, "orders")]
    assert found.scanned.transactions == 2
    scene.assert_untouched()


def test_time_ends_it_between_two_batches() -> None:
    scene = Scene(*filler(1, 120))
    scene.world.after["run 50"] = lambda: scene.clock.sleep(40)
    found = scene.prove(Bounds(None, 60.0, 1 << 30))
    (end,) = found.scanned.unscanned
    assert (found.scanned.transactions, str(end.since)) == (100, f"{SOURCE}:101")
    assert "--max-seconds" in end.why
    scene.assert_untouched()


@pytest.mark.parametrize("at", ["run 50", "repair in rehearsal"])
def test_locks_of_others_end_it_with_what_was_found(at: str) -> None:
    scene = Scene(
        [inserted(ORDERS, 1, "A", None)], *filler(101, 170), here=[(ORDERS, (1, "local", None))]
    )  # fmt: skip
    if at == "run 50":  # the first fails, and is repaired
        scene.world.after["repair in rehearsal"] = lambda: scene.world.before.update({"run 16": Busy("Locked.")})
    else:
        scene.world.before[at] = Busy("Locked.")
    found = scene.prove()
    assert told(found) == [(":1", 1062, "orders")]
    (end,) = found.scanned.unscanned
    assert end.why == "Locked."
    assert str(end.since) == (f"{SOURCE}:1" if at != "run 50" else f"{SOURCE}:17")
    scene.assert_untouched()


def test_an_interrupt_anywhere_leaves_the_replica_as_it_was() -> None:
    number, after, ended = 0, False, False
    while not ended:
        scene = Scene(*filler(1, 6), here=[(ORDERS, (3, "local", None))])
        scene.world.interrupt_at = (number, after)
        try:
            scene.prove()
            ended = True
        except KeyboardInterrupt:
            step = scene.world.steps[number]
        assert scene.replica.rows.contents == scene.at_first, step
        assert not scene.replica.held, step
        # Where putting it back is what was interrupted, the record is open, and the next command does it.
        assert scene.replica.super_read_only or (step == "put back" and scene.trail.open_settings()), step
        number, after = number + after, not after
    assert number > 20


def test_refused_before_anything_is_tried() -> None:
    scene = Scene(*filler(1, 2))
    scene.replica.applier_running = True
    with pytest.raises(NotDone, match="The applier of the channel runs"):
        scene.prove()
    scene.replica.applier_running = False
    scene.replica.variables = lambda names: {"replica_exec_mode": "IDEMPOTENT"}  # type: ignore[method-assign]
    with pytest.raises(Refused, match="replica_exec_mode is IDEMPOTENT"):
        scene.prove()
    scene.replica.variables = lambda names: {"replica_skip_errors": "1062"}  # type: ignore[method-assign]
    with pytest.raises(Refused, match="replica_skip_errors is 1062"):
        scene.prove()
    scene.assert_untouched()
    assert "writable" not in scene.world.steps


def test_a_channel_that_went_on_meanwhile() -> None:
    scene = Scene(*filler(1, 2))
    scene.world.after["put back"] = lambda: setattr(scene.replica, "applier_running", True)
    with pytest.raises(Stale, match="went on while its backlog was rehearsed"):
        scene.prove()


# --- batches alone ---


def one_row(number: int, rows: int = 1) -> Transaction:
    return replace(
        transaction((), gtid=f"{SOURCE}:{number + 1}"), changes=(inserted(ORDERS, number, None, None),) * rows
    )


CASES: dict[str, tuple[int, frozenset[int], int, int]] = {
    # transactions, those that fail, statements at the most, executed in them all together at the most
    "none": (200, frozenset(), 4, 200),
    "the first": (50, frozenset({0}), 14, 200),
    "the last": (50, frozenset({49}), 14, 220),
    "one in the middle": (200, frozenset({77}), 18, 400),
    "two together": (100, frozenset({40, 41}), 20, 330),
    "every tenth": (100, frozenset(range(0, 100, 10)), 75, 400),
    "all": (30, frozenset(range(30)), 35, 90),
}


@pytest.mark.parametrize("case", CASES)
def test_a_failing_batch_is_divided_down_to_the_transaction(case: str) -> None:
    number, failing, statements, executed = CASES[case]
    done: list[int] = []
    runs: list[int] = []
    transactions = [one_row(n) for n in range(number)]
    place = {id(each): n for n, each in enumerate(transactions)}

    def run(batch: Sequence[Transaction]) -> ApplierError | None:
        runs.append(len(batch))
        places = [place[id(each)] for each in batch]
        if failing & set(places):
            return ApplierError(1062, "Duplicate entry")
        done.extend(places)
        return None

    def failed(at: int, error: ApplierError) -> bool:
        assert at in failing
        done.append(at)
        return True

    at = in_batches(
        transactions, run, takes=lambda _: True, left_out=done.append, failed=failed, goes_on=lambda _: True
    )
    assert at == number
    assert done == list(range(number))  # each once, in order
    assert len(runs) <= statements, runs
    assert sum(runs) <= executed, runs


def test_large_transactions_are_not_put_together() -> None:
    transactions = [one_row(0, ROWS + 1), one_row(1, ROWS - 1), one_row(2), one_row(3), one_row(4, ROWS)]
    runs: list[int] = []
    in_batches(
        transactions,
        lambda batch: runs.append(len(batch)),
        takes=lambda _: True,
        left_out=lambda _: None,
        failed=lambda *_: True,
        goes_on=lambda _: True,
    )
    assert runs == [1, 2, 1, 1]


def test_what_is_not_taken_ends_a_batch_before_it_is_left_out() -> None:
    seen: list[object] = []
    transactions = [one_row(n) for n in range(6)]
    in_batches(
        transactions,
        lambda batch: seen.append(len(batch)),
        takes=lambda each: each is not transactions[2],
        left_out=lambda place: seen.append(f"without {place}"),
        failed=lambda *_: True,
        goes_on=lambda _: True,
    )
    assert seen == [2, "without 2", 3]


# --- which conflicts an error is about ---


def ahead_of(
    changes: Sequence[RowChange], held: Sequence[RowImage], errno: int, text: str
) -> list[tuple[int | None, bool | None, ConflictKind, int]]:
    tables = {ORDERS.name: ORDERS}
    rows = Rows.of(ORDERS).holding(ORDERS, *held)
    found = reconcile(tuple(changes), tables, answered(changes, tables, rows)).conflicts
    met = conflicts_met(transaction(changes), found, parse(errno, text), tables)
    return [(a.errno, a.proven, a.conflict.kind, a.conflict.change) for a in met]


DUPLICATE, MISSING = ConflictKind.DUPLICATE, ConflictKind.MISSING


def test_proven_is_what_the_error_is_about() -> None:
    two = [inserted(ORDERS, 1, "A", None), inserted(ORDERS, 2, "B", None)]
    held = [(1, "x", None), (9, "B", None)]
    by_primary = ahead_of(two, held, 1062, "Duplicate entry '1' for key 'orders.PRIMARY'")
    assert by_primary == [(1062, True, DUPLICATE, 0), (1062, None, DUPLICATE, 1)]
    by_number = ahead_of(two, held, 1062, "Duplicate entry 'B' for key 'number'")
    assert by_number == [(1062, None, DUPLICATE, 0), (1062, True, DUPLICATE, 1)]
    missing = ahead_of([deleted(ORDERS, 1, "A", None), *two[1:]], held[1:], 1032, "Can't find record in 'orders'")
    assert missing == [(1032, True, MISSING, 0), (1062, None, DUPLICATE, 1)]


def test_rows_that_are_only_overwritten_stop_nobody() -> None:
    changes = [updated(ORDERS, (1, "A", None), (1, "B", None)), inserted(ORDERS, 2, "C", None)]
    found = ahead_of(
        changes, [(1, "other", None), (2, "x", None)], 1062, "Duplicate entry '2' for key 'orders.PRIMARY'"
    )
    assert found == [(1062, True, DUPLICATE, 1)]
    found = ahead_of(changes[:1], [(1, "other", None)], 3648, "could not apply JSON diff")
    assert found == [(3648, True, ConflictKind.DIFFERENT, 0)]


def test_an_error_that_no_compared_row_explains() -> None:
    one = [inserted(ORDERS, 1, "A", None)]
    assert ahead_of(one, [], 1062, "Duplicate entry 'A' for key 'orders.number'") == [(1062, True, DUPLICATE, 0)]
    assert ahead_of(one, [], 1032, "Can't find record in 'orders'") == []  # an insert looks for none
    assert ahead_of(one, [], 3819, "Check constraint 'c' is violated.") == []
    tables = {ORDERS.name: ORDERS}
    changes = [deleted(ORDERS, 1, "A", None), deleted(ORDERS, 2, "B", None)]
    met = conflicts_met(transaction(changes), (), parse(1032, "Can't find record in 'orders'"), tables)
    assert [(a.conflict.expected, a.conflict.change) for a in met] == [(None, 0)]  # which of them is not known


@pytest.mark.parametrize(
    ("errno", "kind", "key_name", "proven"),
    [
        (1452, ConflictKind.MISSING, "items_order", True),
        (1452, ConflictKind.MISSING, "another", None),
        (1452, ConflictKind.EXTRA, "items_order", None),
        (1451, ConflictKind.EXTRA, "items_order", True),
    ],
)
def test_errors_of_foreign_keys(errno: int, kind: ConflictKind, key_name: str, proven: bool | None) -> None:
    text = "a foreign key constraint fails (`shop`.`items`, CONSTRAINT `items_order` FOREIGN KEY (`order_id`) …)"
    conflict = Conflict(kind, 0, ORDERS.name, ("PRIMARY",), ("id",), None, None, None, (), foreign_key=key_name)
    met = conflicts_met(transaction(()), (conflict,), parse(errno, text), {ORDERS.name: ORDERS})
    assert [a.proven for a in met] == [proven]
