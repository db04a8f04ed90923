"""PostgreSQL: two sessions created the same table or type at the same time."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "concurrent-create"
_CATALOGUE = (
    "pg_type_typname_nsp_index",
    "pg_class_relname_nsp_index",
    "pg_extension_name_index",
    "pg_namespace_nspname_index",
    "pg_proc_proname_args_nsp_index",
)


def examine(case: Case) -> Cause | None:
    duplicate = case.duplicate
    if duplicate.key not in _CATALOGUE:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "Two sessions created the same object at the same time: the unique key is one of PostgreSQL's own catalogue.",
        (
            f"{duplicate.key} is an index of the catalogue, not of a table of yours.",
            "IF NOT EXISTS only looks before it creates: of two at once one fails so.",
        ),
        (
            Fix(
                "Run the statement again: the object exists now. Let one process create the schema (a migration step, pg_advisory_lock)."
            ),
        ),
    )
