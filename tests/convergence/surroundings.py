"""Whatever must not change while a replica is repaired: settings, errant transactions, counters, what triggers did."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from replfix.core.replication.gtid import GtidSet
from replfix.lab.flavours import speaking
from replfix.lab.replicate import executed
from replfix.mysql.connection.session import Session
from tests.convergence.schema import SCHEMA

_MOVING = {"gtid_owned", "innodb_thread_sleep_delay", "slave_skip_errors", "rpl_semi_sync_source_clients"}
"""Variables that move by themselves, beside those that the lab knows."""


_SET = re.compile(r"\s*SET GLOBAL (\w+) = '?(.*?)'?\Z")


def _newer(name: str) -> str:
    """MySQL has some variables under two names."""
    return name.replace("slave_", "replica_")


@dataclass(frozen=True, slots=True)
class Surroundings:
    settings: dict[str, str]
    moving: Sequence[str]
    executed: GtidSet
    counters: dict[str, int]  # AUTO_INCREMENT by table
    fired: int  # rows that triggers of the replica have written

    @classmethod
    def of(cls, replica: Session) -> Surroundings:
        flavour = speaking(replica)
        if flavour.product == "MySQL":
            replica.execute("SET SESSION information_schema_stats_expiry = 0")
        counters = replica.rows(
            f"SELECT TABLE_NAME, AUTO_INCREMENT FROM information_schema.TABLES "
            f"WHERE TABLE_SCHEMA = '{SCHEMA}' AND AUTO_INCREMENT IS NOT NULL"
        )
        return cls(
            flavour.variables(replica),
            flavour.counting,
            executed(replica),
            {name: int(value) for name, value in counters},
            int(replica.scalar("SELECT COUNT(*) FROM fired.log")),
        )

    def wrong_in(self, later: Surroundings, source: GtidSet, said: Sequence[str] = ()) -> Iterator[str]:
        """``said``: what a human was told to run; a setting that it sets may have that value."""
        told = {_newer(found[1]): found[2] for statement in said if (found := _SET.match(statement))}
        for name in sorted(self.settings.keys() | later.settings.keys()):
            before, after = self.settings.get(name), later.settings.get(name)
            if after not in (before, told.get(_newer(name))) and name not in self.moving and name not in _MOVING:
                yield f"the setting {name} was {before!r} and is {after!r}"
        if self.executed - source != later.executed - source:
            yield f"errant transactions: {self.executed - source} before, {later.executed - source} now"
        for name, counter in self.counters.items():
            if later.counters.get(name, 0) < counter:
                yield f"AUTO_INCREMENT of {name} was {counter} and is {later.counters.get(name)}"
        if later.fired != self.fired:
            yield f"triggers of the replica fired {later.fired - self.fired} times"
