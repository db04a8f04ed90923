"""What a human can do, and where: a fix; and a remedy, which says what it loses and what is true afterwards.

replfix runs none of it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from replfix.core.words import counted

REPLICA = "replica"
SOURCE = "source"
SHELL = "shell"
"""Where the statements of a remedy are run. Another server is named by its address, ``host:port``. ``SHELL``: commands on the
replica's machine. The statements of one remedy are run in one session, which is a session of its own."""


class LeadsTo(enum.StrEnum):
    """What is true once the statements of a remedy have been run, so that it can be checked."""

    NEXT_TRANSACTION = "next-transaction"
    NEXT_ROW = "next-row"
    CARRIED_OUT = "carried-out"
    LEFT_OUT = "left-out"
    CHANNEL_RUNS = "channel-runs"
    RECEIVER_RUNS = "receiver-runs"
    RECEIVER_TRIES = "receiver-tries"
    RELAY_LOG_KEPT = "relay-log-kept"
    TABLE_REPAIRED = "table-repaired"
    REAL_ERROR = "real-error"
    NEXT_STEP = "next-step"
    NOTHING_CHANGED = "nothing-changed"
    DEFINITION_RESTORED = "definition-restored"
    SAME_COLUMNS = "same-columns"
    NOT_ERRANT = "not-errant"
    FEWER_ERRANT = "fewer-errant"
    ROWS_EQUAL = "rows-equal"
    SETTLED = "settled"
    KEPT_EVERYWHERE = "kept-everywhere"

    @property
    def in_words(self) -> str:
        """What is true afterwards, for people."""
        return _WORDS[self]


_WORDS = {
    LeadsTo.NEXT_TRANSACTION: "the replica applies the failing transaction itself and continues with the next one.",
    LeadsTo.NEXT_ROW: "the replica gets past this error. It applies the failing transaction, or stops on it again: on another row, statement or object.",
    LeadsTo.CARRIED_OUT: "the replica has what the failing transaction makes of its rows, and continues with the next one.",
    LeadsTo.LEFT_OUT: "the failing transaction is skipped on this replica for good; the next one is applied.",
    LeadsTo.CHANNEL_RUNS: "receiver and applier are running.",
    LeadsTo.RECEIVER_RUNS: "the receiver is running.",
    LeadsTo.RECEIVER_TRIES: "the receiver is running, or has stopped in the same place: then it is not the network.",
    LeadsTo.TABLE_REPAIRED: "the table can be read again; the applier is running, or has stopped on a row that is lost.",
    LeadsTo.RELAY_LOG_KEPT: "the relay log is kept, and the applier has stopped on the same transaction.",
    LeadsTo.REAL_ERROR: "the applier is running, or has stopped with the error that is the reason for this one.",
    LeadsTo.NEXT_STEP: "go on with the next step.",
    LeadsTo.NOTHING_CHANGED: "nothing is changed; this only shows something.",
    LeadsTo.DEFINITION_RESTORED: "the table is defined as it was before.",
    LeadsTo.SAME_COLUMNS: "the table has the source's columns, in the same order; the applier is running, or has stopped on rows that conflict all the same.",
    LeadsTo.KEPT_EVERYWHERE: "the source has the row, and every replica of it gets it.",
    LeadsTo.NOT_ERRANT: "the source has every transaction that the replica has.",
    LeadsTo.FEWER_ERRANT: "the source has these transactions too. Run 'replfix errant' again for the rest.",
    LeadsTo.ROWS_EQUAL: "the rows are the same on the replica and on its source.",
    LeadsTo.SETTLED: "the source has every transaction that the replica has, and the rows that they changed are the same on both.",
}


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do, with statements for one session on one server, without semicolons, where there are some.

    It promises nothing about what is true afterwards: that depends on what was not read (a text without its server, an
    application, a setting's next restart). A ``Remedy`` is a fix that does promise.
    """

    text: str = ""  # what to do, or when; empty where the statements need no words
    sql: tuple[str, ...] = ()
    where: str = field(default="", kw_only=True)  # the server; empty: the one that the report is about


def to_do(*texts: str) -> tuple[Fix, ...]:
    """Return a fix without statements for each text that is not empty."""
    return tuple(Fix(text) for text in texts if text)


@dataclass(frozen=True, slots=True)
class Loss:
    """``number`` of ``what`` (a singular noun: row, value, transaction) are gone; None: how many is unknown."""

    number: int | None
    what: str
    of: str = ""  # a table as schema.table, a column as schema.table.column, a GTID set

    @property
    def in_words(self) -> str:
        """The loss for people."""
        many = f"an unknown number of {self.what}s" if self.number is None else counted(self.number, self.what)
        return f"{many} of {self.of}" if self.of else many


@dataclass(frozen=True, slots=True)
class Remedy(Fix):
    """A fix that promises: what it loses is named, and what is true afterwards can be checked.

    ``text`` says what to do and why. Without ``sql`` there is nothing to run, and nothing is promised.

    A remedy that leads to ``NEXT_STEP`` continues with the one after it; every other one with statements is complete,
    and several of these are alternatives.
    """

    leads_to: LeadsTo | None = None
    where: str = field(default=REPLICA, kw_only=True)
    loses: tuple[Loss, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.sql) != (self.leads_to is not None):
            raise ValueError(f"A remedy with statements says what they lead to, and only such a one: {self.text}")
