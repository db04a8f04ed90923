"""The order of a resolution, and what is left behind when something goes wrong at any point of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from replfix.core.binlog.row_event import RowChange
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.plan.outcome import Outcome, Result
from replfix.core.plan.plan import Plan
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ReceiverState, ReplicaStatus
from replfix.core.replication.start_threads import Threads
from replfix.core.rows.row_values import RowImage
from replfix.core.trail.audit_record import RecordKind
from replfix.errors import (
    AuditError,
    Busy,
    ConnectError,
    NotDone,
    NotVerified,
    PrivilegeError,
    RehearsalFailed,
    ReplfixError,
    Stale,
    UsageError,
)
from replfix.workflow import resolution
from replfix.workflow.apply import resume_applier
from replfix.workflow.investigate.investigation import investigate
from replfix.workflow.operation import Operation
from replfix.workflow.recover.recovery import recover
from tests.unit.fakes import FakeClock, FakeReplica, FakeServer, FakeTrail, Rows, World
from tests.unit.making import ORDERS, REPLICA, SOURCE, inserted, placed, transaction, updated

Act = Callable[[], object]


class Scene:
    """A source, a replica that holds other rows, and the source's transactions on their way to it."""

    def __init__(self, *transactions: tuple[RowChange, ...], held: tuple[RowImage, ...] = ()) -> None:
        self.world = World()
        self.source = FakeServer(self.world, "source", SOURCE, Rows.of(ORDERS))
        self.replica = FakeReplica(self.world, "replica", REPLICA, Rows.of(ORDERS), self.source)
        self.trail = FakeTrail(self.world)
        self.clock = FakeClock()
        self.said: list[str] = []
        self.confirmed: list[Plan] = []
        self.yes = True
        self.before_confirm: Act = lambda: None
        for row in held:
            self.replica.rows.insert(ORDERS.name, row)
        for number, changes in enumerate(transactions, 1):
            self.source.write(placed(transaction(changes, gtid=f"{SOURCE}:{number}"), number))
        self.replica.relay = list(self.source.log.values())
        self.replica.run_applier()
        self.at_first = self.replica.rows.contents

    @property
    def operation(self) -> Operation:
        return Operation("db2", self.replica, lambda _: self.source, self.trail, self.clock, self.say)

    def say(self, step: object) -> None:
        self.said.append(str(step))

    def confirm(self, diagnosis: Diagnosis, plan: Plan) -> bool:
        self.confirmed.append(plan)
        self.before_confirm()
        return self.yes

    def resolve(
        self,
        *,
        max_rounds: int = 5,
        dry_run: bool = False,
        channel: str | None = None,
        strategy: str = "source-wins",
        ahead: bool = True,
    ) -> Outcome:
        return resolution.resolve(
            self.operation,
            strategy=strategy,
            channel=channel,
            max_rounds=max_rounds,
            dry_run=dry_run,
            confirm=self.confirm,
            ahead=ahead,
        )

    def plan(self) -> Plan:
        diagnosis = investigate(self.replica, lambda _: self.source, None)
        assert diagnosis is not None
        plan = diagnosis.proposals[0].plan
        assert plan is not None
        return plan

    def assert_untouched(self) -> None:
        assert self.replica.rows.contents == self.at_first
        assert self.replica.super_read_only
        assert not self.replica.held
        assert self.trail.open_settings() == []
        assert not any(step.startswith("replica.start") for step in self.world.steps)

    def assert_resolved(self) -> None:
        assert self.replica.rows.contents == self.source.rows.contents
        assert self.replica.gtids == self.source.gtids
        assert self.replica.applier_running
        assert self.replica.super_read_only
        assert self.trail.open_settings() == []


ONE = (inserted(ORDERS, 1, "A", None),)
TWO = (inserted(ORDERS, 2, "B", None),)


@pytest.fixture
def scene() -> Scene:
    return Scene(ONE, held=((1, "local", None),))


