"""What may be concluded from a log that was read in part."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replfix.core.binlog.row_event import PassedOver, RowChange, Transaction
from replfix.core.conflicts.row_history import History, compiled, may_change, mentions
from replfix.core.replication.gtid import GtidSet
from replfix.core.schema.table import TableName
from tests.unit.making import SOURCE, WHEN, column, deleted, inserted, key, table, transaction, updated

T = table("d.t", [column("id"), column("a")], [key("PRIMARY", "id")])
ROW = (T.name, (1,))
OTHER = "cccccccc-0000-0000-0000-000000000003"


def logged(number: int, *changes: RowChange, of: str = SOURCE) -> Transaction:
    return replace(transaction(changes, (T,), f"{of}:{number}"), log_file="b.000001", start_pos=number * 100)


def statement(number: int, text: str | None, why: str = "a statement") -> PassedOver:
    return PassedOver(f"{SOURCE}:{number}", "b.000001", number * 100, WHEN, 1, 5, text, why)


def read(*log: Transaction | PassedOver, asked: str = "", executed: str = "", most: int = 100) -> History | None:
    gtids = ",".join(str(one.gtid) for one in log)
    of = GtidSet.parse(asked or gtids)
    return compiled(iter(log), of, GtidSet.parse(executed or asked or gtids), frozenset({ROW}), {T.name: T}, most)


def test_the_newest_change_of_a_row_by_any_of_its_names() -> None:
    history = read(logged(1, inserted(T, 1, 5)), logged(2, inserted(T, 2, 5)), logged(3, updated(T, (1, 5), (7, 5))))
    assert history is not None
    last = history.last(ROW)
    assert last is not None
    assert last.by.gtid == f"{SOURCE}:3", "the row that was 1 is 7 now"
    assert history.whole


def test_what_is_not_in_the_log_is_absent() -> None:
    history = read(logged(3, inserted(T, 1, 5)), asked=f"{SOURCE}:1-3")
    assert history is not None
    assert history.absent == GtidSet.parse(f"{SOURCE}:1-2")
    assert not history.whole


def test_a_change_older_than_what_was_read_of_another_origin_need_not_be_the_last() -> None:
    log = (logged(1, inserted(T, 1, 5)), logged(9, of=OTHER), logged(10, of=OTHER))
    asked = f"{SOURCE}:1,{OTHER}:9-10"
    history = read(*log, asked=asked, executed=f"{SOURCE}:1,{OTHER}:1-10")
    assert history is not None
    assert history.last(ROW) is None, "OTHER:8 may have changed it between"
    whole = read(*log, asked=asked)
    assert whole is not None
    assert whole.last(ROW) is not None


def test_too_many_rows_give_nothing_rather_than_the_oldest_part() -> None:
    assert read(logged(1, inserted(T, 1, 5), inserted(T, 2, 5)), most=1) is None


def test_what_cannot_be_read_is_a_doubt_only_if_it_can_matter() -> None:
    log = (
        statement(1, "UPDATE d.t SET a = 1"),
        logged(2, inserted(T, 1, 5)),
        statement(3, "CREATE TABLE d.t2 (id INT)"),
        statement(4, "TRUNCATE TABLE d.other"),
        statement(5, "DELETE FROM d.other"),
        statement(6, "TRUNCATE TABLE t"),
        statement(7, None, "a type that is not read"),
    )
    history = read(*log)
    assert history is not None
    assert [d.gtid[-1] for d in history.doubts(T.name)] == ["1", "5", "6", "7"]


def test_the_life_of_a_table_begins_with_its_creation() -> None:
    history = read(statement(4, "CREATE TABLE d.t (id INT)"), logged(5, deleted(T, 1, 5)), asked=f"{SOURCE}:1-5")
    assert history is not None
    born = history.covers_life_of(T.name)
    assert not isinstance(born, bool)
    assert born is not None
    assert born.gtid.endswith(":4")
    unborn = read(logged(5, deleted(T, 1, 5)), asked=f"{SOURCE}:1-5")
    assert unborn is not None
    assert unborn.covers_life_of(T.name) is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GRANT SELECT ON *.* TO a", False),
        ("INSERT INTO other VALUES (1)", True),  # triggers
        ("ALTER TABLE other ADD c INT", False),
        ("ALTER TABLE `d`.`T` ADD c INT", True),
        ("DROP DATABASE d", True),
        ("ALTER TABLE tt ADD c INT", False),
    ],
)
def test_which_statements_can_have_changed_a_row(text: str, expected: bool) -> None:
    assert may_change(text, TableName("d", "t")) is expected


def test_a_name_is_a_word() -> None:
    assert mentions("insert into d.t(id)", TableName("d", "t"))
    assert not mentions("insert into d.t1", TableName("d", "t"))
    assert mentions("update `a.b$` set", TableName("d", "a.b$"))
