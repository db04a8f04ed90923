"""The ways in which a replica gets past a failing transaction: it applies it, or leaves it out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Protocol

from replfix.core.conflicts.reconcile import final_rows
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.plan.plan import ApplyMode, Plan
from replfix.core.remedies.beside_swaps import changes_beside
from replfix.core.replication.replica_status import ReplicaStatus
from replfix.core.rows.lookup import Answers
from replfix.core.trail.audit_record import RecordKind
from replfix.core.words import counted
from replfix.errors import NotDone, NotVerified, ReplfixError, Stale
from replfix.ports import Repair
from replfix.workflow.apply.resume_applier import let_it_apply, verify, wait_until_stopped
from replfix.workflow.apply.start_channel import Receiving, start_applier
from replfix.workflow.apply.temporary_settings import writable
from replfix.workflow.operation import IncidentLog, Operation


class TransactionExecutor(Protocol):
    """One round's work, in the order in which it is done."""

    @property
    def done(self) -> str:
        """What is true once ``carry_out`` has returned, in words."""
        ...

    def prepared(self) -> AbstractContextManager[None]:
        """Return the context of rehearsal and ``carry_out``: inside it, settings that are in the way are changed."""
        ...

    def rehearse(self) -> None:
        """Try the plan on the replica. Raises RehearsalFailed or PrivilegeError; nothing is changed."""
        ...

    def carry_out(self, guard: Callable[[], None]) -> None:
        """Do what the plan says; ``guard`` is called last before it counts.

        What is raised before that: nothing was changed. NotVerified: it is unknown whether anything was.
        """
        ...

    def get_past(self) -> None:
        """Let the replica get past the transaction and stop there, where it can be made to."""
        ...

    def verify(self) -> None:
        """Check the replica afterwards. NotVerified when its rows are not as they should be."""
        ...


def executor_for(
    operation: Operation, log: IncidentLog, plan: Plan, diagnosis: Diagnosis, repair: Repair, receiving: Receiving
) -> TransactionExecutor:
    """Return what carries out the plan, by the way in which the replica gets past the transaction."""
    ways: dict[ApplyMode, type[_Apply] | type[_NetRows] | type[_EmptyTransaction] | type[_SkipCounter]] = {
        ApplyMode.APPLY: _Apply,
        ApplyMode.NET_ROWS: _NetRows,
        ApplyMode.EMPTY: _EmptyTransaction,
        ApplyMode.COUNTER: _SkipCounter,
    }
    return ways[plan.way](operation, log, plan, _of_the_plan(plan, diagnosis), repair, receiving)


def _of_the_plan(plan: Plan, diagnosis: Diagnosis) -> Diagnosis:
    """Return the diagnosis with what a plan that leaves rows out makes of the transaction."""
    evidence, transaction = diagnosis.evidence, diagnosis.evidence.transaction
    if plan.way.leaves_out or plan.left_out is None or transaction is None:
        return diagnosis
    others = replace(transaction, changes=changes_beside(evidence))
    return replace(diagnosis, evidence=replace(evidence, transaction=others))


class _Round:
    def __init__(
        self,
        operation: Operation,
        log: IncidentLog,
        plan: Plan,
        diagnosis: Diagnosis,
        repair: Repair,
        receiving: Receiving,
    ) -> None:
        self.operation = operation
        self.log = log
        self.plan = plan
        self.diagnosis = diagnosis
        self.repair = repair
        self.receiving = receiving
        self.then: ReplicaStatus | None = None  # once the applier is past the transaction


class _Apply(_Round):
    """Rows are brought to the state that the transaction expects, and the replica applies it."""

    done = "The repair was applied"

    def prepared(self) -> AbstractContextManager[None]:
        return writable(self.log, self.plan.server_uuid, self.plan.channel, self.repair)

    def rehearse(self) -> None:
        evidence = self.diagnosis.evidence
        assert evidence.transaction is not None
        self.operation.progress(
            f"Rehearsing the plan and {self.plan.covers} on the replica (everything is rolled back)"
        )
        self.repair.rehearse(self.plan, evidence.transaction, evidence.tables)

    def carry_out(self, guard: Callable[[], None]) -> None:
        self.operation.progress(f"Applying {counted(len(self.plan.steps), 'step')} in one transaction, not logged")
        evidence = self.diagnosis.evidence
        assert evidence.transaction is not None
        self.repair.apply(self.plan, evidence.transaction, evidence.tables, guard)

    def get_past(self) -> None:
        self.then = let_it_apply(self.operation, self.plan, self.receiving)

    def verify(self) -> None:
        verify(self.operation, self.diagnosis, self.receiving, self.then)


