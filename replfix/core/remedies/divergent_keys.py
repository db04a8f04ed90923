"""A table whose rows have keys of their own on each server, by a default such as uuid() in an ALTER TABLE.

Repairing row by row never ends there: each repair adds a row beside the one that the replica has under another key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from replfix.core.binlog.row_event import ChangeKind
from replfix.core.incident.evidence import Apart, BothDefinitions, Evidence
from replfix.core.remedies import copy_table, drift
from replfix.core.remedies.by_hand import skip_alone
from replfix.core.remedies.remedy import LeadsTo, Remedy
from replfix.core.schema.table import Table
from replfix.core.sql import definition_diff

_EACH_ITS_OWN = re.compile(
    r" DEFAULT \(?\s*(?P<function>(?:[^']|'[^']*')*?\b(?:uuid\w*|sys_guid|rand|random_bytes)\s*\([^)]*\))",
    re.IGNORECASE,
)


def column_of_its_own(create: str, table: Table) -> tuple[str, str] | None:
    """Return a column that names rows, and the function in its default that differs on each server for one ALTER TABLE."""
    definition = definition_diff.parsed(create)
    if definition is None:
        return None
    names = table.identity.columns if table.identity is not None else tuple(c.name for c in table.columns)
    for name in names:
        if found := _EACH_ITS_OWN.search(definition.columns.get(name.lower(), "")):
            return name, found["function"]
    return None


def counted_keys(apart: Apart) -> str:
    """Say how many of the rows asked for are under the same key on the other server."""
    name = apart.table.name
    return (
        f"{name}.{apart.column} has the default {apart.function}: of {apart.asked_here} rows of the replica, the source has "
        f"{apart.asked_here - apart.only_here} under the same key; of {apart.asked_there} rows of the source, the replica has "
        f"{apart.asked_there - apart.only_there}."
    )


def refusal(evidence: Evidence) -> str:
    """Return why the transaction's rows are not repaired one by one; empty where they are: the table cannot be copied now."""
    apart = evidence.apart
    if apart is None or not any(remedy.sql for remedy in advise(evidence)):
        return ""
    return (
        f"The rows of {apart.table.name} have keys of their own on each server. A repair would add a row beside the one that the replica has "
        "under another key, and so would every later one. Copy the whole table: 'replfix diagnose' prints the steps."
    )


def risks(evidence: Evidence) -> Iterator[str]:
    """Yield what a repair of single rows does to such a table."""
    if evidence.apart is not None:
        yield (
            f"The rows of {evidence.apart.table.name} have keys of their own on each server: this adds a row beside the one that the replica "
            "has under another key, and so will every later repair. The whole table has to be copied all the same."
        )


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return what a human can do about such a table."""
    apart = evidence.apart
    if apart is None:
        return ()
    name = apart.table.name
    words = f"The rows of {name} have keys of their own on each server, so the whole table has to be copied."
    changes = evidence.transaction.changes if evidence.transaction is not None else ()
    named = apart.table.identity is not None
    if leave_out := skip_alone(evidence) if evidence.changes_only(name) else ():
        words += " A copy made now has the result of the failing transaction, so that is skipped."
        return copied_anew(evidence, apart.both, apart.table, words, named=named, leave_out=leave_out)
    if named and all(c.kind is ChangeKind.UPDATE for c in changes if c.table == name):
        return copied_anew(evidence, apart.both, apart.table, words, named=named)
    return (
        Remedy(
            f"{words} The failing transaction cannot be skipped, because it changes other tables too: rebuild the replica."
        ),
    )


def copied_anew(
    evidence: Evidence,
    both: BothDefinitions,
    table: Table,
    words: str,
    *,
    named: bool,
    leave_out: tuple[str, ...] = (),
) -> tuple[Remedy, ...]:
    """Return the steps that replace the replica's table with the source's; its own is kept under another name.

    ``named``: a key names its rows.
    """
    name = table.name
    if table.foreign_keys or table.referenced_by or table.triggers:
        return (
            Remedy(
                f"{words} It has foreign keys or triggers, or is referenced, which would stay with the table that is replaced: rebuild the replica."
            ),
        )
    return tuple(
        copy_table.copied(
            evidence,
            both,
            name,
            name,
            words,
            ending=leave_out or None,
            leads_to=LeadsTo.LEFT_OUT if leave_out else LeadsTo.NEXT_ROW,
            saved_as=drift.saved_as(name),
            again=named,
        )
    )
