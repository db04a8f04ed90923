"""An application writes on both servers, and both hand out the same AUTO_INCREMENT values."""

from __future__ import annotations

import itertools

from replfix.core.binlog.row_event import ChangeKind
from replfix.core.conflicts.reconcile import ConflictKind
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.auto_increment import AutoIncrement
from replfix.core.schema.table import Table, TableName
from replfix.core.words import counted

CODE = "two-writers"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from an AUTO_INCREMENT key in conflict for which the replica generated values of its own.

    It made several such rows in separate transactions, with values in the steps of its counter, and the settings do not
    keep the two servers apart.
    """
    if evidence.reconciliation is None:
        return None
    examined: set[TableName] = set()
    for conflict in evidence.reconciliation.conflicts:
        if conflict.kind is not ConflictKind.DUPLICATE or not conflict.differences:
            continue
        table = evidence.tables[conflict.table]
        counter = next((c for c in table.columns if c.auto_increment), None)
        if counter is None or conflict.key_columns != (counter.name,) or table.name in examined:
            continue
        examined.add(table.name)  # what follows is the same for each of its rows
        made = _locally_generated(evidence, table, counter.ordinal)
        ids, connections = [id_ for id_, _ in made], {thread for _, thread in made if thread is not None}
        if len(ids) < 2 or not _overlap(evidence.replica_auto_increment, evidence.source_auto_increment):
            continue
        ours, theirs = evidence.replica_auto_increment, evidence.source_auto_increment
        settings = (
            f"auto_increment_increment/offset are {ours.increment}/{ours.offset} on the replica and "
            f"{theirs.increment}/{theirs.offset} on the source: both generate the same numbers."
            if theirs
            else f"auto_increment_increment/offset are {ours.increment}/{ours.offset} on the replica."
        )
        by = counted(len(connections), "connection") if connections else "connections that its binlog does not name"
        return Cause(
            CODE,
            # One connection can be a person, or a load, that continued the numbers by hand. MariaDB logs them from 11.5 on.
            Confidence.HIGH if len(ids) >= 3 and len(connections) > 1 else Confidence.MEDIUM,
            "Both servers accept writes, and both generate the same AUTO_INCREMENT values.",
            (
                f"The replica inserted {len(ids)} rows of its own into {table.name}, in separate transactions, with "
                f"{counter.name} from {min(ids)} to {max(ids)}, stepping by its auto_increment_increment, from {by}.",
                settings,
                f"The source's incoming row has {counter.name} {_shown(conflict.incoming, counter.ordinal)}.",
            ),
        )
    return None


def _shown(image: RowImage | None, ordinal: int) -> str:
    return "" if image is None else str(image[ordinal])


def _locally_generated(evidence: Evidence, table: Table, ordinal: int) -> list[tuple[int, int | None]]:
    """Return values of single-row inserts of the replica that form one run of its counter, with their connections."""
    values: list[tuple[int, int | None]] = []
    for transaction in evidence.local_writes:
        if len(transaction.changes) != 1:
            continue
        change = transaction.changes[0]
        if change.kind is ChangeKind.INSERT and change.table == table.name and change.after is not None:
            value = change.after[ordinal]
            if isinstance(value, int):
                values.append((value, transaction.thread_id))
    step = evidence.replica_auto_increment.increment
    in_run = all(b - a == step for (a, _), (b, _) in itertools.pairwise(values))
    return values if in_run else []


def _overlap(ours: AutoIncrement, theirs: AutoIncrement | None) -> bool:
    """Return whether the two settings can generate the same number."""
    if theirs is None or ours.increment != theirs.increment:
        return True
    return (ours.offset - theirs.offset) % ours.increment == 0
