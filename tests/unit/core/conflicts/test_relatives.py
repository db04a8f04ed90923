"""What foreign keys want of a transaction, told from its changes."""

from __future__ import annotations

import pytest

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.foreign_keys.relatives import blocking_children, comes_back, needed_parents
from replfix.core.schema.table import ForeignKey, TableName
from tests.unit.making import column, deleted, inserted, key, table, updated

CHILD = ForeignKey("fk", TableName("d", "c"), ("p",), TableName("d", "p"), ("id",), "RESTRICT", "RESTRICT")
P = table("d.p", [column("id"), column("v")], [key("PRIMARY", "id")], referenced_by=(CHILD,))
C = table("d.c", [column("id"), column("p"), column("v")], [key("PRIMARY", "id")], foreign_keys=(CHILD,))


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        (updated(C, (1, 5, 1), (1, 5, 2)), False),
        (updated(C, (1, 5, 1), (1, 6, 1)), True),
        (updated(C, (1, 5, 1), (2, 5, 1)), True),  # the row is written anew into the foreign key's index
        (inserted(C, 1, 5, 1), True),
        (inserted(C, 1, None, 1), False),
    ],
)
def test_which_changes_need_a_parent(change: RowChange, asked: bool) -> None:
    assert bool(needed_parents((change,), {C.name: C})) is asked


@pytest.mark.parametrize(
    ("changes", "back"),
    [
        ((deleted(P, 1, 1), inserted(P, 1, 2)), True),
        ((deleted(P, 1, 1), inserted(P, 2, 1)), False),
        ((inserted(P, 2, 1), deleted(P, 1, 1)), False),
        ((deleted(P, 1, 1), inserted(P, 1, 2), deleted(P, 1, 2)), False),
        ((deleted(P, 1, 1), inserted(P, 1, 2), updated(P, (1, 2), (3, 2))), False),
        ((updated(P, (1, 1), (2, 1)), updated(P, (5, 1), (1, 1))), True),
    ],
)
def test_whether_a_key_is_there_again_at_the_end(changes: tuple[RowChange, ...], back: bool) -> None:
    (taken, *_) = blocking_children(changes, {P.name: P})
    assert comes_back(changes, taken, P) is back


def test_a_row_that_its_own_table_references_never_gets_another_key() -> None:
    own = ForeignKey("fk", TableName("d", "t"), ("p",), TableName("d", "t"), ("id",), "CASCADE", "CASCADE")
    tree = table("d.t", [column("id"), column("p", nullable=True)], [key("PRIMARY", "id")], referenced_by=(own,))
    assert blocking_children((updated(tree, (1, None), (2, None)),), {tree.name: tree})
    assert not blocking_children((deleted(tree, 1, None),), {tree.name: tree})
