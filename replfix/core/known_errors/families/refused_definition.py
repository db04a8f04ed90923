"""The replica's server refuses a definition that the source's took."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.remedy import Remedy

FAMILY = Family(
    page="refused-definition",
    kind=Kind.SCHEMA_DRIFT,
    thread=Thread.APPLIER,
    errors={
        1031: "ER_ILLEGAL_HA",
        1067: "ER_INVALID_DEFAULT",
        1069: "ER_TOO_MANY_KEYS",
        1070: "ER_TOO_MANY_KEY_PARTS",
        1071: "ER_TOO_LONG_KEY",
        1073: "ER_BLOB_USED_AS_KEY",
        1074: "ER_TOO_BIG_FIELDLENGTH",
        1075: "ER_WRONG_AUTO_KEY",
        1089: "ER_WRONG_SUB_KEY",
        1101: "ER_BLOB_CANT_HAVE_DEFAULT",
        1113: "ER_TABLE_MUST_HAVE_COLUMNS",
        1117: "ER_TOO_MANY_FIELDS",
        1118: "ER_TOO_BIG_ROWSIZE",
        1121: "ER_NULL_COLUMN_IN_INDEX",
        1163: "ER_TABLE_CANT_HANDLE_BLOB",
        1164: "ER_TABLE_CANT_HANDLE_AUTO_INCREMENT",
        1166: "ER_WRONG_COLUMN_NAME",
        1167: "ER_WRONG_KEY_COLUMN",
        1170: "ER_BLOB_KEY_WITHOUT_LENGTH",
        1171: "ER_PRIMARY_CANT_HAVE_NULL",
        1214: "ER_TABLE_CANT_HANDLE_FT",
        1239: "ER_WRONG_FK_DEF",
        1252: "ER_SPATIAL_CANT_HAVE_NULL",
        1253: "ER_COLLATION_CHARSET_MISMATCH",
        1294: "ER_INVALID_ON_UPDATE",
        1425: "ER_TOO_BIG_SCALE",
        1426: "ER_TOO_BIG_PRECISION",
        1427: "ER_M_BIGGER_THAN_D",
        1439: "ER_TOO_BIG_DISPLAYWIDTH",
        1464: "ER_TABLE_CANT_HANDLE_SPKEYS",
        1478: "ER_ILLEGAL_HA_CREATE_OPTION",
        1709: "ER_INDEX_COLUMN_TOO_LONG",
        1845: "ER_ALTER_OPERATION_NOT_SUPPORTED",
        1846: "ER_ALTER_OPERATION_NOT_SUPPORTED_REASON",
        3105: "ER_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN",
        3106: "ER_UNSUPPORTED_ACTION_ON_GENERATED_COLUMN",
        3108: "ER_DEPENDENT_BY_GENERATED_COLUMN",
        3109: "ER_GENERATED_COLUMN_REF_AUTO_INC",
        3500: "ER_UNSUPPORT_COMPRESSED_TEMPORARY_TABLE",
        3522: "ER_PK_INDEX_CANT_BE_INVISIBLE",
        3728: "ER_SPATIAL_UNIQUE_INDEX",
        3757: "ER_FUNCTIONAL_INDEX_ON_LOB",
        3775: "ER_GTID_UNSAFE_ALTER_ADD_COL_WITH_DEFAULT_EXPRESSION",
    },
    mariadb={
        1901: "ER_GENERATED_COLUMN_FUNCTION_IS_NOT_ALLOWED",
        1903: "ER_PRIMARY_KEY_BASED_ON_GENERATED_COLUMN",
        1910: "ER_UNSUPPORTED_ENGINE_FOR_GENERATED_COLUMNS",
        1978: "ER_INVALID_DEFAULT_VALUE_FOR_FIELD",
        4110: "ER_VERS_FIELD_WRONG_TYPE",
        4111: "ER_VERS_ENGINE_UNSUPPORTED",
        4119: "ER_VERS_ALTER_NOT_ALLOWED",
        4120: "ER_VERS_ALTER_ENGINE_PROHIBITED",
        4124: "ER_VERS_NOT_VERSIONED",
        4135: "ER_VERS_ALREADY_VERSIONED",
        4159: "ER_TOO_LONG_KEYPART",
    },
    means=(
        "The statement gives a table columns, keys or options that the replica's server rejects: its table is not the source's, or "
        "a setting, a page size or a version differs."
    ),
    replfix="Compares the table and the settings that decide on this, on both servers, and names what differs.",
    human="Remove the differences, so that the statement runs as on the source; then start the channel.",
    settings=(
        "innodb_page_size", "innodb_strict_mode", "innodb_default_row_format", "sql_mode", "explicit_defaults_for_timestamp",
        "default_storage_engine", "innodb_file_per_table", "version",
    ),
)  # fmt: skip


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (
        *drift.the_statement(evidence),
        *_settings(evidence),
        *drift.shown(evidence, FAMILY.human),
    )


def _settings(evidence: Evidence) -> tuple[Remedy, ...]:
    if evidence.settings is None:
        return ()
    ours, theirs = evidence.settings.replica, evidence.settings.source
    differing = [
        f"{name}: {ours[name]} on the replica, {theirs[name]} on the source"
        for name in ours
        if ours[name] != theirs[name]
    ]
    return (Remedy(f"Settings that decide on this and differ: {'; '.join(differing)}."),) if differing else ()
