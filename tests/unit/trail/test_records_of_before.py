"""Records whose plan is of version 1: guards are sentences, and the digest was taken over all of it. They stay readable, verifiable, and
what undo and recover go by."""

from __future__ import annotations

import hashlib
import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from replfix.audit.jsonl import read
from replfix.core.plan.guard import GuardKind
from replfix.core.plan.plan import VERSION
from replfix.core.plan.recorded_plan import read_plan
from replfix.core.trail.audit_record import AuditRecord, RecordKind, verify_chain
from replfix.present.page.record_page import record_page
from replfix.present.page.rich_page import page_text
from replfix.workflow.recover.recovery import recover
from replfix.workflow.undo.undo_repair import UndoResult
from tests.places import GOLDEN
from tests.unit.making import ORDERS, inserted
from tests.unit.workflow.test_recover_workflow import undoing
from tests.unit.workflow.test_resolve_workflow import Scene

RESOLVED, OPEN = GOLDEN / "trail" / "plan_v1_resolved.jsonl", GOLDEN / "trail" / "plan_v1_open.jsonl"


def recorded(path: Path) -> list[AuditRecord]:
    records = list(read(path))
    assert all(isinstance(record, AuditRecord) for record in records)
    return [record for record in records if isinstance(record, AuditRecord)]


def intent_in(records: list[AuditRecord]) -> AuditRecord:
    return next(record for record in records if record.kind == RecordKind.INTENT)


@pytest.mark.parametrize("path", [RESOLVED, OPEN], ids=lambda path: path.stem)
def test_the_chain_is_whole_and_the_digest_is_that_of_the_plan(path: Path) -> None:
    records = recorded(path)
    assert verify_chain(records).whole
    content = intent_in(records).content
    text = json.dumps(content["plan"], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    assert content["digest"] == hashlib.sha256(text.encode()).hexdigest()


def test_the_record_is_shown_with_its_guards() -> None:
    record = intent_in(recorded(RESOLVED))
    console = Console(file=StringIO(), width=200)
    for part in page_text(record_page(record)):
        console.print(part)
    assert "1 row, locked, is exactly what was diagnosed" in console.file.getvalue()  # type: ignore[attr-defined]
    plan = read_plan(record.content["plan"], {ORDERS.name: ORDERS})  # type: ignore[arg-type]
    assert {guard.kind for guard in plan.guards} == {GuardKind.AS_RECORDED}
    assert plan.guards[0].in_words.startswith("the server is ")


def repaired_as_recorded() -> Scene:
    """The servers as that repair left them, with its record in place of today's."""
    scene = Scene((inserted(ORDERS, 1, "A", None),), held=((7, "A", None),))
    scene.resolve()
    assert intent_in(scene.trail.written).content["plan"]["version"] == VERSION  # type: ignore[index]
    scene.trail.written = recorded(RESOLVED)
    return scene


def test_undo_knows_the_repair() -> None:
    """Its row cannot come back: the source's row has its number. That is told from the record's plan."""
    scene = repaired_as_recorded()
    done = undoing(scene, intent_in(scene.trail.written).id)
    assert done.result is UndoResult.REFUSED
    assert "number" in done.message


def test_recover_finds_out_what_became_of_it() -> None:
    scene = Scene((inserted(ORDERS, 1, "A", None),), held=((7, "A", None),))
    scene.replica.rows.delete(ORDERS.name, (7, "A", None))  # as the run had done
    scene.trail.written = recorded(OPEN)
    (found,) = recover(scene.operation)
    assert found.told_by == intent_in(recorded(OPEN))
    assert scene.trail.results() == ["unknown", "applied, not verified"]
