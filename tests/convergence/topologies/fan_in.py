"""A replica of two sources that write the same table, tables of their own, or both; it is written to itself too.

In the end each row of the replica is one of a source that wrote it, or of nobody; whatever else was there is in the trail. Of a
table that only one source writes, what that source touched is equal. No source gets a row of the other one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from replfix.lab.lab_state import LabServer
from tests.convergence.topologies.chain import Touched
from tests.convergence.topologies.world import COLUMNS, FIRST_IDS, NEW_IDS, Channel, Row, World, first_rows, rows_of
from tests.field.topologies.connected import ROW_EVENTS

TABLES = {"t": ("east", "west"), "e": ("east",), "w": ("west",)}
"""Which sources write it."""


class FanIn(World):
    topology = "multi-source"
    title = "two sources"
    strategies = (*World.strategies, "source-wins", "source-wins", "skip")

    @property
    def _channels(self) -> Sequence[Channel]:
        *sources, replica = self._lab.servers
        return [Channel(source, replica, source.name) for source in sources]

    def _write(self) -> None:
        *sources, replica = self._lab.servers
        self._written = self._rng.choice((("t",), ("t",), ("e", "w"), ("t", "e", "w")))
        everything = [f"CREATE TABLE conv.{table} ({COLUMNS})" for table in TABLES]
        for server in self._lab.servers:
            ids = {"east": FIRST_IDS[::2], "west": FIRST_IDS[1::2]}.get(server.name, FIRST_IDS)
            first = [
                f"INSERT INTO conv.{table} VALUES {first_rows(ids if table == 't' else FIRST_IDS)}" for table in TABLES
            ]
            run = self._run if server in sources else self._run_there
            run(server, "SET sql_log_bin = 0", "CREATE DATABASE conv", *everything, *first)
        self._start = {table: rows_of(replica, table) for table in self._written}
        for channel in self._channels:
            self._applier(channel, "STOP")
        for number in range(self._rng.randint(1, 6)):
            statement = self._statement(self._rng.choice(self._written), f"r{number}")
            self._run_there(replica, ROW_EVENTS, f"SET sql_log_bin = {self._rng.randint(0, 1)}", statement)
        self._diverged = {table: rows_of(replica, table) for table in self._written}
        self._touched = {(source.name, table): Touched() for source in sources for table in self._written}
        for number in range(self._rng.randint(4, 12)):
            self._source_writes(self._rng.choice(sources), number)
        self._sources = {source.name: {table: rows_of(source, table) for table in self._written} for source in sources}
        for channel in self._channels:
            self._applier(channel, "START")

    def _source_writes(self, source: LabServer, number: int) -> None:
        own = [table for table in self._written if source.name in TABLES[table]]
        before = {table: rows_of(source, table) for table in own}
        prefix = f"{source.name[0]}{number}"
        statements = [
            self._statement(self._rng.choice(own), f"{prefix}{n}") for n in range(self._rng.choice((1, 1, 2)))
        ]
        self._transaction(source, statements)
        for table in own:
            self._touched[source.name, table].note(before[table], rows_of(source, table))

    def _applier(self, channel: Channel, verb: str) -> None:
        with channel.replica.session() as session:
            if session.is_mariadb:
                session.execute(f"{verb} REPLICA '{channel.name}' SQL_THREAD")
            else:
                session.execute(f"{verb} REPLICA SQL_THREAD FOR CHANNEL '{channel.name}'")

    def _statement(self, table: str, value: str) -> str:
        rng, draw = self._rng, self._rng.random()
        if draw < 0.6:
            return f"INSERT IGNORE INTO conv.{table} VALUES ({rng.choice(NEW_IDS)}, {self._u()}, '{value}')"
        number = rng.choice((*FIRST_IDS[:4], *NEW_IDS[:3]))
        if draw < 0.85:
            return f"UPDATE IGNORE conv.{table} SET v = '{value}', u = {self._u()} WHERE id = {number}"
        return f"DELETE FROM conv.{table} WHERE id = {number}"

    def _judge(self) -> Iterator[str]:
        *sources, replica = self._lab.servers
        recorded = self._on_record()
        for table in self._written:
            now = {source.name: rows_of(source, table) for source in sources}
            for source in sources:
                touched = self._touched[source.name, table]
                touched.note(self._sources[source.name][table], now[source.name])  # what replfix wrote there
                if self._used <= {"source-wins", "skip"} and now[source.name] != self._sources[source.name][table]:
                    yield f"{source.name} was written to: {now[source.name]}"
            kept = {(each.id, each.row) for each in recorded if each.table == table and not each.left_out}
            left_out = {each.id for each in recorded if each.table == table and each.left_out}
            displaced = {number for number, _ in kept}
            ours, diverged = rows_of(replica, table), self._diverged[table]
            everywhere = {row for held in now.values() for row in held.values()}
            for number in sorted({*ours, *diverged, *(n for held in now.values() for n in held)}):
                row, own, start = ours.get(number), diverged.get(number), self._start[table].get(number)
                by = [s.name for s in sources if number in self._touched[s.name, table].changed_first]
                may: set[Row | None] = {now[name].get(number) for name in by} or {own, start}
                if number in displaced:
                    may |= {None, start, *(held.get(number) for held in now.values())}
                if row not in may and not self.verdict.human and number not in left_out:
                    yield f"{table} {number}: {row}, and should be one of {may}"
                over = any(self._touched[name, table].changed_first[number] for name in by)
                lost = own is not None and own not in (start, row) and own not in everywhere
                if lost and not over and number not in left_out and (number, own) not in kept:
                    yield f"{table} {number}: {own} is gone, and not in the trail"
