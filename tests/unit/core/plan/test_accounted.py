"""Which rows of a recorded repair have to do with its transaction."""

from __future__ import annotations

from replfix.core.plan.accounted_steps import unaccounted
from replfix.core.plan.plan import Step, StepKind
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import ForeignKey, Table, TableName
from tests.unit.making import column, inserted, key, table

OF_C = ForeignKey("c_p", TableName("d", "c"), ("p",), TableName("d", "p"), ("id",), "NO ACTION", "CASCADE")
OF_G = ForeignKey("g_c", TableName("d", "g"), ("p",), TableName("d", "c"), ("id",), "NO ACTION", "CASCADE")
P = table("d.p", [column("id"), column("u")], [key("PRIMARY", "id"), key("u", "u")], referenced_by=(OF_C,))
C = table("d.c", [column("id"), column("p")], [key("PRIMARY", "id")], foreign_keys=(OF_C,), referenced_by=(OF_G,))
G = table("d.g", [column("id"), column("p")], [key("PRIMARY", "id")], foreign_keys=(OF_G,))
TABLES = {each.name: each for each in (P, C, G)}


def taken_out(of: Table, *row: object) -> Step:
    image: RowImage = row  # type: ignore[assignment]
    return Step(StepKind.DELETE, of.name, tuple(c.name for c in of.columns), image, None, "", "")


def test_a_family_is_accounted_for_to_its_last_generation() -> None:
    family = [taken_out(P, 9, 1), taken_out(C, 2, 9), taken_out(G, 1, 2), taken_out(G, 2, 2)]
    for steps in (family, family[::-1]):
        assert unaccounted(steps, [inserted(P, 5, 1)], TABLES) == ()


def test_a_row_that_nothing_leads_to_is_not() -> None:
    strange = taken_out(G, 7, 3)
    steps = [taken_out(P, 9, 1), taken_out(C, 2, 9), strange]
    assert unaccounted(steps, [inserted(P, 5, 1)], TABLES) == (strange,)
