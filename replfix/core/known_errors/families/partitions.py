"""The table is partitioned otherwise on the replica."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.binlog.partitioning import before, taken_apart
from replfix.core.binlog.statement import Statement
from replfix.core.incident.evidence import BothDefinitions, Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.by_hand import by_hand
from replfix.core.remedies.remedy import LeadsTo, Remedy
from replfix.core.schema.table import TableName
from replfix.core.sql import definition_diff

FAMILY = Family(
    page="partitions",
    kind=Kind.SCHEMA_DRIFT,
    thread=Thread.APPLIER,
    errors={
        1480: "ER_PARTITION_WRONG_VALUES_ERROR",
        1481: "ER_PARTITION_MAXVALUE_ERROR",
        1493: "ER_RANGE_NOT_INCREASING_ERROR",
        1495: "ER_MULTIPLE_DEF_CONST_IN_LIST_PART_ERROR",
        1503: "ER_UNIQUE_KEY_NEED_ALL_FIELDS_IN_PF",
        1505: "ER_PARTITION_MGMT_ON_NONPARTITIONED",
        1507: "ER_DROP_PARTITION_NON_EXISTENT",
        1508: "ER_DROP_LAST_PARTITION",
        1509: "ER_COALESCE_ONLY_ON_HASH_PARTITION",
        1510: "ER_REORG_HASH_ONLY_ON_SAME_NO",
        1512: "ER_ONLY_ON_RANGE_LIST_PARTITION",
        1515: "ER_COALESCE_PARTITION_NO_PARTITION",
        1516: "ER_REORG_PARTITION_NOT_EXIST",
        1517: "ER_SAME_NAME_PARTITION",
        1519: "ER_CONSECUTIVE_REORG_PARTITIONS",
        1520: "ER_REORG_OUTSIDE_RANGE",
        1526: "ER_NO_PARTITION_FOR_GIVEN_VALUE",
        1591: "ER_NO_PARTITION_FOR_GIVEN_VALUE_SILENT",
        1731: "ER_PARTITION_EXCHANGE_DIFFERENT_OPTION",
        1732: "ER_PARTITION_EXCHANGE_PART_TABLE",
        1733: "ER_PARTITION_EXCHANGE_TEMP_TABLE",
        1735: "ER_UNKNOWN_PARTITION",
        1736: "ER_TABLES_DIFFERENT_METADATA",
        1737: "ER_ROW_DOES_NOT_MATCH_PARTITION",
        1740: "ER_PARTITION_EXCHANGE_FOREIGN_KEY",
        1747: "ER_PARTITION_CLAUSE_ON_NONPARTITIONED",
        1748: "ER_ROW_DOES_NOT_MATCH_GIVEN_PARTITION_SET",
        1863: "ER_ROW_IN_WRONG_PARTITION",
    },
    mariadb={
        4030: "ER_PARTITION_DEFAULT_ERROR",
        4113: "ER_PARTITION_WRONG_TYPE",
        4127: "ER_PART_WRONG_VALUE",
        4128: "ER_VERS_WRONG_PARTS",
        4189: "ER_VERS_HIST_PART_FAILED",
    },
    means=(
        "A row has no partition on the replica, or a statement about partitions finds others than on the source: the table was partitioned on one server only."
    ),
    replfix="Shows how the table is partitioned on both servers, and the ALTER TABLE for what the transaction needs.",
    human="Give the replica's table the partitions that the statement or row expects, not logged, and start the channel.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    statement = drift.the_statement(evidence)
    found = [remedy for both in evidence.definitions for remedy in _of(evidence, both)]
    return (*statement, *(found or (Remedy(FAMILY.human),)))


def _of(evidence: Evidence, both: BothDefinitions) -> tuple[Remedy, ...]:
    if both.source is None or both.replica is None or both.table is None:
        return (Remedy(f"{both.name} is on one of the two servers only."),)
    theirs, ours = definition_diff.partitioning(both.source), definition_diff.partitioning(both.replica)
    if (
        theirs == ours
        and evidence.statement is not None
        and drift.same(both)
        and not (both.later and both.later.statements)
    ):
        return (
            drift.nothing_left(
                evidence, f"{both.name} is on the replica as the source has it now, partitions included."
            ),
        )
    told = f"{both.name} is partitioned on the source {theirs or 'not at all'}; on the replica {ours or 'not at all'}."
    then = _then(evidence, both, theirs, ours)
    if then is None or then == ours:
        return (
            Remedy(
                f"{told} How it was on the source {_WHEN[evidence.statement is None]} is unknown, or already so on the replica. {FAMILY.human}"
            ),
        )
    how = "as the source's is" if then == theirs else f"as the source's was {_WHEN[evidence.statement is None]}"
    return (
        Remedy(
            f"{told} This partitions the replica's {how}. It copies the table, and fails without a change if a row of the replica has no "
            "place there.",
            by_hand(
                evidence,
                f"ALTER TABLE {sql.table_name(TableName(both.schema, both.table))} {then or 'REMOVE PARTITIONING'}",
            ),
            LeadsTo.NEXT_TRANSACTION,
        ),
    )


_WHEN = ("before this statement", "when it wrote the row")


def _then(evidence: Evidence, both: BothDefinitions, theirs: str, ours: str) -> str | None:
    """Return the PARTITION BY that the failing transaction needs; None where that is unknown."""
    if both.later is None:
        return None
    failing = (evidence.statement.text,) if evidence.statement is not None else ()
    since = (*failing, *both.later.statements)
    if not since:
        return theirs
    now = taken_apart(theirs)
    then = before(now, (Statement(both.schema, text) for text in since), taken_apart(ours)) if now is not None else None
    return then.clause if then is not None else None
