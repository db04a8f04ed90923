"""Rows of a transaction that its own later changes may carry off by foreign keys, of which no event tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.already_applied import questions, run_length
from replfix.core.conflicts.reconcile import final_rows
from replfix.core.rows.lookup import Answers
from replfix.core.schema.table import ForeignKey, Table, TableName
from tests.unit.making import column, deleted, inserted, key, table, transaction, updated

PARENT, CHILD, GRANDCHILD = (TableName("d", name) for name in ("p", "c", "g"))


def family(on_delete: str, on_update: str, data_type: str = "int") -> dict[TableName, Table]:
    keys = [ForeignKey(f"to_{parent.name}", child, ("ref",), parent, ("id",), on_update, on_delete)
            for child, parent in ((CHILD, PARENT), (GRANDCHILD, CHILD))]  # fmt: skip
    columns = [column("id", data_type), column("ref", data_type, nullable=True)]
    return {
        name: replace(
            table(str(name), columns, [key("PRIMARY", "id")]),
            foreign_keys=tuple(k for k in keys if k.child == name),
            referenced_by=tuple(k for k in keys if k.parent == name),
        )
        for name in (PARENT, CHILD, GRANDCHILD)
    }


def rows_to_check(changes: list[RowChange], tables: dict[TableName, Table]) -> list[tuple[str, object]]:
    return [(row.lookup.table.name, row.lookup.values[0][0]) for row in final_rows(tuple(changes), tables)]


@pytest.mark.parametrize("rule", ["CASCADE", "SET NULL"])
def test_a_child_whose_parent_the_transaction_deletes_afterwards(rule: str) -> None:
    tables = family(rule, "RESTRICT")
    child, other, parent = (
        inserted(tables[CHILD], 1, 5),
        inserted(tables[CHILD], 2, 6),
        deleted(tables[PARENT], 5, None),
    )
    assert rows_to_check([child, other, parent], tables) == [("c", 2), ("p", 5)]
    assert rows_to_check([parent, child, other], tables) == [("p", 5), ("c", 1), ("c", 2)]


def test_a_parent_that_gets_another_key_and_one_that_gets_another_value() -> None:
    tables = family("RESTRICT", "CASCADE")
    child = inserted(tables[CHILD], 1, 5)
    assert ("c", 1) not in rows_to_check([child, updated(tables[PARENT], (5, None), (6, None))], tables)
    assert ("c", 1) in rows_to_check([child, updated(tables[PARENT], (5, None), (5, 1))], tables)


def test_where_the_foreign_key_restricts_every_row_is_checked() -> None:
    tables = family("RESTRICT", "RESTRICT")
    assert ("c", 1) in rows_to_check([inserted(tables[CHILD], 1, 5), deleted(tables[PARENT], 5, None)], tables)


def test_texts_that_may_be_equal_and_children_of_children() -> None:
    tables = family("CASCADE", "CASCADE", "varchar")
    deletion = deleted(tables[PARENT], "x", None)
    assert ("c", "1") not in rows_to_check([inserted(tables[CHILD], "1", "X"), deletion], tables)
    assert ("g", "2") not in rows_to_check([inserted(tables[GRANDCHILD], "2", "1"), deletion], tables)
    assert ("c", "1") in rows_to_check([inserted(tables[CHILD], "1", None), deletion], tables)


def test_changes_that_check_no_foreign_key_do_not_cascade() -> None:
    tables = family("CASCADE", "CASCADE")
    unchecked = replace(deleted(tables[PARENT], 5, None), checks_foreign_keys=False)
    assert ("c", 1) in rows_to_check([inserted(tables[CHILD], 1, 5), unchecked], tables)


def test_a_run_of_transactions_asks_for_rows_that_a_part_of_it_leaves_in_place() -> None:
    tables = family("CASCADE", "RESTRICT")
    of = tuple(tables.values())
    behind = [inserted(tables[CHILD], 2, 6), deleted(tables[PARENT], 5, None)]
    run = [transaction([inserted(tables[CHILD], 1, 5)], of), transaction(behind, of)]
    asked = questions(run, tables)
    assert run_length(run, tables, dict.fromkeys(asked, ())) == 0
    answers: Answers = {
        lookup: ((1, 5),) if lookup.values == ((1,),) and lookup.table == CHILD else () for lookup in asked
    }
    assert run_length(run, tables, answers) == 1
