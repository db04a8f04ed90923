"""Undo and recover at every point where something goes wrong: what is changed, what is on record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replfix.core.plan.outcome import Result
from replfix.core.plan.plan import Plan
from replfix.core.replication.replica_status import ReceiverState
from replfix.core.trail.audit_record import RecordKind
from replfix.errors import AuditError, Busy, ConnectError, NotVerified, Refused
from replfix.workflow.recover.recovery import Recovered, recover
from replfix.workflow.undo.undo_repair import UndoOutcome, UndoResult, undo
from tests.unit.making import ORDERS, REPLICA, SOURCE, inserted
from tests.unit.workflow.test_resolve_workflow import Scene

LOST = NotVerified("The connection was lost. This was while the repair was being committed.", "")


@pytest.fixture
def scene() -> Scene:
    """The replica holds row 7 with the number that the source gives to row 1."""
    return Scene((inserted(ORDERS, 1, "A", None),), held=((7, "A", None),))


def undoing(scene: Scene, record_id: str, *, dry_run: bool = False, yes: bool = True) -> UndoOutcome:
    def confirm(plan: Plan) -> bool:
        scene.confirmed.append(plan)
        return yes

    return undo(scene.operation, record_id, dry_run=dry_run, confirm=confirm)


def recovered(scene: Scene) -> list[Recovered]:
    return list(recover(scene.operation))


def committed_and_lost(scene: Scene) -> str:
    """The audit id of a repair whose COMMIT went through while the connection was lost."""
    scene.world.after["commit"] = LOST
    outcome = scene.resolve()
    assert outcome.result is Result.FAILED
    assert scene.trail.results() == ["unknown"]
    scene.world.after.clear()
    intent = outcome.rounds[0].audit_id
    assert intent is not None
    return intent


def test_a_commit_in_the_dark_is_found_out(scene: Scene) -> None:
    intent = committed_and_lost(scene)
    (found,) = recovered(scene)
    assert (found.told_by.id, scene.trail.results()) == (intent, ["unknown", "applied, not verified"])
    assert "'replfix resolve' goes on" in found.next
    assert not scene.replica.applier_running
    assert recovered(scene) == []
    assert scene.resolve().result is Result.RESOLVED
    scene.assert_resolved()


def test_a_commit_that_never_came_is_found_out_too(scene: Scene) -> None:
    scene.world.before["commit"] = LOST
    scene.resolve()
    scene.world.before.clear()
    recovered(scene)
    assert scene.trail.results() == ["unknown", "not applied"]
    scene.assert_untouched()
    with pytest.raises(Refused, match="not applied"):
        undoing(scene, scene.trail.written[-1].id)


def test_an_undo_before_the_transaction_was_applied_leads_back(scene: Scene) -> None:
    intent = committed_and_lost(scene)
    done = undoing(scene, intent)
    assert (done.result, done.undoes.id) == (UndoResult.UNDONE, intent)
    scene.assert_untouched()
    assert scene.trail.kinds()[-4:] == ["settings", "intent", "settings-restored", "outcome"]
    with pytest.raises(Refused, match="undone already"):
        undoing(scene, intent)
    with pytest.raises(Refused, match="that of an undo"):
        undoing(scene, done.audit_ids[1])


def test_a_dry_run_of_an_undo_and_one_that_is_not_confirmed_change_nothing(scene: Scene) -> None:
    intent = committed_and_lost(scene)
    recovered(scene)
    before, records = scene.replica.rows.contents, len(scene.trail.written)
    assert undoing(scene, intent, dry_run=True).result is UndoResult.REHEARSED
    assert undoing(scene, intent, yes=False).result is UndoResult.NEEDS_HUMAN
    assert len(scene.confirmed) == 2, "of the resolution, and of the second undo"
    assert (scene.replica.rows.contents, len(scene.trail.written)) == (before, records)


def test_an_undo_without_a_record_of_its_intent_is_not_done(scene: Scene) -> None:
    intent = committed_and_lost(scene)
    before = scene.replica.rows.contents
    scene.world.before["trail intent"] = AuditError("the disk is full")
    with pytest.raises(AuditError):
        undoing(scene, intent)
    assert scene.replica.rows.contents == before
    assert scene.replica.super_read_only


def test_an_undo_whose_end_is_lost_is_found_out(scene: Scene) -> None:
    intent = committed_and_lost(scene)
    recovered(scene)
    scene.world.after["commit"] = LOST
    assert undoing(scene, intent).result is UndoResult.FAILED
    scene.world.after.clear()
    (found,) = recovered(scene)
    assert scene.trail.results()[-2:] == ["unknown", "undone"]
    assert (found.channel, found.next) == ("", "")
    scene.assert_untouched()
    with pytest.raises(Refused, match="undone already"):
        undoing(scene, intent)


def test_the_repair_of_another_server_is_not_undone_here(scene: Scene) -> None:
    intent = committed_and_lost(scene)
    recovered(scene)
    scene.replica.server_uuid = SOURCE
    with pytest.raises(Refused, match=f"made on the server {REPLICA}"):
        undoing(scene, intent)


def test_an_account_that_cannot_see_side_effects_undoes_nothing(scene: Scene) -> None:
    intent = committed_and_lost(scene)
    scene.replica.blind = ("TRIGGER",)
    refused = undoing(scene, intent)
    assert (refused.result, "TRIGGER" in refused.in_the_way[0]) == (UndoResult.REFUSED, True)


def stopped_behind(scene: Scene) -> None:
    """Interrupted when the replica had applied the transaction, before its rows were looked at."""
    scene.world.after["replica.start until"] = lambda: setattr(
        scene.world, "interrupt_at", (len(scene.world.steps), False)
    )
    with pytest.raises(KeyboardInterrupt):
        scene.resolve()
    scene.world.after.clear()
    scene.world.interrupt_at = None
    assert scene.trail.written.pop().kind == RecordKind.OUTCOME, "which a process that is killed does not write"
    assert not scene.replica.applier_running


def test_a_channel_that_the_run_had_let_stop_is_started(scene: Scene) -> None:
    stopped_behind(scene)
    scene.replica.receiver = ReceiverState.STOPPED
    (found,) = recovered(scene)
    assert scene.trail.results() == ["applied and verified"]
    assert "started" in found.next
    assert scene.replica.applier_running
    assert scene.replica.receiver is ReceiverState.STOPPED, "which somebody had stopped"


def test_a_dry_run_tells_and_starts_nothing(scene: Scene) -> None:
    stopped_behind(scene)
    scene.resolve(dry_run=True)
    assert not scene.replica.applier_running
    assert any("START REPLICA" in said for said in scene.said)


def test_without_the_source_it_is_not_verified(scene: Scene) -> None:
    stopped_behind(scene)
    scene.world.before["source.transaction"] = ConnectError("The source is gone.", "")
    recovered(scene)
    assert scene.trail.results() == ["applied, not verified"]


def test_what_a_run_at_work_holds_is_left_to_it(scene: Scene) -> None:
    stopped_behind(scene)
    scene.replica.held = True
    with pytest.raises(Busy):
        recovered(scene)
    scene.replica.applier_running = True
    assert scene.resolve().result is Result.NOTHING_TO_DO
    assert scene.trail.results() == []


def test_a_table_that_is_gone_ends_the_story_all_the_same(scene: Scene) -> None:
    committed_and_lost(scene)
    scene.replica.rows.tables[ORDERS.name] = replace(ORDERS, columns=ORDERS.columns[:1], unique_keys=())
    (found,) = recovered(scene)
    assert scene.trail.results() == ["unknown", "cannot be told"]
    assert "other columns" in found.message


def test_a_transaction_that_was_left_out_in_the_dark_is_found_out_and_the_channel_goes_on(scene: Scene) -> None:
    scene.world.after["commit"] = LOST
    assert scene.resolve(strategy="skip").result is Result.FAILED
    scene.world.after.clear()
    (found,) = recovered(scene)
    assert scene.trail.results() == ["unknown", "left out, not verified"]
    assert found.next == "The channel was started, which was all that was left to do."
    assert scene.replica.applier_running
    assert scene.replica.rows.contents[ORDERS.name] == {(7, "A", None)}
    with pytest.raises(Refused, match="its record says: left out, not verified"):
        undoing(scene, found.told_by.id)


def test_a_transaction_that_was_not_left_out_is_still_to_be_applied(scene: Scene) -> None:
    scene.world.before["commit"] = LOST
    scene.resolve(strategy="skip")
    scene.world.before.clear()
    recovered(scene)
    assert scene.trail.results() == ["unknown", "not left out"]
    scene.assert_untouched()
