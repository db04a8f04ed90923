"""Hard cases on real servers: each was tried by hand to break a repair. Judged by plain SQL, as the scenarios are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from replfix.errors import ConnectError
from replfix.lab.proof import prove, snapshot
from replfix.lab.replicate import transaction, wait_until_received, wait_until_stopped
from replfix.lab.topology import Lab
from tests.integration.resolve.test_guards import resolving_while_blocked, stopped, writing_on_the_replica
from tests.integration.running import Ran, replfix

__all__ = ["stopped"]  # a fixture


def stage(
    lab: Lab,
    setup: Sequence[str],
    local: Sequence[str],
    failing: Sequence[str],
    then: Sequence[str] = (),
    before: Sequence[str] = (),
) -> None:
    """Both servers set up, the replica written to without a trace, the source's transaction, and what comes behind it. ``before``:
    settings of the session that writes that."""
    (lab.directory / "audit.db").unlink(missing_ok=True)
    with lab.source.session() as session:
        for statement in ("CREATE DATABASE shop", "USE shop", *setup):
            session.execute(statement)
    lab.wait_until_applied()
    with writing_on_the_replica(lab) as session:
        for statement in ("USE shop", *local):
            session.execute(statement)
    with lab.source.session() as session:
        for statement in ("USE shop", *before):
            session.execute(statement)
        transaction(session, *failing)
        for statement in then:
            session.execute(statement)
    wait_until_stopped(lab.replica)
    wait_until_received(lab.source, lab.replica)


def resolve(lab: Lab) -> Ran:
    return replfix("resolve", "replica1", "--yes", "--config", str(lab.config_file), "--json")


def resolved(lab: Lab) -> Ran:
    before = snapshot(lab.replica)
    ran = resolve(lab)
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
    lab.wait_until_applied()
    assert not [p for p in prove(lab.source, lab.replica, before) if not p.holds]
    return ran


def refused(lab: Lab, words: str) -> None:
    """Not done, with nothing changed, and for this reason."""
    before = snapshot(lab.replica)
    ran = resolve(lab)
    assert ran.code == 4, ran.out + ran.err
    assert words in ran.out
    assert snapshot(lab.replica) == before


@contextmanager
def set_on(lab: Lab, variable: str, value: str) -> Iterator[None]:
    """A global variable of the replica, put back at the end."""
    with lab.replica.session() as session:
        before = session.scalar(f"SELECT @@global.{variable}")
        session.execute(f"SET GLOBAL {variable} = {value}")
        try:
            yield
        finally:
            session.execute(f"SET GLOBAL {variable} = {before}")


@contextmanager
def filtered(lab: Lab, rule: str, none: str) -> Iterator[None]:
    with lab.replica.session() as session:
        for statement in ("STOP REPLICA SQL_THREAD", f"CHANGE REPLICATION FILTER {rule}", "START REPLICA SQL_THREAD"):
            session.execute(statement)
        try:
            yield
        finally:
            for statement in ("STOP REPLICA", f"CHANGE REPLICATION FILTER {none}", "START REPLICA"):
                session.execute(statement)


FAMILY = [
    "CREATE TABLE p (id INT PRIMARY KEY, u INT UNIQUE)",
    "CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id))",
]
RESOLVED: dict[str, tuple[list[str], list[str], list[str], list[str]]] = {
    "names that try to get out of their quotes": (
        ["""CREATE TABLE `t``a.b '"%s é` (`s``.%s'"` INT PRIMARY KEY, `order` VARCHAR(9), UNIQUE `k``.y %s'` (`order`))"""],
        ["""INSERT INTO `t``a.b '"%s é` VALUES (1, 'a'), (2, 'b%s')"""],
        ["""INSERT INTO `t``a.b '"%s é` VALUES (1, 'b%s')"""],
        [],
    ),
    "keys that differ in case and accents": (
        ["CREATE TABLE t (k VARCHAR(9) PRIMARY KEY, n INT)", "INSERT INTO t VALUES ('ann', 1), ('bob', 1)"],
        ["UPDATE t SET k = 'ANN' WHERE k = 'ann'", "INSERT INTO t VALUES ('josé', 1)", "DELETE FROM t WHERE k = 'bob'"],
        ["INSERT INTO t VALUES ('JOSE', 2)", "UPDATE t SET n = 5, k = 'Ánn' WHERE k = 'ann'",
         "UPDATE t SET k = 'BOB' WHERE k = 'bob'"],
        [],
    ),
    "unique values that change places": (
        ["CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE)", "INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)"],
        ["INSERT INTO t VALUES (9, 90), (8, 99)", "UPDATE t SET u = 31 WHERE id = 3"],
        ["UPDATE t SET u = NULL WHERE id = 1", "UPDATE t SET u = 10 WHERE id = 2", "UPDATE t SET u = 20 WHERE id = 1",
         "UPDATE t SET id = 9 WHERE id = 1", "DELETE FROM t WHERE id = 3", "INSERT INTO t VALUES (3, 99)"],
        [],
    ),
    "generated columns with keys": (
        ["CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9), v VARCHAR(9) AS (LOWER(a)) VIRTUAL UNIQUE, "
         "s INT AS (LENGTH(a)) STORED UNIQUE)", "INSERT INTO t (id, a) VALUES (5, 'ABCDE')"],
        ["INSERT INTO t (id, a) VALUES (1, 'xY')", "UPDATE t SET a = 'ABCDEFG' WHERE id = 5"],
        ["INSERT INTO t (id, a) VALUES (2, 'Xy'), (7, '1234567')"],
        [],
    ),
    "rows of the source, each where the next one belongs": (
        ["CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE)", "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (4, 4)"],
        ["UPDATE t SET u = 100 WHERE id = 1", "UPDATE t SET u = 1 WHERE id = 2", "UPDATE t SET u = 2 WHERE id = 3",
         "UPDATE t SET u = 3 WHERE id = 4"],
        ["INSERT INTO t VALUES (9, 100)"],
        ["UPDATE t SET u = 1003 WHERE id = 3", "DELETE FROM t WHERE id = 4", "INSERT INTO t VALUES (4, 44)"],
    ),
    "a parent and its child, both gone": (
        [*FAMILY, "INSERT INTO p VALUES (1, 1)", "INSERT INTO c VALUES (1, 1)"],
        ["DELETE FROM c", "DELETE FROM p"],
        ["DELETE FROM c", "DELETE FROM p"],
        [],
    ),
    "a parent and its child, both in the way": (
        FAMILY,
        ["INSERT INTO p VALUES (1, 1)", "INSERT INTO c VALUES (1, 1)"],
        ["INSERT INTO p VALUES (2, 1)", "INSERT INTO c VALUES (1, 2)"],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RESOLVED)
def test_a_hard_case_is_resolved(pair: Lab, case: str) -> None:
    stage(pair, *RESOLVED[case])
    resolved(pair)


def values(lab: Lab, table: str) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Rows on the source and on the replica."""
    with lab.source.session() as source, lab.replica.session() as replica:
        ours = table.replace("shop.", "store.") if replica.rows("SHOW DATABASES LIKE 'store'") else table
        return source.rows(f"SELECT * FROM {table} ORDER BY 1"), replica.rows(f"SELECT * FROM {ours} ORDER BY 1")


