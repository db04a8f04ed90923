"""One channel as a line of a dashboard: what fits into a few cells each, and all of it in full."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState, ReplicaStatus
from replfix.core.replication.source_gap import SourceGap, waiting
from replfix.core.words import counted
from replfix.present.channel_state import state_of

DEFAULT_CHANNEL = "(default)"
UNKNOWN = "?"
_LINE_SECONDS = 120.0  # a line's age is not shown more closely
_RECEIVER = {ReceiverState.RUNNING: "✔", ReceiverState.CONNECTING: "…", ReceiverState.STOPPED: "■"}


@dataclass(frozen=True, slots=True)
class Age:
    """Since when something is so. ``at_least``: it was so when it was first looked at, so it may be longer."""

    seconds: float
    at_least: bool

    @classmethod
    def of(cls, at: datetime, now: datetime, *, at_least: bool) -> Age:
        """Return the time from ``at`` to ``now``."""
        return cls(max(0.0, (now - at).total_seconds()), at_least)

    def __str__(self) -> str:
        return f"{'≥ ' if self.at_least else ''}{brief_time(self.seconds)}"


def brief_time(seconds: float) -> str:
    """Return a time in its largest unit that is worth two digits; whole seconds only below two minutes."""
    whole = int(seconds)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if whole >= 2 * size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def age_of(age: Age) -> str:
    """Return an age for a line: not in seconds, or every line would be another with every poll; empty where it says nothing."""
    if age.seconds < _LINE_SECONDS:
        return "" if age.at_least else f"< {brief_time(_LINE_SECONDS)}"
    return str(age)


def source_of(channel: ChannelStatus) -> str:
    """Return the source's address."""
    return f"{channel.source_host}:{channel.source_port}"


def threads_of(channel: ChannelStatus) -> str:
    """Return a symbol for the receiver and one for the applier."""
    receiver = _RECEIVER[channel.receiver]
    if channel.receiver_errno and channel.receiver is not ReceiverState.RUNNING:
        receiver = "✗"
    return f"{receiver} {'✔' if channel.applier_running else '✗' if channel.failure else '■'}"


def read_only_of(status: ReplicaStatus) -> str:
    """Return what keeps clients from writing: super_read_only, read_only, or nothing."""
    return "super" if status.super_read_only else "on" if status.read_only else "off"


def version_of(status: ReplicaStatus) -> str:
    """Return the product's version, without what the build adds to it."""
    number = status.version.partition("-")[0]
    return f"{number} MariaDB" if status.product == "MariaDB" else number


def count_of(gtids: GtidSet | None) -> str:
    """Return how many transactions those are; about, where not every number is one; a question mark where it is unknown."""
    if gtids is None:
        return UNKNOWN
    return f"{'' if gtids.counts or not gtids else '~'}{len(gtids)}"


def waiting_of(status: ReplicaStatus, channel: ChannelStatus) -> str:
    """Return how many transactions were received and are not applied; empty without GTIDs."""
    return "" if status.gtid_mode == "OFF" else count_of(waiting(status, channel))


def backlog_of(gap: SourceGap | None) -> str:
    """Return how many transactions of the source are still to be applied; empty where it was not asked."""
    return "" if gap is None else count_of(gap.backlog)


def errant_of(gap: SourceGap | None) -> str:
    """Return how many transactions only the replica has; empty where the source was not asked."""
    if gap is None:
        return ""
    if gap.only_here is None:
        return UNKNOWN
    sure = count_of(gap.only_here.errant)
    return f"! {sure}" if gap.only_here.errant else f"{sure} {UNKNOWN}" if gap.only_here.undecided else sure


def details(
    address: str, status: ReplicaStatus, channel: ChannelStatus, age: Age | None, gap: SourceGap | None, last: str
) -> Iterator[tuple[str, str]]:
    """Yield all that a dashboard knows of a channel, nothing cut: a name and what it is."""
    state = state_of(channel)
    yield "state", f"{state.label}{f', for {age}' if age else ''}"
    yield "server", f"{address}, {status.product} {status.version}, {status.server_uuid}"
    yield "channel", channel.name or DEFAULT_CHANNEL
    yield "source", f"{source_of(channel)}  {channel.source_uuid}"
    applier = "running" if channel.applier_running else "stopped"
    yield "threads", f"receiver {channel.receiver.value}, applier {applier}"
    if channel.delay_seconds:
        yield "delay", f"{channel.delay_seconds} s (SOURCE_DELAY)"
    yield "lag", UNKNOWN if channel.lag_seconds is None else f"{channel.lag_seconds} s"
    if channel.receiver_errno:
        yield "receiver's error", f"{channel.receiver_errno} {channel.receiver_message}"
    if (failure := channel.failure) is not None:
        yield "applier's error", f"{failure.errno} {failure.message}"
    yield "received and not applied", _counted(waiting(status, channel))
    if gap is not None:
        yield "backlog", UNKNOWN if gap.backlog is None else _counted(gap.backlog)
        if gap.only_here is not None:
            yield "errant", _counted(gap.only_here.errant)
            if gap.only_here.on_their_way:
                yield "on their way to the source", _counted(gap.only_here.on_their_way)
            if gap.only_here.undecided:
                yield "only here, undecided", _counted(gap.only_here.undecided)
        if gap.why:
            yield "unknown", gap.why
    yield "read_only", read_only_of(status)
    yield "executed", str(status.executed) or "(empty)"
    yield "received", str(channel.retrieved) or "(empty)"
    for name, place in (("applied up to", channel.applied_to), ("received up to", channel.received_to)):
        if place is not None:
            yield name, str(place)
    if last:
        yield "last action", last


def details_text(pairs: Iterator[tuple[str, str]]) -> str:
    """Return the pairs as lines, the names aligned."""
    found = list(pairs)
    width = max((len(name) for name, _ in found), default=0)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in found)


def _counted(gtids: GtidSet) -> str:
    if not gtids:
        return "none"
    about = "" if gtids.counts else "about "
    return f"{about}{counted(len(gtids), 'transaction')}: {gtids}"
