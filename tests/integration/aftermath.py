"""A conflict that can be made again and again within a moment, and a judge of what an interrupted command made of it: plain SQL on both
servers, and the trail's rows. Neither knows how replfix works."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from replfix.audit import SqlTrail
from replfix.errors import ServerError
from replfix.lab.flavours import speaking
from replfix.lab.replicate import transaction
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.integration.running import Ran, replfix
from tests.waiting import until

Row = tuple[str, ...]

FAR = 100_000  # between the rows of one conflict: no two conflicts have a key in common
BASE = 10_000_000  # the id of the row that all of them change; AUTO_INCREMENT goes on behind it


@dataclass(frozen=True)
class Conflict:
    """Number ``n``: the source's transaction of three rows collides with two of the replica's, by a unique key and by the
    primary key, and another transaction comes behind it."""

    n: int

    @property
    def local(self) -> tuple[Row, ...]:
        return (self._row(5 * FAR, 0, "local a"), self._row(FAR, 7 * FAR, "local b"))

    @property
    def incoming(self) -> tuple[Row, ...]:
        return (self._row(0, 0, "source a"), self._row(FAR, FAR, "source b"))

    @property
    def later(self) -> Row:
        return self._row(2 * FAR, 2 * FAR, "later")

    @property
    def copies(self) -> set[str]:
        """What is written on the source under other keys has these values."""
        return {row[2] for row in self.local}

    @property
    def transactions(self) -> tuple[tuple[str, ...], ...]:
        """What the source writes."""
        return ((self._inserted, self._changed), (f"INSERT INTO d.t VALUES {_values(self.later)}",))

    @property
    def _inserted(self) -> str:
        return f"INSERT INTO d.t VALUES {', '.join(map(_values, self.incoming))}"

    @property
    def _changed(self) -> str:
        return f"UPDATE d.t SET v = '{self.n}' WHERE id = {BASE}"

    def _row(self, identity: int, key: int, value: str) -> Row:
        return (str(identity + self.n), str(key + self.n), f"{value} {self.n}")


class Twins(Conflict):
    """Only the one row that two writers gave the same AUTO_INCREMENT value to."""

    @property
    def local(self) -> tuple[Row, ...]:
        return super().local[1:]


class Several(Conflict):
    """Each of its rows comes in a transaction of its own: they are planned together."""

    @property
    def transactions(self) -> tuple[tuple[str, ...], ...]:
        first, second = (f"INSERT INTO d.t VALUES {_values(row)}" for row in self.incoming)
        return ((first, self._changed), (second,), *super().transactions[1:])


class Overtaking(Conflict):
    """Another worker is not done with the transaction before it when it fails."""

    @property
    def transactions(self) -> tuple[tuple[str, ...], ...]:
        return ((self._changed,), (self._inserted,), *super().transactions[1:])


class DeletedTwice(Conflict):
    """The transaction also deletes a child by a cascade, and then once more: no applier takes it."""

    TABLES = (
        "CREATE TABLE d.p (id INT PRIMARY KEY)",
        "CREATE TABLE d.c (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES d.p (id) ON DELETE CASCADE)",
    )

    @property
    def transactions(self) -> tuple[tuple[str, ...], ...]:
        (first, *others) = super().transactions
        rows = (f"INSERT INTO d.p VALUES ({self.n})", f"INSERT INTO d.c VALUES ({self.n})")
        deleted = f"DELETE d.p, d.c FROM d.p JOIN d.c USING (id) WHERE d.p.id = {self.n}"
        return ((*first, *rows, deleted), *others)


@dataclass(frozen=True)
class Told:
    """An intent of the trail, what became of it by the last outcome that is about it, and the rows that it keeps."""

    id: str
    result: str | None
    kept: tuple[Row, ...]
    gtid: str | None
    undoes: str | None
    on_source: str | None
    strategy: str

    @property
    def replaced(self) -> bool:
        """The replica's rows are on the source, and come back from there."""
        return self.strategy == "replica-wins" and self.on_source in ("written", "seen")


