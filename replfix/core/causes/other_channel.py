"""The row came through another channel: a replica with several sources, which do not keep to tables of their own."""

from __future__ import annotations

from replfix.core.diagnosis import Cause, Confidence
from replfix.core.evidence import Evidence
from replfix.core.provenance import provenances
from replfix.core.status import ChannelStatus
from replfix.core.words import shortened

CODE = "other-channel"
RANK = 15


def examine(evidence: Evidence) -> Cause | None:
    """The row stands as a transaction left it that another channel brought, and that this channel's source lacks."""
    others = [c for c in evidence.status.channels if c.name != evidence.channel.name]
    sentences = []
    for one in provenances(evidence):
        if one.last is None or not one.as_logged:
            continue
        by = one.last.by
        channel = next((c for c in others if _brought(c, by.gtid) and not _brought(evidence.channel, by.gtid)), None)
        if channel is not None:
            sentences.append(
                f"The {one.table.name} row is as the {one.last.change.kind} in {by.gtid} left it, committed {by.when}: that "
                f"transaction came from {channel.source_host}:{channel.source_port} by channel {channel.name!r}."
            )
    if not sentences:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "Another source of this replica wrote the row.",
        (
            *shortened(tuple(sentences), "row"),
            f"The failing transaction came by channel {evidence.channel.name!r}.",
        ),
    )


def _brought(channel: ChannelStatus, gtid: str) -> bool:
    return bool(channel.retrieved.single(gtid).of_uuid(channel.source_uuid)) or gtid in channel.retrieved