def test_the_order_of_everything(scene: Scene) -> None:
    outcome = scene.resolve()
    assert outcome.result is Result.RESOLVED
    assert outcome.displaced_rows == 1
    scene.assert_resolved()
    telling = ("repair", "alone", "writable", "rehearse", "apply", "commit", "put back", "trail", "replica.start")
    steps = [s for s in scene.world.steps if s.startswith(telling)]
    assert steps == [
        "repair",
        "alone",
        "trail settings",
        "writable",
        "rehearse",
        "trail intent",
        "apply",
        "commit",
        "put back",
        "trail settings-restored",
        "replica.start until",
        "replica.start",
        "trail outcome",
    ]
    assert scene.trail.results() == ["applied and verified"]
    assert outcome.audit_ids == tuple(r.id for r in scene.trail.written)
    assert len({r.incident for r in scene.trail.written}) == 1


@pytest.mark.parametrize(("looks", "result"), [(3, Result.RESOLVED), (10**6, Result.FAILED)])
def test_a_position_that_is_after_the_transaction_before_its_gtid_is_recorded(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, looks: int, result: Result
) -> None:
    """MariaDB 10.11.19 under load, at the end of an UNTIL."""
    status, left = scene.replica.status, [looks]
    end = next(iter(scene.source.log.values())).id.end

    def late() -> ReplicaStatus:
        found = status()
        if not found.executed or not left[0]:
            return found
        left[0] -= 1
        channels = tuple(replace(channel, applied_to=end) for channel in found.channels)
        return replace(found, executed=GtidSet(), channels=channels)

    monkeypatch.setattr(scene.replica, "status", late)
    assert scene.resolve().result is result
    if result is Result.RESOLVED:
        scene.assert_resolved()


def test_the_intent_holds_the_displaced_row_its_undo_and_what_was_shown(scene: Scene) -> None:
    outcome = scene.resolve()
    (intent,) = [r for r in scene.trail.written if r.kind == RecordKind.INTENT]
    assert outcome.rounds[0].audit_id == intent.id
    content = intent.content
    assert content["digest"] == scene.confirmed[0].digest
    undo = content["undo"]
    assert isinstance(undo, list)
    assert undo[0] == "SET SESSION sql_log_bin = 0"
    assert undo[-1] == "INSERT INTO `shop`.`orders` (`id`, `number`, `total`) VALUES (1, 'local', NULL)"
    plan = content["plan"]
    assert isinstance(plan, dict)
    assert plan["steps"][0]["current"] == {"id": 1, "number": "local", "total": None}


def test_a_replica_that_runs_needs_nothing() -> None:
    scene = Scene(ONE)
    outcome = scene.resolve()
    assert outcome.result is Result.NOTHING_TO_DO
    assert outcome.audit_ids == ()
    assert scene.trail.written == []


def test_several_transactions_in_a_row() -> None:
    scene = Scene(ONE, TWO, held=((1, "x", None), (2, "y", None)))
    outcome = scene.resolve(ahead=False)
    assert outcome.result is Result.RESOLVED
    assert [r.plan.transaction.gtid for r in outcome.rounds] == [f"{SOURCE}:1", f"{SOURCE}:2"]
    assert outcome.displaced_rows == 2
    assert len(scene.confirmed) == 2
    scene.assert_resolved()


def test_a_limit_of_rounds() -> None:
    scene = Scene(ONE, TWO, held=((1, "x", None), (2, "y", None)))
    outcome = scene.resolve(max_rounds=1, ahead=False)
    assert outcome.result is Result.NEEDS_HUMAN
    assert outcome.message == (
        "1 transaction repaired and verified; 1 row deleted or changed (saved). "
        f"The channel has stopped on the next one ({SOURCE}:2); --max-rounds 1 was reached."
    )
    assert [(r.applied, r.verified) for r in outcome.rounds] == [(True, True)]
    assert scene.replica.gtids == GtidSet.parse(f"{SOURCE}:1")
    assert len(scene.confirmed) == 1


