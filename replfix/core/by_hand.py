"""Statements as a human runs them on the replica of an incident."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.evidence import Evidence


def by_hand(evidence: Evidence, *statements: str, start: str | None = None) -> tuple[str, ...]:
    """As a human runs them on the replica, and then the channel is started: by ``start``, or not at all when that is empty."""
    status = evidence.status
    return sql.by_hand(statements, evidence.channel.name, super_read_only=status.super_read_only, start=start)


def skip(evidence: Evidence) -> tuple[str, ...]:
    """MariaDB has no empty transactions, and another word for the counter: the command knows it."""
    if evidence.status.product == "MariaDB":
        return ()
    return sql.skip_by_hand(evidence.error.gtid, evidence.channel.name)
