"""A plan is one object with one name: its digest."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest

from replfix.cli.documents.resolution import step_part
from replfix.core.binlog.statement import Statement
from replfix.core.conflicts.foreign_keys.child_rows import Orphan
from replfix.core.plan import guard as guard_module
from replfix.core.plan.guard import Guard, GuardKind, read_guard
from replfix.core.plan.plan import (
    ApplyMode,
    Kept,
    LeftOut,
    Plan,
    SourceWrite,
    Step,
    StepKind,
    Undoable,
    step_to_document,
    to_document,
)
from replfix.core.replication.start_threads import ReceiverFirst
from replfix.core.replication.transaction_id import TransactionId, TransactionRun
from replfix.core.schema.table import TableName
from tests.unit.making import GTID, REPLICA

STEP = Step(
    StepKind.UPDATE,
    TableName("d", "t"),
    ("id", "v"),
    (1, Decimal("1.0")),
    (1, b"\xff"),
    "UPDATE …",
    "UPDATE … back",
)
GUARD = Guard.of(GuardKind.SERVER, uuid=REPLICA)
PLAN = Plan(
    "source-wins",
    REPLICA,
    "",
    TransactionId(GTID, "binlog.000001", 400, 1792),
    1062,
    (STEP,),
    (GUARD,),
    ("a risk",),
)


KEPT = Kept(TableName("d", "c"), ("id", "v"), (1, "x"), "f")


def test_the_digest_changes_with_every_field() -> None:
    values: dict[str, Any] = {
        "strategy": "x",
        "server_uuid": "x",
        "channel": "x",
        "transaction": TransactionId("x", "", 0, 0),
        "errno": 1,
        "steps": (),
        "guards": (),
        "risks": (),
        "row_events": True,
        "net_rows": (STEP,),
        "left_out": LeftOut((), {}, (Statement("", "DROP TABLE t"),)),
        "kept": (KEPT,),
        "orphans": (Orphan(TableName("d", "c"), "f", TableName("d", "t"), ("v",), ("x",)),),
        "on_source": SourceWrite("x", (STEP,)),
        "undo_outlook": "x",
        "run": TransactionRun(TransactionId("x", "", 0, 0), 2),
        "receiver": ReceiverFirst(fetch_again=True, put_back=True),
    }
    others = [replace(PLAN, **{name: value}) for name, value in values.items()]
    others.append(replace(PLAN, left_out=LeftOut((), {}, (Statement("", "DROP TABLE t"),)), way=ApplyMode.EMPTY))
    others.append(replace(PLAN, undoable=Undoable.NO, undo_outlook="x"))
    assert len(others) == len(fields(Plan))
    assert len({p.shown for p in (PLAN, *others)}) == len(others) + 1
    in_words = [p for p in others if p.digest == PLAN.digest]
    assert in_words == [replace(PLAN, risks=()), replace(PLAN, undo_outlook="x")]


def test_the_digest_of_a_plan_stays_the_same_in_other_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer replfix may say it better: the plan is the same one."""
    digest = PLAN.digest
    monkeypatch.setitem(guard_module._WORDS, GuardKind.SERVER, "this is server {uuid}")
    assert PLAN.guards[0].in_words == f"this is server {REPLICA}"
    assert PLAN.digest == digest == "dde5cdd0378ddb8bd69481a8ff2c8ae1f06b3e241e9ccdc5501db23e095a5de7"


def test_every_guard_has_words_and_comes_back_from_its_record() -> None:
    facts: dict[str, str | int] = {
        "uuid": "u",
        "channel": "c",
        "errno": 1,
        "transaction": "t",
        "host": "h",
        "port": 2,
        "server": "",
        "fingerprint": "f",
    }
    facts |= {"rows": 2, "read": "r", "triggers": 3, "words": "{hostile} words"}
    for kind in GuardKind:
        guard = Guard.of(kind, **facts)
        assert guard.in_words
        assert read_guard(json.loads(json.dumps(guard.to_document()))) == guard
    assert Guard.of(GuardKind.ROWS_AS_LEFT, rows=1).in_words == "1 row, locked, exactly as the repair left them"


