"""The transaction that prepared what a failing XA COMMIT or XA ROLLBACK ends."""

from __future__ import annotations

from replfix.core.binlog.row_event import Transaction
from replfix.core.incident.evidence import Evidence, Prepared
from replfix.core.remedies import prepared_xa
from replfix.errors import PrivilegeError, ReplicationError, ServerError
from replfix.ports import Replica, Server
from replfix.workflow.investigate.compare_rows import compare, definitions_of
from replfix.workflow.investigate.read_history import READ


def find_prepared(replica: Replica, source: Server, evidence: Evidence, unknowns: list[str]) -> Prepared | None:
    """Return the newest XA transaction of that name which the replica has executed, compared with the replica's rows.

    It is read from the source's binlog.
    """
    xid = prepared_xa.missing(evidence)
    if not xid:
        return None
    try:
        executed = evidence.status.executed & source.executed()
        for count in READ:
            asked = executed.newest(count)
            prepared = [
                t for t in source.readable(asked) if isinstance(t, Transaction) and t.prepared and t.xa_id == xid
            ]
            if prepared:
                return _against_the_replica(replica, prepared[-1], unknowns)
            if executed <= asked:
                break
    except (ReplicationError, ServerError, PrivilegeError) as reason:
        unknowns.append(f"The transaction that prepared {xid} could not be looked for: {reason.message}")
    return None


def _against_the_replica(replica: Replica, transaction: Transaction, unknowns: list[str]) -> Prepared | None:
    defined = definitions_of(replica, transaction)
    unknowns.extend(defined.mismatches.values())
    if defined.mismatches:
        return None
    found, applied = compare(replica, defined.transaction, defined.tables)
    return Prepared(defined.transaction, defined.tables, found, applied)
