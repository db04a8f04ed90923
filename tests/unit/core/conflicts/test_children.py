"""Rows that reference a row: by which keys, and how many there may be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replfix.core.conflicts.foreign_keys.child_rows import Child, held_by
from replfix.core.rows.row_values import NOT_LOGGED
from replfix.core.schema.table import ForeignKey
from replfix.errors import Refused
from replfix.workflow.investigate.foreign_keys import plan_children
from tests.unit.fakes import FakeReplica, FakeServer, Rows, World
from tests.unit.making import REPLICA, SOURCE, column, key, table

CHILD = table("d.c", [column("id"), column("p", nullable=True)], [key("PRIMARY", "id")])
OWN = ForeignKey("own", (P := table("d.p", [column("id"), column("boss", nullable=True)], [key("PRIMARY", "id")])).name,
                 ("boss",), P.name, ("id",), "NO ACTION", "CASCADE")  # fmt: skip
REFERENCE = ForeignKey("f", CHILD.name, ("p",), P.name, ("id",), "NO ACTION", "CASCADE")
PARENT = replace(P, foreign_keys=(OWN,), referenced_by=(REFERENCE, OWN))


def replica(*rows: tuple[int, int | None], parents: tuple[tuple[int, int | None], ...] = ()) -> FakeReplica:
    world, held = World(), Rows.of(CHILD, PARENT).holding(CHILD, *rows).holding(PARENT, *parents)
    return FakeReplica(world, "db2", REPLICA, held, FakeServer(world, "db1", SOURCE, Rows.of(CHILD, PARENT)))


def test_each_foreign_key_is_asked_by_itself() -> None:
    """Also where the table references itself: its rows with that id are not those with that boss."""
    tables = {PARENT.name: PARENT}
    found = plan_children.children_on(
        replica((1, 5), (2, None), (3, 6), parents=((5, 5), (7, 5), (8, 6))), tables, [(PARENT.name, (5, None))]
    )
    assert found == (
        Child(REFERENCE, (1, 5), (5, None)),
        Child(OWN, (5, 5), (5, None)),
        Child(OWN, (7, 5), (5, None)),
    )
    assert CHILD.name in tables
    assert len({lookup for held in held_by(PARENT, (5, 1)) for lookup in (held.children, held.holders)}) == 4


def test_what_is_null_or_not_known_is_referenced_by_nothing() -> None:
    assert not list(held_by(PARENT, (None, 1)))
    assert not list(held_by(PARENT, (NOT_LOGGED, 1)))


def test_too_many_are_counted_and_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_children, "CHILDREN", 2)
    crowd = replica((1, 5), (2, 5), (3, 5))
    monkeypatch.setattr(crowd, "find", None)
    with pytest.raises(
        Refused, match=r"3 rows of db2:3306 reference .*, 3 of them by f of d\.c; at most 2 are planned for"
    ):
        plan_children.children_on(crowd, {PARENT.name: PARENT, CHILD.name: CHILD}, [(PARENT.name, (5, None))])
