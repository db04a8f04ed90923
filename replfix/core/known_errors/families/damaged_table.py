"""A table of the replica is damaged, or its files are not there."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.by_hand import by_hand
from replfix.core.remedies.remedy import LeadsTo, Loss, Remedy
from replfix.core.schema.table import TableName

FAMILY = Family(
    page="damaged-table",
    kind=Kind.SERVER,
    thread=Thread.APPLIER,
    errors={
        126: "HA_ERR_CRASHED",
        127: "HA_ERR_WRONG_IN_RECORD",
        144: "HA_ERR_CRASHED_ON_REPAIR",
        145: "HA_ERR_CRASHED_ON_USAGE",
        1010: "ER_DB_DROP_RMDIR",
        1016: "ER_CANT_OPEN_FILE",
        1017: "ER_FILE_NOT_FOUND",
        1030: "ER_GET_ERRNO",
        1033: "ER_NOT_FORM_FILE",
        1034: "ER_NOT_KEYFILE",
        1035: "ER_OLD_KEYFILE",
        1194: "ER_CRASHED_ON_USAGE",
        1195: "ER_CRASHED_ON_REPAIR",
        1296: "ER_GET_ERRMSG",
        1459: "ER_TABLE_NEEDS_UPGRADE",
        1467: "ER_AUTOINC_READ_FAILED",
        1707: "ER_TABLE_NEEDS_REBUILD",
        1712: "ER_INDEX_CORRUPT",
        1728: "ER_CANNOT_LOAD_FROM_TABLE_V2",
        1805: "ER_COL_COUNT_DOESNT_MATCH_CORRUPTED_V2",
        1808: "ER_TABLE_SCHEMA_MISMATCH",
        1812: "ER_TABLESPACE_MISSING",
        1814: "ER_TABLESPACE_DISCARDED",
        1815: "ER_INTERNAL_ERROR",
        1816: "ER_INNODB_IMPORT_ERROR",
        1817: "ER_INNODB_INDEX_CORRUPT",
        1877: "ER_TABLE_CORRUPT",
        3000: "ER_FILE_CORRUPT",
        3091: "ER_CANNOT_LOG_PARTIAL_DROP_DATABASE_WITH_GTID",
        13134: "ER_SERVER_HANDLER_ERROR",
        13135: "ER_SERVER_NOT_FORM_FILE",
        13136: "ER_SERVER_CANT_OPEN_FILE",
        13137: "ER_SERVER_FILE_NOT_FOUND",
        13138: "ER_SERVER_FILE_USED",
        13139: "ER_SERVER_CANNOT_LOAD_FROM_TABLE_V2",
        13142: "ER_SERVER_COL_COUNT_DOESNT_MATCH_PLEASE_UPDATE_V2",
        13143: "ER_SERVER_COL_COUNT_DOESNT_MATCH_CORRUPTED_V2",
    },
    mariadb={
        1009: "ER_DB_DROP_DELETE",
        1932: "ER_NO_SUCH_TABLE_IN_ENGINE",
    },
    means="The storage engine cannot read or write the table on the replica: a crash, a full or failing disk, files that somebody moved.",
    replfix="Names the table, and shows how it is checked and, where its engine can do that, repaired; runs nothing.",
    human="Read the replica's error log. Repair the table, or copy it from the source; if InnoDB tables are damaged, rebuild the replica.",
)

_QUOTED_TABLE = re.compile(r"(?:[Tt]able|table:) ['`\"]?(?:\./)?(?P<name>[^'`\" ]+)['`\"]")
_DIRECTORY = re.compile(r"can't rmdir '(?P<path>[^']+)'")
_DROPS_A_SCHEMA = (1009, 1010, 3091)
_REPAIRED = ("MYISAM", "ARIA", "ARCHIVE", "CSV")


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    statement = drift.the_statement(evidence)
    if evidence.error.errno in _DROPS_A_SCHEMA:
        return (*statement, _foreign_files(evidence))
    name = _table(evidence)
    if name is None:
        return (*statement, Remedy(FAMILY.human))
    table = evidence.tables.get(name)
    check = Remedy(f"Check {name}:", (sql.check_table(name),), LeadsTo.NOTHING_CHANGED)
    if table is None or table.engine.upper() not in _REPAIRED:
        return (*statement, check, Remedy(FAMILY.human))
    return (
        *statement,
        check,
        Remedy(
            f"{name} is a table of {table.engine}: this repairs it and starts the channel. Rows that cannot be saved are lost; "
            "compare the table with the source's, or copy it from there.",
            by_hand(evidence, sql.repair_table(name)),
            LeadsTo.TABLE_REPAIRED,
            loses=(Loss(None, "row", str(name)),),
        ),
    )


def _foreign_files(evidence: Evidence) -> Remedy:
    named = _DIRECTORY.search(evidence.error.message)
    where = named["path"] if named is not None else "the schema's directory"
    return Remedy(
        "Files that the server knows nothing of keep it from removing the schema's directory; the tables may be gone already. Move what is "
        f"left in {where} (in the replica's data directory) to another place, then:",
        by_hand(evidence),
        LeadsTo.NEXT_TRANSACTION,
    )


def _table(evidence: Evidence) -> TableName | None:
    touched = tuple(evidence.tables) or (evidence.statement.tables if evidence.statement else ())
    if evidence.stopped_on is not None:
        return TableName(*evidence.stopped_on)
    named = _QUOTED_TABLE.search(evidence.error.message)
    if named is not None:
        plain = named["name"].replace("/", ".").removesuffix(".MYI")
        return next(
            (name for name in touched if plain in (name.name, str(name))), touched[0] if len(touched) == 1 else None
        )
    return touched[0] if len(touched) == 1 else None
