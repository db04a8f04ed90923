"""A chain: the middle and the server below it are written to, logged or not, while neither applies what the top writes.

In the end what the source of a server wrote stands there as it left it, rows that nobody else touched stand as they were, and
what is gone is in the trail. What the middle logs of its own is part of what the server below gets; a repair of the middle is not. There the
transaction displaces the same row, unless it is left out: then the row stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from replfix.lab.lab_state import LabServer
from tests.convergence.topologies.world import (
    COLUMNS,
    FIRST_IDS,
    NEW_IDS,
    Channel,
    Row,
    Table,
    World,
    first_rows,
    rows_of,
)
from tests.field.topologies.connected import ROW_EVENTS, start_appliers, stop_appliers


class Touched:
    """Rows that a server logged changes of: whether the first of them changed a row that was there, and what the last one left."""

    def __init__(self, earlier: Mapping[int, bool] | None = None) -> None:
        self.changed_first: dict[int, bool] = dict(earlier or {})
        self.left: dict[int, Row | None] = {}

    def note(self, before: Table, after: Table) -> None:
        for number in {*before, *after}:
            if before.get(number) != after.get(number):
                self.changed_first.setdefault(number, number in before)
                self.left[number] = after.get(number)


class Chain(World):
    topology = "chain"
    title = "chain"
    strategies = (*World.strategies, "source-wins", "source-wins", "skip")

    @property
    def _channels(self) -> Sequence[Channel]:
        top, middle, below = self._lab.servers
        return Channel(top, middle), Channel(middle, below)

    def _write(self) -> None:
        top, middle, below = self._lab.servers
        self._run(
            top,
            "CREATE DATABASE conv",
            f"CREATE TABLE conv.t ({COLUMNS})",
            f"INSERT INTO conv.t VALUES {first_rows(FIRST_IDS)}",
        )
        self._settle()
        self._start = rows_of(top)
        stop_appliers(middle, below)
        self._by_middle = by_middle = self._diverge(middle, "m")
        self._diverge(below, "b")
        self._diverged = {server.name: rows_of(server) for server in (middle, below)}
        if self._rng.random() < 0.5:  # else it gets the middle's own writes together with the top's
            start_appliers(below)
        by_top = Touched()
        for number in range(self._rng.randint(3, 8)):
            before = rows_of(top)
            self._transaction(top, [self._statement(f"t{number}{n}") for n in range(self._rng.choice((1, 1, 2)))])
            by_top.note(before, rows_of(top))
        self._top = rows_of(top)
        self._touched = {middle.name: by_top, below.name: Touched(by_middle.changed_first)}
        for number, changed in by_top.changed_first.items():
            self._touched[below.name].changed_first.setdefault(number, changed)
        start_appliers(middle, below)

    def _diverge(self, server: LabServer, prefix: str) -> Touched:
        """On MariaDB with a domain for each server, what the middle logs and what the top does have no order below."""
        logged = Touched()
        share = 0.4 if self._as_shipped or not self._by_sets_alone else 0.0
        for number in range(self._rng.randint(1, 5)):
            is_logged, before = self._rng.random() < share, rows_of(server)
            self._run_there(
                server, ROW_EVENTS, f"SET sql_log_bin = {int(is_logged)}", self._statement(f"{prefix}{number}")
            )
            if is_logged:
                logged.note(before, rows_of(server))
        return logged

    def _statement(self, value: str) -> str:
        rng, draw = self._rng, self._rng.random()
        if draw < 0.5:
            return f"INSERT IGNORE INTO conv.t VALUES ({rng.choice(NEW_IDS)}, {self._u()}, '{value}')"
        number = rng.choice((*FIRST_IDS[:5], *NEW_IDS[:3]))
        if draw < 0.8:
            return f"UPDATE IGNORE conv.t SET v = '{value}', u = {self._u()} WHERE id = {number}"
        return f"DELETE FROM conv.t WHERE id = {number}"

    def _judge(self) -> Iterator[str]:
        recorded = self._on_record()
        left_out = {each.id for each in recorded if each.left_out}
        skipped = {each.transaction for each in recorded if each.left_out}
        stays = {(each.id, each.row) for each in recorded if not each.left_out and each.transaction in skipped}
        kept = {(each.id, each.row) for each in recorded if not each.left_out}
        top = rows_of(self._lab.servers[0])
        for touched in self._touched.values():
            touched.note(self._top, top)  # what replfix wrote there
        by_top = self._touched[self._lab.servers[1].name].changed_first
        if self._used <= {"source-wins", "skip"} and top != self._top:
            yield f"the source was written to: {sorted(set(top.items()) ^ set(self._top.items()))}"
        everywhere = set(top.values())
        stopped = bool(self.verdict.human)
        for channel in self._channels:
            name, theirs, ours = channel.replica.name, rows_of(channel.source), rows_of(channel.replica)
            diverged, changed = self._diverged[name], self._touched[name].changed_first
            for number in sorted({*theirs, *ours, *diverged}):
                now, own = ours.get(number), diverged.get(number)
                may: set[Row | None] = {theirs.get(number)}
                if number not in changed:
                    may |= {own, self._start.get(number), top.get(number)}
                elif number not in by_top:  # what the middle did to it since, unlogged, nobody below knows
                    may.add(self._by_middle.left[number])
                if now not in may and not stopped and number not in left_out and (number, now) not in stays:
                    yield f"{name} {number}: {now}, and should be one of {may}"
                lost = own is not None and own not in (self._start.get(number), now) and own not in everywhere
                if lost and not changed.get(number) and number not in left_out and (number, own) not in kept:
                    yield f"{name} {number}: {own} is gone, and not in the trail"
