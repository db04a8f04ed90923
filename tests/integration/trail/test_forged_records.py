"""Records that nobody wrote, or that were rewritten with hashes that fit: what a server does not confirm is not acted on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from replfix.audit import SqlTrail
from replfix.core.trail.audit_record import AuditRecord, RecordKind
from replfix.lab import scenarios
from replfix.lab.proof import snapshot
from replfix.lab.topology import Lab
from tests.integration.resolve.test_on_source import two_writers
from tests.integration.undo.test_recover import BEFORE_COMMIT, killed, outcome, recovered
from tests.integration.undo.test_undo import Command, Document, on_source, rows
from tests.integration.undo.test_undo_on_source import kept


def trail_of(lab: Lab) -> SqlTrail:
    return SqlTrail.open(f"sqlite:///{lab.directory / 'audit.db'}", author="mallory@elsewhere")


def repaired(lab: Lab) -> str:
    """A real repair, whose displaced row may come back: the audit id of its intent."""
    (lab.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find("duplicate-unique").stage(lab)
    code, resolved = Command(lab)("resolve", "replica1", "--yes")
    assert code == 0, resolved
    on_source(lab, "DELETE FROM shop.orders WHERE id = 5")
    assert Command(lab)("undo", resolved["rounds"][0]["audit_id"], "--dry-run")[0] == 3
    return str(resolved["rounds"][0]["audit_id"])


def rewrite(lab: Lab, change: Callable[[AuditRecord, dict[str, Any]], dict[str, Any] | None]) -> list[AuditRecord]:
    """The whole trail written anew by somebody who can: hashes, head and all fit."""
    path = lab.directory / "audit.db"
    old = list(trail_of(lab).records())
    path.unlink()
    written = []
    for record in old:
        payload = change(record, record.content)
        if payload is None:
            continue
        trail = SqlTrail.open(
            f"sqlite:///{path}",
            author=record.author,
            clock=lambda at=record.recorded_at: datetime.fromisoformat(at),  # type: ignore[misc]
        )
        kind, channel = RecordKind(record.kind), record.channel
        written.append(
            trail.append(kind, incident=record.incident, replica=record.replica, channel=channel, payload=payload)
        )
    assert trail_of(lab).verify().whole
    return written


def not_acted_on(lab: Lab, *args: str) -> Document:
    """Refused, and neither server is changed by it; its document."""
    before = snapshot(lab.source), snapshot(lab.replica)
    code, refused = Command(lab)(*args)
    assert code == 4, refused
    assert (snapshot(lab.source), snapshot(lab.replica)) == before
    return refused


def intent_of(records: list[AuditRecord]) -> AuditRecord:
    return next(record for record in records if record.kind == "intent")


def test_a_forged_intent_writes_no_row(any_pair: Lab) -> None:
    """The transaction is a real one that the replica has applied, and it has nothing to do with the row."""
    lab = any_pair
    real = repaired(lab)

    def change(record: AuditRecord, content: dict[str, Any]) -> dict[str, Any]:
        if record.kind == "intent":
            step = content["plan"]["steps"][0]
            bought = {**step["current"], "id": 4711, "order_no": "B-4711"}
            content["plan"]["steps"] = [{**step, "current": bought}]
        return content

    forged = intent_of(rewrite(lab, change))
    assert forged.id != real
    refused = not_acted_on(lab, "undo", forged.id, "--yes")
    assert "do not confirm" in refused["error"]["message"]
    assert forged.id in refused["error"]["message"]
    assert forged.author in refused["error"]["message"]
    assert "audit show" in refused["error"]["hint"]
    assert rows(lab, "orders WHERE id = 4711") == []


def test_a_transaction_that_never_came_here_confirms_nothing(any_pair: Lab) -> None:
    """The record of another server, with this one's name written into it."""
    lab = any_pair
    repaired(lab)
    gtids: list[str] = []

    def change(record: AuditRecord, content: dict[str, Any]) -> dict[str, Any]:
        if record.kind == "intent":
            gtid = content["plan"]["gtid"]
            head = gtid[: gtid.rindex("-" if "-" in gtid.split(":")[-1] else ":") + 1]
            content["plan"]["gtid"] = f"{head}987654"
            gtids.append(content["plan"]["gtid"])
        return content

    forged = intent_of(rewrite(lab, change))
    refused = not_acted_on(lab, "undo", forged.id, "--yes")
    assert f"neither applied {gtids[0]}" in refused["error"]["message"]


def test_the_record_of_another_server(any_pair: Lab) -> None:
    lab = any_pair
    repaired(lab)

    def change(record: AuditRecord, content: dict[str, Any]) -> dict[str, Any]:
        if record.kind == "intent":
            content["plan"]["server_uuid"] = "another"
        return content

    forged = intent_of(rewrite(lab, change))
    assert "made on the server another" in not_acted_on(lab, "undo", forged.id, "--yes")["error"]["message"]


