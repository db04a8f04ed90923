"""What every plan depends on beside its rows, as guards: sentences, so that a plan made anew has another digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from replfix.core.incident.evidence import Evidence
from replfix.core.schema.table import Table, TableName

_DIGITS = 12


def same_origin(evidence: Evidence) -> tuple[str, ...]:
    """Where the transaction comes from, and what it meets: the checks are ``redirected`` and ``redefined``."""
    channel = evidence.channel
    named = f", server {channel.source_uuid}" if channel.source_uuid else ""
    return (
        f"the channel reads from {channel.source_host}:{channel.source_port}{named}",
        *(
            [f"its tables are defined as they were diagnosed ({fingerprint(evidence.tables)})"]
            if evidence.tables
            else []
        ),
    )


def fingerprint(tables: Mapping[TableName, Table]) -> str:
    """Of how they are defined."""
    return hashlib.sha256(repr(tuple(tables[name] for name in sorted(tables))).encode()).hexdigest()[:_DIGITS]
