"""What a server that is at work for others has to bear of replfix: short waits, few row locks, no lock on a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from replfix.config import load
from replfix.core.plan.outcome import Result
from replfix.errors import ConnectError
from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from replfix.wiring import servers, trails
from replfix.workflow.apply import repair_round
from replfix.workflow.resolution import resolve
from tests.integration.running import replfix

Look = Callable[[], None]

LIMITS = {"lock_wait_timeout": 5, "innodb_lock_wait_timeout": 5, "wait_timeout": 3600, "max_execution_time": 900_000}
ROW_LOCKS = {"SHARED_READ", "SHARED_WRITE"}  # metadata locks of statements on rows: they keep nobody from any row


@pytest.fixture
def stopped(pair: Lab) -> Lab:
    (pair.directory / "audit.db").unlink(missing_ok=True)
    with pair.source.session() as session:
        session.execute("CREATE DATABASE shop")
        session.execute("CREATE TABLE shop.t (id INT PRIMARY KEY, u INT UNIQUE, note VARCHAR(20))")
        session.execute("INSERT INTO shop.t VALUES (1, 10, 'a'), (2, 20, 'b'), (9, 90, 'c')")
    pair.wait_until_applied()
    write_locally(pair.replica, "INSERT INTO shop.t VALUES (5, 55, 'local')", logged=False)
    with pair.source.session() as session:
        session.execute("INSERT INTO shop.t VALUES (5, 50, 'source'), (6, 60, 'source')")
    wait_until_stopped(pair.replica)
    return pair


def resolving(lab: Lab, monkeypatch: pytest.MonkeyPatch, look: Look) -> None:
    """``look`` is called with the question open, before the intent, and with the rows changed and not committed."""

    def asked(*_: object) -> bool:
        look()
        return True

    @contextmanager
    def shield() -> Iterator[None]:
        look()
        yield

    real = repair_round._check_guards

    def last_look(*given: object) -> None:
        real(*given)  # type: ignore[arg-type]
        look()

    monkeypatch.setattr(repair_round, "_check_guards", last_look)
    config = load(str(lab.config_file))
    with servers.TargetConnections(config.target("replica1")) as wired:
        trail = trails.open_trail(config)
        operation = trails.operation(wired, trail, lambda _: None, shield)
        done = resolve(operation, strategy="source-wins", channel=None, max_rounds=1, dry_run=False, confirm=asked)
        trail.close()
    assert done.result is Result.RESOLVED


def limits(server: LabServer) -> dict[str, dict[str, int]]:
    """Those of every session that replfix has there, by its thread."""
    with server.session() as session:
        rows = session.query(
            "SELECT THREAD_ID AS thread, VARIABLE_NAME AS name, VARIABLE_VALUE AS value "
            "FROM performance_schema.variables_by_thread JOIN performance_schema.threads USING (THREAD_ID) "
            "WHERE PROCESSLIST_USER = %s AND VARIABLE_NAME IN %s",
            (REPLFIX.name, tuple(LIMITS)),
        )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["thread"], {})[row["name"]] = int(row["value"])
    return found


def test_every_session_has_its_limits(stopped: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []

    def look() -> None:
        here, there = limits(stopped.replica), limits(stopped.source)
        for of in (*here.values(), *there.values()):
            assert of.keys() == LIMITS.keys()
            assert all(0 < of[name] <= most for name, most in LIMITS.items()), of
        seen.append((len(here), len(there)))

    resolving(stopped, monkeypatch, look)
    assert seen == [(1, 1), (2, 1), (2, 1)], "sessions on replica and source; the second is the one that writes"


def test_a_statement_that_takes_too_long_is_ended_by_the_server(any_pair: Lab) -> None:
    with Session(any_pair.replica.endpoint(), read_seconds=1) as session:
        with pytest.raises(ConnectError, match="too busy for a statement"):
            session.query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SLEEP(20)")
        assert session.scalar("SELECT 1") == "1", "it is the server that gave it up"


def test_rows_are_locked_and_nothing_else(stopped: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    tables: list[set[str]] = []
    records: set[tuple[str, str]] = set()
    account = f"PROCESSLIST_USER = '{REPLFIX.name}'"

    def look() -> None:
        with stopped.replica.session() as session:
            held = session.rows(
                "SELECT OBJECT_TYPE, LOCK_TYPE FROM performance_schema.metadata_locks "
                f"JOIN performance_schema.threads ON THREAD_ID = OWNER_THREAD_ID WHERE {account} "
                "AND OBJECT_SCHEMA IS NOT NULL AND OBJECT_SCHEMA <> 'performance_schema'"
            )
            assert {kind for what, kind in held if what != "TABLE"} <= {"INTENTION_EXCLUSIVE", "EXCLUSIVE"}
            assert all(what in ("TABLE", "SCHEMA", "USER LEVEL LOCK") for what, _ in held), held
            tables.append({kind for what, kind in held if what == "TABLE"})
            locks = session.rows(
                "SELECT LOCK_TYPE, LOCK_MODE, INDEX_NAME, LOCK_DATA FROM performance_schema.data_locks "
                f"JOIN performance_schema.threads USING (THREAD_ID) WHERE {account}"
            )
            assert {mode for kind, mode, *_ in locks if kind == "TABLE"} <= {"IS", "IX"}
            records.update((index, data) for kind, _, index, data in locks if kind == "RECORD")
            # Everybody else's rows can be changed meanwhile.
            session.execute("SET SESSION innodb_lock_wait_timeout = 1")
            if tables[-1]:
                session.execute("BEGIN")
                assert session.execute("UPDATE shop.t SET note = 'd' WHERE id IN (1, 2, 9)") == 3
                session.execute("ROLLBACK")

    resolving(stopped, monkeypatch, look)
    assert tables[:2] == [set(), set()], "nothing is held while a human thinks"
    assert tables[2], "the test is about a repair that is not committed yet"
    assert tables[2] <= ROW_LOCKS
    assert records == {("PRIMARY", "5")}, "the row that goes"


def test_no_command_locks_tables_or_flushes(stopped: Lab) -> None:
    summary = "performance_schema.events_statements_summary_by_account_by_event_name"
    with stopped.replica.session() as replica, stopped.source.session() as source:
        for session in (replica, source):
            session.execute(f"TRUNCATE TABLE {summary}")
        config = ("--config", str(stopped.config_file))
        for name in ("status", "diagnose", "doctor", "advise", "recover"):
            replfix(name, *config)
        ran = replfix("resolve", "replica1", "--yes", "--json", *config)
        assert ran.code == 0
        source.execute("DELETE FROM shop.t WHERE id = 5")
        stopped.wait_until_applied()
        assert replfix("undo", ran.document["audit_ids"][0], "--yes", *config).code == 0
        for session in (replica, source):
            kinds = session.rows(f"SELECT EVENT_NAME FROM {summary} WHERE USER = '{REPLFIX.name}' AND COUNT_STAR > 0")
            names = {str(name).rpartition("/")[2] for (name,) in kinds}
            assert "select" in names
            assert not {name for name in names if "lock" in name or "flush" in name}
