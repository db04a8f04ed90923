"""A plan turned round, what stands in its way, and what became of one whose end nobody recorded."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from replfix.core.binlog.row_event import RowChange
from replfix.core.columns.json_forms import from_json
from replfix.core.plan.interrupted_repair import RepairState, questions, repair_found, standing, undo_found
from replfix.core.plan.outcome import SourceWriteResult
from replfix.core.plan.plan import ApplyMode, Plan, StepKind, to_document
from replfix.core.plan.recorded_plan import read_plan, tables_named
from replfix.core.rows.json_values import to_json
from replfix.core.rows.lookup import Answers, Lookup
from replfix.core.rows.row_values import NOT_LOGGED, Json, RowImage, Value
from replfix.core.schema.table import Table
from replfix.core.strategies.source_wins import propose
from replfix.core.strategies.undo_plan import in_the_way, inverse
from replfix.core.strategies.undo_plan import questions as asked
from replfix.errors import Refused
from tests.unit.fakes import Rows
from tests.unit.making import ORDERS, column, evidence, inserted, updated

TABLES = {ORDERS.name: ORDERS}


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        ("bigint", 2**64 - 1),
        ("decimal", Decimal("-12345678901234567890.0123456789")),
        ("decimal", Decimal("0.10")),
        ("double", 1e300),
        ("double", -0.0),
        ("float", 0.10000000149011612),
        ("varchar", "12.50"),
        ("text", "é\x00\u202e"),
        ("varbinary", b""),
        ("blob", bytes(range(256))),
        ("json", Json('{"base64": "eA=="}')),
        ("json", None),
        ("int", NOT_LOGGED),
        ("date", "0000-00-00"),
    ],
)
def test_values_come_back_from_json_as_they_were(data_type: str, value: Value) -> None:
    back = from_json(column("c", data_type), json.loads(json.dumps(to_json(value))))
    assert (back, type(back)) == (value, type(value))
    assert repr(back) == repr(value)  # -0.0, and a decimal's digits


@pytest.mark.parametrize("form", [True, [], {"base64": 1}, {"base64": "é"}, {}])
def test_what_no_value_looks_like_is_refused(form: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (base64's own words, too)
        from_json(column("c", "int"), form)


def plan_for(rows: Rows, *changes: RowChange) -> Plan:
    plan = propose(evidence(changes, held=rows)).plan
    assert plan is not None
    return plan


def held(*rows: RowImage) -> Rows:
    return Rows.of(ORDERS).holding(ORDERS, *rows)


def answers(rows: Rows, lookups: tuple[Lookup, ...]) -> Answers:
    return {lookup: rows.find(lookup) for lookup in lookups}


def standing_of(plan: Plan, rows: Rows) -> RepairState:
    return standing(plan, TABLES, answers(rows, questions(plan.steps, TABLES)))


def reasons(undo: Plan, rows: Rows) -> tuple[str, ...]:
    return in_the_way(undo.steps, TABLES, answers(rows, asked(undo.steps, TABLES)))


THREE: tuple[RowImage, ...] = ((5, "X", Decimal("1.00")), (70001, "A", None), (9, "Y", Decimal("9.00")))
CHANGES = (
    inserted(ORDERS, 5, "A", Decimal("2.50")),  # displaces 5 and 70001
    updated(ORDERS, (9, "Y", Decimal("8.00")), (9, "Z", None)),  # 9 is changed to what is expected
    updated(ORDERS, (12, "N", None), (12, "M", None)),  # 12 is missing
)


def test_a_plan_read_back_is_the_plan() -> None:
    plan = plan_for(held(*THREE), *CHANGES)
    document = json.loads(json.dumps(to_document(plan)))
    assert tables_named(document) == (ORDERS.name,)
    back = read_plan(document, TABLES)
    assert back.steps == plan.steps
    assert back.digest == plan.digest


def test_a_table_that_is_gone_or_has_changed_is_refused_by_name() -> None:
    document = to_document(plan_for(held(*THREE), *CHANGES))
    with pytest.raises(Refused, match=r"no table shop\.orders"):
        read_plan(document, {ORDERS.name: None})
    other: Table = replace(ORDERS, columns=(*ORDERS.columns[:2], replace(ORDERS.columns[2], name="sum")))
    with pytest.raises(Refused, match="other columns"):
        read_plan(document, {ORDERS.name: other})
    with pytest.raises(Refused, match="cannot be read back: steps"):
        read_plan({**document, "steps": "none"}, TABLES)


def test_the_inverse_leads_back_and_the_inverse_of_that_forth_again() -> None:
    rows = held(*THREE)
    plan = plan_for(rows, *CHANGES)
    assert {step.kind for step in plan.steps} == set(StepKind)
    before = rows.contents
    assert standing_of(plan, rows) is RepairState.BEFORE
    rows.carry_out(plan)
    after = rows.contents
    assert standing_of(plan, rows) is RepairState.AFTER
    undo = inverse(plan, TABLES, row_events=False)
    assert reasons(undo, rows) == ()
    rows.carry_out(undo)
    assert rows.contents == before
    assert standing_of(undo, rows) is RepairState.AFTER
    rows.carry_out(inverse(undo, TABLES, row_events=False))
    assert rows.contents == after


def test_a_taken_key_and_a_changed_row_are_named() -> None:
    rows = held(*THREE)
    plan = plan_for(rows, *CHANGES)
    rows.carry_out(plan)
    for change in CHANGES:
        rows.apply(change)
    undo = inverse(plan, TABLES, row_events=False)
    assert sorted(reasons(undo, rows)) == [
        "A row cannot come back to shop.orders: its key PRIMARY (5) is taken by the row 5.",
        "A row cannot come back to shop.orders: its key number (A) is taken by the row 5.",
        "The row 12 of shop.orders was changed since the repair: number differ.",
        "The row 9 of shop.orders was changed since the repair: number, total differ.",
    ]
    assert standing_of(plan, rows) is RepairState.OTHERWISE
    rows.held[ORDERS.name] = []
    assert len(reasons(undo, rows)) == 2, "what is to be changed back is gone"


@pytest.mark.parametrize(
    ("rows", "applied", "wrong", "result"),
    [
        (RepairState.BEFORE, False, None, "not applied"),
        (RepairState.AFTER, False, None, "applied, not verified"),
        (RepairState.OTHERWISE, False, None, "cannot be told"),
        (RepairState.OTHERWISE, True, (), "applied and verified"),
        (RepairState.BEFORE, True, (), "applied and verified"),  # the transaction wrote the displaced row once more
        (RepairState.OTHERWISE, True, ("row 5 differs",), "applied, not verified"),
        (RepairState.OTHERWISE, True, None, "applied, not verified"),
        (RepairState.BEFORE, True, ("row 5 is not there",), "not applied"),  # skipped by somebody
        (RepairState.BEFORE, True, None, "cannot be told"),
    ],
)
def test_what_became_of_a_repair(rows: RepairState, applied: bool, wrong: tuple[str, ...] | None, result: str) -> None:
    plan = plan_for(held(*THREE), *CHANGES)
    found = repair_found(plan, rows, applied=applied, wrong=wrong)
    assert found.result == result
    assert str(plan.transaction) in found.how


@pytest.mark.parametrize("way", [ApplyMode.APPLY, ApplyMode.NET_ROWS])
def test_a_repair_without_steps_is_applied_when_its_transaction_is(way: ApplyMode) -> None:
    plan = replace(plan_for(held(*THREE), *CHANGES), steps=(), way=way)
    assert repair_found(plan, RepairState.BEFORE, applied=False, wrong=None).result == "not applied"
    assert repair_found(plan, RepairState.BEFORE, applied=True, wrong=None).result == "applied, not verified"


@pytest.mark.parametrize(
    ("on_source", "rows", "result"),
    [
        (None, RepairState.BEFORE, "not undone"),
        (None, RepairState.AFTER, "undone"),
        (None, RepairState.OTHERWISE, "cannot be told"),
        (SourceWriteResult.NOT_WRITTEN, RepairState.BEFORE, "not undone"),
        (SourceWriteResult.WRITTEN, RepairState.BEFORE, "undone on the source"),
        (SourceWriteResult.WRITTEN, RepairState.AFTER, "undone"),
        (SourceWriteResult.WRITTEN, RepairState.OTHERWISE, "cannot be told"),
        (SourceWriteResult.UNKNOWN, RepairState.BEFORE, "cannot be told"),
    ],
)
def test_what_became_of_an_undo(on_source: SourceWriteResult | None, rows: RepairState, result: str) -> None:
    plan = plan_for(held(*THREE), *CHANGES)
    assert undo_found(plan, rows, on_source).result == result


def test_an_undo_without_rows_on_the_replica_is_what_became_of_its_part_on_the_source() -> None:
    plan = replace(plan_for(held(*THREE), *CHANGES), steps=())
    assert undo_found(plan, RepairState.BEFORE, SourceWriteResult.WRITTEN).result == "undone"
    assert undo_found(plan, RepairState.BEFORE, SourceWriteResult.NOT_WRITTEN).result == "not undone"