def test_a_table_that_the_replica_filters_out_is_left_alone(pair: Lab) -> None:
    """Rows of the table left out come first, in between and last: in statements of their own, and in one with others."""
    with filtered(pair, "REPLICATE_IGNORE_TABLE = (shop.own)", "REPLICATE_IGNORE_TABLE = ()"):
        with writing_on_the_replica(pair) as session:  # the filter leaves out its CREATE TABLE too
            session.execute("CREATE DATABASE shop")
            session.execute("CREATE TABLE shop.own (id INT PRIMARY KEY, n INT)")
            session.execute("INSERT INTO shop.own VALUES (1, 111)")
        with pair.source.session() as session:
            session.execute("CREATE DATABASE IF NOT EXISTS shop")
            session.execute("USE shop")
            for name in ("t", "own"):
                session.execute(f"CREATE TABLE {name} (id INT PRIMARY KEY, n INT)")
            session.execute("INSERT INTO t VALUES (5, 5)")
            session.execute("INSERT INTO own VALUES (5, 5)")
        pair.wait_until_applied()
        with writing_on_the_replica(pair) as session:
            session.execute("INSERT INTO shop.t VALUES (1, 1)")
        with pair.source.session() as session:
            transaction(
                session,
                "INSERT INTO shop.own VALUES (1, 2)",
                "INSERT INTO shop.t VALUES (1, 2)",
                "UPDATE shop.t JOIN shop.own USING (id) SET t.n = 50, own.n = 51 WHERE id = 5",
                "DELETE FROM shop.own WHERE id = 1",
            )
        wait_until_stopped(pair.replica)
        ran = replfix("diagnose", "replica1", "--config", str(pair.config_file), "--json")
        assert any("leave out shop.own" in unknown for unknown in ran.document["unknowns"])
        assert [(c["table"], c["kind"]) for c in ran.document["conflicts"]] == [("t", "duplicate")]
        ran = resolve(pair)
        assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
        pair.wait_until_applied()
        on_source, on_replica = values(pair, "shop.t")
        assert on_replica == on_source == [("1", "2"), ("5", "50")]
        assert values(pair, "shop.own")[1] == [("1", "111")]


