"""Between diagnosis, approval and commit the world changes: it is noticed, nothing is written, and the words say what."""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from replfix.config import load
from replfix.errors import NotDone, ReplfixError, ServerError
from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import REPL
from replfix.lab.proof import prove, snapshot
from replfix.lab.replicate import executed, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from replfix.mysql.connection import terms
from replfix.mysql.connection.session import Session
from replfix.wiring import servers, trails
from replfix.workflow.apply import repair_round
from replfix.workflow.resolution import resolve
from tests.conftest import Labs, by_server


class Moment(enum.Enum):
    """When it changes."""

    APPROVAL = "while the question is open"
    REHEARSED = "between rehearsal and intent"
    COMMIT = "right before COMMIT"


LOCK_WAIT_TIMEOUT = 1205
LOCKED = ""  # it cannot happen any more: whoever tries has to wait


@dataclass(frozen=True)
class Change:
    """Done on the replica; what is said when it is noticed, at each moment. Moments that are left out: it changes nothing
    then."""

    statements: tuple[str, ...]
    said: Mapping[Moment, str]


def change(*statements: str, approval: str | None, rehearsed: str | None, commit: str | None) -> Change:
    said = {Moment.APPROVAL: approval, Moment.REHEARSED: rehearsed, Moment.COMMIT: commit}
    return Change(statements, {moment: words for moment, words in said.items() if words is not None})


WRITABLE = "SET GLOBAL super_read_only = OFF"
PAST = "has been applied or skipped by somebody else"
LEAVE_OUT = ("SET gtid_next = '{gtid}'", "BEGIN", "COMMIT", "SET gtid_next = 'AUTOMATIC'")
ELSEWHERE = "the channel reads from 127.0.0.1:1 now, not from"

