"""The replica's gtid_mode does not take the transaction."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import Remedy

FAMILY = Family(
    page="gtid-mode",
    kind=Kind.SERVER,
    thread=Thread.APPLIER,
    errors={
        1772: "ER_MALFORMED_GTID_SET_SPECIFICATION",
        1773: "ER_MALFORMED_GTID_SET_ENCODING",
        1774: "ER_MALFORMED_GTID_SPECIFICATION",
        1776: "ER_BAD_REPLICA_AUTO_POSITION",
        1777: "ER_AUTO_POSITION_REQUIRES_GTID_MODE_NOT_OFF",
        1778: "ER_CANT_DO_IMPLICIT_COMMIT_IN_TRX_WHEN_GTID_NEXT_IS_SET",
        1779: "ER_GTID_MODE_ON_REQUIRES_ENFORCE_GTID_CONSISTENCY_ON",
        1781: "ER_CANT_SET_GTID_NEXT_TO_GTID_WHEN_GTID_MODE_IS_OFF",
        1782: "ER_CANT_SET_GTID_NEXT_TO_ANONYMOUS_WHEN_GTID_MODE_IS_ON",
        1786: "ER_GTID_UNSAFE_CREATE_SELECT",
        1790: "ER_CANT_SET_GTID_NEXT_WHEN_OWNING_GTID",
        3748: "ER_CLIENT_GTID_UNSAFE_CREATE_DROP_TEMP_TABLE_IN_TRX_IN_SBR",
        13148: "ER_CANT_REPLICATE_ANONYMOUS_WITH_AUTO_POSITION",
        13149: "ER_CANT_REPLICATE_ANONYMOUS_WITH_GTID_MODE_ON",
        13150: "ER_CANT_REPLICATE_GTID_WITH_GTID_MODE_OFF",
    },
    means=(
        "The transaction has a GTID where the replica accepts none, none where it requires one, or does what enforce_gtid_consistency forbids there."
    ),
    replfix="Compares the settings on both servers.",
    human=(
        "Bring gtid_mode and enforce_gtid_consistency of both servers together, one step at a time (OFF, OFF_PERMISSIVE, "
        "ON_PERMISSIVE, ON); ON_PERMISSIVE on the replica accepts transactions of both kinds. Then start the channel."
    ),
    settings=("gtid_mode", "enforce_gtid_consistency"),
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    if evidence.settings is None:
        return (Remedy(FAMILY.human),)
    ours, theirs = evidence.settings.replica, evidence.settings.source
    told = "; ".join(f"{name} is {ours[name]} on the replica, {theirs[name]} on the source" for name in ours)
    return (Remedy(f"{told}."), Remedy(FAMILY.human))
