"""What became of an intent, as an outcome record has it."""

from __future__ import annotations

import enum


class IntentResult(enum.StrEnum):
    """What became of an intent. The values are those of records, older ones included: they never change."""

    VERIFIED = "applied and verified"
    APPLIED = "applied, not verified"
    NOT_APPLIED = "not applied"
    LEFT_OUT_VERIFIED = "left out and verified"
    LEFT_OUT = "left out, not verified"
    NOT_LEFT_OUT = "not left out"
    UNDONE = "undone"
    UNDONE_ON_SOURCE = "undone on the source"  # its part on the replica is still to be done
    NOT_UNDONE = "not undone"
    CAUGHT_UP = "caught up"  # what came before the failing transaction is applied
    NOT_CAUGHT_UP = "not caught up"
    UNKNOWN = "unknown"  # the connection was lost during COMMIT: the intent stays open
    UNEXPLAINED = "cannot be told"  # it left no trace

    @property
    def committed(self) -> bool:
        """Whether a repair was committed on the replica."""
        return self in (IntentResult.VERIFIED, IntentResult.APPLIED)

    @property
    def changed_rows(self) -> bool:
        """Whether a repair, or an undo, is known to have changed the replica's rows."""
        return self.committed or self is IntentResult.UNDONE


def read_result(outcome: object) -> IntentResult | None:
    """Return the result that an outcome's payload names; None for none, and for one that only a newer replfix knows."""
    return IntentResult(outcome) if outcome in [result.value for result in IntentResult] else None
