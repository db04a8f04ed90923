"""The judge: rows as plain SQL shows them, before and after, and the trail's own rows. It knows nothing of how replfix works.

Promised is: a row that the source touched is equal on both servers; a row that did not diverge is what the source has; a
row that diverged and that nobody touched stands as it was (counted apart); and whatever replfix took away is in the trail.
What the replica's own foreign keys did to diverged rows when their parents went is the server's doing.

Where transactions were left out, their rows have to be as if the source had never written them (what it wrote of them later
counts); repaired since, they may be as the source had them at some time. Where the source does not log whole rows, columns
that were never logged may stay as they diverged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.convergence.history import Told
from tests.convergence.rows import Held, Key, State, Touch
from tests.convergence.schema import SCHEMA, Table


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row that the trail has: table, and its values as JSON."""

    table: str
    image: Mapping[str, object]


@dataclass(slots=True)
class Judgement:
    wrong: list[str] = field(default_factory=list)
    apart: int = 0  # rows that diverged and that nobody touched
    displaced: int = 0  # diverged rows that are gone, and are in the trail


@dataclass(frozen=True, slots=True)
class Judge:
    tables: Sequence[Table]
    source: Told  # as far as the replica has applied it
    diverged: State  # the replica before it was resolved
    after: State  # and now
    trail: Sequence[Recorded]
    both_kept: bool  # displaced rows are there under a new number
    whole_rows: bool = True  # the source logs every column
    whole_documents: bool = True  # and every JSON document, not what changed in it
    repaired: bool = True  # also by a strategy that writes; else transactions were left out, and nothing else was done
    keys_find_rows: bool = (
        False  # MariaDB's applier takes a row by a nullable unique key alone, and does not look at the rest
    )
    cascades_logged: bool = True  # what foreign keys of the source do to children is in its log

    def judge(self) -> Judgement:
        said = Judgement()
        for key in dict.fromkeys((*self.source.state, *self.source.start, *self.diverged, *self.after)):
            self._as_promised(key, said)
        self._none_lost(said)
        return said

    def _as_promised(self, key: Key, said: Judgement) -> None:
        theirs, ours = self.source.state.get(key), self.after.get(key)
        if theirs == ours:
            return
        table = self._table(key)
        did_diverge = self.diverged.get(key) != self.source.start.get(key)
        touched = key in self.source.touched and bool(table.identity) and not self._by_cascades_alone(key)
        as_it_was = ours == self.diverged.get(key) or self._carried_off(key) or self._without_parent(key, ours)
        if did_diverge and not touched and as_it_was:
            said.apart += 1
            return
        if did_diverge and not table.identity:
            said.apart += 1  # rows without a name are equal as far as the source took or gave some
            return
        if not table.identity and (
            self._carried_here(table, ours) or self._carried_there(table, theirs) or self._changed_twice(key)
        ):
            said.apart += 1
            return
        if self._not_got(key, table, ours) or (
            not (self.whole_rows and self.whole_documents) and self._not_logged(key, theirs, ours)
        ):
            said.apart += 1
            return
        said.wrong.append(
            f"{_named(key)} ({'touched' if touched else 'not touched'}, {'diverged' if did_diverge else 'not diverged'}): "
            f"source {_values(theirs)}, replica {_values(ours)}, before {_values(self.diverged.get(key))}, "
            f"at the start {_values(self.source.start.get(key))}"
        )

    def _not_got(self, key: Key, table: Table, ours: Held | None) -> bool:
        """What a transaction that was left out changed, and what came of it since. ``state`` does not know of it: equal to
        that is as promised anyway."""
        if not self.source.missed:
            return False
        if not table.identity and self.keys_find_rows and table.uniques:
            return True
        if key not in self.source.not_got:
            return False
        return self._carried_off(key) or (
            (self.repaired or self.source.rewrote_since) and ours in self.source.ever(key)
        )

    def _not_logged(self, key: Key, theirs: Held | None, ours: Held | None) -> bool:
        if theirs is None or ours is None or key not in self.source.touched:
            return False
        columns, rows = self.source.may_differ(key)
        other = [self.diverged[row].values for row in rows if row in self.diverged]
        table = self._table(key).columns
        made = [column.generated for column in table]  # of the other columns, which are judged
        if self.whole_rows:
            columns = {n for n in columns if table[n].kind.type == "JSON"}
        return all(
            mine == source or made[n] or (n in columns and any(mine == values[n] for values in other))
            for n, (mine, source) in enumerate(zip(ours.values, theirs.values, strict=True))
        )

    def _none_lost(self, said: Judgement) -> None:
        for key, row in self.diverged.items():
            start, now = self.source.start.get(key), self.after.get(key)
            if row in (start, now) or self._carried_off(key):
                continue
            table = self._table(key)
            if table.identity:
                rewritten = self.source.rewrote_since and key in self.source.not_got
                rewritten = rewritten or (table.name in self.source.rewrote and now == self.source.state.get(key))
                if rewritten or not self.source.inserted_first.get(key, True):
                    continue  # the applier itself writes over a row that it finds by its key
                lost = 1
            elif self.keys_find_rows and table.uniques:
                continue
            else:
                of_ours = row.count - (start.count if start is not None else 0)
                lost = min(of_ours, row.count - self.source.taken(key) - (now.count if now is not None else 0))
            if lost <= 0:
                continue
            found = sum(is_of(recorded, table, row) for recorded in self.trail)
            said.displaced += lost
            if self.both_kept and not self._lives_on(table, row):
                said.wrong.append(f"{_named(key)}: {_values(row)} is gone, and not kept under another key")
            if found < lost:
                said.wrong.append(f"{_named(key)}: {_values(row)} is gone from the replica, and is not in the trail")

    def _carried_off(self, key: Key, seen: frozenset[Key] = frozenset()) -> bool:
        """A foreign key of the replica that passes changes on has a parent that the source changed."""
        rows = [self.diverged.get(key)]
        if key in self.source.not_got:
            rows += self.source.ever(key)
        for row in filter(None, rows):
            for reference, name in zip(self._table(key).references, row.references, strict=True):
                parent = (reference.parent, name or "")
                if name is None or not reference.passes_on or parent in seen:
                    continue
                if parent in self.source.changed or self._carried_off(parent, seen | {parent}):
                    return True
        return False

    def _by_cascades_alone(self, key: Key) -> bool:
        """Whether no event is about the row: foreign keys of the source did to it whatever became of it, and that is not logged."""
        touches = [(group, touch) for group in self.source.groups for touch in group if touch.key == key]
        return not self.cascades_logged and all(self._is_cascade(group, touch) for group, touch in touches)

    def _is_cascade(self, group: Sequence[Touch], touch: Touch) -> bool:
        if touch.before is None:
            return False
        table, changed = self._table(touch.key), {other.key for other in group if other.before is not None}
        passed_on = {
            column
            for reference, name in zip(table.references, touch.before.references, strict=True)
            if reference.passes_on and (reference.parent, name) in changed
            for column in reference.columns
        }
        if touch.after is None:
            return bool(passed_on)
        values = zip(table.columns, touch.before.values, touch.after.values, strict=True)
        return all(then == now or column.name in passed_on or column.generated for column, then, now in values)

    def _changed_twice(self, key: Key) -> bool:
        """An applier without a key that names rows, and an event that changes one twice: MySQL 9.7.4 holds the second change of what is
        kept beside the record (TEXT, BLOB, JSON, POINT) against the wrong image, as its own log shows, and leaves it as it was."""
        table, there = self._table(key), self.source.state.get(key)
        row, others = there or self.after.get(key), self.after if there is not None else self.source.state
        beside = [column.kind.type.startswith(("TEXT", "BLOB", "JSON", "POINT")) for column in table.columns]
        return (
            not self.keys_find_rows
            and key[0] in self.source.rewrote
            and row is not None
            and any(
                all(
                    apart or one == another
                    for apart, one, another in zip(beside, row.values, other.values, strict=True)
                )
                for name, other in others.items()
                if name[0] == key[0]
            )
        )

    def _carried_here(self, table: Table, ours: Held | None) -> bool:
        """A row without a name, to which a foreign key of the replica gave another parent, or none, or whose parent was displaced: it has
        another name."""
        taken = {name for reference in table.references if reference.passes_on for name in reference.columns}
        rest = [n for n, column in enumerate(table.columns) if column.name not in taken and not column.generated]
        return ours is not None and any(
            key[0] == table.name
            and all(row.values[n] == ours.values[n] for n in rest)
            and (self._carried_off(key) or self._without_parent(key, ours))
            for key, row in self.diverged.items()
        )

    def _carried_there(self, table: Table, theirs: Held | None) -> bool:
        """A row without a name that had diverged, to which a foreign key of the source gave another name: that is in no log."""
        if theirs is None or self.cascades_logged:
            return False
        taken = {name for reference in table.references if reference.passes_on for name in reference.columns}
        rest = [n for n, column in enumerate(table.columns) if column.name not in taken and not column.generated]
        return any(
            key[0] == table.name
            and self.diverged.get(key) != row
            and all(row.values[n] == theirs.values[n] for n in rest)
            and any(
                reference.passes_on and (reference.parent, name) in self.source.changed
                for reference, name in zip(table.references, row.references, strict=True)
            )
            for key, row in self.source.start.items()
        )

    def _lives_on(self, table: Table, row: Held) -> bool:
        """All of its values, but for what the source counts, are on the replica, or were on the source at some time. A reference
        may name another row when the one that it named has gone: it follows."""
        gone = self._references_gone(table, row)
        chosen = [n for n, column in enumerate(table.columns) if not column.counts and column.name not in gone]
        seen = [held for touch in self.source.touches for held in (touch.before, touch.after) if held is not None]
        others = [held for key, held in self.after.items() if key[0] == table.name]
        return any(
            len(held.values) == len(row.values) and all(held.values[n] == row.values[n] for n in chosen)
            for held in (*others, *seen)
        )

    def _without_parent(self, key: Key, ours: Held | None) -> bool:
        """What a child is left with whose parent was displaced: all but the reference."""
        table, row = self._table(key), self.diverged.get(key)
        if row is None or ours is None:
            return False
        gone = self._references_gone(table, row)
        columns = zip(table.columns, row.values, ours.values, strict=True)
        return all(then == now or (column.name in gone and now is None) for column, then, now in columns)

    def _references_gone(self, table: Table, row: Held) -> set[str]:
        """Columns of references to rows of the replica that are not there any more as they were."""
        return {
            column
            for reference, name in zip(table.references, row.references, strict=True)
            if name is not None
            and (reference.parent, name) in self.diverged
            and self.after.get((reference.parent, name)) != self.diverged[reference.parent, name]
            for column in reference.columns
        }

    def _table(self, key: Key) -> Table:
        return next(table for table in self.tables if table.name == key[0])


def is_of(recorded: Recorded, table: Table, row: Held) -> bool:
    """Whether the trail means that row, as far as plain SQL can tell."""
    if recorded.table != table.name or set(recorded.image) != {column.name for column in table.columns}:
        return False
    for column, value in zip(table.columns, row.values, strict=True):
        told = recorded.image[column.name]
        if (told is None) != (value is None):
            return False
        if told is not None and column.kind.told is not None and column.kind.told(told) != value:
            return False
    return True


def _named(key: Key) -> str:
    return f"{SCHEMA}.{key[0]} {key[1]!r}"


def _values(held: Held | None) -> object:
    return None if held is None else held.values if held.count == 1 else (held.count, held.values)
