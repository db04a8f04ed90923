"""One example for each thing that reconciliation has to know about transactions, keys and images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from replfix.core.binlog.repeated_deletes import DeletedAgain
from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.net_rows import net_rows
from replfix.core.conflicts.reconcile import (
    ConflictKind,
    Reconciliation,
    RowRepair,
    final_rows,
    held_after_repairs,
    not_as_final,
    questions,
    reconcile,
    spare_rows,
    walk,
)
from replfix.core.rows.lookup import Lookup
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import ForeignKey, KeyPart, Table, TableName, UniqueKey
from tests.unit.fakes import Rows
from tests.unit.making import answered, column, deleted, inserted, key, table, updated

T = table(
    "d.t",
    [column("id"), column("a", nullable=True), column("b", nullable=True), column("c", nullable=True)],
    [key("PRIMARY", "id"), key("a", "a"), key("bc", "b", "c")],
)
DUPLICATE, MISSING, DIFFERENT = ConflictKind.DUPLICATE, ConflictKind.MISSING, ConflictKind.DIFFERENT


def judge(changes: Sequence[RowChange], *held: RowImage, of: Table = T) -> Reconciliation:
    rows = Rows.of(of).holding(of, *held)
    answers = dict(answered(changes, {of.name: of}, rows))
    found = reconcile(tuple(changes), {of.name: of}, answers)
    if found.unasked:
        answers |= {lookup: rows.find(lookup) for lookup in found.unasked}
        found = reconcile(tuple(changes), {of.name: of}, answers)
    assert not found.unasked
    return found


def kinds(found: Reconciliation) -> list[tuple[ConflictKind, int, tuple[str, ...]]]:
    return [(c.kind, c.change, c.keys) for c in found.conflicts]


def repairs(found: Reconciliation) -> list[tuple[RowImage | None, RowImage | None]]:
    return [(r.current, r.target) for r in found.repairs]


def test_nothing_is_in_the_way() -> None:
    changes = (inserted(T, 1, 2, 3, 4), updated(T, (5, None, None, None), (5, 1, 1, 1)), deleted(T, 6, 0, 0, 0))
    assert judge(changes, (5, None, None, None), (6, 0, 0, 0)) == Reconciliation((), (), ())


def test_one_incoming_row_hits_two_rows() -> None:
    found = judge([inserted(T, 1, 2, 3, 4)], (1, 9, None, None), (7, 2, None, None))
    assert kinds(found) == [(DUPLICATE, 0, ("PRIMARY",)), (DUPLICATE, 0, ("a",))]
    assert [c.differences for c in found.conflicts] == [("a", "b", "c"), ("id", "b", "c")]
    assert repairs(found) == [((1, 9, None, None), None), ((7, 2, None, None), None)]


def test_one_row_is_hit_through_two_keys() -> None:
    found = judge([inserted(T, 1, 2, 3, 4)], (1, 2, 3, 4))
    assert kinds(found) == [(DUPLICATE, 0, ("PRIMARY", "a", "bc"))]
    assert found.conflicts[0].key_columns == ("id",)
    assert found.conflicts[0].differences == ()
    assert repairs(found) == [((1, 2, 3, 4), None)]


@pytest.mark.parametrize("incoming", [(1, None, 3, 4), (1, 2, None, 4), (1, 2, 3, None)])
def test_null_in_a_unique_key_never_collides(incoming: RowImage) -> None:
    found = judge([inserted(T, *incoming)], (8, None, 3, None), (9, None, None, 4))
    assert found == Reconciliation((), (), ())


def test_a_row_that_is_missing() -> None:
    found = judge([updated(T, (1, 2, 3, 4), (1, 2, 3, 5))])
    assert kinds(found) == [(MISSING, 0, ("PRIMARY",))]
    assert repairs(found) == [(None, (1, 2, 3, 4))]


def test_a_missing_row_whose_before_image_meets_another_row() -> None:
    found = judge([deleted(T, 1, 2, 3, 4)], (5, 2, None, None))
    assert kinds(found) == [(MISSING, 0, ("PRIMARY",)), (DUPLICATE, 0, ("a",))]
    assert repairs(found) == [((5, 2, None, None), None), (None, (1, 2, 3, 4))]


def test_a_row_that_differs() -> None:
    found = judge([updated(T, (1, 2, 3, 4), (1, 2, 3, 5))], (1, 2, 8, 4))
    assert kinds(found) == [(DIFFERENT, 0, ("PRIMARY",))]
    assert found.conflicts[0].differences == ("b", "c")  # from what the transaction makes of it
    assert repairs(found) == [((1, 2, 8, 4), (1, 2, 3, 4))]


def test_a_differing_row_whose_before_image_meets_another_row() -> None:
    found = judge([deleted(T, 1, 2, 3, 4)], (1, 9, 3, 4), (5, 2, None, None))
    assert kinds(found) == [(DIFFERENT, 0, ("PRIMARY",)), (DUPLICATE, 0, ("a",))]
    assert repairs(found) == [((1, 9, 3, 4), (1, 2, 3, 4)), ((5, 2, None, None), None)]


def test_an_update_whose_new_values_meet_another_row() -> None:
    found = judge([updated(T, (1, 2, None, None), (1, 3, None, None))], (1, 2, None, None), (9, 3, None, None))
    assert kinds(found) == [(DUPLICATE, 0, ("a",))]
    assert repairs(found) == [((9, 3, None, None), None)]


def test_both_images_of_a_change_meet_the_same_row() -> None:
    found = judge([updated(T, (1, 2, 3, 4), (1, 2, 5, 6))], (9, 2, 3, 4))
    assert kinds(found) == [(MISSING, 0, ("PRIMARY",)), (DUPLICATE, 0, ("a", "bc"))]


def test_delete_then_insert_of_the_same_key() -> None:
    changes = (deleted(T, 1, 2, 3, 4), inserted(T, 1, 2, 8, 8))
    assert judge(changes, (1, 2, 3, 4)).conflicts == ()
    different = judge(changes, (1, 2, 3, 9))
    assert kinds(different) == [(DIFFERENT, 0, ("PRIMARY",))]
    assert repairs(different) == [((1, 2, 3, 9), (1, 2, 3, 4))]


def test_unique_values_are_swapped_through_null() -> None:
    changes = (
        updated(T, (1, 10, None, None), (1, None, None, None)),
        updated(T, (2, 20, None, None), (2, 10, None, None)),
        updated(T, (1, None, None, None), (1, 20, None, None)),
    )
    assert judge(changes, (1, 10, None, None), (2, 20, None, None)).conflicts == ()
    found = judge(changes, (1, 20, None, None), (2, 10, None, None))  # the replica has them the other way round
    assert repairs(found) == [
        ((1, 20, None, None), (1, 10, None, None)),
        ((2, 10, None, None), (2, 20, None, None)),
    ]


def test_a_row_of_the_transaction_itself_is_not_expected_from_the_replica() -> None:
    changes = (
        inserted(T, 1, 2, None, None),
        updated(T, (1, 2, None, None), (1, 3, None, None)),
        deleted(T, 1, 3, None, None),
    )
    assert judge(changes).conflicts == ()


def test_an_earlier_row_frees_a_key_and_a_later_one_does_not() -> None:
    freed = updated(T, (1, 2, None, None), (1, 7, None, None))
    assert judge((freed, inserted(T, 5, 2, None, None)), (1, 2, None, None)).conflicts == ()
    found = judge((inserted(T, 5, 2, None, None), freed), (1, 2, None, None))
    assert kinds(found) == [(DUPLICATE, 0, ("a",))], "no server without that key's rows could have written this"
    assert found.repairs == (), "and no repair helps: the row is what the transaction expects"


def test_a_row_is_freed_by_the_transaction_after_other_changes_of_it() -> None:
    changes = (
        updated(T, (1, 2, None, None), (1, 2, 5, None)),
        updated(T, (1, 2, 5, None), (6, 3, 5, None)),
        inserted(T, 1, 2, None, None),
    )
    assert judge(changes, (1, 2, None, None)).conflicts == ()


def test_a_primary_key_changes() -> None:
    move = updated(T, (1, 2, None, None), (5, 2, None, None))
    assert judge([move, inserted(T, 1, 9, None, None)], (1, 2, None, None)).conflicts == ()
    stray = judge([move], (1, 2, None, None), (5, 7, None, None))
    assert kinds(stray) == [(DUPLICATE, 0, ("PRIMARY",))]
    assert repairs(stray) == [((5, 7, None, None), None)]
    done = judge([move], (5, 2, None, None))  # as if it had been applied: the row has to go back to be found
    assert kinds(done) == [(MISSING, 0, ("PRIMARY",)), (DUPLICATE, 0, ("a",))]
    assert repairs(done) == [((5, 2, None, None), None), (None, (1, 2, None, None))]


def test_a_row_in_the_way_that_the_transaction_expects_otherwise_is_brought_back_not_deleted() -> None:
    found = judge([inserted(T, 5, 2, None, None), deleted(T, 1, 3, None, None)], (1, 2, None, None))
    assert repairs(found) == [((1, 2, None, None), (1, 3, None, None))]


def test_columns_that_were_not_logged_are_not_compared() -> None:
    before = (1, NOT_LOGGED, NOT_LOGGED, NOT_LOGGED)
    assert judge([updated(T, before, (NOT_LOGGED, 7, NOT_LOGGED, NOT_LOGGED))], (1, 2, 3, 4)).conflicts == ()
    found = judge([updated(T, before, (NOT_LOGGED, 7, NOT_LOGGED, NOT_LOGGED))])
    assert repairs(found) == [(None, before)]


def test_a_key_that_was_not_logged_before_is_freed_by_the_change_that_logs_it_after() -> None:
    changes = (
        updated(T, (1, NOT_LOGGED, NOT_LOGGED, NOT_LOGGED), (NOT_LOGGED, 7, NOT_LOGGED, NOT_LOGGED)),
        inserted(T, 5, 2, None, None),
    )
    assert judge(changes, (1, 2, None, None)).conflicts == ()


def test_of_a_key_that_is_written_in_part_the_rest_is_the_replica_s() -> None:
    changes = [updated(T, (1, NOT_LOGGED, NOT_LOGGED, NOT_LOGGED), (NOT_LOGGED, NOT_LOGGED, 7, NOT_LOGGED))]
    found = judge(changes, (1, 8, 3, 4), (2, 9, 7, 4))
    assert kinds(found) == [(DUPLICATE, 0, ("bc",))]
    assert repairs(found) == [((2, 9, 7, 4), None)]
    assert judge(changes, (1, 8, 3, 4), (2, 9, 7, 5)).conflicts == ()


def test_a_hidden_difference_in_a_key_is_a_conflict_that_cannot_be_repaired() -> None:
    changes = (
        updated(T, (1, NOT_LOGGED, NOT_LOGGED, NOT_LOGGED), (NOT_LOGGED, NOT_LOGGED, 7, 7)),
        inserted(T, 5, 2, None, None),
    )
    found = judge(changes, (1, 2, None, None))
    assert kinds(found) == [(DUPLICATE, 1, ("a",))]
    assert found.repairs == ()


def test_a_row_whose_name_was_not_logged_is_left_out_and_said_so() -> None:
    assert judge([deleted(T, NOT_LOGGED, 2, 3, 4)], (1, 2, 3, 4)) == Reconciliation((), (), (T.name,))


def test_the_replica_compares_under_its_own_collation() -> None:
    name = column("name", "varchar", charset="utf8mb4", collation="utf8mb4_0900_ai_ci")
    named = table("d.n", [name, column("x")], [key("PRIMARY", "name")])
    found = judge([updated(named, ("josé", 1), ("josé", 2))], ("JOSÉ", 1), of=named)
    assert kinds(found) == [(DIFFERENT, 0, ("PRIMARY",))]
    assert repairs(found) == [(("JOSÉ", 1), ("josé", 1))]


def test_prefix_and_functional_keys() -> None:
    odd = table(
        "d.o",
        [column("id"), column("s", "varchar"), column("e", nullable=True)],
        [
            key("PRIMARY", "id"),
            key("s", KeyPart("s", prefix=3)),
            key("f", KeyPart(None, expression="lower(`s`)", reads=("s",))),
        ],
    )
    found = judge([inserted(odd, 1, "abcdef", None)], (2, "abcxyz", None), of=odd)
    assert kinds(found) == [(DUPLICATE, 0, ("s",))]


HEAP = table("d.h", [column("a", nullable=True), column("b")], [key("a", "a")])


def test_rows_without_a_name_that_are_the_same_count() -> None:
    changes = (deleted(HEAP, None, 1), deleted(HEAP, None, 1), updated(HEAP, (None, 1), (None, 2)))
    assert judge(changes, (None, 1), (None, 1), (None, 1), of=HEAP).conflicts == ()
    found = judge(changes, (None, 1), of=HEAP)
    assert kinds(found) == [(MISSING, 1, ()), (MISSING, 2, ())]
    assert found.repairs == (RowRepair(HEAP.name, None, (None, 1), 1),) * 2


def test_rows_without_a_name_that_the_transaction_itself_puts_there() -> None:
    changes = (inserted(HEAP, None, 1), inserted(HEAP, None, 1), deleted(HEAP, None, 1), deleted(HEAP, None, 1))
    assert judge(changes, of=HEAP).conflicts == ()
    found = judge((*changes, deleted(HEAP, None, 1)), of=HEAP)
    assert kinds(found) == [(MISSING, 4, ())]


def test_a_row_without_a_name_that_is_in_the_way() -> None:
    found = judge([inserted(HEAP, 5, 1)], (5, 2), (None, 1), of=HEAP)
    assert kinds(found) == [(DUPLICATE, 0, ("a",))]
    assert repairs(found) == [((5, 2), None)]


def test_how_rows_without_a_name_stand_after_the_transaction() -> None:
    changes = (deleted(HEAP, None, 1), updated(HEAP, (None, 1), (None, 2)), inserted(HEAP, None, 3))
    tables = {HEAP.name: HEAP}
    before = Rows.of(HEAP).holding(HEAP, *[(None, 1)] * 4, (None, 2))
    found = reconcile(changes, tables, answered(changes, tables, before))
    spare = spare_rows(changes, tables, held_after_repairs(found, tables))
    final = final_rows(changes, tables)
    after = before.copy()
    for change in changes:
        after.apply(change)
    assert not_as_final(final, tables, {r.lookup: after.find(r.lookup) for r in final}, spare) == ()
    assert not_as_final(final, tables, {r.lookup: before.find(r.lookup) for r in final}, spare) == (
        "d.h row None, 1 is there 4 times, not 2",
        "d.h row None, 2 is there 1 times, not 2",
        "d.h row None, 3 is there 0 times, not 1",
    )


def test_two_rows_of_the_source_that_are_one_for_the_replica() -> None:
    name = column("name", "varchar", charset="utf8mb4", collation="utf8mb4_0900_ai_ci")
    named = table("d.n", [name], [key("PRIMARY", "name")])
    found = judge([deleted(named, "a"), deleted(named, "A")], ("a",), of=named)
    assert found.blockers == (
        "Several rows of d.n that the transaction changes are one row on the replica: its key PRIMARY treats as equal what "
        "the source keeps apart.",
    )


def test_a_table_that_the_replica_lacks_is_not_examined() -> None:
    assert reconcile((inserted(T, 1, 2, 3, 4),), {}, {}) == Reconciliation((), (), ())


def test_a_missing_answer_is_never_guessed() -> None:
    with pytest.raises(KeyError):
        reconcile((inserted(T, 1, 2, 3, 4),), {T.name: T}, {})


def test_each_question_is_asked_once() -> None:
    changes = (updated(T, (1, 2, 3, 4), (1, 2, 3, 5)), updated(T, (1, 2, 3, 5), (1, 2, 3, 6)))
    asked = questions(changes, {T.name: T})
    assert [(q.key, str(q)) for q in asked] == [
        ("PRIMARY", "1"),
        ("a", "2"),
        ("bc", "3, 4"),
        ("bc", "3, 5"),
        ("bc", "3, 6"),
    ]


def test_how_rows_stand_after_the_transaction() -> None:
    changes = (
        updated(T, (1, 2, 3, 4), (9, 2, 3, 4)),
        updated(T, (9, 2, 3, 4), (9, 2, 3, 5)),
        inserted(T, 1, 0, 0, 0),
        deleted(T, 6, 6, 6, 6),
    )
    final = final_rows(changes, {T.name: T})
    assert [(str(r.lookup), r.image) for r in final] == [
        ("1", (1, 0, 0, 0)),
        ("9", (9, 2, 3, 5)),
        ("6", None),
    ]
    right = Rows.of(T).holding(T, (1, 0, 0, 0), (9, 2, 3, 5))
    assert not_as_final(final, {T.name: T}, {r.lookup: right.find(r.lookup) for r in final}, {}) == ()
    wrong = Rows.of(T).holding(T, (1, 0, 0, 8), (6, 6, 6, 6))
    assert not_as_final(final, {T.name: T}, {r.lookup: wrong.find(r.lookup) for r in final}, {}) == (
        "d.t row 1 differs in c",
        "d.t row 9 is not there",
        "d.t row 6 is there, and the transaction deletes it",
    )


def test_a_row_written_in_part_under_a_key_that_equals_the_deleted_one_by_collation() -> None:
    """'z' goes and 'z ' comes, which PAD SPACE takes for one key; binlog_row_image=MINIMAL logs the key alone."""
    name = column("name", "varchar", charset="utf8mb4", collation="utf8mb4_unicode_ci")
    of = table("d.n", [name, column("v")], [key("PRIMARY", "name")])
    changes = (deleted(of, "z", NOT_LOGGED), updated(of, ("y", NOT_LOGGED), ("z ", NOT_LOGGED)))
    final = final_rows(changes, {of.name: of})
    answers: dict[Lookup, tuple[RowImage, ...]] = {
        row.lookup: ((("z ", 7),) if str(row.lookup) != "y" else ()) for row in final
    }
    assert not_as_final(final, {of.name: of}, answers, {}) == ()
    still: dict[Lookup, tuple[RowImage, ...]] = dict.fromkeys(answers, (("Z", 7),))
    assert "d.n row z is there, and the transaction deletes it" in not_as_final(final, {of.name: of}, still, {})


@pytest.mark.parametrize(("counted", "wrong"), [(True, ()), (False, ("d.t row 1 differs in g",))])
def test_a_column_generated_from_the_auto_increment_one_may_be_logged_with_an_older_value(
    counted: bool, wrong: tuple[str, ...]
) -> None:
    generated = column("g", nullable=True, generated=True, counted=counted)
    of = table("d.t", [column("id", auto_increment=True), generated], [key("PRIMARY", "id")])
    (conflict,) = judge([inserted(of, 1, 0)], (1, 2), of=of).conflicts
    assert conflict.differences == (() if counted else ("g",))
    final = final_rows((inserted(of, 1, 0),), {of.name: of})
    held = Rows.of(of).holding(of, (1, 2))
    assert not_as_final(final, {of.name: of}, {r.lookup: held.find(r.lookup) for r in final}, {}) == wrong


def test_a_deleted_rows_key_may_find_the_row_that_replaced_it() -> None:
    name = column("name", "varchar", charset="utf8mb4", collation="utf8mb4_0900_ai_ci")
    named = table("d.n", [name], [key("PRIMARY", "name")])
    final = final_rows((updated(named, ("a",), ("A",)),), {named.name: named})
    held = Rows.of(named).holding(named, ("A",))
    assert not_as_final(final, {named.name: named}, {r.lookup: held.find(r.lookup) for r in final}, {}) == ()


def test_a_row_that_is_logged_in_part_is_not_known_to_be_the_same() -> None:
    whole = judge([inserted(T, 1, 2, 3, 4)], (1, 2, 3, 4))
    assert [c.identical for c in whole.conflicts] == [True]
    differs = judge([inserted(T, 1, 2, 3, 4)], (1, 2, 3, 5))
    assert [c.identical for c in differs.conflicts] == [False]
    moved = updated(T, (7, NOT_LOGGED, NOT_LOGGED, NOT_LOGGED), (1, NOT_LOGGED, NOT_LOGGED, NOT_LOGGED))
    partly = judge([moved], (7, 5, 5, 5), (1, 2, 3, 4))
    assert [(c.differences, c.identical) for c in partly.conflicts] == [((), False)]


# --- rows that a transaction deletes twice ---------------------------------------------------------------------------

_FK = ForeignKey("f", TableName("d", "c"), ("p",), TableName("d", "p"), ("id",), "RESTRICT", "CASCADE")


def family(rule: str, *keys: UniqueKey) -> tuple[Table, Table]:
    reference = replace(_FK, on_delete=rule)
    parent = table("d.p", [column("id")], [key("PRIMARY", "id")], referenced_by=(reference,))
    child = table("d.c", [column("k"), column("p", nullable=True)], keys, foreign_keys=(reference,))
    return parent, child


def again(changes: Sequence[RowChange], *tables: Table) -> tuple[list[int], list[RowChange]]:
    """The numbers of the changes that delete a row again, and what is walked."""
    found: list[DeletedAgain] = []
    walked = [touch.change for touch in walk(tuple(changes), {t.name: t for t in tables}, found)]
    return [each.index for each in found], walked


def by_cascade(change: RowChange) -> RowChange:
    return replace(change, checks_foreign_keys=False)


def test_a_row_with_a_key_is_deleted_twice() -> None:
    _, child = family("CASCADE", key("PRIMARY", "k"))
    once, twice = deleted(child, 1, 5), deleted(child, 1, NOT_LOGGED)
    assert again([once, twice], child) == ([1], [once])
    assert again([once, inserted(child, 1, 5), once], child)[0] == []
    assert again([once, deleted(child, 1, 6)], child)[0] == []  # two rows to the source: its key is another one


def test_a_row_that_only_its_values_name_is_gone_with_its_parent() -> None:
    parent, child = family("CASCADE")
    row, gone = deleted(child, 1, 5), deleted(parent, 5)
    assert again([by_cascade(row), by_cascade(row), gone, row], parent, child)[0] == [3]
    assert again([row, row], parent, child)[0] == []  # two that are the same
    assert again([by_cascade(row), by_cascade(gone), row], parent, child)[0] == []  # without checks nothing cascades
    assert again([by_cascade(row), gone, inserted(child, 1, 5), row], parent, child)[0] == []


def test_a_row_that_lost_its_reference_is_deleted_as_it_was_before() -> None:
    parent, child = family("SET NULL")
    lost = by_cascade(updated(child, (1, 5), (1, None)))
    changes = [lost, deleted(parent, 5), deleted(child, 1, 5)]
    assert again(changes, parent, child) == ([2], [*changes[:2], deleted(child, 1, None)])
    tables = {t.name: t for t in (parent, child)}
    assert [(r.current, r.target) for r in net_rows(tuple(changes), tables, {})] == [((5,), None), ((1, 5), None)]
