"""Plans for random cases: their undo takes back what they did, and their documents are JSON that names them."""

from __future__ import annotations

import json

from hypothesis import given

from replfix.core.plan.plan import Plan, StepKind, to_document
from replfix.core.strategies import source_wins
from tests.examples import times
from tests.property.test_reconcile import TABLES, Case, cases
from tests.unit.fakes import Rows
from tests.unit.making import deleted, evidence


def _plan(case: Case) -> Plan:
    changes = case.changes or (deleted(TABLES[0], 0, None, 0, None, 0),)
    plan = source_wins.propose(evidence(changes, case.replica)).plan
    assert plan is not None
    return plan


def _take_back(rows: Rows, plan: Plan) -> None:
    for step in reversed(plan.steps):
        if step.target is None:
            assert step.current is not None
            rows.insert(step.table, step.current)
        elif step.current is None:
            rows.delete(step.table, step.target)
        else:
            rows.update(step.table, step.target, step.current)


@times(2)
@given(cases())
def test_the_steps_taken_back_in_reverse_restore_every_row(case: Case) -> None:
    plan = _plan(case)
    rows = case.replica.copy()
    rows.carry_out(plan)
    _take_back(rows, plan)
    assert rows.contents == case.replica.contents


@times(2)
@given(cases())
def test_kinds_images_and_statements_say_the_same(case: Case) -> None:
    for step in _plan(case).steps:
        assert (step.current is None, step.target is None) == {
            StepKind.INSERT: (True, False),
            StepKind.UPDATE: (False, False),
            StepKind.DELETE: (False, True),
        }[step.kind]
        assert step.sql.split(" ", 1)[0] == step.kind.value.upper()
        opposite = {"insert": "DELETE", "update": "UPDATE", "delete": "INSERT"}[step.kind.value]
        assert step.undo_sql.split(" ", 1)[0] == opposite


@times(2)
@given(cases())
def test_the_same_diagnosis_leads_to_the_same_digest(case: Case) -> None:
    plan = _plan(case)
    again = _plan(Case(case.changes, case.source, case.replica.copy()))
    assert again.digest == plan.digest
    assert json.loads(json.dumps(to_document(plan))) == to_document(plan)
