"""The row came through another channel: a replica with several sources, which do not keep to tables of their own."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.origin import of_other_sources
from replfix.core.words import shortened

CODE = "other-channel"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from a row that is as another channel's transaction left it; this channel's source lacks that transaction."""
    sentences = [
        f"The {one.table.name} row is as the {one.last.change.kind} in {one.last.by.gtid} left it, committed {one.last.by.when}: that "
        f"transaction came from {channel.source_host}:{channel.source_port} by channel {channel.name!r}."
        for one, channel in of_other_sources(evidence)
        if one.last is not None
    ]
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
