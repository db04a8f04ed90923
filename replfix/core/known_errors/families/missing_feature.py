"""The replica's server lacks, or does not know, something that the statement uses."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.by_hand import by_hand
from replfix.core.remedies.remedy import SHELL, SOURCE, LeadsTo, Remedy
from replfix.core.replication.applier_error import ApplierError

FAMILY = Family(
    page="missing-feature",
    kind=Kind.SERVER,
    thread=Thread.APPLIER,
    errors={
        1064: "ER_PARSE_ERROR",
        1115: "ER_UNKNOWN_CHARACTER_SET",
        1122: "ER_CANT_FIND_UDF",
        1126: "ER_CANT_OPEN_LIBRARY",
        1127: "ER_CANT_FIND_DL_ENTRY",
        1128: "ER_FUNCTION_NOT_DEFINED",
        1149: "ER_SYNTAX_ERROR",
        1178: "ER_CHECK_NOT_IMPLEMENTED",
        1193: "ER_UNKNOWN_SYSTEM_VARIABLE",
        1221: "ER_WRONG_USAGE",
        1231: "ER_WRONG_VALUE_FOR_VAR",
        1235: "ER_NOT_SUPPORTED_YET",
        1273: "ER_UNKNOWN_COLLATION",
        1284: "ER_UNKNOWN_KEY_CACHE",
        1286: "ER_UNKNOWN_STORAGE_ENGINE",
        1289: "ER_FEATURE_DISABLED",
        1298: "ER_UNKNOWN_TIME_ZONE",
        1524: "ER_PLUGIN_IS_NOT_LOADED",
        1678: "ER_REPLICA_CANT_CREATE_CONVERSION",
        3003: "ER_STORAGE_ENGINE_NOT_LOADED",
        3102: "ER_GENERATED_COLUMN_FUNCTION_IS_NOT_ALLOWED",
        3185: "ER_CANNOT_FIND_KEY_IN_KEYRING",
        3534: "ER_COMPONENTS_CANT_SATISFY_DEPENDENCY",
        3755: "ER_CANNOT_DROP_COLUMN_FUNCTIONAL_INDEX",
        3758: "ER_FUNCTIONAL_INDEX_FUNCTION_IS_NOT_ALLOWED",
        13128: "ER_SERVER_UNKNOWN_SYSTEM_VARIABLE",
    },
    mariadb={
        1911: "ER_UNKNOWN_OPTION",
        1912: "ER_BAD_OPTION_VALUE",
        1918: "ER_BAD_DATA",
        1967: "ER_TABLE_DEFINITION_TOO_BIG",
        4161: "ER_UNKNOWN_DATA_TYPE",
        4182: "ER_STORAGE_ENGINE_DISABLED",
        4185: "ER_PROVIDER_NOT_LOADED",
    },
    means=(
        "The statement uses a plugin, storage engine, character set, collation, time zone, variable or syntax that the source's server has and the replica's does not have: another version, or another set-up."
    ),
    replfix="Shows the statement and both servers' versions, and names what is missing.",
    human="Give the replica's server what the source's has. A replica should be no older than its source.",
    settings=("version", "version_comment", "sql_mode"),
)

_TIME_ZONE = 1298
_NAMED = re.compile(
    r"(?:Plugin|storage engine|character set:?|collation:?|time zone:?|system variable) '(?P<name>[^']*)'"
)
_PLUGIN = 1524
_ENGINE = 1286


def missing_plugin(error: ApplierError) -> str:
    """Return the name of a plugin or storage engine that the replica has not loaded; empty for any other error."""
    named = _NAMED.search(error.message) if error.errno in (_PLUGIN, _ENGINE) else None
    return named["name"] if named else ""


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    named = _NAMED.search(evidence.error.message)
    return (*drift.the_statement(evidence), *_versions(evidence), *_what(evidence, named["name"] if named else ""))


def _versions(evidence: Evidence) -> tuple[Remedy, ...]:
    if evidence.settings is None:
        return ()
    ours, theirs = (of.get("version") or "?" for of in (evidence.settings.replica, evidence.settings.source))
    return (Remedy(f"The replica is {ours}, its source {theirs}."),) if ours != theirs else ()


def _what(evidence: Evidence, name: str) -> tuple[Remedy, ...]:
    start = (sql.start_replica(evidence.named_channel, receiver=True),)
    if evidence.error.errno == _TIME_ZONE:
        mariadb = evidence.status.product == "MariaDB"
        tool, client = ("mariadb-tzinfo-to-sql", "mariadb") if mariadb else ("mysql_tzinfo_to_sql", "mysql")
        load = Remedy(
            f"The replica does not know the time zone {name or 'of the statement'}: its time zone tables are empty or old. This loads them, not "
            "logged; run it on the replica's machine.",
            (f'{tool} /usr/share/zoneinfo | {client} --init-command="SET sql_log_bin = 0" mysql',),
            LeadsTo.NEXT_STEP,
            where=SHELL,
        )
        last = Remedy("Then start the channel:", start, LeadsTo.NEXT_TRANSACTION)
        if not evidence.status.super_read_only:
            return (load, last)
        return (
            Remedy("Make the replica writable:", (sql.WRITABLE,), LeadsTo.NEXT_STEP),
            load,
            Remedy(
                "Then make the replica read-only again and start the channel:",
                (sql.PROTECTED, *start),
                LeadsTo.NEXT_TRANSACTION,
            ),
        )
    if evidence.library is not None:
        return (
            Remedy(
                f"The replica has not loaded {name}; the source has it from {evidence.library}. This loads it; where the server does not find the "
                "library, install its package on the replica's machine first.",
                by_hand(evidence, sql.install_plugin(name, evidence.library)),
                LeadsTo.NEXT_TRANSACTION,
            ),
        )
    if missing_plugin(evidence.error):
        return (
            Remedy(
                f"The replica has not loaded {name}. This shows which library the source has it from. Install the same on the replica "
                "(INSTALL PLUGIN name SONAME 'library', in a session with SET sql_log_bin = 0), then START REPLICA.",
                (sql.find_plugin(name),),
                LeadsTo.NOTHING_CHANGED,
                where=SOURCE,
            ),
        )
    return (Remedy(FAMILY.human),)
