"""An event that MySQL's applier cannot apply: nothing is repaired, and the statements that are printed let it pass."""

from __future__ import annotations

from replfix.lab.flavours import speaking
from replfix.lab.proof import snapshot
from replfix.lab.topology import Lab
from tests.integration.running import replfix
from tests.integration.stagings import one_event_that_changes_a_row_twice


def test_what_is_printed_lets_the_replica_pass(pair: Lab) -> None:
    one_event_that_changes_a_row_twice(pair)
    before = snapshot(pair.replica)
    config = str(pair.config_file)
    ran = replfix("resolve", "replica1", "--yes", "--config", config, "--json")
    assert ran.code == 4, ran.out + ran.err
    assert "One event changes a row of d.t twice" in ran.document["error"]["message"]
    assert snapshot(pair.replica) == before

    hide, show, _ = replfix("diagnose", "replica1", "--config", config, "--json").document["advice"]
    with pair.replica.session() as session, speaking(session).writable(session):
        for statement in hide["sql"]:
            session.execute(statement)
        pair.wait_until_applied()
        for statement in show["sql"]:
            session.execute(statement)
        assert session.rows("SELECT a, b FROM d.t ORDER BY a") == [("3", "1"), ("9", "9")]
        assert "INVISIBLE" not in session.rows("SHOW CREATE TABLE d.t")[0][1]
