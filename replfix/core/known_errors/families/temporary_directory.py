"""The applier cannot write in its directory for temporary files."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import LeadsTo, Remedy

FAMILY = Family(
    page="temporary-directory",
    kind=Kind.HOST,
    thread=Thread.APPLIER,
    errors={
        1: "EE_CANTCREATEFILE",
    },
    means="The applier tries its directory for temporary files (replica_load_tmpdir) when it starts, and could not make a file there.",
    replfix="Names the file that a killed server left, if any; deletes nothing.",
    human="Delete that file, or correct the directory, on the replica's machine, and start the applier.",
)

_LEFT_BEHIND = re.compile(r"to file '(?P<file>[^']*SQL_LOAD-[^']*)' \(OS errno 17 ")


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    start = (sql.start_replica(evidence.named_channel, receiver=False),)
    left = _LEFT_BEHIND.search(evidence.error.message)
    if left is None:
        return (Remedy(FAMILY.human, start, LeadsTo.CHANNEL_RUNS),)
    return (
        Remedy(
            f"The file is there already: a server that was killed while it tried the directory has left it. Delete "
            f"{left['file']} on the replica's machine, then:",
            start,
            LeadsTo.CHANNEL_RUNS,
        ),
    )
