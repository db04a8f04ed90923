"""Which threads of a channel are started, in which order, and when none may be.

Every START REPLICA in replfix is looked up in ``TABLE``; docs/reference/restart.md is printed from it. What it rests on was seen on
real servers:

* MySQL, and MariaDB by position, keep the relay log whatever is started (9.7.4, 10.11.19, 11.8.9).
* MariaDB in GTID mode deletes the relay log when any thread is started while both are down, the receiver too: what was in it has to
  come from the source again (10.11.19, 11.8.9).
* There, an applier with several GTID domains and parallel threads that is started alone goes back to the beginning of the relay log,
  and can apply transactions again; when both threads are stopped and started, it does not (the same).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from replfix.core.replication.replica_status import ChannelStatus, ReceiverState, RelayLog
from replfix.core.replication.transaction_id import TransactionId


class Threads(enum.StrEnum):
    """What one START or STOP is about."""

    BOTH = "both"
    RECEIVER = "receiver"
    APPLIER = "applier"


class Receiver(enum.StrEnum):
    """What the channel's receiver does."""

    RUNNING = "running"
    CONNECTING = "cannot connect"
    STOPPED = "stopped by hand"
    FAILED = "stopped by an error"


class Received(enum.StrEnum):
    """Whether all that the applier is started for is in the relay log."""

    WHOLE = "yes"
    IN_PART = "no"


class Source(enum.StrEnum):
    """Whether it has what the replica has not applied, from the position on that the receiver would ask for."""

    HOLDS = "yes"
    LACKS = "no"
    UNREACHABLE = "not known"


class Act(enum.StrEnum):
    """Which threads are started."""

    APPLIER = "applier"
    CHANNEL = "channel"
    RECEIVER_FIRST = "receiver-first"
    FETCH_AGAIN = "fetch-again"
    NONE = "none"

    @property
    def in_words(self) -> str:
        """What is done, for people."""
        return _ACTS[self]


