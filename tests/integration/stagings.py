"""Conflicts staged on a real pair, each with the cause that was staged: what the diagnosis is judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from replfix.core.replication.gtid import GtidSet
from replfix.core.sql import string
from replfix.lab.flavours import speaking
from replfix.lab.replicate import executed, transaction, wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.waiting import until


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
_PAIRS = ("INSERT INTO d.t VALUES (1, 'one', 1), (2, 'two', 2)",)
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


# --- definitions that differ -----------------------------------------------------------------------------------------


@staged("extra-unique-key")
def a_unique_key_on_the_replica_only(lab: Lab) -> None:
    opened(lab)
    unlogged(lab, "ALTER TABLE d.t ADD UNIQUE KEY a (a)")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 3)")


@staged("extra-unique-key")
def a_key_that_is_unique_on_the_replica_only(lab: Lab) -> None:
    opened(lab, "CREATE TABLE d.t (id INT PRIMARY KEY, u VARCHAR(20), v INT, UNIQUE KEY u (u, v))", *_PAIRS)
    unlogged(lab, "ALTER TABLE d.t DROP KEY u, ADD UNIQUE KEY u (u)")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'two', 3)")


@staged("local-write")
def a_local_row_beside_a_unique_key_on_the_replica_only(lab: Lab) -> None:
    opened(lab)
    unlogged(lab, "ALTER TABLE d.t ADD UNIQUE KEY a (a)")
    local(lab, "INSERT INTO d.t VALUES (9, 'local', 7)")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


@staged("collation-differs")
def a_key_without_case_on_the_replica_only(lab: Lab) -> None:
    opened(lab, "CREATE TABLE d.t (id INT PRIMARY KEY, u VARCHAR(20) COLLATE utf8mb4_bin UNIQUE, v INT)", *_PAIRS)
    unlogged(lab, "ALTER TABLE d.t MODIFY u VARCHAR(20) COLLATE utf8mb4_0900_ai_ci")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'TWO', 9)")


@staged("unlogged-write")
def a_row_without_a_trace_beside_another_collation(lab: Lab) -> None:
    opened(lab, "CREATE TABLE d.t (id INT PRIMARY KEY, u VARCHAR(20) COLLATE utf8mb4_bin UNIQUE, v INT)", *_PAIRS)
    unlogged(
        lab,
        "ALTER TABLE d.t MODIFY u VARCHAR(20) COLLATE utf8mb4_0900_ai_ci",
        "INSERT INTO d.t VALUES (7, 'nine', 7)",
    )
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


@staged("schema-drift")
def a_column_that_is_smaller_on_the_replica(lab: Lab) -> None:
    opened(lab, "CREATE TABLE d.t (id BIGINT PRIMARY KEY, a INT)", "INSERT INTO d.t VALUES (2147483647, 0)")
    unlogged(lab, "ALTER TABLE d.t MODIFY id INT")
    with lab.replica.session() as session:
        session.execute("SET GLOBAL replica_type_conversions = 'ALL_LOSSY'")
    try:
        with lab.replica.session() as session:
            session.execute("STOP REPLICA SQL_THREAD")
            session.execute("START REPLICA SQL_THREAD")
        fails_on(lab, "INSERT INTO d.t VALUES (3000000000, 1)")
    finally:
        with lab.replica.session() as session:
            session.execute("SET GLOBAL replica_type_conversions = ''")


@staged("schema-drift")
def a_column_whose_type_does_not_convert(lab: Lab) -> None:
    opened(lab)
    unlogged(lab, "ALTER TABLE d.t MODIFY a VARCHAR(20)")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


# --- rows that the source gave up, or has again ----------------------------------------------------------------------


@staged("auto-increment-behind", "unlogged-on-source")
def a_counter_of_the_source_that_went_back(lab: Lab) -> None:
    opened(lab)
    source(lab, "DELETE FROM d.t WHERE id > 2", "ALTER TABLE d.t AUTO_INCREMENT = 3", logged=False)
    fails_on(lab, "INSERT INTO d.t (u) VALUES ('new')")


@staged("unlogged-on-source")
def a_row_deleted_on_the_source_without_a_trace(lab: Lab) -> None:
    opened(lab)
    source(lab, "DELETE FROM d.t WHERE id = 2", logged=False)
    fails_on(lab, "INSERT INTO d.t VALUES (2, 'again', 2)")


@staged("unlogged-on-source")
def a_row_inserted_on_the_source_without_a_trace(lab: Lab) -> None:
    opened(lab)
    source(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)", "DELETE FROM d.t WHERE id = 9")
    source(lab, "INSERT INTO d.t VALUES (9, 'back', 9)", logged=False)
    fails_on(lab, "UPDATE d.t SET a = 99 WHERE id = 9")


# --- foreign keys ----------------------------------------------------------------------------------------------------

FAMILY = (
    "CREATE TABLE d.p (id INT PRIMARY KEY, a INT)",
    "CREATE TABLE d.t (id INT PRIMARY KEY, p INT, a INT, {key})",
    "INSERT INTO d.p VALUES (1, 1), (2, 2)",
    "INSERT INTO d.t VALUES (1, 1, 1), (2, 2, 2)",
)
_CASCADE = "CONSTRAINT f FOREIGN KEY (p) REFERENCES d.p (id) ON DELETE CASCADE"


def _family(key: str) -> tuple[str, ...]:
    return tuple(statement.format(key=key) for statement in FAMILY)


@staged("cascade", "local-write")
def a_parent_deleted_on_the_replica(lab: Lab) -> None:
    opened(lab, *_family(_CASCADE))
    local(lab, "DELETE FROM d.p WHERE id = 2")
    fails_on(lab, "UPDATE d.t SET a = 20 WHERE id = 2")


@staged("cascade")
def a_cascade_on_the_replica_only(lab: Lab) -> None:
    opened(lab, *_family("KEY p (p)"))
    unlogged(lab, f"ALTER TABLE d.t ADD {_CASCADE}")
    source(lab, "DELETE FROM d.p WHERE id = 2")
    lab.wait_until_applied()
    fails_on(lab, "UPDATE d.t SET a = 20 WHERE id = 2")


@staged("local-write")
def a_child_deleted_on_the_replica_under_a_cascade(lab: Lab) -> None:
    opened(lab, *_family(_CASCADE))
    local(lab, "DELETE FROM d.t WHERE id = 2")
    fails_on(lab, "UPDATE d.t SET a = 20 WHERE id = 2")


# --- programs and statements -----------------------------------------------------------------------------------------


@staged("event-scheduler", "local-write")
def an_event_that_runs_on_the_replica_too(lab: Lab) -> None:
    opened(lab)
    _event_on_the_replica(lab, logs_statements=True)
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


@staged("event-scheduler", "local-write")
def an_event_on_the_replica_whose_statement_is_not_logged(lab: Lab) -> None:
    opened(lab)
    _event_on_the_replica(lab, logs_statements=False)
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


def _event_on_the_replica(lab: Lab, *, logs_statements: bool) -> None:
    with lab.replica.session() as session:
        session.execute(f"SET GLOBAL binlog_rows_query_log_events = {int(logs_statements)}")
        session.execute("SET GLOBAL super_read_only = OFF")
        session.execute("SET sql_log_bin = 0")
        session.execute("CREATE EVENT d.e ON SCHEDULE EVERY 1 DAY DO INSERT INTO d.t VALUES (9, 'event', 0)")
        until(lambda: session.scalar("SELECT COUNT(*) FROM d.t WHERE id = 9") != "0", "the event has not run")
        session.execute("SET GLOBAL super_read_only = ON")
        session.execute("SET GLOBAL binlog_rows_query_log_events = 0")


@staged("local-write")
def a_local_row_beside_an_event_that_never_ran(lab: Lab) -> None:
    opened(lab)
    unlogged(
        lab,
        "CREATE EVENT d.e ON SCHEDULE EVERY 1 DAY STARTS NOW() + INTERVAL 1 DAY DO INSERT INTO d.t VALUES (9, 'event', 0)",
    )
    local(lab, "INSERT INTO d.t VALUES (9, 'local', 0)")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


@staged("replica-trigger", "local-write")
def a_trigger_on_the_replica_set_off_by_a_local_write(lab: Lab) -> None:
    opened(lab, TABLE, ROWS, "CREATE TABLE d.other (id INT PRIMARY KEY)")
    unlogged(lab, _TRIGGER)
    local(lab, "INSERT INTO d.other VALUES (9)")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


@staged("replica-trigger")
def a_trigger_on_the_replica_set_off_by_a_statement(lab: Lab) -> None:
    opened(lab, TABLE, ROWS, "CREATE TABLE d.other (id INT PRIMARY KEY)")
    unlogged(lab, _TRIGGER)
    source(lab, "INSERT INTO d.other VALUES (9)", before=("SET SESSION binlog_format = STATEMENT",))
    lab.wait_until_applied()
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


_TRIGGER = "CREATE TRIGGER d.tr AFTER INSERT ON d.other FOR EACH ROW INSERT INTO d.t VALUES (NEW.id, 'trigger', 0)"


@staged("statement-event")
def a_statement_whose_outcome_is_not_the_same_everywhere(lab: Lab) -> None:
    opened(lab)
    source(
        lab,
        "UPDATE d.t SET u = IF(@@server_id = 1, 'source', 'nine') WHERE id = 2",
        before=("SET SESSION binlog_format = STATEMENT",),
    )
    lab.wait_until_applied()
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


@staged("statement-event")
def a_statement_that_fails(lab: Lab) -> None:
    opened(lab)
    unlogged(lab, "INSERT INTO d.t VALUES (9, 'local', 0)")
    source(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)", before=("SET SESSION binlog_format = STATEMENT",))
    wait_until_stopped(lab.replica)


@staged("row-differs", "unlogged-write")
def a_row_without_a_key_that_differs(lab: Lab) -> None:
    opened(lab, "CREATE TABLE d.t (id INT, a INT)", "INSERT INTO d.t VALUES (1, 1), (2, 2)")
    unlogged(lab, "UPDATE d.t SET a = 20 WHERE id = 2")
    fails_on(lab, "UPDATE d.t SET a = 22 WHERE id = 2")


@staged("replaced-parent")
def a_parent_replaced_on_the_source(lab: Lab) -> None:
    opened(
        lab, "CREATE TABLE d.p (id INT PRIMARY KEY, v INT)", "CREATE TABLE d.c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES "
        "d.p (id))", "INSERT INTO d.p VALUES (1, 1)", "INSERT INTO d.c VALUES (1, 1)",
    )  # fmt: skip
    fails_on(lab, "REPLACE INTO d.p VALUES (1, 2)")


@staged("deleted-twice")
def a_child_deleted_by_a_cascade_and_again(lab: Lab) -> None:
    opened(
        lab, "CREATE TABLE d.p (id INT PRIMARY KEY, v INT)", "CREATE TABLE d.c (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES d.p (id) "
        "ON DELETE CASCADE)", "INSERT INTO d.p VALUES (1, 1), (2, 2)", "INSERT INTO d.c VALUES (1), (2)",
    )  # fmt: skip
    fails_on(lab, "DELETE d.p, d.c FROM d.p JOIN d.c ON c.id = p.id WHERE p.id = 2")


@staged("changed-twice")
def one_event_that_changes_a_row_twice(lab: Lab) -> None:
    opened(lab, "CREATE TABLE d.t (a INT NULL UNIQUE, b INT)", "INSERT INTO d.t VALUES (5, 1), (9, 9)")
    fails_on(lab, "INSERT INTO d.t VALUES (5, 2), (4, 3) ON DUPLICATE KEY UPDATE a = a - 1")


@staged("out-of-order")
def rows_that_take_each_others_places(lab: Lab) -> None:
    opened(lab, "CREATE TABLE d.t (a INT NULL UNIQUE, b INT)", "INSERT INTO d.t VALUES (2, 1), (3, 2), (8, 3)")
    fails_on(lab, "UPDATE d.t SET a = a + 1 ORDER BY a DESC")


@staged("two-rows", "local-write")
def one_row_that_meets_two(lab: Lab) -> None:
    opened(lab)
    local(lab, "INSERT INTO d.t VALUES (9, 'local', 0), (90, 'nine', 0)")
    fails_on(lab, "INSERT INTO d.t VALUES (9, 'nine', 9)")


# --- two writers, and what looks like them ---------------------------------------------------------------------------


@staged("two-writers", "local-write")
def an_application_on_both_servers(lab: Lab) -> None:
    opened(lab)
    for name in ("x", "y", "z"):
        local(lab, f"INSERT INTO d.t (u) VALUES ('{name}')")
    fails_on(lab, "INSERT INTO d.t (u) VALUES ('incoming')")


@staged("local-write")
def rows_in_a_row_entered_by_hand(lab: Lab) -> None:
    opened(lab)
    local(lab, *(f"INSERT INTO d.t VALUES ({n}, 'local{n}', 0)" for n in (5, 6, 7)))
    fails_on(lab, "INSERT INTO d.t (u) VALUES ('incoming')")
