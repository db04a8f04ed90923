"""Conflicts staged on a real pair, each with the cause that was staged: what the diagnosis is judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from replfix.core.gtid import GtidSet
from replfix.core.sql import string
from replfix.lab.flavours import speaking
from replfix.lab.replication import (
    executed,
    transaction,
    wait_until_received,
    wait_until_stopped,
    write_locally,
)
from replfix.lab.topology import Lab


@dataclass(frozen=True)
class Staging:
    """``also``: causes that are as true of it, and may come first."""

    name: str
    cause: str
    stage: Callable[[Lab], None]
    also: frozenset[str]


STAGED = "staged cause"
"""The property of a test's report that tells what was staged and what came first."""

STAGINGS: list[Staging] = []


def staged(cause: str, *also: str) -> Callable[[Callable[[Lab], None]], Callable[[Lab], None]]:
    def note(stage: Callable[[Lab], None]) -> Callable[[Lab], None]:
        STAGINGS.append(Staging(stage.__name__.replace("_", " "), cause, stage, frozenset(also)))
        return stage

    return note


# --- what stagings are made of ---------------------------------------------------------------------------------------

TABLE = "CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, u VARCHAR(20) UNIQUE, a INT)"
ROWS = "INSERT INTO d.t VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3), (4, 'four', 4)"


def opened(lab: Lab, *statements: str) -> None:
    source(lab, "CREATE DATABASE d", *(statements or (TABLE, ROWS)))
    lab.wait_until_applied()


def source(lab: Lab, *statements: str, logged: bool = True, before: tuple[str, ...] = ()) -> None:
    """Each a transaction of its own."""
    with lab.source.session() as session:
        for statement in (f"SET sql_log_bin = {int(logged)}", *before, *statements):
            session.execute(statement)


def local(lab: Lab, *statements: str) -> None:
    write_locally(lab.replica, *statements)


def unlogged(lab: Lab, *statements: str) -> None:
    write_locally(lab.replica, *statements, logged=False)


def fails_on(lab: Lab, *statements: str) -> None:
    """The source's transaction on which the replica stops."""
    with lab.source.session() as session:
        transaction(session, *statements)
    wait_until_stopped(lab.replica)


def repositioned(lab: Lab, gtids: GtidSet) -> None:
    """As after a restore: nothing in the replica's binlog, and a GTID set that somebody gave it. Its applier is stopped."""
    with lab.replica.session() as session:
        flavour = speaking(session)
        session.execute("STOP REPLICA")
        with flavour.writable(session):
            session.execute("RESET REPLICA")
            flavour.forget(session, gtids)


def of_source(lab: Lab) -> GtidSet:
    with lab.source.session() as session:
        return executed(session)


# --- a write on the replica itself -----------------------------------------------------------------------------------


@staged("local-write")
def a_row_inserted_on_the_replica(lab: Lab) -> None:
    opened(lab)
    local(lab, "INSERT INTO d.t VALUES (9, 'local', 0)")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


@staged("local-write")
def a_row_changed_on_the_replica(lab: Lab) -> None:
    opened(lab)
    local(lab, "UPDATE d.t SET u = 'nine' WHERE id = 2")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


@staged("local-write")
def a_row_deleted_on_the_replica(lab: Lab) -> None:
    opened(lab)
    local(lab, "DELETE FROM d.t WHERE id = 2")
    fails_on(lab, "UPDATE d.t SET a = 20 WHERE id = 2")