def test_a_dry_run_changes_nothing(scene: Scene) -> None:
    outcome = scene.resolve(dry_run=True)
    assert (outcome.result, outcome.dry_run) == (Result.REHEARSED, True)
    assert outcome.message.endswith("super_read_only was switched off for that, and put back.")
    assert [(r.rehearsed, r.applied, r.verified) for r in outcome.rounds] == [(True, False, False)]
    assert not outcome.changed
    assert scene.confirmed == []
    assert scene.trail.kinds() == ["settings", "settings-restored"]
    scene.assert_untouched()


def test_not_confirmed(scene: Scene) -> None:
    scene.yes = False
    outcome = scene.resolve()
    assert (outcome.result, outcome.message) == (Result.NEEDS_HUMAN, "Cancelled. Nothing was changed.")
    assert scene.trail.written == []
    scene.assert_untouched()


def test_an_unknown_strategy(scene: Scene) -> None:
    with pytest.raises(UsageError, match="There is no strategy 'force'"):
        resolution.resolve(
            scene.operation, strategy="force", channel=None, max_rounds=1, dry_run=False, confirm=scene.confirm
        )
    assert scene.world.steps == []


def test_an_unknown_channel(scene: Scene) -> None:
    with pytest.raises(UsageError, match="no channel 'west'"):
        scene.resolve(channel="west")


def test_no_settings_have_to_change(scene: Scene) -> None:
    scene.replica.super_read_only = False
    scene.resolve()
    assert scene.trail.kinds() == ["intent", "outcome"]
    assert not scene.replica.super_read_only


def test_the_rehearsal_fails(scene: Scene) -> None:
    scene.world.before["rehearse"] = RehearsalFailed("no")
    with pytest.raises(RehearsalFailed):
        scene.resolve()
    assert scene.trail.kinds() == ["settings", "settings-restored", "refused"]
    scene.assert_untouched()


def test_the_intent_cannot_be_recorded(scene: Scene) -> None:
    scene.world.before["trail intent"] = AuditError("disk full")
    with pytest.raises(AuditError):
        scene.resolve()
    assert "apply" not in scene.world.steps
    scene.assert_untouched()


def test_settings_cannot_be_recorded(scene: Scene) -> None:
    scene.world.before["trail settings"] = AuditError("disk full")
    with pytest.raises(AuditError):
        scene.resolve()
    assert "writable" not in scene.world.steps
    scene.assert_untouched()


def test_the_trail_is_full_from_the_intent_on(scene: Scene) -> None:
    for kind in ("intent", "settings-restored"):
        scene.world.before[f"trail {kind}"] = AuditError(f"disk full at {kind}")
    with pytest.raises(AuditError, match="at intent"):
        scene.resolve()
    assert scene.replica.rows.contents == scene.at_first
    assert scene.replica.super_read_only
    assert len(scene.trail.open_settings()) == 1, "it could not be told; the next run puts them back once more"


def test_something_changed_between_what_was_shown_and_what_is_done(scene: Scene) -> None:
    scene.before_confirm = lambda: scene.replica.rows.update(ORDERS.name, (1, "local", None), (1, "other", None))
    with pytest.raises(Stale, match="the diagnosis now leads to another plan"):
        scene.resolve()
    assert scene.trail.kinds() == ["refused"]
    assert "apply" not in scene.world.steps


def test_the_channel_was_repaired_by_somebody_else_meanwhile(scene: Scene) -> None:
    def somebody() -> None:
        scene.replica.rows.delete(ORDERS.name, (1, None, None))
        scene.replica.run_applier()

    scene.before_confirm = somebody
    with pytest.raises(Stale, match="the channel runs now"):
        scene.resolve()
    assert scene.trail.kinds() == ["refused"]


def test_somebody_stops_the_channel_by_hand_meanwhile(scene: Scene) -> None:
    def somebody() -> None:
        scene.replica.error = (0, "")

    scene.before_confirm = somebody
    with pytest.raises(Stale, match="is not as it was"):
        scene.resolve()