@contextmanager
def rewritten(lab: Lab, *source_schemas: str) -> Iterator[None]:
    """The replica applies ``shop`` to ``store``, a longer name; both hold a table t."""
    with filtered(lab, "REPLICATE_REWRITE_DB = ((shop, store))", "REPLICATE_REWRITE_DB = ()"):
        definition = "t (id INT PRIMARY KEY, u INT UNIQUE, v VARCHAR(20))"
        with writing_on_the_replica(lab) as session:
            session.execute("CREATE DATABASE store")
            session.execute(f"CREATE TABLE store.{definition}")
        with lab.source.session() as session:
            session.execute("SET sql_log_bin = 0")
            for schema in source_schemas:
                session.execute(f"CREATE DATABASE {schema}")
                session.execute(f"CREATE TABLE {schema}.{definition}")
        yield


def test_a_schema_that_the_replica_rewrites(pair: Lab) -> None:
    with rewritten(pair, "shop"):
        with pair.source.session() as session:
            session.execute("INSERT INTO shop.t VALUES (1, 1, 'one'), (2, 2, 'two')")
        pair.wait_until_applied()
        with writing_on_the_replica(pair) as session:
            session.execute("UPDATE store.t SET u = 30 WHERE id = 1")  # a row of the source, in the way of another
        with pair.source.session() as session:
            session.execute("INSERT INTO shop.t VALUES (3, 30, 'three')")
            session.execute("UPDATE shop.t SET v = 'uno' WHERE id = 1")
        wait_until_stopped(pair.replica)
        wait_until_received(pair.source, pair.replica)
        ran = replfix("diagnose", "replica1", "--config", str(pair.config_file), "--json")
        assert any("apply shop.t as store.t" in unknown for unknown in ran.document["unknowns"])
        conflict = ran.document["conflicts"][0]
        assert (conflict["schema"], conflict["source_row"]["v"]) == ("store", "three")
        ran = resolve(pair)
        assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
        pair.wait_until_applied()
        on_source, on_replica = values(pair, "shop.t")
        assert on_replica == on_source


def test_two_tables_of_the_source_in_one_of_the_replica(pair: Lab) -> None:
    with rewritten(pair, "shop", "store"):
        with writing_on_the_replica(pair) as session:
            session.execute("INSERT INTO store.t VALUES (1, 1, 'local')")
        with pair.source.session() as session:
            session.execute("INSERT INTO shop.t VALUES (1, 1, 'source')")
        wait_until_stopped(pair.replica)
        refused(pair, "applies rows of shop.t and of store.t to store.t")


LONG = ["CREATE TABLE t (id INT PRIMARY KEY, b LONGTEXT, UNIQUE (b(20)))"]


def test_a_statement_of_the_source_that_is_larger_than_a_packet(pair: Lab) -> None:
    rows = ", ".join(f"({number}, CONCAT({number}, REPEAT('é', 150000)))" for number in range(2, 14))
    local = ["INSERT INTO t VALUES (1, 'x'), (20, CONCAT('13', REPEAT('é', 150000)))"]
    with set_on(pair, "max_allowed_packet", str(1 << 20)):
        stage(pair, LONG, local, [f"INSERT INTO t VALUES (1, 'z'), {rows}"])
        resolved(pair)


def test_a_row_that_is_larger_than_a_packet(pair: Lab) -> None:
    with set_on(pair, "max_allowed_packet", str(1 << 20)):
        stage(pair, LONG, ["INSERT INTO t VALUES (1, 'x')"], ["INSERT INTO t VALUES (1, REPEAT('y', 1000000))"])
        refused(pair, "max_allowed_packet is 1,048,576 on the replica")


