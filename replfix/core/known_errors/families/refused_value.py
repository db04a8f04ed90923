"""The replica's column refuses a value that the source's column took."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift, refusing_nulls
from replfix.core.remedies.remedy import Remedy

FAMILY = Family(
    page="refused-value",
    kind=Kind.DATA_REFUSED,
    thread=Thread.APPLIER,
    errors={
        1048: "ER_BAD_NULL_ERROR",
        1264: "ER_WARN_DATA_OUT_OF_RANGE",
        1265: "WARN_DATA_TRUNCATED",
        1292: "ER_TRUNCATED_WRONG_VALUE",
        1300: "ER_INVALID_CHARACTER_STRING",
        1364: "ER_NO_DEFAULT_FOR_FIELD",
        1365: "ER_DIVISION_BY_ZERO",
        1366: "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD",
        1367: "ER_ILLEGAL_VALUE_FOR_TYPE",
        1406: "ER_DATA_TOO_LONG",
        1411: "ER_WRONG_VALUE_FOR_TYPE",
        1416: "ER_CANT_CREATE_GEOMETRY_OBJECT",
        1441: "ER_DATETIME_FUNCTION_OVERFLOW",
        1469: "ER_HOSTNAME",
        1470: "ER_WRONG_STRING_LENGTH",
        1690: "ER_DATA_OUT_OF_RANGE",
        3020: "ER_INVALID_ARGUMENT_FOR_LOGARITHM",
        3140: "ER_INVALID_JSON_TEXT",
        3141: "ER_INVALID_JSON_TEXT_IN_PARAM",
        3144: "ER_INVALID_JSON_CHARSET",
        3146: "ER_INVALID_TYPE_FOR_JSON",
        3149: "ER_INVALID_JSON_PATH_WILDCARD",
        3150: "ER_JSON_VALUE_TOO_BIG",
        3156: "ER_INVALID_JSON_VALUE_FOR_CAST",
        3157: "ER_JSON_DOCUMENT_TOO_DEEP",
        3158: "ER_JSON_DOCUMENT_NULL_KEY",
        3643: "ER_WRONG_SRID_FOR_COLUMN",
        3669: "ER_JT_VALUE_OUT_OF_RANGE",
        3719: "ER_DEPRECATED_UTF8_ALIAS",
        3751: "ER_WARN_DATA_TRUNCATED_FUNCTIONAL_INDEX",
        3752: "ER_WARN_DATA_OUT_OF_RANGE_FUNCTIONAL_INDEX",
        3903: "ER_INVALID_JSON_VALUE_FOR_FUNC_INDEX",
        3904: "ER_JSON_VALUE_OUT_OF_RANGE_FOR_FUNC_INDEX",
        3905: "ER_EXCEEDED_MV_KEYS_NUM",
        3906: "ER_EXCEEDED_MV_KEYS_SPACE",
        3907: "ER_FUNCTIONAL_INDEX_DATA_IS_TOO_LONG",
        3908: "ER_WRONG_MVI_VALUE",
        3966: "ER_MISSING_JSON_VALUE",
    },
    means="A value does not fit into the replica's column: its definition is not the source's.",
    replfix=("Names the column and shows the ALTER TABLE after which the value fits."),
    human="Run the ALTER TABLE on the replica, not logged, and start the channel.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (
        *drift.the_statement(evidence),
        *(
            refusing_nulls.advise(evidence)
            or drift.column_for_values(evidence)
            or drift.shown(evidence)
            or (Remedy(FAMILY.human),)
        ),
    )