@pytest.mark.parametrize(
    "recorded",
    [None, 1, {}, {"kind": "newer"}, {"kind": ["server"]}, {"kind": "server"}, {"kind": "server", "uuid": []}],
)
def test_what_is_no_guard_is_none(recorded: object) -> None:
    assert read_guard(recorded) is None


def test_a_guard_of_a_record_of_before_is_its_sentence() -> None:
    guard = read_guard("the server is {x}")
    assert guard is not None
    assert guard.in_words == "the server is {x}"


def test_the_digest_changes_with_every_field_of_a_step() -> None:
    values: dict[str, Any] = {
        "kind": StepKind.DELETE,
        "table": TableName("d.t", ""),
        "columns": ("id", "w"),
        "current": None,
        "target": (1, "\xff"),
        "sql": "",
        "undo_sql": "",
        "alike": 1,
        "new_key": "id",
        "takes": (("v", 1),),
    }
    others = [replace(PLAN, steps=(replace(STEP, **{name: value}),)) for name, value in values.items()]
    assert len(others) == len(fields(Step))
    assert len({p.digest for p in (PLAN, *others)}) == len(others) + 1
    assert replace(PLAN, steps=(STEP, STEP)).digest != PLAN.digest


def test_the_digest_changes_with_every_field_of_a_row_that_is_kept() -> None:
    values: dict[str, Any] = {
        "table": TableName("d.t", ""),
        "columns": ("id", "w"),
        "row": (2, "x"),
        "foreign_key": "g",
    }
    others = [replace(PLAN, kept=(replace(KEPT, **{name: value}),)) for name, value in values.items()]
    assert len(others) == len(fields(Kept))
    assert len({p.digest for p in (PLAN, replace(PLAN, kept=(KEPT,)), *others)}) == len(others) + 2


def test_equal_plans_have_one_digest() -> None:
    assert replace(PLAN, steps=(replace(STEP),)).digest == PLAN.digest
    assert len(PLAN.digest) == 64


def test_what_is_displaced_is_what_the_replica_holds() -> None:
    come = replace(STEP, kind=StepKind.INSERT, current=None)
    gone = replace(STEP, kind=StepKind.DELETE, target=None)
    assert replace(PLAN, steps=(gone, STEP, come)).displaced == (gone, STEP)


def test_the_document_holds_everything() -> None:
    document = json.loads(json.dumps(to_document(PLAN)))
    assert document == {
        "strategy": "source-wins",
        "server_uuid": REPLICA,
        "channel": "",
        "gtid": GTID,
        "errno": 1062,
        "steps": [
            {
                "kind": "update",
                "schema": "d",
                "table": "t",
                "columns": ["id", "v"],
                "sql": "UPDATE …",
                "undo_sql": "UPDATE … back",
                "alike": 0,
                "current": {"id": 1, "v": "1.0"},
                "target": {"id": 1, "v": {"base64": "/w=="}},
            }
        ],
        "version": 2,
        "guards": [{"kind": "server", "uuid": REPLICA}],
        "risks": ["a risk"],
        "row_events": False,
        "undoable": "nothing-to-undo",
    }


def test_without_gtids_the_place_in_the_binlog_names_the_transaction() -> None:
    here = replace(PLAN, transaction=TransactionId(None, "binlog.000001", 400, 1792))
    there = replace(PLAN, transaction=TransactionId(None, "binlog.000001", 500, 1792))
    assert to_document(here)["position"] == {"log_file": "binlog.000001", "start_pos": 400, "end_pos": 1792}
    assert here.digest != there.digest
    # With one, where it stands differs from server to server.
    assert replace(PLAN, transaction=TransactionId(GTID, "bin.000007", 4, 9)).digest == PLAN.digest


@pytest.mark.parametrize(
    ("step", "before"),
    [(STEP, {"id": 1, "v": "1.0"}), (replace(STEP, current=None, alike=2, new_key="id", takes=(("v", 1),)), None)],
)
def test_the_command_line_prints_a_step_as_the_trail_keeps_it(step: Step, before: dict[str, Any] | None) -> None:
    printed = step_part(step, "source").model_dump(by_alias=True)
    kept = step_to_document(step)
    assert printed["server"] == "source"
    assert (printed["current"], printed["columns"], printed["alike"]) == (before, ["id", "v"], step.alike)
    assert {name: printed[name] for name in kept} == kept