def test_another_replfix_holds_the_channel(scene: Scene) -> None:
    scene.replica.held = True
    with pytest.raises(Busy):
        scene.resolve()
    assert scene.trail.written == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda r: setattr(r, "server_uuid", SOURCE), "the server is"),
        (lambda r: setattr(r, "applier_running", True), "the channel runs now"),
        (lambda r: setattr(r, "channel_exists", False), "does not exist"),
        (lambda r: setattr(r, "gtids", GtidSet.parse(f"{SOURCE}:1")), "applied or skipped"),
        (lambda r: setattr(r, "error", (1032, r.error[1])), "another error now: 1032"),
        (lambda r: setattr(r, "error", (0, "")), "without an error"),
        (lambda r: setattr(r, "error", (1062, r.error[1].replace(":1'", ":2'"))), "another transaction"),
    ],
)
def test_a_guard_fails_just_before_commit(scene: Scene, change: Callable[[FakeReplica], None], why: str) -> None:
    scene.world.before["apply"] = lambda: change(scene.replica)
    with pytest.raises(Stale, match=why):
        scene.resolve()
    assert scene.trail.results() == ["not applied"]
    scene.assert_untouched()


def test_a_row_changes_between_rehearsal_and_apply(scene: Scene) -> None:
    def somebody() -> None:
        scene.replica.rows.update(ORDERS.name, (1, "local", None), (1, "other", None))
        scene.at_first = scene.replica.rows.contents

    scene.world.after["trail intent"] = somebody
    with pytest.raises(Stale):
        scene.resolve()
    assert scene.trail.results() == ["not applied"]
    scene.assert_untouched()


def test_the_connection_is_lost_while_committing(scene: Scene) -> None:
    scene.world.after["commit"] = NotVerified("lost")
    outcome = scene.resolve()
    assert (outcome.result, outcome.message) == (Result.FAILED, "lost")
    assert [(r.rehearsed, r.applied, r.verified) for r in outcome.rounds] == [(True, True, False)]
    assert scene.trail.results() == ["unknown"]
    assert scene.replica.super_read_only
    assert scene.trail.open_settings() == []


def test_settings_cannot_be_put_back_after_the_repair(scene: Scene) -> None:
    scene.world.before["put back"] = NotVerified("super_read_only could not be put back")
    outcome = scene.resolve()
    assert (outcome.result, outcome.message) == (Result.FAILED, "super_read_only could not be put back")
    assert [(r.applied, r.verified) for r in outcome.rounds] == [(True, False)]
    assert scene.trail.results() == ["applied, not verified"]
    assert len(scene.trail.open_settings()) == 1
    assert "replica.start until" not in scene.world.steps


def test_settings_cannot_be_put_back_after_a_failed_rehearsal(scene: Scene) -> None:
    scene.world.before["rehearse"] = RehearsalFailed("no")
    scene.world.before["put back"] = NotVerified("super_read_only could not be put back")
    outcome = scene.resolve()
    assert outcome.result is Result.FAILED
    assert [(r.rehearsed, r.applied) for r in outcome.rounds] == [(False, False)]
    assert len(scene.trail.open_settings()) == 1


def test_the_trail_fails_once_the_repair_is_applied(scene: Scene) -> None:
    scene.world.before["trail settings-restored"] = AuditError("disk full")
    outcome = scene.resolve()
    assert outcome.result is Result.FAILED
    assert outcome.message == "The repair was applied; then: disk full"
    assert [(r.applied, r.verified) for r in outcome.rounds] == [(True, False)]
    assert scene.trail.results() == ["unknown"]


def test_the_outcome_cannot_be_recorded(scene: Scene) -> None:
    scene.world.before["trail outcome"] = AuditError("disk full")
    outcome = scene.resolve()
    assert outcome.result is Result.FAILED
    assert outcome.message.startswith("The outcome (applied and verified) could not be recorded: disk full")
    assert [(r.applied, r.verified) for r in outcome.rounds] == [(True, True)]


def test_the_replica_does_not_get_past_the_transaction(scene: Scene) -> None:
    def somebody() -> None:
        scene.replica.rows.insert(ORDERS.name, (1, "again", None))

    scene.world.before["replica.start until"] = somebody
    outcome = scene.resolve()
    assert outcome.result is Result.FAILED
    assert outcome.message.startswith(f"The repair was applied, but the replica did not get past {SOURCE}:1: Worker 1")
    assert [(r.applied, r.verified) for r in outcome.rounds] == [(True, False)]
    assert scene.trail.results() == ["applied, not verified"]


