"""The append-only, hash-chained trail of what replfix did."""

from replfix.audit.trail import SqlTrail

__all__ = ["SqlTrail"]
