"""What changed since a plan was made: one rule for the last look before a write and for every face.

Each function returns it in words, empty when nothing that it knows of has changed.
"""

from __future__ import annotations

from collections.abc import Mapping

from replfix.core.plan.plan import Plan, Step
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.schema.table import Table, TableName
from replfix.core.words import counted

_PARTS = {
    "columns": "its columns",
    "unique_keys": "its unique keys",
    "engine": "its engine",
    "foreign_keys": "its foreign keys",
    "referenced_by": "the foreign keys that reference it",
    "triggers": "its triggers",
}


def staleness(plan: Plan, status: ReplicaStatus) -> str:
    """Return why the plan does not fit the state of the replica now."""
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


def redirected(then: ChannelStatus, now: ChannelStatus | None) -> str:
    """Return how the channel gets its transactions from elsewhere, or in another way."""
    if now is None:
        return "the channel does not exist any more"
    if (then.source_host, then.source_port) != (now.source_host, now.source_port):
        return (
            f"the channel reads from {now.source_host}:{now.source_port} now, not from "
            f"{then.source_host}:{then.source_port}"
        )
    # A channel that was not connected yet does not know who its source is; one that was reset has forgotten it.
    if then.source_uuid and then.source_uuid != now.source_uuid:
        if not now.source_uuid:
            return "the channel was reset"
        return f"the channel's source is the server {now.source_uuid} now, not {then.source_uuid}"
    if then.auto_position != now.auto_position:
        return (
            "the channel goes by positions now, not by GTIDs" if then.auto_position else "the channel goes by GTIDs now"
        )
    return "the channel's filters are others now" if then.filters != now.filters else ""


def redefined(then: Mapping[TableName, Table], now: Mapping[TableName, Table | None]) -> str:
    """Return which of the tables is defined otherwise, and in what."""
    for name, table in then.items():
        found = now[name]
        if found is None:
            return f"{name} does not exist any more"
        parts = [words for part, words in _PARTS.items() if getattr(table, part) != getattr(found, part)]
        if parts:
            return f"{name} was altered: {', '.join(parts)}"
    return ""


def replanned(shown: Plan, now: Plan) -> str:
    """Return in what a plan that was made anew differs from the one that was shown."""
    if shown.transaction != now.transaction:
        return f"the channel fails on {now.transaction}"
    if shown.run != now.run:
        return "it covers other transactions"
    if shown.errno != now.errno:
        return f"the channel fails with error {now.errno}"
    if shown.steps != now.steps:
        return _rows(shown.steps, now.steps)
    if shown.on_source is not None and now.on_source is not None and shown.on_source != now.on_source:
        return f"on the source {_rows(shown.on_source.steps, now.on_source.steps)}"
    for was, is_ in ((_guards(shown), _guards(now)), (shown.risks, now.risks)):
        gone, come = [text for text in was if text not in is_], [text for text in is_ if text not in was]
        if gone or come:
            return "; ".join((*(f"no longer so: {text}" for text in gone), *(f"now so: {text}" for text in come)))
    if shown.undo_outlook != now.undo_outlook:
        return f"now so: {now.undo_outlook}" if now.undo_outlook else f"no longer so: {shown.undo_outlook}"
    return "" if shown.digest == now.digest else "it would be carried out in another way"


def _guards(plan: Plan) -> tuple[str, ...]:
    return tuple(guard.in_words for guard in plan.guards)


def _rows(shown: tuple[Step, ...], now: tuple[Step, ...]) -> str:
    gone, come = [step for step in shown if step not in now], [step for step in now if step not in shown]
    tables = ", ".join(str(table) for table in dict.fromkeys(step.table for step in (*gone, *come)))
    if any(was.table == is_.table and was.columns != is_.columns for was in gone for is_ in come):
        return f"the columns of {tables} are others now"
    if len(gone) == len(come) == 1:
        images = ((gone[0].current, come[0].current), (gone[0].target, come[0].target))
        pairs = [pair for was, is_ in images if was and is_ for pair in zip(gone[0].columns, was, is_, strict=True)]
        changed = ", ".join(dict.fromkeys(column for column, was, is_ in pairs if was != is_))
        if changed:
            return f"a row of {tables} changed ({changed})"
    return f"other rows of {tables} are in the way: {counted(len(shown), 'step')} then, {counted(len(now), 'step')} now"
