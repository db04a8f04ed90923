"""Events that MySQL's applier cannot apply: nothing is repaired, and the statements that are printed let them pass."""

from __future__ import annotations

from typing import Any

from replfix.lab.flavours import speaking
from replfix.lab.proof import snapshot
from replfix.lab.replication import channel_state
from replfix.lab.topology import Lab
from tests.integration.running import replfix
from tests.integration.stagings import one_event_that_changes_a_row_twice, rows_that_take_each_others_places
from tests.waiting import until


def assert_refused(pair: Lab, said: str) -> None:
    before = snapshot(pair.replica)
    ran = replfix("resolve", "replica1", "--yes", "--config", str(pair.config_file), "--json")
    assert ran.code == 4, ran.out + ran.err
    assert said in ran.document["error"]["message"]
    assert snapshot(pair.replica) == before


def advice(pair: Lab) -> list[dict[str, Any]]:
    ran = replfix("diagnose", "replica1", "--config", str(pair.config_file), "--json")
    found: list[dict[str, Any]] = ran.document["advice"]
    return found


def test_a_row_that_is_changed_twice(pair: Lab) -> None:
    one_event_that_changes_a_row_twice(pair)
    assert_refused(pair, "One event changes a row of d.t twice")
    hide, show, _ = advice(pair)
    with pair.replica.session() as session, speaking(session).writable(session):
        for statement in hide["sql"]:
            session.execute(statement)
        pair.wait_until_applied()
        for statement in show["sql"]:
            session.execute(statement)
        assert session.rows("SELECT a, b FROM d.t ORDER BY a") == [("3", "1"), ("9", "9")]
        assert "INVISIBLE" not in session.rows("SHOW CREATE TABLE d.t")[0][1]


def test_rows_that_take_each_others_places(pair: Lab) -> None:
    rows_that_take_each_others_places(pair)
    assert_refused(pair, "In one event rows of d.t take each other's values of a")
    note, drop, add, _ = advice(pair)
    with pair.replica.session() as session, speaking(session).writable(session):
        (definition,) = (session.rows(statement)[0][1] for statement in note["sql"])
        for statement in drop["sql"]:
            session.execute(statement)
        until(lambda: not channel_state(session).applier_running, "the applier does not stop behind the transaction")
        for statement in add["sql"]:
            session.execute(statement)
        pair.wait_until_applied()
        assert session.rows("SELECT a, b FROM d.t ORDER BY a") == [("3", "1"), ("4", "2"), ("9", "3")]
        assert session.rows("SHOW CREATE TABLE d.t")[0][1] == definition
