"""Remedies of states in which MariaDB leaves a replica with parallel threads, and which no test can bring about at will."""

from __future__ import annotations

from dataclasses import replace

from replfix.core.incident.evidence import Evidence, Prepared
from replfix.core.known_errors import human_advice
from replfix.core.remedies import prepared_xa
from replfix.core.remedies.remedy import LeadsTo
from replfix.core.replication.applier_error import parse
from replfix.core.replication.mariadb_gtid import MariadbGtidSet
from replfix.core.replication.replica_status import ReceiverState, RelayLog
from tests.unit.fakes import Rows
from tests.unit.making import ORDERS, channel, evidence, inserted, status

XID = "X'7837',X'',1"


def stopped(executed: str) -> Evidence:
    """On 0-1-12, with a relay log that the next START deletes, and no receiver."""
    of = evidence([inserted(ORDERS, 3, "A", None)], Rows.of(ORDERS))
    assert of.transaction is not None
    on = replace(
        of.channel,
        relay_log=RelayLog.KEPT_WHILE_RUNNING,
        receiver=ReceiverState.STOPPED,
        read_by_position=("CHANGE MASTER TO x",),
    )
    done = replace(of.status, version="10.11.19-MariaDB", executed=MariadbGtidSet.parse(executed), channels=(on,))
    return replace(of, channel=on, status=done, transaction=replace(of.transaction, gtid="0-1-12"))


def test_what_lies_behind_the_position_is_not_read_again() -> None:
    """The server passed over it (10.11.19, XA): other workers have committed what is behind it, and would do so once more."""
    (remedy,) = human_advice._only_copy(stopped("0-1-16"))
    assert remedy.sql == ()
    assert "applied again" in remedy.text


def test_what_lies_before_the_position_is_read_by_position() -> None:
    (remedy,) = human_advice._only_copy(stopped("0-1-11"))
    assert remedy.leads_to is LeadsTo.RELAY_LOG_KEPT


def test_an_xa_transaction_without_rows_has_nothing_to_carry_out() -> None:
    """INSERT IGNORE of a row that is there: MariaDB logs XA START, END and PREPARE with nothing between (10.11.19)."""
    of = evidence([inserted(ORDERS, 3, "A", None)], Rows.of(ORDERS))
    assert of.transaction is not None
    assert of.reconciliation is not None
    empty = replace(of.transaction, changes=(), xa_id=XID, prepared=True)
    message = f"Error 'XAER_NOTA: Unknown XID' on query. Default database: ''. Query: 'XA COMMIT {XID}'"
    failing = parse(1397, message)
    on = channel(applier_errno=1397, applier_message=message)
    of = replace(of, status=status(on), channel=on, error=failing, prepared=Prepared(empty, {}, of.reconciliation, ()))
    (remedy,) = prepared_xa.advise(of)
    assert "has no rows" in remedy.text
    assert remedy.leads_to is LeadsTo.LEFT_OUT