@dataclass(frozen=True)
class Picture:
    """All that a command can change. Two that are equal: nothing was changed in between."""

    servers: tuple[Hashable, ...]
    records: tuple[tuple[str, ...], ...]  # kind and hash

    def left_since(self, before: Picture) -> Hashable:
        """The same for two runs that left the same behind, of different conflicts too: numbers do not count."""
        records = tuple(kind for kind, _ in self.records[len(before.records) :])
        changed = tuple(now for now, then in zip(self.servers, before.servers, strict=True) if now != then)
        return records, re.sub(r"[0-9]+", "#", str(changed))


class Ground:
    """A pair with one table, on which conflicts are made. ``anew`` makes the pair as good as new."""

    def __init__(self, lab: Lab, anew: Callable[[], None]) -> None:
        self.lab = lab
        self.trail = lab.directory / "audit.db"
        self.config = lab.config_file
        self.made = 0
        self._anew = anew
        self._sessions = ExitStack()

    def connect(self) -> None:
        self.source = self._sessions.enter_context(self.lab.source.session())
        self.replica = self._sessions.enter_context(self.lab.replica.session())
        self._counting = set(speaking(self.replica).counting)

    def leave(self) -> None:
        self._sessions.close()

    def start_over(self) -> None:
        """After a story that ended badly."""
        self.leave()
        self._anew()
        self.connect()
        self.lay()

    def lay(self) -> None:
        """The table on both; what is true of the servers now has to be true whenever a story has ended."""
        source = self.source
        source.execute("CREATE DATABASE d")
        source.execute("CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, k INT UNIQUE, v VARCHAR(40))")
        source.execute(f"INSERT INTO d.t VALUES ({BASE}, 0, '0')")
        until(lambda: self._has_table())
        self.settings = self.variables()
        self.errant = self._errant()

    def _has_table(self) -> bool:
        """There may be no GTIDs to wait for."""
        try:
            return self.rows() == [(str(BASE), "0", "0")]
        except ServerError:  # 1146
            return False

    def picture(self) -> Picture:
        servers = (
            tuple(self.rows()),
            tuple(self.rows(self.source)),
            str(speaking(self.replica).executed(self.replica)),
            str(speaking(self.source).executed(self.source)),
            self._standing(),
            tuple(self.variables().items()),
        )
        return Picture(servers, self._records())

    def _standing(self) -> tuple[tuple[str, object], ...]:
        """Of the channel, without what its threads say they are doing at the moment, and where they are while they run."""
        status = self.replica.query("SHOW REPLICA STATUS")[0]
        moving = ("_State", "Seconds") if self.stopped() else ("_State", "Seconds", "_Pos", "_Space")
        return tuple((k, v) for k, v in status.items() if not any(word in k for word in moving))

    def _records(self) -> tuple[tuple[str, ...], ...]:
        """A journal beside the trail tells of a write that is under way: it is nobody's records yet."""
        if self._journal.exists():
            return (("journal", ""),)
        return tuple(_rows_of(self.trail, "SELECT kind, hash FROM audit_record ORDER BY seq"))

    def unchanged_since(self, picture: Picture) -> bool:
        """Also once the servers have noticed that a killed client is gone. A trail without a record is forgotten."""
        if self._records() != picture.records:
            return False  # without waiting: the next command is not going to
        self.wait_for_sessions_to_end()
        return self.picture() == picture and self._as_new(picture)

    def restored_to(self, picture: Picture) -> bool:
        """As ``unchanged_since``, but that the trail tells what was done and taken back. One that was not there is forgotten."""
        self.wait_for_sessions_to_end()
        return self.picture().servers == picture.servers and self._as_new(picture)

    def _as_new(self, picture: Picture) -> bool:
        if not picture.records:
            self._forget()
        return True

    @property
    def _journal(self) -> Path:
        return self.trail.with_name("audit.db-journal")

    def _forget(self) -> None:
        self.trail.unlink(missing_ok=True)
        self._journal.unlink(missing_ok=True)

    def conflict(self, kind: type[Conflict] = Conflict) -> Conflict:
        """Make the next one; the trail is a new one."""
        self.made += 1
        made = kind(self.made)
        self._forget()
        with speaking(self.replica).writable(self.replica):
            self.replica.execute("SET sql_log_bin = 0")
            self.replica.execute(f"INSERT INTO d.t VALUES {', '.join(map(_values, made.local))}")
        with self._base_held() if isinstance(made, Overtaking) else nullcontext():
            for statements in made.transactions:
                transaction(self.source, *statements)
        until(self.stopped)
        return made

    @contextmanager
    def _base_held(self) -> Iterator[None]:
        """The worker that comes to that row waits, until another one has failed."""
        with self.lab.replica.session() as other, speaking(other).writable(other):  # a lock for a write counts as one
            other.execute("BEGIN")
            other.query(f"SELECT id FROM d.t WHERE id = {BASE} FOR UPDATE")
            yield
            until(lambda: self.replica.query("SHOW REPLICA STATUS")[0]["Last_SQL_Errno"] != "0")
            other.execute("ROLLBACK")

    def command(self, *args: str, config: str = "", **options: Any) -> Ran:
        return replfix(*args, "--config", config or str(self.config), **options)

    def until_free(self, *args: str) -> Ran:
        """A command, again when the server has noticed that a killed client is gone and has let go of its locks."""
        ran = self.command(*args)
        while ran.code == 4 and "Another replfix is working" in ran.out + ran.err:
            self.wait_for_sessions_to_end()
            ran = self.command(*args)
        return ran

    def make_room(self, conflict: Conflict) -> None:
        """For the rows that a resolution displaced: the source takes its own away."""
        taken = ", ".join(row[0] for row in conflict.incoming)
        self.source.execute(f"DELETE FROM d.t WHERE id IN ({taken})")
        self.lab.wait_until_applied()

    def take_back(self, conflict: Conflict) -> None:
        """The replica's own rows, so that both are equal again."""
        own = ", ".join(row[0] for row in conflict.local)
        with speaking(self.replica).writable(self.replica):
            self.replica.execute("SET sql_log_bin = 0")
            self.replica.execute(f"DELETE FROM d.t WHERE id IN ({own})")

    def told_id(self) -> str:
        """The id of the last repair."""
        return [told.id for told in self.told() if told.undoes is None][-1]

    def wait_for_sessions_to_end(self) -> None:
        """Those of replfix, on both servers."""
        mine = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'replfix'"
        for server in (self.replica, self.source):
            until(partial(lambda at: at.scalar(mine) == "0", server))

    def rows(self, server: Session | None = None) -> list[Row]:
        return (server or self.replica).rows("SELECT * FROM d.t ORDER BY id")

    def variables(self) -> dict[str, str]:
        found = speaking(self.replica).variables(self.replica)
        return {name: value for name, value in found.items() if name not in self._counting}

    def told(self) -> list[Told]:
        records = _rows_of(self.trail, "SELECT kind, incident, hash, payload FROM audit_record ORDER BY seq")
        found = []
        for number, (kind, incident, record, payload) in enumerate(records):
            if kind != "intent":
                continue
            content = json.loads(payload)
            later = [json.loads(r[3]) for r in records[number:] if r[:2] == ("outcome", incident)]
            own = [c for c in later if "recovered" not in c][:1]
            about = own + [c for c in later if c.get("recovered", "") == record[:12]]
            kept = tuple(
                tuple(str(step["current"][name]) for name in step["columns"])
                for step in content["plan"]["steps"]
                if step["current"] is not None
            )
            result = about[-1]["result"] if about else None
            found.append(
                Told(
                    record,
                    result,
                    kept,
                    content["plan"]["gtid"],
                    content.get("undoes"),
                    about[-1].get("on_source") if about else None,
                    content["plan"]["strategy"],
                )
            )
        return found

    def assert_whole(self) -> None:
        with closing(SqlTrail.open(f"sqlite:///{self.trail}")) as trail:
            assert trail.verify().whole
            assert trail.open_settings() == []

    def assert_settings(self) -> None:
        assert self.variables() == self.settings

    def assert_kept(self, lost: set[Row]) -> None:
        """Rows that are not on the replica any more are in the trail, all of their columns."""
        assert lost <= {row for told in self.told() for row in told.kept}

    def assert_told_truly(self, conflict: Conflict, *, of_undo: bool = False) -> None:
        """Every intent has an outcome, and what that of the last repair says, or that of the last undo, is how the replica
        stands."""
        rows, executed = set(self.rows()), speaking(self.replica).executed(self.replica)
        story = self.told()
        assert [told for told in story if told.result is None] == []
        about = [told for told in story if (told.undoes is not None) == of_undo]
        for told in about[-1:]:  # what earlier ones say was true at their time
            there = set(conflict.local) <= rows
            if told.undoes is not None:
                assert told.result in ("undone", "undone on the source", "not undone"), told
                assert (told.result == "undone") == there, told
                continue
            applied = told.gtid is None or told.gtid in executed
            stands = set(conflict.incoming) <= rows
            if told.replaced:  # what was there is there again, and what came after it is gone
                there, stands = not there, there
            match told.result:
                case "caught up" | "not caught up":
                    assert (there, stands) == (True, False), told
                case "not applied":
                    assert (there, stands) == (True, False), told
                    assert told.gtid is None or not applied, told
                case "applied, not verified":
                    assert not there, told
                case "applied and verified":
                    assert (applied, stands, there) == (True, True, False), told
                case "not left out" | "left out, not verified" | "left out and verified":
                    assert (there, stands) == (True, False), told
                    assert told.gtid is None or applied == (told.result != "not left out"), told
                case _:
                    raise AssertionError(told)

    def assert_healed(self, conflict: Conflict) -> None:
        """Everything of the source has been applied and is equal, nothing else is there, and nothing is lost."""
        self.assert_running(conflict)
        assert self.rows() == self.rows(self.source)
        self.assert_kept(set(conflict.local))

    def assert_kept_on_source(self, conflict: Conflict) -> None:
        """The displaced row is on the source once, or not at all and said so; and both are equal."""
        self.assert_healed(conflict)
        copies = [row for row in self.rows(self.source) if row[2] in conflict.copies]
        said = [told.on_source for told in self.told() if told.on_source not in (None, "not_written")]
        assert len(copies) == len(said) <= 1, (copies, self.told())
        assert "unknown" not in said

    def assert_left_out(self, conflict: Conflict) -> None:
        """The one transaction is passed over and nothing else, and the replica's rows are as they were."""
        self.assert_running(conflict)
        rows = set(self.rows())
        assert set(conflict.local) <= rows
        assert not set(conflict.incoming) & rows

    def assert_running(self, conflict: Conflict) -> None:
        """The channel is past all that there is, and the replica has no transaction of its own."""

        def there() -> bool:
            state = self._channel()
            assert state is not None
            assert (state.applier_running, state.receiver_running) == (True, True), state
            return conflict.later in self.rows()

        until(there)
        assert self._errant() == self.errant

    def stopped(self) -> bool:
        """By an error."""
        state = self._channel()
        return state is not None and state.error is not None

    def receiving(self) -> bool:
        state = self._channel()
        return state is not None and state.receiver_running

    def _channel(self) -> Any:
        return speaking(self.replica).channel_state(self.replica)

    def _errant(self) -> str:
        return str(speaking(self.replica).executed(self.replica) - speaking(self.source).executed(self.source))

    @contextmanager
    def connected_anew(self) -> Iterator[None]:
        """To servers that have been started again."""
        with self.lab.source.session() as self.source, self.lab.replica.session() as self.replica:
            yield


@contextmanager
def ground_of(lab: Lab, anew: Callable[[], None] | None = None) -> Iterator[Ground]:
    made = Ground(lab, anew or lab.reset)
    try:
        made.connect()
        made.lay()
        yield made
    finally:
        made.leave()


def ground_fixture(*, full: bool) -> Callable[..., Iterator[Ground]]:
    """The fixture ``ground``: MySQL's pair, and in a full run each server's."""

    @pytest.fixture(name="ground")
    def of_mysql(pair: Lab) -> Iterator[Ground]:
        with ground_of(pair) as made:
            yield made

    @pytest.fixture(name="ground")
    def of_each(any_pair: Lab) -> Iterator[Ground]:
        with ground_of(any_pair) as made:
            yield made

    return of_each if full else of_mysql


def _rows_of(trail: Path, query: str) -> list[tuple[str, ...]]:
    """None where it has not been made yet."""
    if not trail.exists():
        return []
    with closing(sqlite3.connect(trail)) as open_:
        if not open_.execute("SELECT 1 FROM sqlite_master WHERE name = 'audit_record'").fetchall():
            return []
        return open_.execute(query).fetchall()


def _values(row: Row) -> str:
    return f"({row[0]}, {row[1]}, '{row[2]}')"
