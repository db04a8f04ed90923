"""``resolve``, in this process, until the channel has caught up or a human is asked for."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from replfix.audit import SqlTrail
from replfix.config import load
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.plan.outcome import Result
from replfix.core.plan.plan import Plan
from replfix.errors import NotDone
from replfix.lab.topology import Lab
from replfix.wiring import servers, trails
from replfix.workflow.resolution import resolve
from tests.convergence.foretold import Stop, failure_of
from tests.convergence.judge import Recorded
from tests.convergence.left_out import Skipped
from tests.convergence.schema import SCHEMA

ROUNDS = 60
ONE_BY_ONE = 5
"""Of so many seeds, one is resolved without looking ahead."""


@dataclass(slots=True)
class Resolved:
    refused: str = ""  # replfix's words
    failed: str = ""
    enough: bool = False  # as many transactions as wanted were left out
    rounds: int = 0
    conflicts: Counter[str] = field(default_factory=Counter)
    stops: list[Stop] = field(default_factory=list)  # on what the applier stopped, each once, in order


class Quick:
    """Implements ``ports.Clock``: waits a fifth as long, because there is next to nothing to wait for."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 5)


def resolve_until_done(
    lab: Lab, strategy: str, trail: Path, caught_up: Callable[[], bool], skips: int = ROUNDS, *, ahead: bool = True
) -> Resolved:
    """``caught_up`` waits until the replica has, or stopped again: on a slow machine the end of ``resolve`` can be before that.
    A transaction that is left out is one run, as ``resolve`` has it, and ``skips`` are the most."""
    done = Resolved()
    seen: set[str] = set()

    def confirm(diagnosis: Diagnosis, plan: Plan) -> bool:
        if plan.digest not in seen and diagnosis.evidence.reconciliation is not None:
            seen.add(plan.digest)
            done.stops.append(Stop.of(diagnosis))
            done.conflicts.update(conflict.kind.value for conflict in diagnosis.evidence.reconciliation.conflicts)
        return True

    with servers.TargetConnections(load(str(lab.config_file)).target("replica1")) as wired:
        kept = SqlTrail.open(f"sqlite:///{trail}")
        operation = replace(trails.operation(wired, kept, lambda _: None), clock=Quick())
        for _ in range(ROUNDS):
            try:
                outcome = resolve(
                    operation,
                    strategy=strategy,
                    channel=None,
                    max_rounds=ROUNDS,
                    dry_run=False,
                    confirm=confirm,
                    ahead=ahead,
                )
            except NotDone as error:
                done.refused = f"{error.message} {error.hint}"
                break
            done.rounds += len(outcome.rounds)
            if outcome.result is Result.NOTHING_TO_DO and caught_up():
                break
            if strategy == "skip" and outcome.rounds and outcome.result is not Result.FAILED:
                done.enough = done.rounds == skips
                if done.enough or caught_up():
                    break
                continue
            if outcome.result is Result.NEEDS_HUMAN:
                done.refused = f"{outcome.message} {outcome.hint}"
                break
            if outcome.result is Result.FAILED:
                done.failed = f"{outcome.message} {outcome.hint}"
                break
        else:
            done.failed = f"the channel stopped more than {ROUNDS} times"
        kept.close()
    if (done.refused or done.failed) and (left := failure_of(lab)) is not None:
        done.stops.append(left)
    return done


def recorded(trail: Path) -> Iterator[Recorded]:
    """Every row that an intent in the trail says to take out or to change."""
    for intent in _payloads(trail, "intent"):
        for step in intent["plan"]["steps"]:
            if step["current"] is not None:
                yield Recorded(step["table"], step["current"])


def skipped(trail: Path) -> Iterator[Skipped]:
    """Every transaction that an intent in the trail says to leave out."""
    outcomes = {outcome["digest"]: outcome["result"] for outcome in _payloads(trail, "outcome")}
    for payload in _payloads(trail, "intent"):
        plan = payload["plan"]
        if "left_out" not in plan:
            continue
        rows = [row for row in plan["left_out"]["rows"] if row["schema"] == SCHEMA]
        yield Skipped(
            plan["gtid"] or f"{plan['position']['log_file']}:{plan['position']['end_pos']}",
            tuple(Recorded(row["table"], row["before"]) for row in rows if row["before"] is not None),
            tuple(Recorded(row["table"], row["after"]) for row in rows if row["after"] is not None),
            outcomes.get(payload["digest"], "none"),
        )


def _payloads(trail: Path, kind: str) -> Iterator[dict[str, Any]]:
    """Of every record of that kind."""
    if not trail.exists():
        return
    with closing(sqlite3.connect(trail)) as connection:
        for (payload,) in connection.execute("SELECT payload FROM audit_record WHERE kind = ?", (kind,)):
            yield json.loads(payload)
