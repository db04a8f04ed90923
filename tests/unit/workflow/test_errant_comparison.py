"""Rows of errant transactions while both servers are written to, and the options that follow from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unittest import mock

import pytest

from replfix.core.binlog.row_event import RowChange
from replfix.core.remedies.errant_examination import Examination
from replfix.core.remedies.errant_rows import Verdict
from replfix.core.remedies.remedy import LeadsTo, Loss
from replfix.core.replication.gtid import GtidSet
from replfix.core.schema.table import ForeignKey, TableName
from replfix.errors import UsageError
from replfix.workflow.investigate.errant.examine_errant import examine_errant
from tests.unit.fakes import FakeClock, FakeReplica, FakeServer, Rows, World
from tests.unit.making import ORDERS, REPLICA, SOURCE, deleted, inserted, transaction, updated

ONE, TWO, OTHER = (1, "a", None), (2, "b", None), (1, "other", None)
MINE = f"{REPLICA}:1"


class Pair:
    """A source with rows, and a replica with rows and transactions of its own."""

    def __init__(self, source: tuple[object, ...] = (), replica: tuple[object, ...] = ()) -> None:
        self.world = World()
        rows: list[Rows] = [Rows.of(ORDERS).holding(ORDERS, *held) for held in (source, replica)]  # type: ignore[arg-type]
        self.source = FakeServer(self.world, "source", SOURCE, rows[0])
        self.replica = FakeReplica(self.world, "replica", REPLICA, rows[1], self.source)
        self.source.gtids = GtidSet.parse(f"{SOURCE}:1-5")
        self.replica.gtids = self.source.gtids | GtidSet.parse(MINE)

    def wrote(self, *changes: RowChange) -> Pair:
        self.replica.log[MINE] = replace(transaction(changes), gtid=MINE)
        return self

    def backlog(self, *changes: RowChange) -> Pair:
        gtid = f"{SOURCE}:6"
        self.source.log[gtid] = replace(transaction(changes), gtid=gtid)
        self.source.gtids = GtidSet.parse(f"{SOURCE}:1-6")
        self.replica.applier_running = False
        return self

    def examined(self) -> Examination:
        return examine_errant(self.replica, lambda _: self.source, None, FakeClock(), lambda _: None)


def verdicts(found: Examination) -> list[Verdict]:
    return [row.verdict for row in found.compared.rows]


@pytest.mark.parametrize(
    ("source", "replica", "change", "verdict"),
    [
        ((), (ONE,), inserted(ORDERS, *ONE), Verdict.DIFFERENT),
        ((ONE,), (ONE,), inserted(ORDERS, *ONE), Verdict.EQUAL),
        ((ONE,), (OTHER,), updated(ORDERS, ONE, OTHER), Verdict.DIFFERENT),
        ((ONE,), (), deleted(ORDERS, *ONE), Verdict.DIFFERENT),
        ((), (), deleted(ORDERS, *ONE), Verdict.EQUAL),
    ],
)
def test_the_rows_of_now_count_not_those_of_the_events(
    source: tuple[object, ...], replica: tuple[object, ...], change: RowChange, verdict: Verdict
) -> None:
    found = Pair(source, replica).wrote(change).examined()
    assert verdicts(found) == [verdict]
    names = [option.name for option in found.options]
    assert names == (
        ["empty-transactions", "leave"]
        if verdict is Verdict.EQUAL
        else ["revert", "keep", "empty-transactions", "rebuild", "leave"]
    )


def test_what_each_option_does_loses_and_leads_to() -> None:
    found = Pair((ONE,), (OTHER, TWO)).wrote(updated(ORDERS, ONE, OTHER), inserted(ORDERS, *TWO)).examined()
    revert, then, keep, empty, _, leave = found.advice
    assert revert.sql[0] == "SET SESSION sql_log_bin = 0"
    assert "DELETE FROM `shop`.`orders` WHERE `id` = 2" in revert.sql
    assert revert.loses == (Loss(2, "row", "shop.orders"),)
    assert (revert.leads_to, then.leads_to, keep.leads_to) == (LeadsTo.NEXT_STEP, LeadsTo.SETTLED, LeadsTo.SETTLED)
    at = keep.sql.index(f"SET SESSION gtid_next = '{MINE}'")
    assert (keep.sql[at + 1], keep.sql[-2:]) == ("BEGIN", ("COMMIT", "SET SESSION gtid_next = 'AUTOMATIC'"))
    assert keep.loses == (Loss(1, "row", "shop.orders"),)
    assert not any("sql_log_bin" in statement for statement in keep.sql), "it has to reach every other replica"
    assert (empty.loses, empty.leads_to, leave.leads_to) == ((), LeadsTo.NOT_ERRANT, LeadsTo.NOTHING_CHANGED)


def test_a_row_that_the_backlog_changes_is_left_out_and_others_are_not() -> None:
    pair = Pair((), (ONE, TWO)).wrote(inserted(ORDERS, *ONE), inserted(ORDERS, *TWO))
    found = pair.backlog(inserted(ORDERS, *OTHER)).examined()
    assert verdicts(found) == [Verdict.UNDETERMINED, Verdict.DIFFERENT]
    assert "1 row that the backlog can change" in found.advice[0].text
    assert not any("`id` = 1" in statement for remedy in found.advice for statement in remedy.sql)
    assert found.advice[1].leads_to is LeadsTo.NOT_ERRANT
    assert not found.looked_at_everything


def test_a_row_that_changes_while_it_is_read_is_read_again() -> None:
    pair = Pair((ONE,), (OTHER,)).wrote(updated(ORDERS, ONE, OTHER))
    pair.world.after["source.executed"] = _once(lambda: pair.source.rows.update(ORDERS.name, ONE, (1, "x", None)))
    assert verdicts(pair.examined()) == [Verdict.DIFFERENT]
    pair = Pair((ONE,), (OTHER,)).wrote(updated(ORDERS, ONE, OTHER))
    counted = iter(range(100))
    pair.world.after["source.executed"] = lambda: pair.source.rows.update(
        ORDERS.name, pair.source.rows.held[ORDERS.name][0], (1, f"x{next(counted)}", None)
    )
    (row,) = pair.examined().compared.rows
    assert (row.verdict, row.why) == (Verdict.UNDETERMINED, "It is being written to on the source.")


def _once(happens: Callable[[], object]) -> Callable[[], object]:
    left = [happens]
    return lambda: left.pop()() if left else None


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        (lambda pair: pair.source.rows.insert(ORDERS.name, (9, "a", None)), "has the number of a row"),
        (lambda pair: pair.source.rows.tables.pop(ORDERS.name), "has no such table"),
        (lambda pair: setattr(pair.source, "blind", ("SELECT",)), "account lacks SELECT"),
    ],
)
def test_no_statements_where_they_would_not_hold(stage: Callable[[Pair], object], reason: str) -> None:
    pair = Pair((), (ONE,)).wrote(inserted(ORDERS, *ONE))
    stage(pair)
    keep = next(option for option in pair.examined().options if option.name == "keep").first
    assert keep.sql == ()
    assert reason in keep.text


def test_a_table_that_only_the_replica_has_keeps_other_rows_from_nothing() -> None:
    own = replace(ORDERS, name=TableName("shop", "own"))
    pair = Pair((), (ONE,)).wrote(inserted(ORDERS, *ONE), inserted(own, *TWO))
    pair.replica.log[MINE] = replace(
        pair.replica.log[MINE], column_names={t.name: tuple(c.name for c in t.columns) for t in (ORDERS, own)}
    )
    pair.replica.rows.tables[own.name] = own
    pair.replica.rows.held[own.name] = [TWO]
    found = pair.examined()
    revert = found.advice[0]
    assert "Rows of shop.own are not dealt with" in revert.text
    assert [s for s in revert.sql if s.startswith("DELETE")] == ["DELETE FROM `shop`.`orders` WHERE `id` = 1"]


def test_what_is_not_compared_keeps_it_from_being_settled() -> None:
    bare = replace(ORDERS, name=TableName("shop", "bare"), unique_keys=())
    pair = Pair((), (ONE,)).wrote(inserted(ORDERS, *ONE), inserted(bare, *TWO))
    pair.replica.log[MINE] = replace(
        pair.replica.log[MINE], column_names={t.name: tuple(c.name for c in t.columns) for t in (ORDERS, bare)}
    )
    pair.replica.rows.tables[bare.name] = bare
    pair.replica.rows.held[bare.name] = [TWO]
    found = pair.examined()
    assert "rows of shop.bare" in found.advice[0].text
    assert LeadsTo.SETTLED not in {remedy.leads_to for remedy in found.advice}


def test_a_cascade_of_the_transactions_own_is_no_row_of_the_binlog() -> None:
    key = ForeignKey("c_p", TableName("shop", "items"), ("order_id",), ORDERS.name, ("id",), "RESTRICT", "CASCADE")
    pair = Pair((ONE,), ()).wrote(deleted(ORDERS, *ONE))
    pair.replica.rows.tables[ORDERS.name] = replace(ORDERS, referenced_by=(key,))
    found = pair.examined()
    assert found.compared.by_cascade == (TableName("shop", "items"),)
    assert "rows of shop.items that foreign keys changed" in found.advice[0].text
    assert not found.looked_at_everything


def test_a_cascade_keeps_a_parent_from_being_deleted() -> None:
    key = ForeignKey("c_p", TableName("shop", "items"), ("order_id",), ORDERS.name, ("id",), "RESTRICT", "CASCADE")
    pair = Pair((), (ONE,)).wrote(inserted(ORDERS, *ONE))
    pair.replica.rows.tables[ORDERS.name] = replace(ORDERS, referenced_by=(key,))
    revert = pair.examined().advice[0]
    assert revert.sql == ()
    assert "ON DELETE CASCADE" in revert.text


def test_none() -> None:
    pair = Pair()
    pair.replica.gtids = pair.source.gtids
    found = pair.examined()
    assert found.errant is not None
    assert (found.errant.gtids, found.options, found.complete) == (GtidSet(), (), True)


def test_a_channel_that_is_not_there() -> None:
    pair = Pair()
    with pytest.raises(UsageError, match="no channel 'nope'"):
        examine_errant(pair.replica, lambda _: pair.source, "nope", FakeClock(), lambda _: None)


def test_without_gtids_nobody_knows() -> None:
    pair = Pair()
    at = replace(pair.replica.status(), gtid_mode="OFF")
    with mock.patch.object(pair.replica, "status", return_value=at):
        found = pair.examined()
    assert (found.errant, found.complete, found.looked_at_everything) == (None, False, False)
