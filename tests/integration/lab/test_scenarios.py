"""Every scenario of the lab through the command line, judged by plain SQL that knows nothing of replfix."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from replfix.core.replication.gtid import GtidSet
from replfix.lab import scenarios
from replfix.lab.flavours import speaking
from replfix.lab.lab_state import LabServer
from replfix.lab.proof import prove, snapshot
from replfix.lab.replicate import executed
from replfix.lab.scenario import Scenario
from replfix.lab.topology import Lab
from tests.integration.running import replfix
from tests.samples import checked


def rows_of(server: LabServer) -> dict[str, dict[tuple[Any, ...], dict[str, Any]]]:
    """Every row of every table, by the primary key."""
    found: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    with server.session() as session:
        # As text, so that the judge shares no reading of types with replfix; FLOAT is compared by its own printing.
        for table in session.query(
            "SELECT TABLE_NAME AS t FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' ORDER BY 1"
        ):
            keys = [
                r["c"]
                for r in session.query(
                    "SELECT COLUMN_NAME AS c FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = 'shop' "
                    "AND TABLE_NAME = %s AND CONSTRAINT_NAME = 'PRIMARY' ORDER BY ORDINAL_POSITION",
                    (table["t"],),
                )
            ]
            rows = session.query(f"SELECT * FROM shop.`{table['t']}`")
            found[table["t"]] = {tuple(row[k] for k in keys): row for row in rows}
    return found


def only_here(replica: dict[str, Any], source: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Rows of the replica whose key the source does not have at all: no transaction of the source explains their end."""
    return [
        (table, row) for table, rows in replica.items() for key, row in rows.items() if key not in source.get(table, {})
    ]


def exported_rows(config: str) -> list[dict[str, Any]]:
    """The current row of each step of each intent, out of ``audit export``."""
    ran = replfix("audit", "export", "--config", config)
    assert ran.code == 0, ran.err
    records = [json.loads(line) for line in ran.out.splitlines()]
    payloads = [
        json.loads(r["payload"]) if isinstance(r["payload"], str) else r["payload"]
        for r in records
        if r["kind"] == "intent"
    ]
    return [step["current"] for payload in payloads for step in payload["plan"]["steps"] if step["current"] is not None]


def same_values(selected: dict[str, Any], recorded: dict[str, Any]) -> bool:
    """A row as the server prints it against one of the trail. TIMESTAMP columns are in UTC in both (the lab's zone)."""

    def text(value: Any) -> Any:
        return value if value is None or isinstance(value, dict | str | bytes) else str(value)

    return all(
        text(recorded[name]) == (value if value is None else value if isinstance(value, str) else value.decode())
        for name, value in selected.items()
        if not isinstance(recorded[name], dict) and not isinstance(recorded[name], float)
    )


@pytest.fixture
def staged(any_pair: Lab, scenario: Scenario) -> Lab:
    (any_pair.directory / "audit.db").unlink(missing_ok=True)
    with any_pair.replica.session() as session:
        flavour = speaking(session)
        assert set(flavour.read_only(session)) <= {True, None}, "the scenarios are about a protected replica"
        workers = flavour.variables(session)[flavour.parallel]
        assert workers == "4", "and about parallel workers"
    scenario.stage(any_pair)
    return any_pair


def waiting_of(lab: Lab) -> GtidSet:
    """What the source has and the replica has not applied."""
    with lab.source.session() as source, lab.replica.session() as replica:
        return executed(source) - executed(replica)