def test_a_unique_key_that_only_the_replica_has(pair: Lab) -> None:
    setup = ["CREATE TABLE t (id INT PRIMARY KEY, u INT)", "INSERT INTO t VALUES (1, 10)"]
    stage(pair, setup, ["ALTER TABLE t ADD UNIQUE KEY extra (u)"], ["INSERT INTO t VALUES (3, 10)"])
    refused(pair, "in the unique key extra, which only the replica has: it cannot have both.")


@pytest.mark.parametrize("image", ["NOBLOB", "MINIMAL"])
def test_a_row_of_the_source_whose_state_was_not_logged_in_full(pair: Lab, image: str) -> None:
    stage(
        pair,
        ["CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, a INT, b TEXT)", "INSERT INTO t VALUES (2, 2, 2, 'y')"],
        ["UPDATE t SET u = 50, b = 'no' WHERE id = 2"],
        ["INSERT INTO t VALUES (3, 50, 2, 'q')"],
        [f"SET SESSION binlog_row_image = {image}", "UPDATE t SET a = 77 WHERE id = 2"],
    )
    refused(pair, "binlog_row_image is not FULL")


def test_a_table_that_has_changed_on_the_source_since(pair: Lab) -> None:
    """Row 1 is one of the source's: taken out, it would be gone, and the source cannot be asked for it any more."""
    with pair.source.session() as session:
        session.execute("SET GLOBAL binlog_row_metadata = FULL")
    stage(
        pair,
        ["CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, a INT)", "INSERT INTO t VALUES (1, 1, 1)"],
        ["UPDATE t SET u = 9 WHERE id = 1"],
        ["INSERT INTO t VALUES (2, 9, 2)"],
        ["ALTER TABLE t RENAME COLUMN a TO b"],
    )
    refused(pair, "the source cannot be asked")


def test_no_cause_in_rows_is_named_for_an_error_that_does_not_come_from_them(pair: Lab) -> None:
    """The same row is there already, but what stopped the replica is the column's type: "applied twice" would be wrong."""
    setup = ["CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9) CHARACTER SET latin1)"]
    local = ["ALTER TABLE t MODIFY a VARCHAR(9) CHARACTER SET utf8mb4", "INSERT INTO t VALUES (1, 'é')"]
    stage(pair, setup, local, ["INSERT INTO t VALUES (1, 'é')"])
    ran = replfix("diagnose", "replica1", "--config", str(pair.config_file), "--json")
    assert (ran.code, ran.document["error"]["errno"], ran.document["causes"]) == (3, 13146, [])
    refused(pair, "error 13146")


def test_a_receiver_that_somebody_stops_in_the_middle_stays_stopped(stopped: Lab) -> None:
    with pytest.raises(ConnectError), resolving_while_blocked(stopped) as process:  # what holds it up is killed
        with stopped.replica.session() as session:
            session.execute("STOP REPLICA")
            session.execute(f"KILL {session.scalar('SELECT blocking_pid FROM sys.innodb_lock_waits')}")
        process.communicate(timeout=60)
    with stopped.replica.session() as session:
        status = session.query("SHOW REPLICA STATUS")[0]
        assert (status["Replica_IO_Running"], status["Replica_SQL_Running"]) == ("No", "Yes")


def test_a_gtid_with_a_tag_takes_a_privilege_that_is_named(pair: Lab) -> None:
    stage(
        pair,
        ["CREATE TABLE t (id INT PRIMARY KEY, u INT)"],
        ["INSERT INTO t VALUES (1, 1)"],
        [],
        ["SET gtid_next = 'AUTOMATIC:tagged'", "INSERT INTO t VALUES (1, 2)", "SET gtid_next = 'AUTOMATIC'"],
    )
    ran = resolve(pair)
    assert ran.code == 6
    assert "GRANT TRANSACTION_GTID_TAG ON *.* TO `replfix`@`%`;" in ran.document["error"]["hint"]
    with writing_on_the_replica(pair) as session:
        session.execute("GRANT TRANSACTION_GTID_TAG ON *.* TO 'replfix'@'%'")
    try:
        resolved(pair)
    finally:
        with writing_on_the_replica(pair) as session:
            session.execute("REVOKE TRANSACTION_GTID_TAG ON *.* FROM 'replfix'@'%'")
