"""What to do about a statement that changes definitions and fails on the replica.

Bring the table back to what the statement expects and let it run, or leave exactly this statement out where the replica
is as it leaves it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from replfix.core import sql
from replfix.core.binlog.alter_table import Action, Clause, clauses, place, plain
from replfix.core.binlog.statement import Statement
from replfix.core.incident.evidence import BothDefinitions, Evidence
from replfix.core.remedies import copy_table, drift
from replfix.core.remedies.by_hand import by_hand, skip_alone
from replfix.core.remedies.remedy import LeadsTo, Loss, Remedy
from replfix.core.schema.table import TableName
from replfix.core.sql import definition_diff

_OTHER_COUNT, _NO_COLUMN = 1136, 1054
_UNKNOWN = "What this statement needs on the replica is unknown to replfix: nothing can be run here."


def remedies(evidence: Evidence) -> tuple[Remedy, ...]:
    """Empty where the transaction is no statement."""
    statement = evidence.statement
    if statement is None:
        return ()
    told = drift.the_statement(evidence)
    return (*told, *(tuple(_of(evidence, statement)) or drift.shown(evidence, _UNKNOWN)))


def _of(evidence: Evidence, statement: Statement) -> Iterator[Remedy]:
    tables = {TableName(b.schema, b.table): b for b in evidence.definitions if b.table is not None}
    schema = next((b for b in evidence.definitions if b.table is None), None)
    if schema is not None and (statement.of_schema is not None or schema.replica is None):
        yield from _schema(evidence, statement, schema)
    elif statement.renames:
        yield from _rename(evidence, statement, tables)
    elif statement.drops:
        yield from _drop(evidence, tables)
    elif statement.creates:
        yield from _create(evidence, statement, tables)
    elif len(tables) == 1:
        (both,) = tables.values()
        if both.replica is None:
            yield from _altered_and_missing(evidence, both)
        elif clauses(statement):
            yield from _alter(evidence, statement, both) if statement.whole else ()
        elif evidence.error.errno in (_OTHER_COUNT, _NO_COLUMN):
            yield from _columns_for_statements(evidence, both)


def _schema(evidence: Evidence, statement: Statement, both: BothDefinitions) -> Iterator[Remedy]:
    if statement.drops and both.replica is None:
        yield drift.nothing_left(evidence, f"The replica has no {both.schema} to drop.")
    elif both.replica is None and both.source_then is not None:
        yield Remedy(
            f"The replica has no schema {both.schema}. This creates it, empty. What else was in it is lost on the replica: copy that from "
            "the source.",
            by_hand(evidence, both.source_then),
            LeadsTo.NEXT_TRANSACTION,
            loses=(Loss(None, "table", both.schema),),
        )
    elif statement.of_schema is not None and both.source_then is not None and drift.same(both):
        rows = "What is in it was not looked at."
        yield drift.nothing_left(evidence, f"{both.name} is on the replica as the source has it now. {rows}")


def _drop(evidence: Evidence, tables: dict[TableName, BothDefinitions]) -> Iterator[Remedy]:
    missing = [name for name, both in tables.items() if both.replica is None]
    names = ", ".join(map(str, missing))
    if missing and len(missing) == len(tables):
        yield drift.nothing_left(evidence, f"The replica has no {names} to drop.")
    elif missing:
        yield Remedy(
            f"The statement drops {', '.join(map(str, tables))}; of these the replica has no {names}. This creates it, empty, so that "
            "the statement can drop all of them.",
            by_hand(evidence, *(sql.placeholder_table(name) for name in missing)),
            LeadsTo.NEXT_TRANSACTION,
        )


def _create(evidence: Evidence, statement: Statement, tables: dict[TableName, BothDefinitions]) -> Iterator[Remedy]:
    for name, both in tables.items():
        if both.replica is None:
            continue
        rows = (
            " The rows that it selected follow in the same transaction, so it must not be left out."
            if statement.with_rows
            else ""
        )
        if both.rows == 0:
            yield Remedy(
                f"The replica has the table {name} already; it is empty. This drops it, and the statement creates it.{rows}",
                by_hand(evidence, sql.drop_table(name)),
                LeadsTo.NEXT_TRANSACTION,
            )
        else:
            yield Remedy(
                f"The replica has the table {name} already, with rows. This renames it to {drift.saved_as(name)}, and the statement creates a new one.{rows}",
                by_hand(evidence, sql.rename_table(name, drift.saved_as(name))),
                LeadsTo.NEXT_TRANSACTION,
            )


def _rename(evidence: Evidence, statement: Statement, tables: dict[TableName, BothDefinitions]) -> Iterator[Remedy]:
    there = {name: both.replica is not None for name, both in tables.items()}
    missing: list[tuple[TableName, TableName]] = []
    in_the_way: list[TableName] = []
    for old, new in statement.renames:
        if not there.get(old):
            missing.append((old, new))
        there[old] = False
        if there.get(new):
            in_the_way.append(new)
        there[new] = True
    done = len(missing) == len(statement.renames) and all(
        (both := tables.get(new)) is not None and both.replica is not None for _, new in statement.renames
    )
    if done:
        new_names = ", ".join(str(new) for _, new in statement.renames)
        yield drift.nothing_left(evidence, f"The replica has {new_names} under the new name already.")
        return
    for old, new in missing:
        filtered = ""
        if evidence.channel.filters.applied_as(old) is None:
            filtered = f" The channel's filters leave it out ({evidence.channel.filters.in_words})."
        words = f"The replica has no table {old}, which the statement renames to {new}.{filtered}"
        yield from copy_table.copied(evidence, tables.get(new), new, old, words)
    if in_the_way and not missing:
        yield Remedy(
            f"The replica has {', '.join(map(str, in_the_way))} already. This renames it, and the statement runs.",
            by_hand(evidence, *(sql.rename_table(name, drift.saved_as(name)) for name in in_the_way)),
            LeadsTo.NEXT_TRANSACTION,
        )


def _altered_and_missing(evidence: Evidence, both: BothDefinitions) -> Iterator[Remedy]:
    assert both.table is not None
    name = TableName(both.schema, both.table)
    words = f"The replica has no table {name}, and none of the rows that were in it."
    if evidence.in_a_larger_one:
        yield Remedy(f"{words} {drift.HAS_MORE}: rebuild the replica, or restore the table from a backup of that time.")
    elif leave_out := skip_alone(evidence):
        held = f"{words} The copy already has the statement's result."
        yield from copy_table.copied(evidence, both, name, name, held, ending=leave_out, leads_to=LeadsTo.LEFT_OUT)


def _columns_for_statements(evidence: Evidence, both: BothDefinitions) -> Iterator[Remedy]:
    """Yield the clauses for a statement that writes rows and finds other columns than on the source.

    Row events go by position, so no column is moved.
    """
    assert both.table is not None
    ours, theirs = definition_diff.parsed(both.replica or ""), definition_diff.parsed(both.source_then or "")
    if ours is None or theirs is None:
        return
    only_here = [name for name in ours.columns if name not in theirs.columns]
    missing = definition_diff.lacking(theirs, ours)
    if not missing and [name for name in ours.columns if name in theirs.columns] == list(theirs.columns):
        hidden = [f"MODIFY COLUMN {definition_diff.as_written(ours.columns[name])} INVISIBLE" for name in only_here]
        if hidden and not any(_has_to_be_given(ours.columns[name]) for name in only_here):
            yield drift.changed(
                evidence,
                both,
                hidden,
                f"Only the replica's {both.name} has {', '.join(only_here)}, and the statement names no columns. This makes what only the replica has "
                "invisible: it keeps its values, and such a statement ignores it.",
                save=False,
            )
    elif len(missing) == len(only_here) == 1:
        (name,), (other,) = missing, only_here
        if ours.columns[other].replace(sql.identifier(other), sql.identifier(name), 1) == theirs.columns[name]:
            yield drift.changed(
                evidence,
                both,
                [f"RENAME COLUMN {sql.identifier(other)} TO {sql.identifier(name)}"],
                f"The replica's {both.name} has no column {name}; it has {other} instead, which is defined in the same way and which the source does "
                "not have. Where that is the same column, renamed, this gives it its name back.",
                save=False,
            )


def _has_to_be_given(clause: str) -> bool:
    """Return a column whose value every INSERT has to give, so that it cannot be invisible."""
    return definition_diff.not_null(clause) and " DEFAULT " not in clause and " GENERATED " not in clause


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """Why a clause fails. ``back``: the clause that makes it possible again; empty: there is none, or none is needed."""

    words: str
    back: str
    done: bool  # the table is as the clause leaves it
    takes: bool = False  # ``back`` takes something from the table


def _alter(evidence: Evidence, statement: Statement, both: BothDefinitions) -> Iterator[Remedy]:
    ours = definition_diff.parsed(both.replica or "")
    parts = clauses(statement)
    if ours is None or not parts:
        return
    found = [_obstacle(clause, both, ours) for clause in parts]
    obstacles = [one for one in found if one is not None]
    if not obstacles:
        return
    words = " ".join(one.words for one in obstacles)
    lost = [one for one in obstacles if not one.back and not one.done]
    if lost:
        yield from drift.shown(evidence, f"{words} Copy the table from the source.")
        return
    if all(one is not None and one.done for one in found):
        values = ""
        if both.rows != 0 and any(clause.action is Action.ADD_COLUMN for clause in parts):
            values = " The values in its rows stay as they are: compare them where somebody may have written them."
        yield drift.nothing_left(evidence, f"{words}{values}")
    if not all(one.back for one in obstacles):
        return
    takes = any(one.takes for one in obstacles)
    why = "" if all(one is not None and one.done for one in found) else words + " "
    yield drift.changed(
        evidence,
        both,
        [one.back for one in obstacles],
        f"{why}{'Or bring' if not why else 'This brings'} the replica's {both.name} back to what the statement expects; then it runs by itself.",
        save=takes,
    )


def _obstacle(clause: Clause, both: BothDefinitions, ours: definition_diff.Definition) -> _Obstacle | None:
    name, columns, theirs = clause.name, ours.columns, definition_diff.parsed(both.source_then or "")
    quoted = sql.identifier(name)
    match clause.action:
        case Action.ADD_COLUMN if name in columns:
            done = _as_stated(clause, ours)
            how = "as the statement leaves it" if done else f"in another way or place: {columns[name]}"
            return _Obstacle(f"{both.name} has the column {name} already, {how}.", f"DROP COLUMN {quoted}", done, True)
        case Action.DROP_COLUMN if name not in columns:
            return _Obstacle(f"{both.name} has no column {name} to drop.", f"ADD COLUMN {quoted} INT", True)
        case Action.ADD_KEY if name in ours.keys:
            return _Obstacle(
                f"{both.name} has the key {name} already: {ours.keys[name]}.",
                f"DROP INDEX {quoted}",
                _same_key(clause, ours.keys[name]),
            )
        case Action.DROP_KEY if name not in ours.keys:
            first = sql.identifier(next(iter(columns)))
            return _Obstacle(f"{both.name} has no key {name} to drop.", f"ADD INDEX {quoted} ({first})", True)
        case Action.RENAME_KEY if name not in ours.keys:
            return _renamed_key(clause, both, ours)
        case Action.ADD_PRIMARY_KEY if "PRIMARY" in ours.keys:
            same = ours.keys["PRIMARY"] == (theirs.keys.get("PRIMARY") if theirs is not None else None)
            words = f"{both.name} has a primary key already: {ours.keys['PRIMARY']}."
            return _Obstacle(words, "" if same else "DROP PRIMARY KEY", same)
        case Action.ADD_CHECK if name in ours.checks:
            same = ours.checks[name] == (theirs.checks.get(name) if theirs is not None else None)
            words = f"{both.name} has the check {name} already: {ours.checks[name]}."
            return _Obstacle(words, f"DROP CONSTRAINT {quoted}", same)
        case Action.DROP_CONSTRAINT if not any(name in held for held in _constraints(clause, ours)):
            return _Obstacle(f"{both.name} has no {clause.rest.lower()} {name} to drop.", "", True)
        case Action.RENAME_COLUMN | Action.CHANGE_COLUMN if name not in columns and clause.new in columns:
            return _Obstacle(
                f"{both.name} has the column {name} under its new name {clause.new} already.",
                f"RENAME COLUMN {sql.identifier(clause.new)} TO {quoted}",
                clause.action is Action.RENAME_COLUMN,
            )
        case Action.RENAME_COLUMN | Action.CHANGE_COLUMN if (
            name in columns and clause.new != name and clause.new in columns
        ):
            return _Obstacle(
                f"{both.name} has a column {clause.new} already.",
                f"DROP COLUMN {sql.identifier(clause.new)}",
                False,
                True,
            )
        case Action.RENAME_COLUMN | Action.CHANGE_COLUMN | Action.MODIFY_COLUMN if name not in columns:
            return _lost(name, clause.new or name, both)
        case Action.ADD_KEY:
            missing = [column for column in _columns_of(clause) if column not in columns]
            return _lost(missing[0], missing[0], both) if missing else None
    return None


def _constraints(clause: Clause, ours: definition_diff.Definition) -> tuple[Mapping[str, str], ...]:
    """Among which it looks: a foreign key that is dropped leaves a key of its name."""
    match clause.rest.upper():
        case "CHECK":
            return (ours.checks,)
        case "CONSTRAINT":
            return (ours.checks, ours.foreign_keys, ours.keys)
        case _:
            return (ours.foreign_keys,)


def _renamed_key(clause: Clause, both: BothDefinitions, ours: definition_diff.Definition) -> _Obstacle | None:
    """Return the obstacle of a key that the replica lacks under its old name; None where its definition is unknown."""
    theirs = definition_diff.parsed(both.source_then or "")
    wanted = theirs.keys.get(clause.new) if theirs is not None else None
    old, new = sql.identifier(clause.name), sql.identifier(clause.new)
    if (there := ours.keys.get(clause.new)) is not None:
        words = f"{both.name} has the key {clause.name} under its new name {clause.new} already: {there}."
        return _Obstacle(words, f"RENAME INDEX {new} TO {old}", there == wanted)
    if wanted is None:
        return None
    return _Obstacle(f"{both.name} has no key {clause.name}.", f"ADD {wanted.replace(new, old, 1)}", False)


def _lost(name: str, now: str, both: BothDefinitions) -> _Obstacle:
    """Return the obstacle of a column that the replica lacks. Without rows, no values are lost."""
    words = f"{both.name} has no column {name}."
    theirs = definition_diff.parsed(both.source_then) if both.source_then is not None else None
    if both.rows != 0 or theirs is None or now not in theirs.columns:
        return _Obstacle(f"{words} The values of its rows are not on the replica.", "", False)
    clause = theirs.columns[now].replace(sql.identifier(now), sql.identifier(name), 1)
    before = list(theirs.columns)[: list(theirs.columns).index(now)]
    where = f" AFTER {sql.identifier(before[-1])}" if before else " FIRST"
    return _Obstacle(words, f"ADD COLUMN {definition_diff.as_written(clause)}{where}", False)


def _as_stated(clause: Clause, ours: definition_diff.Definition) -> bool:
    """Return whether the replica's column is what the clause makes, in its place."""
    shown = ours.columns[clause.name].split(" ", 1)[1]
    if plain(shown) != plain(clause.rest):
        return False
    others = [name for name in ours.columns if name != clause.name]
    behind = place(clause)
    if behind is not None and behind not in ("", *others):
        return False
    at = len(others) if behind is None else 0 if not behind else others.index(behind) + 1
    return list(ours.columns).index(clause.name) == at


def _same_key(clause: Clause, shown: str) -> bool:
    _, _, columns = shown.partition(" (")
    return plain(clause.rest) == plain(f"({columns}")


def _columns_of(clause: Clause) -> list[str]:
    """Plain columns of a key that is added."""
    inside = clause.rest.strip().removeprefix("(").partition(")")[0]
    return [part.split("(")[0].split()[0].strip("`").lower() for part in inside.split(",") if part.strip()]
