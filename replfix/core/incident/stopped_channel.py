"""Which channel has stopped, and by which error."""

from __future__ import annotations

from replfix.core.incident.known_error import Thread
from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState, RelayLog, ReplicaStatus
from replfix.errors import StoppedByHand, UsageError


def stopped_channel(status: ReplicaStatus, wanted: str | None = None) -> ChannelStatus | None:
    """Return the channel to look at; None when all is well.

    The one asked for, else the first that an error stopped, else the first that does not run. UsageError when there is
    no channel of that name.
    """
    if wanted is not None:
        channel = channel_named(status, wanted)
        return None if channel.healthy else channel
    failed = [c for c in status.channels if c.failure is not None]
    unwell = failed or [c for c in status.channels if not c.healthy]
    return unwell[0] if unwell else None


def channel_named(status: ReplicaStatus, name: str) -> ChannelStatus:
    """Return the channel of that name. UsageError when there is none."""
    channel = status.channel(name)
    if channel is None:
        raise UsageError(f"The replica has no channel {name!r}.", _channels_of(status))
    return channel


def _channels_of(status: ReplicaStatus) -> str:
    names = [c.name for c in status.channels]
    if names == [""]:
        return "This replica has only the default channel; leave --channel out."
    named = (repr(name) if name else "the default channel (leave --channel out)" for name in names)
    return f"Its channels are: {', '.join(named)}."


def error_of(channel: ChannelStatus) -> tuple[ApplierError, Thread]:
    """Return the error to diagnose and the thread that it stopped; the applier's first. StoppedByHand when there is none."""
    error = channel.failure
    if error is not None:
        return error, Thread.APPLIER
    if channel.receiver_errno:
        return ApplierError(channel.receiver_errno, channel.receiver_message), Thread.RECEIVER
    stopped = "receiver and applier" if channel.receiver is ReceiverState.STOPPED else "applier"
    if channel.applier_running:
        stopped = "receiver"
    raise StoppedByHand(
        f"The {stopped} of {_called(channel)} {'are' if ' and ' in stopped else 'is'} stopped without an error: somebody "
        "stopped it.",
        _hint(channel),
        channel.name,
    )


def _hint(channel: ChannelStatus) -> str:
    hint = "When that is no longer wanted: START REPLICA."
    if channel.applier_running or channel.receiver is not ReceiverState.STOPPED or channel.relay_log is RelayLog.KEPT:
        return hint
    return (
        f"{hint} It deletes the relay log and fetches it again (MariaDB in GTID mode): see first that the source still has what "
        f"follows {channel.asks_from or 'its beginning'}."
    )


def _called(channel: ChannelStatus) -> str:
    return f"channel {channel.name!r}" if channel.name else "the channel"