def test_a_scenario_is_diagnosed_rehearsed_and_resolved(staged: Lab, scenario: Scenario) -> None:
    config = str(staged.config_file)
    expects = scenario.expects
    before, rows_before = snapshot(staged.replica), rows_of(staged.replica)

    ran = replfix("diagnose", "replica1", "--config", config, "--json")
    assert ran.code == 3, ran.err
    diagnosis = ran.document
    assert diagnosis["schema"] == "replfix.diagnosis/1"
    error = diagnosis["error"]
    assert (error["errno"], error["event"]) == (expects.errno, expects.event)
    assert (error["schema"], error["table"]) == (expects.schema, expects.table)
    assert error["key"] in (expects.key, expects.key and expects.key.rpartition(".")[2])  # MariaDB names no table there
    assert diagnosis["transaction"]["gtid"] in waiting_of(staged)
    assert [
        (c["kind"], f"{c['schema']}.{c['table']}", c["key"].rpartition(".")[2]) for c in diagnosis["conflicts"]
    ] == [(c.kind, c.table, c.key) for c in expects.conflicts]
    causes = [(c["code"], c["confidence"]) for c in diagnosis["causes"]]
    if scenario.name == "two-writers" and staged.provision.flavour.name == "mariadb-10.11":  # logs no connections
        assert causes == [("local-write", "high"), ("two-writers", "medium")]
    else:
        assert causes[0] == (expects.cause, "high")
    for conflict in diagnosis["conflicts"]:
        row = conflict["replica_row"]
        assert (row is None) == (conflict["kind"] == "missing")
        if row is not None:
            assert any(same_values(held, row) for held in rows_before[conflict["table"]].values())
    assert diagnosis["strategies"][0]["name"] == "source-wins"
    assert diagnosis["strategies"][0]["allowed"]
    checked(staged, scenario.name)
    assert snapshot(staged.replica) == before, "diagnose wrote something"

    ran = replfix("resolve", "replica1", "--dry-run", "--config", config, "--json")
    assert ran.code == 3, ran.err
    assert ran.document["rounds"][0]["rehearsed"]
    assert not ran.document["rounds"][0]["applied"]
    assert snapshot(staged.replica) == before, "the dry run left something changed"
    assert rows_of(staged.replica) == rows_before

    ran = replfix("resolve", "replica1", "--strategy", "source-wins", "--yes", "--config", config, "--json")
    assert ran.code == 0, ran.out + ran.err
    resolution = ran.document
    assert resolution["outcome"] == "resolved"
    assert all(r["rehearsed"] and r["applied"] and r["verified"] for r in resolution["rounds"])
    assert sum(done["transactions"] for done in resolution["rounds"]) == expects.rounds
    assert resolution["displaced_rows"] == expects.displaced_rows

    staged.wait_until_applied()
    wrong = [p for p in prove(staged.source, staged.replica, before) if not p.holds]
    assert not wrong
    recorded = exported_rows(config)
    assert len(recorded) == expects.displaced_rows
    held = [row for rows in rows_before.values() for row in rows.values()]
    for row in recorded:
        assert any(row.keys() == h.keys() and same_values(h, row) for h in held), f"the replica never held {row}"
    for table, row in only_here(rows_before, rows_of(staged.source)):
        gone = not any(row == left for left in rows_of(staged.replica)[table].values())
        kept = any(row.keys() == r.keys() and same_values(row, r) for r in recorded)
        assert gone == kept, f"{table}: {row} is {'gone' if gone else 'there'} and {'' if kept else 'not '}in the trail"
    assert replfix("audit", "verify", "--config", config).code == 0
    checked(staged, f"{scenario.name}, resolved", {"ID": resolution["rounds"][0]["audit_id"]})
    for round_ in resolution["rounds"]:
        assert_undo_is_as_it_was_said(staged, round_)
    for audit_id in resolution["audit_ids"]:
        assert replfix("audit", "show", audit_id, "--config", config).code == 0

    ran = replfix("resolve", "replica1", "--yes", "--config", config, "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "nothing_to_do")
    assert replfix("status", "--config", config).code == 0


def test_the_texts_for_people_name_what_scripts_get(any_pair: Lab) -> None:
    pair = any_pair

    scenarios.find("duplicate-primary").stage(pair)
    config = str(pair.config_file)
    ran = replfix("diagnose", "replica1", "--config", config)
    assert ran.code == 3
    for words in ("1062", "shop.orders", "PRIMARY", "local-write", "≠", "source-wins", "DELETE FROM"):
        assert words in ran.out
    ran = replfix("status", "--config", config)
    assert ran.code == 3
    assert "✗ error" in ran.out
    assert "\x1b" not in ran.out
    ran = replfix("status", "--config", config, "--json")
    channel = ran.document["replicas"][0]["channels"][0]
    assert channel["error"]["errno"] == 1062
    since = channel["error"]["since"]
    if pair.provision.flavour.name == "mysql":
        assert abs((datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds()) < 600
    else:
        assert since is None, "MariaDB records no time"
    assert channel["errant_gtid_set"]
    assert not channel["applier_running"]
    assert channel["receiver_running"]
    checked(pair, "duplicate-primary, being resolved")


def test_the_samples_of_a_row_that_is_kept(pair: Lab) -> None:
    """keep-both, and its undo."""
    scenarios.find("duplicate-primary").stage(pair)
    checked(pair, "duplicate-primary, being kept")
    pair.wait_until_applied()
    listed = replfix("audit", "list", "--kind", "intent", "--config", str(pair.config_file))
    checked(pair, "duplicate-primary, kept", {"ID": listed.out.splitlines()[-1].split()[0]})


CODES = {"nothing-to-undo": 0, "yes": 3, "in-part": 3, "no": 4}


def assert_undo_is_as_it_was_said(lab: Lab, round_: dict[str, Any]) -> None:
    """Before the repair it was said whether it can be undone; what is offered where it cannot is followed to the letter."""
    config = str(lab.config_file)
    ran = replfix("undo", round_["audit_id"], "--dry-run", "--config", config, "--json")
    assert ran.code == CODES[round_["undo"]["possible"]], (round_["undo"], ran.out, ran.err)
    saved = [step["current"] for step in round_["steps"] if step["current"] is not None]
    advice = ran.document["advice"]
    by_hand = [remedy for remedy in advice if not remedy["sql"]]
    assert all(f"audit show {round_['audit_id']}" in remedy["text"] for remedy in by_hand)
    for remedy in advice:
        if remedy["sql"]:
            assert (remedy["where"], remedy["leads_to"]["code"]) == ("source", "kept-everywhere")
            before = snapshot(lab.replica)
            with lab.source.session() as session:
                for statement in remedy["sql"]:
                    session.execute(statement)
            lab.wait_until_applied()
            assert not [p for p in prove(lab.source, lab.replica, before) if not p.holds]
    held = [row for rows in rows_of(lab.replica).values() for row in rows.values()]
    kept = [row for row in saved if any(differing(h, row) in ([], ["id"]) for h in held if h.keys() == row.keys())]
    assert len(kept) >= len(saved) - len(by_hand), (saved, advice)


def differing(selected: dict[str, Any], recorded: dict[str, Any]) -> list[str]:
    return [name for name in selected if not same_values({name: selected[name]}, recorded)]
