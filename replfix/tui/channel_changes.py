"""A channel's state when it was last looked at, compared with what is polled since."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState
from replfix.present.safe_text import visible
from replfix.tui.messages import Polled
from replfix.tui.watch import Seen


class Change(enum.Enum):
    """What a poll has changed about a channel on the screen."""

    NONE = enum.auto()  # nothing new
    ANOTHER = enum.auto()  # it runs now, or fails on another transaction
    OTHER = enum.auto()  # its state is another, and the transaction is the same
    SILENT = enum.auto()  # the replica does not answer
    AS_BEFORE = enum.auto()  # it answers again, or is again as it was


@dataclass(frozen=True, slots=True)
class _How:
    healthy: bool
    applier_running: bool
    receiver_stopped: bool
    receiver_errno: int
    errno: int
    transaction: str | None


def _how(channel: ChannelStatus) -> _How:
    failure = channel.failure
    return _How(
        channel.healthy,
        channel.applier_running,
        channel.receiver is ReceiverState.STOPPED,
        channel.receiver_errno,
        failure.errno if failure else 0,
        failure.transaction if failure else None,
    )


def does_not_answer(seen: Seen) -> str:
    """Return that the replica did not answer, and why."""
    return f"{seen.name} does not answer now: {visible(seen.error.message if seen.error else '')}"


class ShownChannel:
    """A channel on the screen. ``silence``: why the replica did not answer last, in words."""

    def __init__(self, name: str, channel: str) -> None:
        self._name = name
        self._channel = channel
        self._how: _How | None = None
        self._healthy = False
        self._after = 0
        self._last = Change.NONE
        self.silence = ""

    def concluded(self, diagnosis: Diagnosis | None, sequence: int, *, healthy: bool) -> None:
        """Take the result of a look at the channel; polls up to ``sequence`` are older, and the next one may be."""
        self._how = _how(diagnosis.evidence.channel) if diagnosis else None
        self._healthy = healthy and diagnosis is None
        self._after = sequence + 1
        self._last = Change.NONE

    def look(self, message: Polled) -> Change:
        """Return what is new in this poll; NONE as long as it stays as the last call returned."""
        for seen in message.seen:
            if seen.name != self._name or seen.sequence <= self._after:
                continue
            if seen.status is None:
                self.silence = does_not_answer(seen)
                return self._new(Change.SILENT)
            channel = seen.status.channel(self._channel)
            if channel is None:
                return self._new(Change.OTHER)
            return self._new(self._compare(_how(channel)))
        return Change.NONE

    def _compare(self, now: _How) -> Change:
        if self._how is None:  # nothing was read when it was looked at: the first poll after it decides
            if self._healthy and not now.healthy:
                return Change.ANOTHER
            self._how = now
        if now == self._how:
            return Change.NONE
        if now.healthy != self._how.healthy or now.transaction != self._how.transaction:
            return Change.ANOTHER
        return Change.OTHER

    def _new(self, change: Change) -> Change:
        if change is self._last:
            return Change.NONE
        came_back = change is Change.NONE
        self._last = change
        return Change.AS_BEFORE if came_back else change
