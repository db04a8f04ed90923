"""Whether a plan still fits how the replica stands: one rule for the last look before a write and for every face."""

from __future__ import annotations

from replfix.core.plan import Plan
from replfix.core.status import ReplicaStatus


def misfit(plan: Plan, status: ReplicaStatus) -> str:
    """Why the plan does not fit any more; empty when nothing speaks against it."""
    if status.server_uuid != plan.server_uuid:
        return f"the server is {status.server_uuid} now, not {plan.server_uuid}"
    channel = status.channel(plan.channel)
    if channel is None:
        return "the channel does not exist any more"
    if channel.applier_running:
        return "the channel runs now"
    if status.has_applied(channel, plan.transaction):
        return f"{plan.transaction} has been applied or skipped by somebody else"
    failure = channel.failure
    if failure is None:
        return "the channel is stopped without an error now"
    if not plan.transaction.failed_with(failure):
        return f"the channel fails on another transaction now: {failure.transaction or 'one that it does not name'}"
    if failure.errno != plan.errno:
        return f"the channel fails with another error now: {failure.errno}"
    return ""