class _NetRows(_Apply):
    """A transaction that no applier takes, carried out in its place: what it makes of its rows, under its GTID.

    The steps come first, in a transaction of their own: they are not logged, and this one is.
    """

    def carry_out(self, guard: Callable[[], None]) -> None:
        evidence = self.diagnosis.evidence
        assert evidence.transaction is not None
        if not self.plan.steps:
            self._commit(guard)
            return
        super().carry_out(guard)
        try:
            self._commit(lambda: None)
        except ReplfixError as error:
            raise NotVerified(
                f"The repair was applied, {self.plan.transaction} itself was not: {error.message}",
                "The displaced rows are in the audit trail. Run 'replfix diagnose' to see the channel's state.",
            ) from None

    def _commit(self, guard: Callable[[], None]) -> None:
        evidence = self.diagnosis.evidence
        assert evidence.transaction is not None
        rows = counted(len(self.plan.net_rows), "row")
        self.operation.progress(
            f"Carrying out {self.plan.transaction} in the applier's place: {rows}, logged under its GTID"
        )
        self.repair.commit_transaction(self.plan, evidence.transaction, evidence.tables, guard)

    def get_past(self) -> None:
        pass  # gtid_executed has it


class _LeaveOut(_Round):
    """The transaction is passed over, and its rows stay as they are."""

    done = "The transaction was left out"

    def prepared(self) -> AbstractContextManager[None]:
        return nullcontext()  # super_read_only does not keep anybody from an empty transaction (9.7.4)

    def rehearse(self) -> None:
        self.operation.progress(f"Trying whether the account may leave {self.plan.transaction} out")
        self.repair.rehearse_leaving_out(self.plan)
        self.before = self._rows()

    def _rows(self) -> Answers:
        evidence = self.diagnosis.evidence
        if evidence.transaction is None:
            return {}
        lookups = tuple(row.lookup for row in final_rows(evidence.transaction.changes, evidence.tables))
        return self.operation.replica.find(evidence.tables, lookups)

    def verify(self) -> None:
        status = self.operation.replica.status()
        channel = status.channel(self.plan.channel)
        if channel is None or not status.has_applied(channel, self.plan.transaction):
            raise NotVerified(
                f"The replica did not get past {self.plan.transaction}.",
                "'replfix diagnose' shows the channel's state.",
            )
        self.operation.progress(
            f"Verifying that {counted(len(self.before), 'row')} {'is' if len(self.before) == 1 else 'are'} as before"
        )
        now = self._rows()
        changed = [lookup for lookup, rows in self.before.items() if now[lookup] != rows]
        if changed:
            raise NotVerified(
                f"{counted(len(changed), 'row')} of {changed[0].table} changed while {self.plan.transaction} was left out.",
                "The channel was left stopped after it. Find out who writes on the replica, then START REPLICA.",
            )


class _EmptyTransaction(_LeaveOut):
    def carry_out(self, guard: Callable[[], None]) -> None:
        self.operation.progress(f"Committing an empty transaction as {self.plan.transaction}")
        self.repair.commit_empty(self.plan, guard)

    def get_past(self) -> None:
        pass  # gtid_executed has it: it is passed over whenever the applier is started


class _SkipCounter(_LeaveOut):
    def carry_out(self, guard: Callable[[], None]) -> None:
        replica, plan = self.operation.replica, self.plan
        if not replica.stops_after(plan.transaction):
            raise NotDone(
                "The account has only a cloud's procedures, which do not start a channel up to a position.",
                "Nothing was changed. The cloud's own procedure for that skips one transaction too.",
            )
        counter = {self.repair.skip_counter(): "0"}
        payload: dict[str, object] = {"server_uuid": plan.server_uuid, "variables": counter}
        guard()
        channel = replica.status().channel(plan.channel)
        if channel is None or not channel.stands_at(plan.transaction):
            raise Stale(
                f"The applier is not at the start of {plan.transaction}: the skip counter could pass over another one.",
                "Nothing was changed. Run the command again: the diagnosis is made anew.",
            )
        # On record first: a counter that a killed run leaves set would skip a transaction at the next start.
        self.log.append(RecordKind.SETTINGS, plan.channel, payload)
        try:
            self.repair.set_skip_counter()
            self.operation.progress(f"START REPLICA past {plan.transaction}, which is left out")
            start_applier(self.operation, plan, until=plan.transaction)
            wait_until_stopped(self.operation, plan, or_applied=True)
        finally:
            self.repair.put_back(counter)
            self.log.append(RecordKind.SETTINGS_RESTORED, plan.channel, payload)

    def get_past(self) -> None:
        pass  # done: the counter counts for one start only
