"""What a human can do about an error: what its family says once the evidence is there."""

from __future__ import annotations

from dataclasses import replace

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Thread
from replfix.core.known_errors.families import FAMILIES, damaged_table
from replfix.core.known_errors.rows_in_the_way import beside_statements
from replfix.core.remedies import copied_replica, divergent_keys, drift, extra_key, prepared_xa
from replfix.core.remedies.beside_swaps import by_statements
from replfix.core.remedies.by_hand import logged_in_part
from replfix.core.remedies.remedy import LeadsTo, Remedy
from replfix.core.replication.replica_status import RelayLog
from replfix.core.replication.start_threads import Receiver, Source, receiver_of


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return what a human can do; nothing for a row conflict that a strategy answers."""
    return tuple(_within_reach(evidence, remedy) for remedy in _advise(evidence))


def _within_reach(evidence: Evidence, remedy: Remedy) -> Remedy:
    """Return the remedy as it can be promised: it removes one obstacle, and the transaction may meet another.

    Only where it cannot, the remedy leads to the next transaction.
    """
    if remedy.leads_to is LeadsTo.NEXT_TRANSACTION and evidence.may_stop_again:
        return replace(remedy, leads_to=LeadsTo.NEXT_ROW)
    return remedy


def _advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (*_only_copy(evidence), *_logged_in_part(evidence), *_of_the_error(evidence))


def _only_copy(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return the warning for a relay log that the next START would delete, and that the source cannot replace."""
    channel = evidence.channel
    # With several domains, the place of the applier in the relay log does not say what is applied.
    if evidence.thread is not Thread.APPLIER or channel.relay_log is not RelayLog.KEPT_WHILE_RUNNING:
        return ()
    if receiver_of(channel) not in (Receiver.STOPPED, Receiver.FAILED) or evidence.source_has[0] is Source.HOLDS:
        return ()
    of = evidence.failing
    if of is not None and evidence.status.has_applied(channel, of):
        return (
            Remedy(
                f"Start neither thread: the server would delete the relay log. The replica's position is past {of} already: read by position, what was "
                "committed after it would be applied again. Keep a copy of the relay log's files, and of the replica's tables that it is about; which of its transactions are there can be seen in their rows. Or rebuild the replica."
            ),
        )
    return (
        Remedy(
            "Start neither thread: the server would delete the relay log. Let the applier read it by position instead: this keeps it. "
            "The applier stops on the same transaction, and 'replfix resolve' repairs that. When all of the relay log is applied, stop "
            "the channel and position it by GTID again.",
            channel.read_by_position,
            LeadsTo.RELAY_LOG_KEPT,
        ),
    )


def _logged_in_part(evidence: Evidence) -> tuple[Remedy, ...]:
    if not logged_in_part(evidence):
        return ()
    return (
        Remedy(
            "This replica has logged the transaction already: MariaDB logs what a statement did before it failed. With "
            "gtid_strict_mode=ON it does not log the same GTID again (error 1950), so what is run here switches that off. Switch it on "
            "again when the channel has applied this transaction. Replicas of this replica get the transaction twice."
        ),
    )


def _of_the_error(evidence: Evidence) -> tuple[Remedy, ...]:
    if (
        known := copied_replica.advise(evidence)
        or divergent_keys.advise(evidence)
        or extra_key.advise(evidence)
        or beside_statements(evidence)
        or prepared_xa.advise(evidence)
        or by_statements(evidence)
    ):
        return known
    if evidence.damaged:
        return damaged_table.advise(evidence)
    family = evidence.family
    if family is None:
        return (*drift.the_statement(evidence), Remedy(_unknown(evidence)))
    return next(guidance.advise(evidence) for guidance in FAMILIES if guidance.FAMILY is family)


def _unknown(evidence: Evidence) -> str:
    """Return the advice for a number that no family has."""
    none = f"replfix has no guidance for error {evidence.error.errno}. Read the server's message above."
    if evidence.thread is Thread.RECEIVER:
        return f"{none} The receiver says it of its connection to the source: look at the error logs of both servers at that time."
    return f"{none} The source ran this transaction and the replica does not: mostly an object, an account, a setting or a version differs. Compare on both servers what the message names, make the replica's the same in a session with SET sql_log_bin = 0, then START REPLICA. 'replfix resolve --strategy skip --dry-run' shows what leaving the transaction out would lose."
