"""The rows that a row in conflict references: a cascade from them can change the row, and is in no binlog."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.conflicts.reconcile import Conflict, Identity
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.incident_context import IncidentContext
from replfix.core.incident.provenance import rows_in_question
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import ForeignKey, Table


@dataclass(frozen=True, slots=True)
class Parent:
    """``on_replica`` and ``on_source``: whether the foreign key is there, and takes the row along or changes it."""

    conflict: Conflict
    key: ForeignKey
    row: Identity
    on_replica: bool
    on_source: bool


def parents(evidence: Evidence, around: IncidentContext) -> tuple[Parent, ...]:
    """Return, for each row in conflict, its parents by foreign keys that cascade on either server."""
    found = []
    for conflict, table, _, state in rows_in_question(evidence):
        image = state if state is not None else conflict.expected
        theirs = around.source.tables.get(table.name)
        keys = {k: k for k in (_reduced(key) for t in (table, theirs) if t is not None for key in t.foreign_keys)}
        for key in keys:
            parent = around.parents.get(key.parent)
            row = _named(table, key, parent, image) if parent is not None and image is not None else None
            if row is not None:
                found.append(Parent(conflict, key, row, _cascades(table, key), _cascades(theirs, key)))
    return tuple(one for one in found if one.on_replica or one.on_source)


def parent_rows(evidence: Evidence, around: IncidentContext) -> frozenset[Identity]:
    """Return the names of those parents."""
    return frozenset(one.row for one in parents(evidence, around))


def _reduced(key: ForeignKey) -> ForeignKey:
    """Return the reference without its name and rules."""
    return ForeignKey("", key.child, key.child_columns, key.parent, key.parent_columns, "", "")


def _cascades(table: Table | None, reference: ForeignKey) -> bool:
    return table is not None and any(
        {key.on_delete, key.on_update} & {"CASCADE", "SET NULL"}
        for key in table.foreign_keys
        if _reduced(key) == reference
    )


def _named(table: Table, key: ForeignKey, parent: Table, image: RowImage) -> Identity | None:
    """Return the parent's identity, when the reference is to it."""
    identity = parent.identity
    if identity is None or {c.lower() for c in identity.columns} != {c.lower() for c in key.parent_columns}:
        return None
    referred = dict(zip((c.lower() for c in key.parent_columns), key.child_columns, strict=True))
    values = tuple(image[table.column(referred[c.lower()]).ordinal] for c in identity.columns)
    return None if None in values or NOT_LOGGED in values else (parent.name, values)