def test_another_transaction_that_is_applied_in_parallel_stops_it_first() -> None:
    """As a worker of another GTID domain of MariaDB does (10.11.19): nothing is wrong with the repair, and the next run goes on."""
    scene = Scene(ONE, TWO, held=((1, "x", None), (2, "y", None)))
    scene.world.before["replica.start until"] = scene.replica.relay.reverse
    outcome = scene.resolve(ahead=False)
    assert outcome.result is Result.FAILED
    assert outcome.message.startswith(
        f"The repair was applied. Before the replica got to {SOURCE}:1, it stopped on another transaction, which it applies in parallel: Worker 1"
    )
    assert f"transaction '{SOURCE}:2'" in outcome.message
    assert "Run the command again" in outcome.hint
    assert scene.trail.results() == ["applied, not verified"]


def test_the_rows_are_not_what_the_transaction_says(scene: Scene) -> None:
    def somebody() -> None:
        scene.replica.rows.update(ORDERS.name, (1, "A", None), (1, "Z", None))

    scene.world.after["replica.start until"] = somebody
    outcome = scene.resolve()
    assert outcome.result is Result.FAILED
    assert outcome.message.endswith("shop.orders row 1 differs in number.")
    assert "replica.start" not in scene.world.steps, "the channel is left standing behind the transaction"


@pytest.mark.parametrize("step", ["replica.start until", "replica.start"])
def test_the_replica_is_lost_after_the_repair(scene: Scene, step: str) -> None:
    scene.world.before[step] = ConnectError("gone")
    outcome = scene.resolve()
    assert outcome.result is Result.FAILED
    assert outcome.message == "The repair was applied; then: gone"
    assert outcome.hint
    assert scene.trail.results() == ["unknown"]
    del scene.world.before[step]
    assert scene.resolve().result in (Result.RESOLVED, Result.NOTHING_TO_DO)
    assert scene.replica.applier_running, "what was left to do is done first"
    scene.assert_resolved()


def test_the_applier_takes_too_long(scene: Scene) -> None:
    def goes_on() -> None:
        scene.replica.applier_running = True
        scene.replica.gtids = GtidSet()

    scene.world.after["replica.start until"] = goes_on
    outcome = scene.resolve()
    assert outcome.result is Result.FAILED
    assert "still applying transactions" in outcome.message
    assert scene.clock.now() > resume_applier.UNTIL_SECONDS


def test_the_channel_is_removed_while_it_applies(scene: Scene) -> None:
    scene.world.after["replica.start until"] = lambda: setattr(scene.replica, "channel_exists", False)
    outcome = scene.resolve()
    assert outcome.result is Result.FAILED
    assert outcome.message.startswith("The channel was removed")


def test_a_backlog_is_watched_for_a_while_only(scene: Scene) -> None:
    scene.world.after["replica.start"] = lambda: setattr(
        scene.source, "gtids", scene.source.gtids | GtidSet.parse(f"{SOURCE}:2-9")
    )
    assert scene.resolve().result is Result.RESOLVED
    assert resume_applier.SETTLE_SECONDS <= scene.clock.now() < resume_applier.UNTIL_SECONDS


def test_a_receiver_that_was_stopped_by_hand_stays_stopped(scene: Scene) -> None:
    scene.replica.receiver = ReceiverState.STOPPED
    outcome = scene.resolve()
    assert scene.replica.receiver is ReceiverState.STOPPED
    assert outcome.result is Result.NEEDS_HUMAN
    assert "1 transaction repaired and verified" in outcome.message
    assert scene.replica.rows.contents == scene.source.rows.contents


