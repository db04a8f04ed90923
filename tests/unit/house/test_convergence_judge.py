"""The judge of the convergence proof: that it sees what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replfix.core.replication.gtid import GtidSet
from tests.convergence.history import History, Told
from tests.convergence.judge import Judge, Recorded
from tests.convergence.kinds import NUMBERED
from tests.convergence.left_out import JudgeOfSkips, Skipped
from tests.convergence.rows import Held, Key, State, Touch
from tests.convergence.schema import Column, Reference, Table

UUID = "11111111-1111-1111-1111-111111111111"
TABLE = Table(
    "t", (Column("id", NUMBERED, False), Column("a", NUMBERED, True), Column("b", NUMBERED, True)), ("id",), True
)
ONE, TWO = f"{UUID}:1", f"{UUID}:2"


def key(number: int) -> Key:
    return "t", str(number)


def row(number: int, a: int, b: int) -> Held:
    return Held((str(number), str(a), str(b)), ())


def image(number: int, a: int, b: int) -> Recorded:
    return Recorded("t", {"id": number, "a": a, "b": b})


INSERTED = Touch(key(1), None, row(1, 1, 1))
CHANGED = Touch(key(1), row(1, 1, 1), row(1, 2, 1))
OTHER = Touch(key(2), None, row(2, 1, 1))


def history(*groups: tuple[Touch, ...], start: State | None = None) -> History:
    made = History(start or {})
    for number, touches in enumerate(groups, 1):
        gtid = f"{UUID}:{number}"
        made.add(gtid, GtidSet.parse(gtid), {}, touches)
    return made


def told(made: History, *left_out: str) -> Told:
    return made.as_applied(lambda _: True, left_out, ())


def wrong(source: Told, diverged: State, after: State, *, whole_rows: bool = True, repaired: bool = True) -> list[str]:
    return Judge((TABLE,), source, diverged, after, (), False, whole_rows=whole_rows, repaired=repaired).judge().wrong


def test_rows_of_a_transaction_that_was_left_out_are_missing_and_no_others() -> None:
    source = told(history((INSERTED,), (OTHER,)), ONE)
    assert wrong(source, {}, {key(2): row(2, 1, 1)}, repaired=False) == []
    assert len(wrong(source, {}, {}, repaired=False)) == 1, "row 2 was not left out"
    both = {key(1): row(1, 1, 1), key(2): row(2, 1, 1)}
    assert len(wrong(source, {}, both, repaired=False)) == 1, "row 1 was"
    assert wrong(source, {}, both) == [], "a later repair may put it back as the source had it"
    assert len(wrong(source, {}, {key(1): row(1, 9, 9), key(2): row(2, 1, 1)})) == 1, "the source never had it so"


def test_a_statement_that_changes_a_row_twice_writes_over_the_replicas() -> None:
    """INSERT … ON DUPLICATE KEY UPDATE of several rows can leave one as it was: logged, and nothing that a look at the source shows."""
    start, diverged = {key(1): row(1, 1, 1)}, {key(1): row(1, 7, 1)}
    made = History(start)
    made.add(ONE, GtidSet.parse(ONE), start, (), {"t"})
    assert wrong(told(made), diverged, start) == []
    (said,) = wrong(told(history((), start=start)), diverged, start)
    assert "is gone from the replica, and is not in the trail" in said, "no statement of the source wrote it"


def test_what_the_source_writes_later_of_such_a_row_counts() -> None:
    source = told(history((INSERTED,), (CHANGED,)), ONE)
    assert wrong(source, {}, {key(1): row(1, 2, 1)}, repaired=False) == []
    assert len(wrong(source, {key(1): row(1, 1, 7)}, {key(1): row(1, 1, 7)}, repaired=False)) == 1


def test_only_columns_that_no_event_holds_may_stay_as_they_diverged() -> None:
    start, diverged = {key(1): row(1, 1, 1)}, {key(1): row(1, 1, 7)}
    source = told(history((CHANGED,), start=start))
    assert wrong(source, diverged, {key(1): row(1, 2, 7)}, whole_rows=False) == []
    assert len(wrong(source, diverged, {key(1): row(1, 2, 7)})) == 1, "a whole row was logged"
    assert len(wrong(source, diverged, {key(1): row(1, 1, 1)}, whole_rows=False)) == 1, "what changed is logged"
    assert len(wrong(source, diverged, {key(1): row(1, 2, 8)}, whole_rows=False)) == 1, "neither side's"
    inserted = told(history((INSERTED,)))
    assert len(wrong(inserted, diverged, {key(1): row(1, 1, 7)}, whole_rows=False)) == 1, "an insert is whole"


def test_of_an_updated_key_columns_may_be_those_of_the_row_before() -> None:
    start, diverged = {key(1): row(1, 1, 1)}, {key(1): row(1, 1, 7)}
    source = told(history((Touch(key(1), row(1, 1, 1), None), Touch(key(2), None, row(2, 1, 1))), start=start))
    assert wrong(source, diverged, {key(2): row(2, 1, 7)}, whole_rows=False) == []
    assert len(wrong(source, diverged, {key(2): row(2, 1, 8)}, whole_rows=False)) == 1


SKIP = Skipped(ONE, (), (image(1, 1, 1),), "left out and verified")


@pytest.mark.parametrize(
    ("skips", "logged", "said"),
    [
        ((SKIP,), {ONE: False, TWO: True}, ""),
        ((SKIP,), {ONE: True, TWO: True}, "should be empty"),
        ((SKIP,), {TWO: True}, "not there"),
        ((SKIP,), {ONE: False, TWO: False}, "should be with rows"),
        ((SKIP, SKIP), {ONE: False, TWO: True}, "twice"),
        ((replace(SKIP, after=()),), {ONE: False, TWO: True}, "not in the trail"),
        ((replace(SKIP, after=(image(1, 1, 2),)),), {ONE: False, TWO: True}, "not in the trail"),
        ((replace(SKIP, outcome="unknown"),), {ONE: False, TWO: True}, "outcome"),
        ((SKIP, replace(SKIP, name=f"{UUID}:9")), {ONE: False, TWO: True}, "no transaction of the source"),
    ],
)
def test_one_empty_transaction_for_each_that_was_left_out_and_every_row_in_the_trail(
    skips: tuple[Skipped, ...], logged: dict[str, bool], said: str
) -> None:
    moments = history((INSERTED,), (OTHER,)).moments
    found = list(JudgeOfSkips((TABLE,), moments, {}, skips, {ONE, TWO}, logged, True, True).wrong())
    assert (len(found), said in "".join(found)) == (int(bool(said)), True), found


def test_mariadb_logs_nothing_of_a_transaction_that_finds_everything_done() -> None:
    moments = history((INSERTED,), (OTHER,)).moments
    for there, found in (({key(2): row(2, 1, 1)}, 0), ({key(2): row(2, 1, 7)}, 1), ({}, 1)):
        judge = JudgeOfSkips((TABLE,), moments, there, (SKIP,), {ONE, TWO}, {}, False, False)
        assert len(list(judge.wrong())) == found


def test_of_rows_that_only_their_values_name_the_number_counts() -> None:
    nameless = replace(TABLE, identity=())
    name = ("t", "['1', '1', '1']")
    one, three = row(1, 1, 1), replace(row(1, 1, 1), count=3)
    made = history((Touch(name, one, three),), (Touch(name, three, None),), start={name: one})
    source = made.as_applied(lambda _: True, {ONE}, {"t"})
    assert source.state == {}
    assert made.as_applied(lambda moment: moment.name == ONE, (), {"t"}).state == {name: three}
    found = JudgeOfSkips((nameless,), made.moments, {}, (SKIP,), {ONE, TWO}, None, True, True).wrong()
    assert list(found) == [], "two came, so none was taken"


PARENT = Table("p", (Column("id", NUMBERED, False),), ("id",), True)
CHILD = replace(
    TABLE,
    columns=(*TABLE.columns, Column("p", NUMBERED, True)),
    references=(Reference(("p",), "p", "SET NULL", "CASCADE"),),
)


@pytest.mark.parametrize(("a", "logged", "number"), [("1", False, 0), ("1", True, 1), ("2", False, 1)])
def test_a_row_that_only_a_cascade_changed_is_touched_where_that_is_logged(a: str, logged: bool, number: int) -> None:
    """MariaDB logs the parent's row alone: no applier, and nobody else, can know of the child that the replica lacks."""
    before, after = Held(("1", "1", "1", "5"), ("5",)), Held(("1", a, "1", None), (None,))
    parent = ("p", "5"), Held(("5",), ())
    made = history(
        (Touch(parent[0], parent[1], None), Touch(key(1), before, after)), start=dict([parent, (key(1), before)])
    )
    judge = Judge((CHILD, PARENT), told(made), dict([parent]), {}, (), False, cascades_logged=logged)
    assert len(judge.judge().wrong) == number


