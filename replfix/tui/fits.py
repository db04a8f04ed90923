"""Whether a plan on the screen can still fit what was polled. The workflow looks again before it writes; this is so
that nobody is asked to approve what cannot be done any more."""

from __future__ import annotations

from replfix.core.plan import Plan
from replfix.core.status import ReplicaStatus
from replfix.tui.messages import Polled


def misfit(plan: Plan, status: ReplicaStatus) -> str:
    """Why the plan does not fit any more; empty when nothing speaks against it."""
    if status.server_uuid != plan.server_uuid:
        return f"the server is {status.server_uuid} now, not {plan.server_uuid}"
    channel = status.channel(plan.channel)
    if channel is None:
        return "the channel does not exist any more"
    if channel.applier_running:
        return "the channel runs now"
    if plan.gtid in status.executed:
        return f"{plan.gtid} has been applied or skipped by somebody else"
    failure = channel.failure
    if failure is None:
        return "the channel is stopped without an error now"
    if failure.gtid != plan.gtid:
        return f"the channel fails on another transaction now: {failure.gtid or 'one without a GTID'}"
    if failure.errno != plan.errno:
        return f"the channel fails with another error now: {failure.errno}"
    return ""


class Fit:
    """One plan held against each poll from now on. What was a misfit once stays one: rows may have changed since."""

    def __init__(self, name: str, plan: Plan, sequence: int) -> None:
        self._name = name
        self._plan = plan
        self._after = sequence + 1  # the poll that may be under way began before the plan was shown
        self.misfit = ""

    def look(self, message: Polled) -> bool:
        """Whether the plan has just become a misfit."""
        if self.misfit:
            return False
        for seen in message.seen:
            if seen.name == self._name and seen.status is not None and seen.sequence > self._after:
                self.misfit = misfit(self._plan, seen.status)
        return bool(self.misfit)
