"""Looks for rows of transactions that the replica has not executed, where it has executed none of the source's."""

from __future__ import annotations

from itertools import islice

from replfix.core.binlog.row_event import Transaction
from replfix.core.incident.evidence import Evidence
from replfix.core.remedies.copied_replica import may_be_a_copy
from replfix.errors import PrivilegeError, ReplicationError, ServerError, Unreadable
from replfix.ports import Replica, Server
from replfix.workflow.investigate.compare_rows import compare, definitions_of

LOGGED_READ = 100
"""Transactions of the source that are read; the first ones, with which a copy begins."""
HELD_AGAINST = 10
"""Of how many of them the rows are looked up."""


def copied(replica: Replica, source: Server, evidence: Evidence) -> tuple[str, ...]:
    """GTIDs of transactions that wrote rows which the replica has as they left them."""
    if not may_be_a_copy(evidence):
        return ()
    found: list[str] = []
    looked_up = 0
    try:
        for one in islice(source.readable(source.executed() - evidence.status.executed), LOGGED_READ):
            if not isinstance(one, Transaction) or not any(change.after is not None for change in one.changes):
                continue
            looked_up += 1
            defined = definitions_of(replica, one)
            if not defined.mismatches and one.gtid is not None:
                _, applied = compare(replica, defined.transaction, defined.tables)
                if applied and all(applied):
                    found.append(one.gtid)
            if looked_up == HELD_AGAINST:
                break
    except (ReplicationError, ServerError, PrivilegeError, Unreadable):
        return tuple(found)  # as far as they can be read
    return tuple(found)