@pytest.mark.parametrize(
    ("theirs", "logged", "diverged", "number"),
    [("1", False, True, 0), ("1", True, True, 1), ("2", False, True, 1), ("1", False, False, 1)],
)
def test_a_row_that_a_cascade_of_the_source_named_anew_is_the_one_of_before(
    theirs: str, logged: bool, diverged: bool, number: int
) -> None:
    """Without a key: on the replica the row had diverged, and no event is about it."""
    nameless, parent = replace(CHILD, identity=()), (("p", "5"), Held(("5",), ()))
    before, after = Held(("1", "1", "1", "5"), ("5",)), Held(("1", theirs, "1", None), (None,))
    then, now = ("t", repr(before.values)), ("t", repr(after.values))
    ours = {} if diverged else {then: before}
    groups = Touch(parent[0], parent[1], None), Touch(then, before, None), Touch(now, None, after)
    made = history(groups, start=dict([parent, (then, before)]))
    judge = Judge((nameless, PARENT), told(made), dict([parent]) | ours, {}, (), False, cascades_logged=logged)
    assert len([said for said in judge.judge().wrong if "None)" in said]) == number


@pytest.mark.parametrize(
    ("type_", "rewrote", "number"), [("TEXT", {"t"}, 0), ("VARCHAR(9)", {"t"}, 2), ("TEXT", set(), 2)]
)
def test_a_text_that_one_event_changes_twice_is_the_appliers_doing(type_: str, rewrote: set[str], number: int) -> None:
    """Of tables without a key, on MySQL: 'X' where the source has 'x'."""
    nameless = Table("t", (Column("c", replace(NUMBERED, type=type_), True),), (), False)
    theirs, ours = Held(("78",), ()), Held(("58",), ())
    made = History({})
    made.add(ONE, GtidSet.parse(ONE), {}, (Touch(("t", "78"), None, theirs),), rewrote)
    source = made.as_applied(lambda _: True, (), {"t"})
    judged = Judge((nameless,), source, {}, {("t", "58"): ours}, (), False).judge()
    assert len(judged.wrong) == number