@pytest.mark.parametrize("error", [ConnectError("gone"), PrivilegeError("gone"), AuditError("gone"), Stale("gone")])
@pytest.mark.parametrize("step", ["replica.status", "repair", "trail settings", "rehearse"])
def test_an_error_before_anything_is_raised_and_one_in_a_later_round_is_told(error: ReplfixError, step: str) -> None:
    first = Scene(ONE, held=((1, "x", None),))
    first.world.before[step] = error
    with pytest.raises(type(error)):
        first.resolve()
    first.world.before.clear()
    first.assert_untouched()

    second = Scene(ONE, TWO, held=((1, "x", None), (2, "y", None)))
    second.world.after["trail outcome"] = lambda: second.world.before.__setitem__(step, error)
    outcome = second.resolve(ahead=False)
    assert outcome.result is Result.NEEDS_HUMAN
    assert outcome.message == "1 transaction repaired and verified; 1 row deleted or changed (saved). Then: gone"
    assert [r.verified for r in outcome.rounds] == [True]
    assert second.replica.super_read_only


def test_what_an_interrupted_run_left_is_put_back_first(scene: Scene) -> None:
    left: dict[str, object] = {"server_uuid": REPLICA, "variables": {"super_read_only": "1"}}
    scene.trail.append(RecordKind.SETTINGS, incident="old", replica="db2", channel="", payload=left)
    scene.replica.super_read_only = False
    outcome = scene.resolve()
    assert outcome.result is Result.RESOLVED
    assert scene.replica.super_read_only, "as it was before the run that was interrupted"
    assert [(r.kind, r.incident == "old") for r in scene.trail.written][:3] == [
        ("settings", True),
        ("settings-restored", True),
        ("settings", False),
    ]
    assert scene.trail.open_settings() == []
    assert scene.world.steps.index("put back leftovers") < scene.world.steps.index("rehearse")


def test_what_was_left_is_put_back_on_a_replica_that_runs_again() -> None:
    scene = Scene(ONE)
    left: dict[str, object] = {"server_uuid": REPLICA, "variables": {"super_read_only": "1"}}
    scene.trail.append(RecordKind.SETTINGS, incident="old", replica="db2", channel="", payload=left)
    scene.replica.super_read_only = False
    assert scene.resolve().result is Result.NOTHING_TO_DO
    assert scene.replica.super_read_only
    assert scene.trail.open_settings() == []


def test_what_was_left_on_another_server_is_not_touched(scene: Scene) -> None:
    left: dict[str, object] = {"server_uuid": SOURCE, "variables": {"super_read_only": "1"}}
    scene.trail.append(RecordKind.SETTINGS, incident="old", replica="db1", channel="", payload=left)
    assert scene.resolve().result is Result.RESOLVED
    assert "put back leftovers" not in scene.world.steps
    assert len(scene.trail.open_settings()) == 1


def test_settings_that_were_put_back_are_never_put_back_again(scene: Scene) -> None:
    """A replica may be promoted between two runs: what a failed run reported as restored is nobody's business later."""
    scene.world.before["rehearse"] = RehearsalFailed("no")
    with pytest.raises(RehearsalFailed):
        scene.resolve()
    scene.world.before.clear()
    scene.replica.super_read_only = False
    scene.resolve()
    assert not scene.replica.super_read_only


def _gap(scene: Scene) -> None:
    """Workers: the second transaction failed before the first was committed."""
    replica = scene.replica
    replica.rows.held = {name: [r for r in rows if r[0] != 1] for name, rows in replica.rows.held.items()}
    replica.gtids = GtidSet()
    replica.relay = list(scene.source.log.values())


def test_what_comes_before_the_failing_transaction_is_applied_first() -> None:
    scene = Scene(ONE, TWO, held=((2, "y", None),))
    assert scene.replica.error[0] == 1062
    _gap(scene)
    outcome = scene.resolve()
    assert outcome.result is Result.RESOLVED
    assert [r.plan.transaction.gtid for r in outcome.rounds] == [f"{SOURCE}:2"]
    starts = [s for s in scene.world.steps if s.startswith("replica.start")]
    assert starts == ["replica.start before", "replica.start", "replica.start until", "replica.start"]
    assert scene.trail.results() == ["caught up", "applied and verified"]
    scene.assert_resolved()


