"""The state of a channel in a symbol and a word, the same in every face. The colour comes last."""

from __future__ import annotations

import enum

from replfix.core.replication.replica_status import ChannelStatus, ReceiverState


class State(enum.Enum):
    """Symbol, word, and how much it wants somebody's attention (0 most: the order of a list)."""

    ERROR = ("✗", "error", 0)
    UNREACHABLE = ("?", "unreachable", 1)
    STOPPED = ("■", "stopped", 2)
    CONNECTING = ("…", "connecting", 3)
    RUNNING = ("✔", "running", 4)
    ASKING = ("·", "asking", 5)

    def __init__(self, symbol: str, word: str, rank: int) -> None:
        self.symbol = symbol
        self.word = word
        self.rank = rank

    @property
    def label(self) -> str:
        """The symbol and the word."""
        return f"{self.symbol} {self.word}"


def state_of(channel: ChannelStatus) -> State:
    """Return the state of a channel. A receiver error counts only while the receiver is not running."""
    if channel.failure is not None or (channel.receiver_errno and channel.receiver is not ReceiverState.RUNNING):
        return State.ERROR
    if not channel.applier_running or channel.receiver is ReceiverState.STOPPED:
        return State.STOPPED
    return State.CONNECTING if channel.receiver is ReceiverState.CONNECTING else State.RUNNING


def called(channel: str) -> str:
    """Return the channel as sentences name it."""
    return f"channel {channel}" if channel else "the default channel"


def error_of(channel: ChannelStatus) -> str:
    """Return the error in a few words, empty when there is none."""
    failure = channel.failure
    if failure is not None:
        return f"{failure.errno} {failure.brief}"
    if channel.receiver_errno:
        return f"{channel.receiver_errno} {channel.receiver_message}"
    return ""


_BARS = "▁▂▃▄▅▆▇█"


def lag_bars(history: tuple[int | None, ...]) -> str:
    """Return a small history of lag: a bar for each poll, a dot where it is not known."""
    top = max((value for value in history if value is not None), default=0)
    return "".join("·" if v is None else _BARS[0 if top == 0 else min(7, v * 7 // top)] for v in history)
