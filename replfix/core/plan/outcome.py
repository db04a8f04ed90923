"""What became of a resolution: only what was checked afterwards counts."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from replfix.core.plan.plan import Plan, Step


class Result(enum.StrEnum):
    """How a resolution ended."""

    RESOLVED = "resolved"
    REHEARSED = "rehearsed"  # a dry run: the plan could be applied
    NEEDS_HUMAN = "needs_human"
    FAILED = "failed"
    NOTHING_TO_DO = "nothing_to_do"


class SourceWriteResult(enum.StrEnum):
    """What became of a plan's part on the source."""

    NOT_WRITTEN = "not_written"
    UNKNOWN = "unknown"  # the connection was lost during COMMIT, or the rows were changed since
    WRITTEN = "written"  # and seen on the source
    SEEN = "seen"  # on the replica too


@dataclass(frozen=True, slots=True)
class Round:
    """One failing transaction: what was planned for it and how far it came."""

    plan: Plan
    rehearsed: bool  # the replica carried out plan and transaction, and rolled both back
    applied: bool  # the plan was committed
    verified: bool  # the replica applied the transaction, and its rows are as the transaction leaves them
    audit_id: str | None = None  # of its intent: plan, displaced rows and undo
    causes: tuple[str, ...] = ()  # codes, the likeliest first
    on_source: SourceWriteResult | None = None  # None: the plan has no part there
    written: tuple[Step, ...] = ()  # on the source, with the keys that were given


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a resolution, for people and for scripts, with every round of it."""

    result: Result
    message: str
    hint: str = ""
    rounds: tuple[Round, ...] = ()
    audit_ids: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def displaced_rows(self) -> int:
        """How many rows of the replica were deleted or changed, by plans that were committed."""
        return sum(len(round_.plan.displaced) for round_ in self.rounds if round_.applied)

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes of all rounds, each once."""
        return tuple(dict.fromkeys(cause for round_ in self.rounds for cause in round_.causes))

    @property
    def left_out(self) -> bool:
        """Whether any of it was to leave a transaction out, or a part of one."""
        return any(round_.plan.left_out is not None for round_ in self.rounds)

    @property
    def changed(self) -> bool:
        """Whether anything was changed on a server that still is."""
        return any(round_.applied for round_ in self.rounds)