def _lost_between_two_starts() -> Scene:
    scene = Scene(ONE, TWO, held=((2, "y", None),))
    _gap(scene)
    scene.world.after["replica.start before"] = ConnectError("gone", "Try again.")
    outcome = scene.resolve()
    assert (outcome.result, scene.trail.results()) == (Result.FAILED, ["unknown"])
    assert "'replfix recover'" in outcome.hint
    scene.world.after.clear()
    assert (scene.replica.applier_running, scene.replica.error) == (False, (0, ""))
    return scene


def test_a_gap_that_was_left_half_closed_is_finished() -> None:
    scene = _lost_between_two_starts()
    (found,) = recover(scene.operation)
    assert "caught up" in found.message
    assert scene.replica.error[0] == 1062, "it has met the transaction again"
    assert scene.trail.results() == ["unknown", "caught up"]
    assert scene.resolve().result is Result.RESOLVED
    scene.assert_resolved()


def test_a_dry_run_leaves_that_to_the_next_run() -> None:
    scene = _lost_between_two_starts()
    outcome = scene.resolve(dry_run=True)
    assert (outcome.result, "without an error" in outcome.message) == (Result.NEEDS_HUMAN, True)
    assert any("'replfix recover' starts it again" in said for said in scene.said)
    assert not scene.replica.applier_running
    assert scene.resolve().result is Result.RESOLVED
    scene.assert_resolved()


def test_a_server_that_has_no_such_start() -> None:
    scene = Scene(ONE, TWO, held=((2, "y", None),))
    _gap(scene)
    scene.world.before["replica.start before"] = NotDone("It has no such end.", "")
    with pytest.raises(NotDone):
        scene.resolve()
    assert scene.trail.results() == ["not caught up"]


def test_a_gap_is_closed_for_one_approved_plan_too() -> None:
    scene = Scene(ONE, TWO, held=((2, "y", None),))
    _gap(scene)
    outcome = resolution.carry_out(scene.operation, scene.plan())
    assert outcome.result is Result.RESOLVED
    scene.assert_resolved()


def test_the_channel_is_removed_while_a_gap_is_closed() -> None:
    scene = Scene(ONE, TWO, held=((2, "y", None),))
    _gap(scene)
    scene.world.after["replica.start before"] = lambda: setattr(scene.replica, "channel_exists", False)
    outcome = scene.resolve()
    assert outcome.result is Result.FAILED
    assert [r.applied for r in outcome.rounds] == [False]


def test_an_approved_plan_is_rehearsed_and_carried_out(scene: Scene) -> None:
    plan = scene.plan()
    outcome = resolution.rehearse(scene.operation, plan)
    assert (outcome.dry_run, outcome.rounds[0].rehearsed) == (True, True)
    scene.assert_untouched()
    assert resolution.carry_out(scene.operation, plan).result is Result.RESOLVED
    scene.assert_resolved()
    with pytest.raises(Stale, match="the channel runs now"):
        resolution.carry_out(scene.operation, plan)


def test_an_approved_plan_and_then_the_next_failure() -> None:
    scene = Scene(ONE, TWO, held=((1, "x", None), (2, "y", None)))
    outcome = resolution.carry_out(scene.operation, scene.plan())
    assert outcome.result is Result.NEEDS_HUMAN
    assert "The channel has stopped on a later one." in outcome.message


def test_the_replica_is_lost_right_after_an_approved_plan(scene: Scene) -> None:
    plan = scene.plan()
    scene.world.after["trail outcome"] = lambda: scene.world.before.__setitem__("replica.status", ConnectError("gone"))
    outcome = resolution.carry_out(scene.operation, plan)
    assert outcome.result is Result.NEEDS_HUMAN
    assert outcome.rounds[0].verified


def _two_rounds() -> Scene:
    changes = (updated(ORDERS, (1, "A", None), (1, "C", None)),)
    return Scene(ONE, TWO, changes, held=((1, "x", None), (2, "y", None)))


