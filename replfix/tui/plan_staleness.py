"""A plan on the screen, compared with every poll.

The workflow looks again before it writes; this is so that nobody is asked to approve what cannot be done any more.
"""

from __future__ import annotations

from replfix.core.plan.plan import Plan
from replfix.core.plan.staleness import staleness
from replfix.tui.channel_changes import does_not_answer
from replfix.tui.messages import Polled


class Fit:
    """One plan compared with each poll from now on. What was stale once stays so: rows may have changed since."""

    def __init__(self, name: str, plan: Plan, sequence: int) -> None:
        self._name = name
        self._plan = plan
        self._after = sequence + 1  # the poll that may be under way began before the plan was shown
        self.staleness = ""
        self.silence = ""  # why the replica did not answer last; empty as long as it answers

    def look(self, message: Polled) -> bool:
        """Return whether the plan has just become stale, or the replica has fallen silent, or answers again."""
        if self.staleness:
            return False
        before = self.silence
        for seen in message.seen:
            if seen.name != self._name or seen.sequence <= self._after:
                continue
            if seen.status is not None:
                self.staleness = staleness(self._plan, seen.status)
            self.silence = does_not_answer(seen) if seen.error is not None else ""
        return bool(self.staleness) or self.silence != before