@staged("local-write")
def a_local_row_equal_to_the_incoming(lab: Lab) -> None:
    opened(lab)
    local(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


@staged("local-write")
def the_table_emptied_on_the_replica(lab: Lab) -> None:
    opened(lab)
    local(lab, "TRUNCATE TABLE d.t")
    fails_on(lab, "UPDATE d.t SET a = 20 WHERE id = 2")


@staged("unlogged-write")
def a_row_inserted_without_a_trace(lab: Lab) -> None:
    opened(lab)
    unlogged(lab, "INSERT INTO d.t VALUES (9, 'local', 0)")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


@staged("unlogged-write")
def a_row_inserted_without_a_trace_equal_to_the_incoming(lab: Lab) -> None:
    opened(lab)
    unlogged(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


@staged("unlogged-write")
def a_row_changed_without_a_trace(lab: Lab) -> None:
    opened(lab)
    unlogged(lab, "UPDATE d.t SET u = 'nine' WHERE id = 2")
    local(lab, "UPDATE d.t SET a = 33 WHERE id = 3")  # has nothing to do with it
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


@staged("unlogged-write")
def a_row_deleted_without_a_trace(lab: Lab) -> None:
    opened(lab)
    unlogged(lab, "DELETE FROM d.t WHERE id = 2")
    fails_on(lab, "DELETE FROM d.t WHERE id = 2")


# --- the replica counts what it does not hold ------------------------------------------------------------------------


@staged("skipped-transaction")
def an_insert_skipped_by_hand(lab: Lab) -> None:
    opened(lab)
    local(lab, "INSERT INTO d.t VALUES (9, 'local', 0)")
    fails_on(lab, "INSERT INTO d.t VALUES (8, 'eight', 8), (9, 'nine', 9)")
    with lab.replica.session() as session:
        skipped = f"{(of_source(lab) - executed(session))}"
        session.execute(f"SET gtid_next = {string(skipped)}")
        session.execute("BEGIN")
        session.execute("COMMIT")
        session.execute("SET gtid_next = AUTOMATIC")
        session.execute("START REPLICA")
    fails_on(lab, "UPDATE d.t SET a = 80 WHERE id = 8")


@staged("filtered")
def an_insert_left_out_by_a_filter_of_then(lab: Lab) -> None:
    opened(lab)
    _filter(lab, "REPLICATE_IGNORE_TABLE = (d.t)")
    source(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")
    lab.wait_until_applied()
    _filter(lab, "REPLICATE_IGNORE_TABLE = ()")
    fails_on(lab, "UPDATE d.t SET a = 90 WHERE id = 9")


def _filter(lab: Lab, rule: str) -> None:
    with lab.replica.session() as session:
        for statement in ("STOP REPLICA SQL_THREAD", f"CHANGE REPLICATION FILTER {rule}", "START REPLICA SQL_THREAD"):
            session.execute(statement)


@staged("restored-copy")
def older_data_under_a_newer_position(lab: Lab) -> None:
    opened(lab)
    with lab.replica.session() as session:
        session.execute("STOP REPLICA")
    source(lab, "UPDATE d.t SET u = 'free' WHERE id = 2")
    repositioned(lab, of_source(lab))
    with lab.replica.session() as session:
        session.execute("START REPLICA")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'two', 9)")


@staged("restored-copy")
def a_row_missing_from_the_copy(lab: Lab) -> None:
    opened(lab)
    with lab.replica.session() as session:
        session.execute("STOP REPLICA")
    source(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")
    repositioned(lab, of_source(lab))
    with lab.replica.session() as session:
        session.execute("START REPLICA")
    fails_on(lab, "DELETE FROM d.t WHERE id = 9")


@staged("applied-twice")
def a_position_one_transaction_too_old(lab: Lab) -> None:
    opened(lab)
    before = of_source(lab)
    source(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")
    lab.wait_until_applied()
    repositioned(lab, before)
    with lab.replica.session() as session:
        session.execute("START REPLICA")
    wait_until_stopped(lab.replica)


@staged("applied-twice")
def a_position_many_transactions_too_old(lab: Lab) -> None:
    opened(lab)
    before = of_source(lab)
    source(lab, *(f"INSERT INTO d.t VALUES ({n}, 'n{n}', {n})" for n in range(10, 15)))
    lab.wait_until_applied()
    repositioned(lab, before)
    with lab.replica.session() as session:
        session.execute("START REPLICA")
    wait_until_stopped(lab.replica)
    wait_until_received(lab.source, lab.replica)
