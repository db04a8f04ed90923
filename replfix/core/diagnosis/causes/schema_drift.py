"""The table is not the same on both servers: columns, their types, or a generated primary key on one side only."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.generated_otherwise import generated_otherwise
from replfix.core.incident.held_values import other_values
from replfix.core.incident.known_error import Kind
from replfix.core.schema.table import Table, TableName
from replfix.core.sql import definition_diff

CODE = "schema-drift"
_GENERATED = "my_row_id"  # of sql_generate_invisible_primary_key


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from definitions that differ: with high confidence when the error itself is about definitions.

    Beside a conflict of rows it is only likely where no row explains the error, and little more than worth a look where
    one does.
    """
    stopped = evidence.stopped_on
    if stopped is None:
        return None
    name = TableName(*stopped)
    ours, theirs = evidence.around.replica.tables.get(name), evidence.around.source.tables.get(name)
    if ours is None or theirs is None:
        return None
    differences = [*_differences(ours, theirs), *_in_the_definitions(evidence, name)]
    if not differences:
        return None
    family = evidence.family
    about = family is not None and family.kind is Kind.SCHEMA_DRIFT
    rows = evidence.reconciliation is not None and any(c.table == name for c in evidence.reconciliation.conflicts)
    # Nothing else explains why the replica refuses rows that meet none of its own.
    kept_as = other_values(evidence, name)
    about = about or (not rows and generated_otherwise(evidence, name) is not None)
    return Cause(
        CODE,
        Confidence.HIGH if about else Confidence.LOW if rows and not kept_as else Confidence.MEDIUM,
        "The table's definition differs between the servers.",
        (*(f"{name}: {difference}" for difference in differences), *([kept_as] if kept_as else ())),
    )


def _in_the_definitions(evidence: Evidence, name: TableName) -> list[str]:
    """Return what only SHOW CREATE TABLE shows: what a generated column is made of, and partitions."""
    both = next((b for b in evidence.definitions if b.table == name.name and b.schema == name.schema), None)
    there, here = (
        definition_diff.parsed(text or "") for text in ((both.source, both.replica) if both is not None else ("", ""))
    )
    if there is None or here is None:
        return []
    found = [
        f"{difference.in_words()}."
        for difference in definition_diff.differences(there, here)
        if difference.what == "column" and "GENERATED" in f"{difference.source}{difference.replica}"
    ]
    if ("PARTITION" in there.options or "PARTITION" in here.options) and there.options != here.options:
        found.append("its partitions differ on the replica.")
    return found


def _differences(ours: Table, theirs: Table) -> list[str]:
    found = []
    if len(ours.columns) != len(theirs.columns):
        found.append(f"{len(ours.columns)} columns on the replica, {len(theirs.columns)} on the source.")
    generated = [any(c.name == _GENERATED and c.invisible for c in t.columns) for t in (ours, theirs)]
    if generated[0] != generated[1]:
        side = "replica" if generated[0] else "source"
        found.append(f"a generated invisible primary key ({_GENERATED}) on the {side} only.")
    names = [[c.name.lower() for c in table.columns] for table in (ours, theirs)]
    if names[0] != names[1] and sorted(names[0]) == sorted(names[1]):
        found.append(
            f"columns in another order: {', '.join(names[0])} on the replica; {', '.join(names[1])} on the source."
        )
    by_name = {c.name.lower(): c for c in theirs.columns}
    for column in ours.columns:
        other = by_name.pop(column.name.lower(), None)
        if other is None:
            found.append(f"column {column.name} ({column.column_type}) on the replica only.")
        elif other.column_type.lower() != column.column_type.lower():
            found.append(
                f"column {column.name} is {column.column_type} on the replica, {other.column_type} on the source."
            )
        elif other.nullable and not column.nullable:
            found.append(f"column {column.name} is NOT NULL on the replica only.")
    found += [f"column {other.name} ({other.column_type}) on the source only." for other in by_name.values()]
    return found