def _number_of_steps(ahead: bool) -> int:
    scene = _two_rounds()
    scene.world.steps.clear()
    scene.resolve(ahead=ahead)
    return len(scene.world.steps)


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("ahead", "number"), [(ahead, number) for ahead in (False, True) for number in range(_number_of_steps(ahead))]
)
def test_ctrl_c_at_any_step(ahead: bool, number: int, done: bool) -> None:
    """Of two conflicts one after the other, and of the two together."""
    scene = _two_rounds()
    scene.world.steps.clear()
    scene.world.interrupt_at = (number, done)
    with pytest.raises(KeyboardInterrupt):
        scene.resolve(ahead=ahead)
    at = scene.world.steps[number]
    assert not scene.replica.held
    if at == "put back" and not done:
        assert not scene.replica.super_read_only
        assert len(scene.trail.open_settings()) == 1, "the next run puts them back"
    else:
        assert scene.replica.super_read_only
    intents, outcomes = scene.trail.kinds().count("intent"), scene.trail.kinds().count("outcome")
    if at not in ("trail intent", "trail outcome"):
        assert intents == outcomes
    if scene.trail.results() and scene.trail.results()[-1] == "not applied":
        assert at == "apply" or "commit" not in scene.world.steps[number:]

    # Whatever was left: the next run ends it.
    scene.world.interrupt_at = None
    assert scene.resolve(ahead=ahead).result in (Result.RESOLVED, Result.NOTHING_TO_DO, Result.NEEDS_HUMAN)
    if scene.replica.error[0] == 0 and not scene.replica.applier_running:
        scene.replica.start("", Threads.BOTH)  # it was interrupted between UNTIL and the last START REPLICA
        scene.resolve()
    assert scene.replica.rows.contents == scene.source.rows.contents
    assert scene.replica.applier_running
    assert scene.replica.super_read_only
    assert scene.trail.open_settings() == []


def test_progress_is_said_in_the_order_of_things(scene: Scene) -> None:
    scene.resolve()
    said = [line.split()[0] for line in scene.said]
    assert said == ["Reading", "Comparing", "Rehearsing", "Applying", "START", "Verifying", "START"]


def test_ctrl_c_right_after_the_intent(scene: Scene) -> None:
    def interrupt(line: object) -> None:
        if str(line).startswith("Applying"):
            raise KeyboardInterrupt

    operation = Operation("db2", scene.replica, lambda _: scene.source, scene.trail, scene.clock, interrupt)
    with pytest.raises(KeyboardInterrupt):
        resolution.resolve(
            operation, strategy="source-wins", channel=None, max_rounds=1, dry_run=False, confirm=lambda *_: True
        )
    assert scene.trail.results() == ["not applied"]
    scene.assert_untouched()


def test_what_is_left_out_is_on_record_before_and_its_rows_stand_as_before() -> None:
    scene = Scene(ONE, TWO, held=((1, "local", None),))
    outcome = scene.resolve(strategy="skip")
    assert (outcome.result, outcome.displaced_rows) == (Result.RESOLVED, 0)
    assert outcome.message == f"{SOURCE}:1 was left out: this replica never gets 1 row of it. The channel is running."
    telling = ("repair", "writable", "rehearse", "commit", "trail", "replica.start")
    assert [s for s in scene.world.steps if s.startswith(telling)] == [
        "repair",
        "rehearse",
        "trail intent",
        "commit",
        "replica.start",
        "trail outcome",
    ]
    assert scene.replica.rows.contents[ORDERS.name] == {(1, "local", None), (2, "B", None)}
    assert scene.replica.gtids == scene.source.gtids
    assert scene.trail.results() == ["left out and verified"]


def test_a_skip_that_was_not_confirmed_leaves_everything() -> None:
    scene = Scene(ONE, held=((1, "local", None),))
    scene.yes = False
    assert scene.resolve(strategy="skip").result is Result.NEEDS_HUMAN
    scene.assert_untouched()


def test_somebody_who_writes_the_rows_meanwhile_is_seen() -> None:
    scene = Scene(ONE, held=((1, "local", None),))
    scene.world.after["commit"] = lambda: scene.replica.rows.delete(ORDERS.name, (1, "local", None))
    outcome = scene.resolve(strategy="skip")
    assert outcome.result is Result.FAILED
    assert "changed while" in outcome.message
    assert not scene.replica.applier_running
