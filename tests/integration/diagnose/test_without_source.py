"""The source is down, or has purged its binlog: the transaction comes from the replica's own relay log."""

from __future__ import annotations

import pytest

from replfix.lab import scenarios
from replfix.lab.proof import snapshot
from replfix.lab.replicate import wait_until_received
from replfix.lab.topology import Lab
from tests.integration.running import replfix

NOBODY_THERE = "mysql://replfix:replfix@127.0.0.1:1"


def staged(lab: Lab, scenario: str) -> tuple[str, ...]:
    (lab.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find(scenario).stage(lab)
    wait_until_received(lab.source, lab.replica)
    return "replica1", "--config", str(lab.config_file), "--json"


def same_orders(lab: Lab) -> bool:
    with lab.source.session() as source, lab.replica.session() as replica:
        rows = "SELECT * FROM shop.orders ORDER BY id"
        return source.rows(rows) == replica.rows(rows)


@pytest.mark.parametrize("scenario", ["duplicate-primary", "missing-row-update"])
def test_a_repair_that_needs_nothing_of_the_source(pair: Lab, scenario: str) -> None:
    given = staged(pair, scenario)
    ran = replfix("diagnose", *given, "--source", NOBODY_THERE)
    assert ran.code == 3, ran.err
    document = ran.document
    assert document["transaction"]["gtid"] in document["error"]["message"]
    assert any("relay log, not from the source" in unknown for unknown in document["unknowns"])
    assert any("127.0.0.1:1" in unknown for unknown in document["unknowns"])
    assert all(
        conflict["source_row"] == {"not_read": "the source cannot be reached"} for conflict in document["conflicts"]
    )
    assert document["conflicts"]
    assert document["strategies"][0]["allowed"], document["strategies"][0]["reason"]
    ran = replfix("resolve", *given, "--source", NOBODY_THERE, "--yes")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
    pair.wait_until_applied()
    assert same_orders(pair)


@pytest.mark.parametrize("scenario", ["duplicate-unique", "multi-row-transaction"])
def test_a_row_that_may_be_one_of_the_sources_is_left_alone(pair: Lab, scenario: str) -> None:
    given = staged(pair, scenario)
    before = snapshot(pair.replica)
    ran = replfix("resolve", *given, "--source", NOBODY_THERE, "--yes")
    assert ran.code == 4, ran.out + ran.err
    assert "may be one of the source's too" in ran.document["message"]
    assert "cannot be reached" in ran.document["message"]
    assert snapshot(pair.replica) == before


def test_a_purged_binlog(pair: Lab) -> None:
    given = staged(pair, "duplicate-primary")
    with pair.source.session() as session:
        session.execute("FLUSH BINARY LOGS")
        last = session.query("SHOW BINARY LOGS")[-1]["Log_name"]
        session.execute(f"PURGE BINARY LOGS TO '{last}'")
    ran = replfix("diagnose", *given)
    assert any("purged" in unknown for unknown in ran.document["unknowns"])
    assert ran.document["conflicts"][0]["source_row"]["order_no"] == "A-1005"
    ran = replfix("resolve", *given, "--yes")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
    assert same_orders(pair)