_ACTS = {
    Act.APPLIER: "START the applier alone",
    Act.CHANNEL: "START the channel",
    Act.RECEIVER_FIRST: "START the receiver, wait until it has the transaction; START the applier",
    Act.FETCH_AGAIN: "STOP both; START the receiver, wait until it has the transaction; START the channel",
    Act.NONE: "nothing: refused",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; None stands for every value. ``until``: the applier has to stop after one transaction."""

    relay_log: tuple[RelayLog, ...]
    receiver: tuple[Receiver, ...] | None
    received: Received | None
    source: Source | None
    until: bool | None
    act: Act
    why: str


_RUNNING, _CONNECTING, _STOPPED = (Receiver.RUNNING,), (Receiver.CONNECTING,), (Receiver.STOPPED,)
_KEPT, _WHILE_RUNNING, _REPLACED = (RelayLog.KEPT,), (RelayLog.KEPT_WHILE_RUNNING,), (RelayLog.REPLACED,)
_DELETED = (*_WHILE_RUNNING, *_REPLACED)

TABLE: tuple[Row, ...] = (
    Row(
        _KEPT,
        _STOPPED,
        Received.WHOLE,
        None,
        None,
        Act.APPLIER,
        "The relay log is kept. A receiver that was stopped by hand stays stopped.",
    ),
    Row(_KEPT, None, Received.WHOLE, None, True, Act.APPLIER, "The relay log is kept."),
    Row(
        _KEPT,
        None,
        Received.WHOLE,
        None,
        False,
        Act.CHANNEL,
        "The relay log is kept. A receiver that an error stopped tries again.",
    ),
    Row(_KEPT, _RUNNING, Received.IN_PART, None, None, Act.APPLIER, "The receiver fetches the rest."),
    Row(
        _KEPT,
        _STOPPED,
        Received.IN_PART,
        Source.HOLDS,
        None,
        Act.RECEIVER_FIRST,
        "The rest has to come from the source. The receiver is stopped again at the end.",
    ),
    Row(_KEPT, None, Received.IN_PART, None, None, Act.NONE, "The applier would wait, and nothing would come."),
    Row(
        _WHILE_RUNNING,
        _RUNNING,
        None,
        None,
        None,
        Act.CHANNEL,
        "The relay log is kept while one thread runs. A receiver that stops at this moment is started with it.",
    ),
    Row(
        _WHILE_RUNNING,
        _CONNECTING,
        Received.WHOLE,
        None,
        None,
        Act.CHANNEL,
        "A receiver that tries to connect counts as running: the relay log is kept.",
    ),
    Row(
        _DELETED, _CONNECTING, None, None, None, Act.NONE, "The applier would wait, or the relay log would be deleted."
    ),
    Row(
        _DELETED,
        _STOPPED,
        None,
        Source.HOLDS,
        None,
        Act.FETCH_AGAIN,
        "The server deletes the relay log, and the source has all of it. The receiver is stopped again at the end.",
    ),
    Row(
        _REPLACED,
        _RUNNING,
        None,
        Source.HOLDS,
        None,
        Act.FETCH_AGAIN,
        "The applier alone would apply transactions again, and the source has all of the relay log.",
    ),
    Row(
        _DELETED, None, None, None, None, Act.NONE, "The server would delete the relay log, which may be the only copy."
    ),
)
"""The first row that fits counts; there always is one."""


@dataclass(frozen=True, slots=True)
class ReceiverFirst:
    """What is done to the receiver before any row is changed.

    It is started, and fetches the relay log again or only what is missing. ``put_back``: somebody had stopped it, and
    it is stopped again at the end.
    """

    fetch_again: bool
    put_back: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """The state of a channel when a thread of it is to be started.

    ``said``: why the source does not have what is missing, or cannot be asked; ``wanted``: what the applier is started
    for.
    """

    relay_log: RelayLog
    receiver: Receiver
    received: Received
    source: Source
    until: bool
    wanted: str = ""
    said: str = ""
    from_source: bool = False

    @property
    def act(self) -> Act:
        """What the table says for this situation."""
        return next(row.act for row in TABLE if _fits(row, self))

    @property
    def depends_on_source(self) -> bool:
        """Whether the source has to be asked: its answer changes what is done."""
        return len({replace(self, source=source).act for source in Source}) > 1

    @property
    def receiver_first(self) -> ReceiverFirst | None:
        """What is done to the receiver before any row is changed, None for nothing."""
        if self.act not in (Act.RECEIVER_FIRST, Act.FETCH_AGAIN):
            return None
        return ReceiverFirst(self.act is Act.FETCH_AGAIN, self.receiver is Receiver.STOPPED)

    @property
    def warning(self) -> str:
        """What is done to the receiver beside the repair; empty where it is left alone."""
        match self.act:
            case Act.RECEIVER_FIRST:
                why = (
                    "what is written on the source has to come to this replica"
                    if self.from_source
                    else f"{self.wanted} is not whole in the relay log"
                )
                return (
                    f"The receiver was stopped by hand, and {why}. It is started before any row is changed, and stopped again at "
                    "the end."
                )
            case Act.FETCH_AGAIN if self.receiver is Receiver.STOPPED:
                return (
                    "Both threads are stopped, and MariaDB in GTID mode deletes the relay log when one of them is started. The source "
                    "still has all of it. The receiver is started before any row is changed, fetches it again, and is stopped again "
                    "at the end."
                )
            case Act.FETCH_AGAIN:
                return (
                    "With several GTID domains and parallel threads, MariaDB can apply transactions again when only its applier is "
                    "restarted. Both threads are stopped and started. This deletes the relay log; the source still has all of it."
                )
            case _:
                return ""

    @property
    def refusal(self) -> str:
        """Why nothing is started; empty where something is."""
        if self.act is not Act.NONE:
            return ""
        down = {
            Receiver.RUNNING: "",
            Receiver.CONNECTING: "The receiver cannot connect to the source",
            Receiver.STOPPED: "The receiver is stopped",
            Receiver.FAILED: "The receiver has stopped with an error",
        }[self.receiver]
        said = f" {self.said}" if self.said else ""
        if self.relay_log is RelayLog.KEPT or (
            self.receiver is Receiver.CONNECTING and self.relay_log is RelayLog.KEPT_WHILE_RUNNING
        ):
            if self.from_source:
                return f"{down}: what is written on the source would not come to this replica.{said}"
            return f"{down}, and {self.wanted} is not whole in the relay log: the applier would wait for it.{said}"
        if self.receiver in (Receiver.RUNNING, Receiver.CONNECTING):
            deletes = (
                "with several GTID domains and parallel threads, MariaDB can apply transactions again when only its applier is "
                "started, and deletes the relay log when both threads are"
            )
        else:
            deletes = "MariaDB in GTID mode deletes the relay log when a thread is started while both are stopped"
        start = f"{down}, and {deletes}" if down else f"{deletes[0].upper()}{deletes[1:]}"
        held = {
            Source.HOLDS: "Without a receiver nothing is fetched again.",
            Source.LACKS: "The source does not have its transactions any more: the relay log is the only copy of them.",
            Source.UNREACHABLE: "Whether the source still has its transactions is unknown: the relay log may be the only copy.",
        }[self.source]
        return f"{start}. {held}{said}"


def _fits(row: Row, at: Situation) -> bool:
    return (
        at.relay_log in row.relay_log
        and (row.receiver is None or at.receiver in row.receiver)
        and row.received in (None, at.received)
        and row.source in (None, at.source)
        and row.until in (None, at.until)
    )


def receiver_of(channel: ChannelStatus) -> Receiver:
    """Return what the channel's receiver does."""
    match channel.receiver:
        case ReceiverState.STOPPED:
            return Receiver.FAILED if channel.receiver_errno else Receiver.STOPPED
        case ReceiverState.CONNECTING if channel.receiver_errno:
            return Receiver.CONNECTING
        case _:
            return Receiver.RUNNING  # or connects just now


def situation(
    channel: ChannelStatus,
    transaction: TransactionId | None,
    *,
    until: bool,
    source: tuple[Source, str] = (Source.UNREACHABLE, ""),
    from_source: bool = False,
) -> Situation:
    """Return the situation in which the applier is to be started.

    ``transaction``: what the applier has to reach, None for all that it has; ``from_source``: something that is written
    on the source only later has to arrive too.
    """
    whole = not from_source and (transaction is None or channel.holds_whole(transaction) is not False)
    holds, said = source
    if receiver_of(channel) in (Receiver.CONNECTING, Receiver.FAILED) and channel.receiver_message:
        said = f"Error {channel.receiver_errno} of the receiver: {channel.receiver_message} {said}".rstrip()
    return Situation(
        channel.relay_log,
        receiver_of(channel),
        Received.WHOLE if whole else Received.IN_PART,
        holds,
        until,
        str(transaction or "what follows"),
        said,
        from_source,
    )


def waits_for_nothing(channel: ChannelStatus, transaction: TransactionId) -> bool:
    """Return whether a running applier waits for a transaction that never comes.

    It has read all of the relay log, the transaction is not whole in it, and the receiver is not running.
    """
    return (
        channel.applier_running
        and channel.all_read
        and receiver_of(channel) is not Receiver.RUNNING
        and not channel.holds_whole(transaction)
    )


def in_words() -> tuple[tuple[str, ...], ...]:
    """Return the table for people, with its heading: docs/reference/restart.md shows it."""
    heading = ("relay log", "receiver", "has the transaction", "source has it", "up to an end", "what is done", "why")
    return (heading, *(_row_in_words(row) for row in TABLE))


def _row_in_words(row: Row) -> tuple[str, ...]:
    until = {None: "any", True: "yes", False: "no"}[row.until]
    return (
        " or ".join(row.relay_log),
        " or ".join(row.receiver) if row.receiver else "any",
        row.received or "any",
        row.source or "any",
        until,
        row.act.in_words,
        row.why,
    )