def test_a_trail_with_an_altered_record_is_not_acted_on(any_pair: Lab) -> None:
    """Also where the record itself is sound: another one was changed."""
    lab = any_pair
    intent = repaired(lab)
    trail_of(lab).append(RecordKind.REFUSED, incident="another", replica="replica1", channel="", payload={})
    with sqlite3.connect(lab.directory / "audit.db") as database:
        database.execute("DROP TRIGGER audit_record_no_update")
        database.execute("UPDATE audit_record SET author = 'nobody@nowhere' WHERE incident = 'another'")
    refused = not_acted_on(lab, "undo", intent, "--yes")
    assert "not whole" in refused["error"]["message"]
    assert "audit verify" in refused["error"]["hint"]


def test_a_forged_outcome_makes_no_repair_of_one_that_was_rolled_back(pair: Lab) -> None:
    (pair.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find("duplicate-unique").stage(pair)
    killed(pair, BEFORE_COMMIT, "resolve", "replica1")
    command = Command(pair)
    found = recovered(command)
    assert outcome(command, found[-1])["result"] == "not applied"
    intent = found[-1]["left_by"]
    real = trail_of(pair).get(intent)
    trail_of(pair).append(
        RecordKind.OUTCOME,
        incident=real.incident,
        replica=real.replica,
        channel="",
        payload={"result": "applied and verified", "recovered": intent},
    )
    refused = not_acted_on(pair, "undo", intent, "--yes")
    assert "It is there already" in refused["in_the_way"][0]


def test_a_forged_record_of_a_write_on_the_source_takes_nothing_out_there(any_pair: Lab) -> None:
    """Rows of the source that no repair has written, named as if one had."""
    lab = any_pair
    two_writers(lab)
    kept(lab)

    def change(record: AuditRecord, content: dict[str, Any]) -> dict[str, Any]:
        if record.kind == "on-source":
            content["steps"] = [{**content["steps"][0], "target": {"id": 1, "no": "A", "v": "both", "at": None}}]
        return content

    forged = intent_of(rewrite(lab, change))
    refused = not_acted_on(lab, "undo", forged.id, "--yes")
    assert "source's log does not have" in refused["error"]["message"]


def test_protection_that_somebody_switched_off_stays_off(pair: Lab) -> None:
    """A settings record of later: the server says when super_read_only was switched off, and by whom."""
    (pair.directory / "audit.db").unlink(missing_ok=True)
    with pair.replica.session() as session:
        uuid = session.scalar("SELECT @@global.server_uuid")
        session.execute("SET GLOBAL super_read_only = 0")
        session.execute("DO SLEEP(0.1)")
        now = datetime.fromtimestamp(float(str(session.scalar("SELECT UNIX_TIMESTAMP(NOW(6))"))), UTC)
    content = {"server_uuid": uuid, "server_time": now.isoformat(), "variables": {"super_read_only": "1"}}
    forged = trail_of(pair).append(RecordKind.SETTINGS, incident="i", replica="replica1", channel="", payload=content)
    try:
        (found,) = recovered(Command(pair))
        assert found["message"].startswith("Nothing was put back")
        assert "switched off before that" in found["message"]
        assert forged.id in found["message"]
        assert (found["left_by"], found["author"]) == (forged.id, "mallory@elsewhere")
        with pair.replica.session() as session:
            assert session.scalar("SELECT @@global.super_read_only") == "0"
    finally:
        with pair.replica.session() as session:
            session.execute("SET GLOBAL super_read_only = 1")


def test_a_server_that_takes_writes_is_not_shut(pair: Lab) -> None:
    """read_only is off: it was promoted, and a run leaves that on."""
    (pair.directory / "audit.db").unlink(missing_ok=True)
    with pair.replica.session() as session:
        uuid = session.scalar("SELECT @@global.server_uuid")
        session.execute("SET GLOBAL read_only = 0")
    content = {"server_uuid": uuid, "variables": {"super_read_only": "1"}}
    trail_of(pair).append(RecordKind.SETTINGS, incident="i", replica="replica1", channel="", payload=content)
    try:
        (found,) = recovered(Command(pair))
        assert "so is read_only" in found["message"]
        with pair.replica.session() as session:
            assert session.scalar("SELECT @@global.read_only") == "0"
    finally:
        with pair.replica.session() as session:
            session.execute("SET GLOBAL super_read_only = 1")


def test_a_channel_that_somebody_stopped_stays_stopped(any_pair: Lab) -> None:
    """An intent without an end, for the last transaction that the replica has applied."""
    lab = any_pair
    repaired(lab)
    real = intent_of(list(trail_of(lab).records()))
    with lab.replica.session() as session:
        session.execute("STOP REPLICA SQL_THREAD")
    try:
        forged = trail_of(lab).append(
            RecordKind.INTENT, incident="forged", replica="replica1", channel="", payload=real.content
        )
        (found,) = recovered(Command(lab))
        assert found["left_by"] == forged.id
        assert "not started" in found["next"]
        with lab.replica.session() as session:
            (status,) = session.query("SHOW REPLICA STATUS")
        assert (status.get("Replica_SQL_Running") or status.get("Slave_SQL_Running")) == "No"
    finally:
        with lab.replica.session() as session:
            session.execute("START REPLICA SQL_THREAD")
