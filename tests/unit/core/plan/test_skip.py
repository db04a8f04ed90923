"""skip: what it says would be lost, and each reason for which it does not leave anything out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from replfix.core.binlog.statement import Statement
from replfix.core.conclude import strategy_names
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Thread
from replfix.core.plan.plan import ApplyMode, Plan, to_document
from replfix.core.replication import applier_error
from replfix.core.replication.replica_status import RelayLog
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.strategies import skip
from replfix.errors import ConnectError
from replfix.present.left_out import left_out_lines
from tests.unit.fakes import Rows
from tests.unit.making import GTID, ORDERS, channel, deleted, evidence, inserted, status, transaction, updated

CHANGES = (
    inserted(ORDERS, 3, "A", None),
    inserted(ORDERS, 4, "B", None),
    updated(ORDERS, (5, "C", None), (5, "D", None)),
    deleted(ORDERS, 6, "E", None),
)
FAILED = evidence(CHANGES, Rows.of(ORDERS).holding(ORDERS, (3, "local", None)))
DDL = "ALTER TABLE `shop`.`orders` ADD UNIQUE (total)"


def plan_of(gathered: Evidence) -> Plan:
    plan = skip.propose(gathered).plan
    assert plan is not None, skip.propose(gathered).reason
    return plan


def refusal(gathered: Evidence) -> str:
    proposal = skip.propose(gathered)
    assert proposal.plan is None
    return proposal.reason


def positioned(**over: Any) -> Evidence:
    """The same without GTIDs, the applier at the start of the transaction."""
    on = replace(FAILED.channel, applied_to=LogPosition("binlog.000001", 400))
    error = applier_error.parse(1062, FAILED.error.message.replace(GTID, "ANONYMOUS"))
    of = replace(transaction(CHANGES), gtid=None)
    values: dict[str, Any] = {
        "status": status(on, gtid_mode="OFF", executed=""),
        "channel": on,
        "error": error,
        "transaction": of,
    }
    return replace(FAILED, **(values | over))


def test_every_row_is_listed_and_kept() -> None:
    plan = plan_of(FAILED)
    assert (plan.way, plan.steps, plan.transaction.gtid, plan.named_by) == (
        ApplyMode.EMPTY,
        (),
        GTID,
        "skip shop.orders",
    )
    assert plan.risks[:4] == (
        "shop.orders: 2 rows are not inserted on the replica.",
        "shop.orders: 1 row keeps the values of before on the replica.",
        "shop.orders: 1 row is not deleted on the replica.",
        "All of the transaction is left out (4 rows), not only what failed.",
    )
    document: Any = to_document(plan)["left_out"]
    assert [(row["kind"], row["before"], row["after"]) for row in document["rows"]] == [
        ("insert", None, {"id": 3, "number": "A", "total": None}),
        ("insert", None, {"id": 4, "number": "B", "total": None}),
        ("update", {"id": 5, "number": "C", "total": None}, {"id": 5, "number": "D", "total": None}),
        ("delete", {"id": 6, "number": "E", "total": None}, None),
    ]
    assert plan.ending[:4] == (
        f"SET SESSION gtid_next = '{GTID}'",
        "BEGIN",
        "COMMIT",
        "SET SESSION gtid_next = 'AUTOMATIC'",
    )


def test_it_is_offered_last() -> None:
    assert strategy_names()[0] == "source-wins"
    assert strategy_names()[-1] == "skip"


def test_a_statement_is_shown_in_full() -> None:
    of = replace(transaction(()), statements=(Statement("", DDL, whole=True),))
    plan = plan_of(replace(FAILED, transaction=None, reconciliation=None, statement=of.statements[0], logged=of))
    assert plan.risks[0] == f"This statement is never run on the replica: {DDL}"
    assert plan.named_by == "skip shop.orders"


def test_statements_and_rows_are_listed_in_their_order() -> None:
    said = [Statement("shop", f"DELETE FROM t{n}", behind=behind) for n, behind in enumerate((0, 1, 1, 2))]
    of = replace(transaction(CHANGES[:2]), statements=(*said[:3], replace(said[3], settings=("SET insert_id = 7",))))
    plan = plan_of(replace(FAILED, transaction=None, reconciliation=None, logged=of))
    assert plan.left_out is not None
    assert plan.left_out.in_words == "2 rows and 4 statements"
    assert "All of the transaction is left out (2 rows and 4 statements), not only what failed." in plan.risks
    assert [line.split()[0] + line[-2:] for line in left_out_lines(plan)] == [
        "DELETEt0", "insertL)", "DELETEt1", "DELETEt2", "insertL)", "SETt3",
    ]  # fmt: skip
    document: Any = to_document(plan)["left_out"]
    assert [(each["behind_rows"], each["settings"]) for each in document["statements"]] == [
        (0, []), (1, []), (1, []), (2, ["SET insert_id = 7"]),
    ]  # fmt: skip


def test_the_counter_stands_in_without_gtids_and_on_mariadb() -> None:
    assert plan_of(positioned()).way is ApplyMode.COUNTER
    on = replace(FAILED.channel, applied_to=LogPosition("binlog.000001", 400))
    mariadb = replace(FAILED, channel=on, status=status(on, version="11.8.6-MariaDB"))
    assert plan_of(mariadb).way is ApplyMode.COUNTER


ANOTHER = replace(FAILED.error, gtid="aaaaaaaa-0000-0000-0000-000000000001:7")
LOCKED = applier_error.parse(1205, "Lock wait timeout exceeded", GTID)
BEHIND = replace(FAILED.channel, applied_to=LogPosition("binlog.000001", 900))
PARALLEL = replace(FAILED.channel, relay_log=RelayLog.REPLACED)


@pytest.mark.parametrize(
    ("gathered", "why"),
    [
        (replace(FAILED, transaction=None, unknowns=("The binlog was purged.",)), "The binlog was purged."),
        (replace(FAILED, thread=Thread.RECEIVER), "No transaction failed"),
        (replace(FAILED, channel=replace(FAILED.channel, group_replication=True)), "Group Replication"),
        (replace(FAILED, error=LOCKED), "only has to be tried again"),
        (replace(FAILED, error=ANOTHER), "does not say that it stopped on"),
        (positioned(status=status(FAILED.channel, channel(name="b"), gtid_mode="OFF", executed="")), "all channels"),
        (positioned(unreachable=ConnectError("Down.")), "Without the source"),
        (positioned(source_uuid="another"), "not the replica's source"),
        (positioned(channel=replace(BEHIND, applied_to=LogPosition("binlog.000001", 401))), "after the start of"),
        (positioned(channel=replace(BEHIND, applied_to=None)), "not certain"),
        (replace(FAILED, channel=PARALLEL, status=status(PARALLEL, version="11.8.6-MariaDB")), "error 1966"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_not_left_out(gathered: Evidence, why: str) -> None:
    assert why in refusal(gathered)
