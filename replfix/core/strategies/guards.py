"""Guards that more than one strategy has."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.plan.guard import Guard, GuardKind, fingerprint
from replfix.core.replication.transaction_id import TransactionId


def of_the_channel(evidence: Evidence, transaction: TransactionId) -> tuple[Guard, ...]:
    """Return the guards for where the transaction failed, where it comes from, and what it meets."""
    channel = evidence.channel
    return (
        Guard.of(GuardKind.SERVER, uuid=evidence.status.server_uuid),
        Guard.of(
            GuardKind.STOPPED,
            channel=f"channel {channel.name!r}" if channel.name else "the default channel",
            errno=evidence.error.errno,
            transaction=str(transaction),
        ),
        Guard.of(GuardKind.NOT_APPLIED, transaction=str(transaction)),
        Guard.of(
            GuardKind.ORIGIN,
            host=channel.source_host,
            port=channel.source_port,
            server=f", server {channel.source_uuid}" if channel.source_uuid else "",
        ),
        *([Guard.of(GuardKind.DEFINITIONS, fingerprint=fingerprint(evidence.tables))] if evidence.tables else []),
    )
