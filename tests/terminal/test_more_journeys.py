"""Journeys that leave the beaten track, in a real terminal on real servers: other strategies, an undo, a recovery."""

from __future__ import annotations

from replfix.core.conclude import strategy_names
from replfix.lab import scenarios
from replfix.lab.proof import prove, snapshot
from replfix.lab.topology import Lab
from tests.integration.running import replfix
from tests.integration.undo.test_recover import BEFORE_COMMIT, killed
from tests.terminal.conftest import Open
from tests.terminal.terminal import Terminal
from tests.terminal.test_journeys import QUESTION, audit, broken, confirmed, left, opened, runs
from tests.waiting import until

__all__ = ["broken"]  # a fixture

SHIFT_TAB, HOME = "\x1b[Z", "\x1b[H"
OWN = "SELECT id, note FROM shop.orders WHERE order_no = 'R-0001'"  # the row that the replica has of its own
INCOMING = "SELECT id FROM shop.orders WHERE order_no = 'A-1005'"


def chosen(t: Terminal, strategy: str) -> None:
    """Its plan, out of the list of strategies, which comes last on the screen; rehearsed, and applied by name."""
    t.write(SHIFT_TAB)
    t.write(HOME)
    t.press(*["down"] * strategy_names().index(strategy), "enter")
    t.see("Not rehearsed yet", strategy)
    t.press("h")
    t.see("Rehearsed:")
    t.press("a")
    t.see(QUESTION, f"{strategy} for")
    confirmed(t, f"{strategy} shop.orders")
    t.see("was left out:" if strategy == "skip" else "Resolved")


def test_a_transaction_is_left_out(terminal: Open, broken: Lab) -> None:
    t = opened(terminal, broken)
    with broken.replica.session() as session:
        own = session.rows(OWN)
    chosen(t, "skip")
    until(lambda: runs(broken.replica), "the channel runs")
    with broken.replica.session() as session:
        assert session.rows(OWN) == own
        assert session.rows(INCOMING) == []
    outcome = next(r for r in audit(broken) if r["kind"] == "outcome")
    assert "left out and verified" in str(outcome["payload"])
    left(t)


def test_both_rows_are_kept_and_the_new_one_is_taken_back(terminal: Open, broken: Lab) -> None:
    t = opened(terminal, broken)
    with broken.replica.session() as session:
        ((_, note),) = session.rows(OWN)
    chosen(t, "keep-both")
    broken.wait_until_applied()
    for server in (broken.source, broken.replica):
        with server.session() as session:
            ((key, kept),) = session.rows(OWN)
            assert (kept, session.rows(INCOMING)) == (note, [("5",)])
            assert key != "5"
    t.press("A")
    t.see("on-source", "outcome")
    t.press("enter")
    t.see("Record", "outcome")
    t.press("n", "n", "n")  # older ones: what was written on the source, settings that were restored, then the intent
    t.see("Plan", "On the source: INSERT INTO")
    t.press("U")
    t.see("delete in shop.orders on the source", "Undo: type undo shop.orders")
    t.focused("Cancel")
    t.write("undo shop.orders")
    t.press("enter")
    t.focused("Undo")
    t.press("enter")
    t.see("Undone: 1 row taken back on the source, seen there and on the replica")
    for server in (broken.source, broken.replica):
        with server.session() as session:
            assert (session.rows(OWN), session.rows(INCOMING)) == ([], [("5",)])
    t.press("escape")
    assert t.goes("Undo the repair")
    left(t)


def test_the_row_of_the_replica_wins(terminal: Open, broken: Lab) -> None:
    t = opened(terminal, broken)
    with broken.replica.session() as session:
        own = session.rows(OWN)
    chosen(t, "replica-wins")
    broken.wait_until_applied()
    for server in (broken.source, broken.replica):
        with server.session() as session:
            assert (session.rows(OWN), session.rows(INCOMING)) == (own, [])
    left(t)


def test_a_repair_is_taken_back_from_its_record(terminal: Open, pair: Lab) -> None:
    (pair.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find("duplicate-unique").stage(pair)
    displaced = "SELECT * FROM shop.orders WHERE id = 70001"
    with pair.replica.session() as session:
        before = session.rows(displaced)
    assert replfix("resolve", "replica1", "--yes", "--config", str(pair.config_file)).code == 0
    with pair.source.session() as session:
        session.execute("DELETE FROM shop.orders WHERE id = 5")  # its place is free again
    pair.wait_until_applied()
    healthy = snapshot(pair.replica)

    t = terminal("--config", str(pair.config_file))
    t.see("✔ running")
    t.press("A")
    t.see("intent", "outcome")
    t.press("enter")
    t.see("Record", "outcome")
    t.press("n", "n")  # older ones: settings that were restored, then the intent
    t.see("Deleted row of shop.orders")
    t.press("U")
    t.see("Undo the repair", "order_no", "(no row)", "Cancel")
    t.focused("Cancel")
    t.press("right")
    t.focused("Undo")
    t.press("enter")
    t.see("Undone: 1 row brought back")
    with pair.replica.session() as session:
        assert session.rows(displaced) == before
    after = snapshot(pair.replica)
    assert (after.executed, after.variables) == (healthy.executed, healthy.variables)
    t.press("escape")
    assert t.goes("Undo the repair")
    left(t)


def test_what_a_killed_run_left_is_put_right(terminal: Open, broken: Lab) -> None:
    before = snapshot(broken.replica)
    killed(broken, BEFORE_COMMIT, "resolve", "replica1")
    assert snapshot(broken.replica).variables != before.variables, "the test is about settings that were left changed"
    t = opened(terminal, broken)
    t.see("A run was interrupted on this replica")
    t.press("R")
    t.see("changed settings of the server", "recorded what it was about to do")
    t.focused("Cancel")
    t.press("right")
    t.focused("Recover")
    t.press("enter")
    t.see("Put back what an interrupted run left changed: super_read_only", "was interrupted: not applied")
    assert snapshot(broken.replica) == before
    t.press("escape")
    assert t.goes("A run was interrupted")
    left(t)
    assert replfix("audit", "verify", "--config", str(broken.config_file)).code == 0
    assert replfix("resolve", "replica1", "--yes", "--config", str(broken.config_file)).code == 0
    assert not [p for p in prove(broken.source, broken.replica, before) if not p.holds]
