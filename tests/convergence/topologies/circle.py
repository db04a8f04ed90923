"""Two primaries, or three in a ring, write the same keys while nothing is applied; then each stops on what another one wrote.

In the end all have the same rows, and whatever an application inserted is there, or in the trail.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import wait_until_received
from tests.convergence.topologies.world import COLUMNS, FIRST_IDS, NEW_IDS, Channel, Row, World, first_rows, rows_of
from tests.field.topologies.connected import start_appliers, stop_appliers

_OF_ANYBODY = range(9, 13)  # every server deletes these; otherwise each changes its own


class TwoPrimaries(World):
    topology = "dual-primary"
    title = "two primaries"
    most = 6  # transactions of each

    @property
    def _servers(self) -> Sequence[LabServer]:
        return self._lab.servers

    @property
    def _channels(self) -> Sequence[Channel]:
        servers = self._servers
        return [Channel(a, b) for a, b in zip(servers, (*servers[1:], servers[0]), strict=True)]

    def _write(self) -> None:
        self._run(
            self._servers[0],
            "CREATE DATABASE conv",
            f"CREATE TABLE conv.t ({COLUMNS})",
            f"INSERT INTO conv.t VALUES {first_rows(FIRST_IDS)}",
        )
        self._settle()
        stop_appliers(*self._servers)
        for side, server in enumerate(self._servers):
            for number in range(self._rng.randint(2, self.most)):
                prefix = f"{'abc'[side]}{number}"
                self._transaction(
                    server, [self._statement(side, f"{prefix}{n}") for n in range(self._rng.choice((1, 1, 1, 2)))]
                )
        self._inserted = {row[1] for server in self._servers for n, row in rows_of(server).items() if n in NEW_IDS}
        for channel in self._channels:
            wait_until_received(channel.source, channel.replica)
        start_appliers(*self._servers)

    def _statement(self, side: int, value: str) -> str:
        rng, servers = self._rng, len(self._servers)
        own = rng.choice([number for number in FIRST_IDS if number % servers == side])
        draw = rng.random()
        if draw < 0.6:
            return f"INSERT IGNORE INTO conv.t VALUES ({rng.choice(NEW_IDS)}, {self._u()}, '{value}')"
        if draw < 0.75:
            return f"UPDATE conv.t SET v = '{value}' WHERE id = {own}"
        if draw < 0.85:
            return f"DELETE FROM conv.t WHERE id = {own}"
        return f"DELETE FROM conv.t WHERE id = {rng.choice(_OF_ANYBODY)}"

    def _judge(self) -> Iterator[str]:
        held = {server.name: rows_of(server) for server in self._servers}
        known = {row[1] for table in held.values() for row in table.values()}
        known |= {each.row[1] for each in self._on_record()}
        for value in sorted(self._inserted - known):
            yield f"{value} is nowhere, and not in the trail"
        if self.verdict.human:
            return
        first, *others = held.items()
        for name, table in others:
            if apart := set(first[1].items()) ^ set(table.items()):
                said = f"{first[0]} and {name} differ: {sorted(apart, key=str)}"
                yield from self._differ(said, {row for _, row in apart})

    def _differ(self, said: str, apart: Collection[Row]) -> Iterator[str]:
        """A plan can say beforehand that a row which goes here will be on the other side; the strategy was drawn, and not chosen."""
        if set(apart) <= {each.row for each in self._on_record() if each.stays_there}:
            self.verdict.apart += len(apart)
        else:
            yield said


class Ring(TwoPrimaries):
    topology = "ring"
    title = "ring of three"
    most = 3

    def _differ(self, said: str, apart: Collection[Row]) -> Iterator[str]:
        """Where all three meet on several keys, one gives its row up for a row that a third then takes out: it is on record."""
        on_record = {each.row for each in self._on_record()}
        if set(apart) <= on_record:
            self.verdict.apart += len(apart)
        else:
            yield f"{said}; not all of that is in the trail"
