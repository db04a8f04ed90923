"""Whether precisely those transactions are missing that the trail says were left out, by plain SQL and the replica's own log."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from replfix.mysql.connection.session import Session
from tests.convergence.history import Moment
from tests.convergence.judge import Recorded, is_of
from tests.convergence.rows import Held, Key, State, Touch
from tests.convergence.schema import Table

_GTID = re.compile(r"GTID_NEXT= '([^']+)'|BEGIN GTID ([0-9-]+)")
_ROWS = re.compile(r"_rows|Transaction_payload")


@dataclass(frozen=True, slots=True)
class Skipped:
    """One transaction that the trail says was left out: its GTID, or where it ends; its rows; what became of it."""

    name: str
    before: tuple[Recorded, ...]
    after: tuple[Recorded, ...]
    outcome: str


def logged(replica: Session) -> dict[str, bool]:
    """Every transaction with a GTID in the replica's binlogs, and whether it has rows."""
    found: dict[str, bool] = {}
    for log, *_ in replica.rows("SHOW BINARY LOGS"):
        name = ""
        for event in replica.query(f"SHOW BINLOG EVENTS IN '{log}'"):
            if gtid := _GTID.search(str(event["Info"])):
                name = gtid[1] or gtid[2]
                found[name] = False
            elif name and _ROWS.search(str(event["Event_type"])):
                found[name] = True
    return found


@dataclass(frozen=True, slots=True)
class JudgeOfSkips:
    tables: Sequence[Table]
    moments: Sequence[Moment]
    diverged: State  # the replica before it was resolved
    skipped: Sequence[Skipped]
    applied: Collection[str]  # names of what the replica has, skipped ones too
    logged: Mapping[str, bool] | None  # None: without GTIDs the log does not tell
    empty_ones: bool  # MySQL's way: an empty transaction under the GTID. MariaDB has nothing under it
    cascades_logged: bool

    def wrong(self) -> Iterator[str]:
        names = [skip.name for skip in self.skipped]
        if len(set(names)) < len(names):
            yield f"left out twice: {names}"
        moments = {moment.name: moment for moment in self.moments}
        for skip in self.skipped:
            if skip.outcome != "left out and verified":
                yield f"{skip.name}: the outcome on record is {skip.outcome!r}"
            if skip.name not in moments:
                yield f"{skip.name} was left out, and is no transaction of the source"
            else:
                yield from self._on_record(skip, moments[skip.name])
        if self.logged is not None:
            yield from self._in_log(set(names), self.logged)

    def _in_log(self, names: set[str], logged: Mapping[str, bool]) -> Iterator[str]:
        for moment in self.moments:
            if moment.name not in self.applied or not moment.touches:
                continue
            left_out_empty = self.empty_ones and moment.name in names
            if not left_out_empty and all(self._stood_so(touch, moment) for touch in moment.touches):
                continue  # it found everything as it leaves it: no rows are logged then (MySQL 9.7), or nothing (MariaDB 11.8)
            expected = (False if self.empty_ones else None) if moment.name in names else True
            for gtid in moment.gtids.newest_first():
                if (rows := logged.get(gtid)) is not expected:
                    state = {None: "not there", False: "empty", True: "with rows"}
                    yield f"{gtid} is {state[rows]} in the replica's log, and should be {state[expected]}"

    def _stood_so(self, touch: Touch, moment: Moment) -> bool:
        """The row had diverged to what the source makes of it, as far as the source changes it; under whatever key it had then."""
        after, before, identity = touch.after, touch.before, self._identity(touch.key)
        rows = (self.diverged.get(key) for key in self._earlier(touch.key, moment))
        return after is not None and any(
            all(
                mine == new or (before is not None and before.values[n] == new) or n in identity
                for n, (mine, new) in enumerate(zip(row.values, after.values, strict=True))
            )
            for row in rows
            if row is not None
        )

    def _identity(self, key: Key) -> set[int]:
        table = next(table for table in self.tables if table.name == key[0])
        return {n for n, column in enumerate(table.columns) if column.name in table.identity}

    def _earlier(self, key: Key, moment: Moment) -> set[Key]:
        """The keys that the row may have had before: rows that appear, and rows that go, are rows that got another key, too."""
        keys = {key}
        for earlier in reversed(self.moments[: self.moments.index(moment)]):
            alike = [touch for touch in earlier.touches if touch.key[0] == key[0]]
            if any(t.key in keys for t in alike) and any(t.before is None or t.after is None for t in alike):
                keys |= {touch.key for touch in alike if touch.before is not None}
        return keys

    def _on_record(self, skip: Skipped, moment: Moment) -> Iterator[str]:
        for touch in moment.touches:
            table = next(table for table in self.tables if table.name == touch.key[0])
            if not self.cascades_logged and any(reference.passes_on for reference in table.references):
                continue
            fewer = touch.before if _count(touch.before) > _count(touch.after) or table.identity else None
            more = touch.after if _count(touch.after) > _count(touch.before) or table.identity else None
            for which, row, images in (("before", fewer, skip.before), ("after", more, skip.after)):
                if row is not None and not any(is_of(image, table, row) for image in images):
                    yield f"{skip.name} was left out; {touch.key} as it was {which} is not in the trail: {row.values}"


def _count(held: Held | None) -> int:
    return held.count if held is not None else 0
