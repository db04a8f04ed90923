"""What every plan depends on beside its rows, as guards: sentences, so that a plan made anew has another digest."""

from __future__ import annotations

import hashlib

from replfix.core.evidence import Evidence

_DIGITS = 12


def same_origin(evidence: Evidence) -> tuple[str, ...]:
    """Where the transaction comes from, and what it meets: the checks are ``redirected`` and ``redefined``."""
    channel = evidence.channel
    tables = (evidence.tables[name] for name in sorted(evidence.tables))
    defined = hashlib.sha256(repr(tuple(tables)).encode()).hexdigest()[:_DIGITS]
    named = f", server {channel.source_uuid}" if channel.source_uuid else ""
    return (
        f"the channel reads from {channel.source_host}:{channel.source_port}{named}",
        *([f"its tables are defined as they were diagnosed ({defined})"] if evidence.tables else []),
    )