CHANGES = {
    "the row in the way": change(
        "UPDATE shop.t SET note = 'touched' WHERE id = 5",
        approval=r"another plan: a row of shop.t changed \(note\)", rehearsed="note changed", commit=LOCKED,
    ),
    "the row in the way is gone": change(
        "DELETE FROM shop.t WHERE id = 5",
        approval="1 step then, 0 steps now", rehearsed="is there 0 times, not once", commit=LOCKED,
    ),
    "another tool repairs the row": change(
        "UPDATE shop.t SET u = 50, note = 'source' WHERE id = 5",
        approval=r"changed \(u, note\)", rehearsed="u, note changed", commit=LOCKED,
    ),
    "another row takes a key": change(
        "INSERT INTO shop.t VALUES (70, 50, 'local')",
        approval="other rows of shop.t are in the way", rehearsed=r"came since the rehearsal \(u: 50\)",
        commit=r"came since the rehearsal \(u: 50\)",
    ),
    "a row that was not in the way": change(
        "UPDATE shop.t SET note = 'touched' WHERE id = 2",
        approval="other rows of shop.t are in the way", rehearsed=r"changed since the rehearsal \(PRIMARY: 2\)",
        commit=r"changed since the rehearsal \(PRIMARY: 2\)",
    ),
    "the channel is started": change(
        "START REPLICA SQL_THREAD", approval=None, rehearsed=None, commit="the channel runs now",
    ),
    "the transaction is left out": change(
        *LEAVE_OUT, approval="is applied or left out already", rehearsed=PAST, commit=PAST,
    ),
    "the transaction is left out and the channel goes on": change(
        *LEAVE_OUT, "START REPLICA",
        approval="the channel runs now", rehearsed="the channel runs now", commit="the channel runs now",
    ),
    "its GTID is purged": change(
        "SET GLOBAL gtid_purged = '+{gtid}'", approval="is applied or left out already", rehearsed=PAST, commit=PAST,
    ),
    "a failover": change(
        "STOP REPLICA", "CHANGE REPLICATION SOURCE TO SOURCE_PORT = 1",
        approval=r"now so: the channel reads from 127.0.0.1:1\.$", rehearsed=ELSEWHERE, commit=ELSEWHERE,
    ),
    "the channel is forgotten": change(
        "STOP REPLICA", "RESET REPLICA ALL",
        approval="it has no replication channel", rehearsed="it has no replication channel", commit="it has no replication channel",
    ),
    "the channel is reset": change(
        "STOP REPLICA", "RESET REPLICA",
        approval="no longer so: the channel reads from", rehearsed="the channel was reset", commit="the channel was reset",
    ),
    "a column is added": change(
        "ALTER TABLE shop.t ADD COLUMN more INT",
        approval="the columns of shop.t are others now", rehearsed="shop.t was altered: its columns", commit=LOCKED,
    ),
    "a unique key is added": change(
        "ALTER TABLE shop.t ADD UNIQUE KEY note (note)",
        approval="no longer so: its tables are defined", rehearsed="shop.t was altered: its unique keys", commit=LOCKED,
    ),
    "a trigger is added": change(
        "CREATE TRIGGER shop.t_d BEFORE DELETE ON shop.t FOR EACH ROW SET @gone = OLD.id",
        approval="no longer so: its tables are defined", rehearsed="shop.t was altered: its triggers", commit=LOCKED,
    ),
    "a foreign key is added": change(
        "CREATE TABLE shop.c (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) REFERENCES shop.t (id) ON DELETE CASCADE)",
        approval="no longer so: its tables are defined", rehearsed="the foreign keys that reference it", commit=LOCKED,
    ),
    "protection is switched on": change(
        "SET GLOBAL super_read_only = ON", approval=None, rehearsed="super-read-only", commit="super-read-only",
    ),
    "protection is switched off": change(
        WRITABLE, approval="no longer so: super_read_only is switched off", rehearsed=None, commit=None,
    ),
}  # fmt: skip
FORGOTTEN = "stopped without an error"
ON_MARIADB = {
    **{name: of for name, of in CHANGES.items() if not any("gtid" in s or "super_read_only" in s for s in of.statements)},
    "the transaction is left out": change(
        f"SET GLOBAL {terms.APPLIED_POSITION} = '{{gtid}}'",
        approval="is past .*, on which the applier stopped", rehearsed=PAST, commit=PAST,
    ),
    "a failover": change(
        "STOP REPLICA", terms.change_source(port=1), approval=FORGOTTEN, rehearsed=FORGOTTEN, commit=FORGOTTEN,
    ),
    "the channel is reset": change(
        "STOP REPLICA", "RESET REPLICA", approval=FORGOTTEN, rehearsed=FORGOTTEN, commit=FORGOTTEN,
    ),
    "a foreign key is added": change(
        *CHANGES["a foreign key is added"].statements,
        approval="no longer so: its tables are defined", rehearsed="the foreign keys that reference it", commit=None,
    ),
}  # fmt: skip
"""super_read_only and the ownership of a GTID are MySQL's. MariaDB (11.8) forgets the error together with the place, and lets
tables reference one whose rows are locked: their own rows wait."""

SAMPLE = ("the row in the way", "the row in the way is gone", "another row takes a key", "the transaction is left out")
"""What a run takes on MariaDB; REPLFIX_WORLD_CHANGES=all for everything."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    everything = os.environ.get("REPLFIX_WORLD_CHANGES") == "all"
    cases = []
    for server in by_server(metafunc.config):
        (kind,) = server.values
        if kind == "mariadb-10.11" and not everything:
            continue
        for name, of in (CHANGES if kind == "mysql" else ON_MARIADB).items():
            if kind == "mysql" or everything or name in SAMPLE:
                cases += [
                    pytest.param(kind, name, of, at, id=f"{kind}-{name}-{at.name}", marks=server.marks)
                    for at in of.said
                ]
    metafunc.parametrize(("server", "name", "change", "at"), cases)


@pytest.fixture
def stopped(server: str, labs: Labs) -> Iterator[Lab]:
    """One row is in the way of the source's first one; the second one fits. The account of the test can write."""
    pair = labs(server)
    pair.reset()
    (pair.directory / "audit.db").unlink(missing_ok=True)
    with pair.source.session() as session:
        session.execute("CREATE DATABASE shop")
        session.execute("CREATE TABLE shop.t (id INT PRIMARY KEY, u INT UNIQUE, note VARCHAR(20))")
        session.execute("INSERT INTO shop.t VALUES (1, 1, 'a'), (2, 2, 'b')")
    pair.wait_until_applied()
    write_locally(pair.replica, "INSERT INTO shop.t VALUES (5, 5, 'local')", logged=False)
    with pair.source.session() as session:
        session.execute("BEGIN")
        session.execute("INSERT INTO shop.t VALUES (5, 50, 'source')")
        session.execute("UPDATE shop.t SET note = 'c' WHERE id = 2")
        session.execute("COMMIT")
    wait_until_stopped(pair.replica)
    yield pair
    with pair.replica.session() as session:
        session.execute("STOP REPLICA")
        session.execute("RESET REPLICA ALL")
        speaking(session).configure_channel(session, pair.source.host, pair.source.port, REPL)


