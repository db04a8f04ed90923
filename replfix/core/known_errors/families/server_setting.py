"""A setting of the replica refuses what the transaction does."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.remedy import LeadsTo, Remedy

FAMILY = Family(
    page="server-setting",
    kind=Kind.SERVER,
    thread=Thread.APPLIER,
    errors={
        1036: "ER_OPEN_AS_READONLY",
        1290: "ER_OPTION_PREVENTS_STATEMENT",
        1418: "ER_BINLOG_UNSAFE_ROUTINE",
        1598: "ER_BINLOG_LOGGING_IMPOSSIBLE",
        1661: "ER_BINLOG_ROW_ENGINE_AND_STMT_ENGINE",
        1662: "ER_BINLOG_ROW_MODE_AND_STMT_ENGINE",
        1663: "ER_BINLOG_UNSAFE_AND_STMT_ENGINE",
        1664: "ER_BINLOG_ROW_INJECTION_AND_STMT_ENGINE",
        1665: "ER_BINLOG_STMT_MODE_AND_ROW_ENGINE",
        1666: "ER_BINLOG_ROW_INJECTION_AND_STMT_MODE",
        1667: "ER_BINLOG_MULTIPLE_ENGINES_AND_SELF_LOGGING_ENGINE",
        1792: "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION",
        1819: "ER_NOT_VALID_PASSWORD",
        1836: "ER_READ_ONLY_MODE",
        1874: "ER_INNODB_READ_ONLY",
        3098: "ER_BEFORE_DML_VALIDATION_ERROR",
        3100: "ER_RUN_HOOK_ERROR",
        3184: "ER_INVALID_ENCRYPTION_OPTION",
        3635: "ER_APPLIER_LOG_EVENT_VALIDATION_ERROR",
        3638: "ER_CREDENTIALS_CONTRADICT_TO_HISTORY",
        3750: "ER_TABLE_WITHOUT_PK",
        3825: "ER_INVALID_ENCRYPTION_REQUEST",
        3826: "ER_CANNOT_SET_TABLE_ENCRYPTION",
        3827: "ER_CANNOT_SET_DATABASE_ENCRYPTION",
        3828: "ER_CANNOT_SET_TABLESPACE_ENCRYPTION",
        3944: "ER_CLIENT_QUERY_FAILURE_INVALID_NON_ROW_FORMAT",
        3989: "ER_SCHEMA_READ_ONLY",
        13510: "ER_RPL_REPLICA_SQL_THREAD_DETECTED_UNEXPECTED_EVENT_SEQUENCE",
    },
    mariadb={
        4056: "ER_REQUIRE_ROW_BINLOG_FORMAT",
        4088: "ER_SEQUENCE_BINLOG_FORMAT",
    },
    means="A setting of the replica, or an option of its channel, forbids what the source's settings allow.",
    replfix="Names the setting, compares it on both servers, and shows the statement that lets the transaction run.",
    human="Set it as on the source, in the configuration file too, and start the channel.",
    settings=(
        "sql_require_primary_key", "log_bin_trust_function_creators", "binlog_format", "read_only", "super_read_only", "innodb_read_only",
        "innodb_force_recovery", "default_table_encryption", "table_encryption_privilege_check", "secure_file_priv",
    ),
)  # fmt: skip

_NO_PRIMARY_KEY = 3750
_OPTION = 1290
_ROUTINE = 1418
_ROWS_ONLY = (3944, 13510)
_FORMATS = (1598, 1661, 1662, 1665, 1666, 4056, 4088)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (*drift.the_statement(evidence), *_settings(evidence), *_advise(evidence))


def _settings(evidence: Evidence) -> tuple[Remedy, ...]:
    if evidence.settings is None:
        return ()
    ours, theirs = evidence.settings.replica, evidence.settings.source
    shown = [
        f"{n}: {ours[n]} on the replica, {theirs[n]} on the source"
        for n in _relevant(evidence.error.errno)
        if ours[n] is not None
    ]
    return (Remedy(f"{'; '.join(shown)}."),) if shown else ()


def _relevant(errno: int) -> tuple[str, ...]:
    if errno == _NO_PRIMARY_KEY:
        return ("sql_require_primary_key",)
    if errno in (*_ROWS_ONLY, _OPTION):
        return ()
    if errno == _ROUTINE:
        return ("log_bin_trust_function_creators",)
    return ("binlog_format",) if errno in _FORMATS else ("innodb_read_only", "innodb_force_recovery")


def _advise(evidence: Evidence) -> tuple[Remedy, ...]:
    channel, errno = evidence.named_channel, evidence.error.errno
    start = sql.start_replica(channel, receiver=True)
    if errno == _NO_PRIMARY_KEY:
        stream = Remedy(
            "The channel demands a primary key (REQUIRE_TABLE_PRIMARY_KEY_CHECK), and the statement leaves a table without one. This "
            "lets the source's own setting decide, as is the default.",
            (*sql.change_applier(channel, "REQUIRE_TABLE_PRIMARY_KEY_CHECK = STREAM"), start),
            LeadsTo.NEXT_TRANSACTION,
        )
        generate = Remedy(
            "Or the replica gives such tables an invisible primary key of its own:",
            (*sql.change_applier(channel, "REQUIRE_TABLE_PRIMARY_KEY_CHECK = GENERATE"), start),
            LeadsTo.NEXT_TRANSACTION,
        )
        made = evidence.statement is not None and evidence.statement.text.lstrip()[:6].upper() == "CREATE"
        return (stream, generate) if made else (stream,)
    if errno == _ROUTINE:
        return (
            Remedy(
                "The replica rejects a routine without DETERMINISTIC, NO SQL or READS SQL DATA. With ROW or MIXED logging "
                "this does no harm:",
                (sql.TRUST_CREATORS, start),
                LeadsTo.NEXT_TRANSACTION,
            ),
        )
    if errno in _ROWS_ONLY:
        return (statements_too(evidence),)
    if errno == _OPTION:
        return (
            Remedy(
                "The replica's server runs with an option that forbids this statement; its message names it (--skip-grant-tables forbids all that is "
                "about accounts). Restart the server without it; then the channel continues, or when it is started."
            ),
        )
    if errno in _FORMATS:
        return (
            Remedy(
                "The replica's own binlog cannot log what arrives in its format. MIXED logs rows and statements; the setting is read when "
                "the applier starts.",
                ("SET GLOBAL binlog_format = 'MIXED'", start),
                LeadsTo.NEXT_TRANSACTION,
            ),
        )
    return (Remedy(FAMILY.human),)


def statements_too(evidence: Evidence) -> Remedy:
    """Return what helps for a channel that accepts row events only."""
    channel = evidence.named_channel
    return Remedy(
        "The channel accepts row events only (REQUIRE_ROW_FORMAT = 1), and the source logged a statement. This lets it accept statements as well. To "
        "switch that off again later, have binlog_format = ROW on the source, and let the replica apply what was logged before.",
        sql.change_channel(channel, "REQUIRE_ROW_FORMAT = 0"),
        LeadsTo.NEXT_TRANSACTION,
    )