def newest(source: Session) -> str:
    if source.is_mariadb:
        return str(executed(source))
    return str(executed(source)).rpartition(":")[0] + ":" + str(len(executed(source)))


class World:
    """Changes once, when it is told to."""

    def __init__(self, lab: Lab, change: Change) -> None:
        self._lab = lab
        self._change = change
        self.locked = False
        self.after = snapshot(lab.replica)

    def changes(self) -> bool:
        with self._lab.source.session() as source:
            gtid = newest(source)
        with self._lab.replica.session() as session:
            session.execute("SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1")
            _, own = speaking(session).read_only(session)
            settings = any("GLOBAL" in statement for statement in self._change.statements)
            try:
                self._run(session, gtid, writable=bool(own) and not settings)
            except ServerError as error:
                if error.errno != LOCK_WAIT_TIMEOUT:
                    raise
                self.locked = True
        self.after = snapshot(self._lab.replica)
        return True

    def _run(self, session: Session, gtid: str, *, writable: bool) -> None:
        session.execute(f"SET sql_log_bin = {int('gtid' in self._change.statements[0])}")
        if writable:
            session.execute(WRITABLE)
        try:
            for statement in self._change.statements:
                session.execute(statement.format(gtid=gtid))
        finally:
            if writable:
                session.execute("SET GLOBAL super_read_only = ON")


def resolving(lab: Lab, at: Moment, world: World, monkeypatch: pytest.MonkeyPatch) -> ReplfixError | None:
    """What it was refused with; None when it was resolved."""

    @contextmanager
    def shield() -> Iterator[None]:
        if at is Moment.REHEARSED:
            world.changes()
        yield

    real = repair_round._check_guards

    def last_look(*given: object) -> None:
        if at is Moment.COMMIT:
            world.changes()
        real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(repair_round, "_check_guards", last_look)
    config = load(str(lab.config_file))
    with servers.TargetConnections(config.target("replica1")) as wired:
        trail = trails.open_trail(config)
        try:
            resolve(
                trails.operation(wired, trail, lambda _: None, shield),
                strategy="source-wins",
                channel=None,
                max_rounds=1,
                dry_run=False,
                confirm=lambda *_: world.changes() if at is Moment.APPROVAL else True,
            )
        except ReplfixError as error:
            return error
        finally:
            trail.close()
    return None


def test_it_is_noticed_and_nothing_is_written(
    stopped: Lab, name: str, change: Change, at: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = change.said[at]
    before = snapshot(stopped.replica)
    world = World(stopped, change)
    refused = resolving(stopped, at, world, monkeypatch)
    assert world.locked is (said == LOCKED)
    if world.locked:
        assert refused is None
        stopped.wait_until_applied()
        assert not [p for p in prove(stopped.source, stopped.replica, before) if not p.holds]
        return
    assert isinstance(refused, NotDone), refused
    assert refused.exit_code == 4
    assert re.search(said, refused.message), refused.message
    assert refused.hint
    left = snapshot(stopped.replica)
    assert (left.checksums, left.executed) == (world.after.checksums, world.after.executed)
    protection = [of.variables.get("super_read_only") for of in (left, before)]
    assert protection[0] == protection[1] or name == "protection is switched off"
