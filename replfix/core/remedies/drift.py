"""What to do where definitions differ: by what the failing transaction needs, never by later definitions of the source.

No column and no table of the replica is dropped before its rows are copied.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from replfix.core import sql
from replfix.core.binlog.alter_table import Action, clauses
from replfix.core.binlog.statement import Statement
from replfix.core.incident.evidence import BothDefinitions, Evidence
from replfix.core.remedies import copy_table
from replfix.core.remedies.by_hand import NEVER_BELOW, by_hand, one_thread_first, skip_alone
from replfix.core.remedies.remedy import LeadsTo, Loss, Remedy
from replfix.core.schema.table import ForeignKey, TableName
from replfix.core.sql import definition_diff
from replfix.core.words import counted

_CONVERSION = re.compile(
    r"Column (?P<number>\d+)(?P<from_one> \(counting the first column as number 1\))? of table '.*' cannot be converted from "
    r"type '(?P<theirs>.+?)' to type '(?P<ours>.+?)'"
)
_BYTES = re.compile(r"(varchar|char)\((\d+)(?:\(bytes\)| octets)")


def same(both: BothDefinitions) -> bool:
    """Return whether both servers have the object, with nothing in it that differs."""
    if both.source is None or both.replica is None:
        return both.source is both.replica
    theirs, ours = definition_diff.parsed(both.source), definition_diff.parsed(both.replica)
    if theirs is None or ours is None:
        return both.source == both.replica
    return not definition_diff.differences(theirs, ours)


def in_words(both: BothDefinitions) -> str:
    """In what the object differs, as both servers have it now."""
    what = "schema" if both.table is None else "table"
    if both.replica is None:
        return f"The replica has no {what} {both.name}."
    if both.source is None:
        return f"The source has no {what} {both.name} now; the replica has one."
    theirs, ours = definition_diff.parsed(both.source), definition_diff.parsed(both.replica)
    if theirs is None or ours is None:
        return f"The {what} {both.name} is not the same. On the source: {both.source} On the replica: {both.replica}"
    words = "; ".join(difference.in_words() for difference in definition_diff.differences(theirs, ours))
    return f"{both.name} is not the same on both servers: {words}." if words else ""


def shown(evidence: Evidence, why: str = "") -> tuple[Remedy, ...]:
    """Return the differences, with nothing to run."""
    found = [words for both in evidence.definitions if (words := in_words(both))]
    later = [
        f"Later transactions change {both.name}: {'; '.join(both.later.statements[:3])}."
        for both in evidence.definitions
        if both.later is not None and both.later.statements
    ]
    return tuple(Remedy(words) for words in (*found, *later, why) if words)


def without_foreign_keys(evidence: Evidence, keys: Sequence[ForeignKey], text: str) -> Remedy:
    """Foreign keys that the replica does without: their tables are shown first."""
    return Remedy(
        text,
        by_hand(
            evidence,
            *dict.fromkeys(sql.show_create_table(key.child) for key in keys),
            *(sql.drop_foreign_key(key.child, key.name) for key in keys),
        ),
        LeadsTo.NEXT_TRANSACTION,
        loses=tuple(Loss(1, "foreign key", f"{key.child}: {key.name}") for key in keys),
    )


def references_only_here(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return what lets a statement run that foreign keys of only the replica block."""
    keys = evidence.references_only_here
    if not keys:
        return ()
    named = ", ".join(f"{key.name} of {key.child}" for key in keys)
    return (
        without_foreign_keys(
            evidence,
            keys,
            f"Only the replica has the foreign key {named}. The source ran the statement without it. This shows the tables, drops these foreign "
            "keys, and lets the replica run the statement; no row is changed.",
        ),
    )


def the_statement(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return the failing statement in full."""
    if evidence.statement is None:
        return ()
    statement = evidence.statement
    where = f" (default schema {statement.schema})" if statement.schema else ""
    if statement.whole or evidence.logged is None:
        return (Remedy(f"The transaction is one statement{where}: {statement.text}"),)
    whole = evidence.logged
    rows = f" and {counted(len(whole.changes), 'row')}" if whole.changes else ""
    return (
        Remedy(
            f"The transaction has {counted(len(whole.statements), 'statement')}{rows}. This one failed{where}: {statement.text}"
        ),
    )


HAS_MORE = "The statement's transaction has more than that, so it cannot be skipped without a loss"


def nothing_left(evidence: Evidence, why: str) -> Remedy:
    """Return the remedy for a statement whose work is done already: leave it out, ``why`` says why."""
    what = "statement" if evidence.statement else "transaction"
    if evidence.in_a_larger_one:
        return Remedy(f"{why} {HAS_MORE}.")
    if evidence.below:
        below = ", ".join(evidence.below)
        return Remedy(
            f"{why} So the {what} has nothing left to do on this replica, but the replicas below it ({below}) get only what runs here: skipped here, it never reaches them. Where nothing else can be done, run the statement on each of them first (in a session with SET "
            "sql_log_bin = 0); 'replfix resolve --strategy skip' leaves out exactly this transaction here."
        )
    statements = skip_alone(evidence)
    return Remedy(
        f"{why} So the {what} has nothing left to do on the replica. 'replfix resolve --strategy skip' leaves out exactly "
        f"this transaction, and no other; replfix does not do it by itself. {NEVER_BELOW}"
        + (" By hand:" if statements else f" {one_thread_first(evidence)}".rstrip()),
        statements,
        LeadsTo.LEFT_OUT if statements else None,
    )


def saved_as(name: TableName) -> TableName:
    """Return the name of the copy of a table that is changed or makes room."""
    return TableName(name.schema, f"{name.name[:56]}_saved")


def changed(evidence: Evidence, both: BothDefinitions, clauses: list[str], why: str, *, save: bool) -> Remedy:
    """Return the ALTER of the replica's table and the start; ``save``: its rows, if any, are copied first."""
    assert both.table is not None
    name = TableName(both.schema, both.table)
    copy = save and both.rows != 0
    statements = (sql.STRICT, *([sql.copy_table(name, saved_as(name))] if copy else []), sql.alter_table(name, clauses))
    if copy:
        many = "its rows" if both.rows is None else counted(both.rows, "row")
        why += f" First {many} {'is' if both.rows == 1 else 'are'} copied to {saved_as(name)}; drop that when it is not needed any more."
    return Remedy(why, by_hand(evidence, *statements), LeadsTo.NEXT_TRANSACTION)


def columns_for_rows(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return the remedies for row events that do not fit the replica's columns."""
    both = next((b for b in evidence.definitions if b.table is not None and b.replica is not None), None)
    ours = definition_diff.parsed(both.replica) if both is not None and both.replica is not None else None
    if both is None or ours is None:
        return ()
    theirs = definition_diff.parsed(both.source_then) if both.source_then is not None else None
    found = _CONVERSION.search(evidence.error.message)
    number = int(found["number"]) - bool(found["from_one"]) if found else None
    names = list(ours.columns)
    name = names[number] if number is not None and number < len(names) else None
    if theirs is None:
        return _typed_by_the_message(evidence, both, ours, name, found)
    if name is not None and list(theirs.columns)[: len(names)] == names[: len(theirs.columns)]:
        mine, wanted = _types(name, ours, theirs)
        if mine is not None and wanted is not None and mine.takes_all_of(wanted):
            clauses = definition_diff.explicit(ours, theirs)[name], definition_diff.explicit(theirs, ours)[name]
            return (
                _converted(evidence, both, name, *clauses, mine.unsigned and not wanted.unsigned),
                *([_aligned(evidence, both, ours, theirs)] if mine.unsigned and not wanted.unsigned else []),
            )
    if (missing := definition_diff.lacking(theirs, ours)) and both.rows != 0:
        words = f"The replica's rows have no values of {', '.join(missing)}: copy the table from the source."
        return shown(evidence, words)
    return (_aligned(evidence, both, ours, theirs),) if definition_diff.aligned(theirs, ours) else ()


def _aligned(
    evidence: Evidence, both: BothDefinitions, ours: definition_diff.Definition, theirs: definition_diff.Definition
) -> Remedy:
    rounds = any(
        definition_diff.may_round(clause, theirs.columns[column])
        for column, clause in definition_diff.explicit(ours, theirs).items()
        if column in theirs.columns and definition_diff.explicit(theirs, ours)[column] != clause
    )
    why = f"{in_words(both)} This gives the replica's table the columns of the event, in its types and order; nothing is dropped."
    return changed(evidence, both, definition_diff.aligned(theirs, ours), why, save=rounds)


def _converted(evidence: Evidence, both: BothDefinitions, name: str, ours: str, theirs: str, signs: bool) -> Remedy:
    """Return the remedy for a column that is wider on the replica: the applier has to convert.

    ``signs``: the source's column is signed and the replica's is not. Negative values are then stored as others,
    without an error: 0 on MySQL 9.7, 2^32 more on MariaDB 11.8.
    """
    return Remedy(
        f"Column {name} of {both.name} is wider on the replica ({ours}) than on the source ({theirs}). When that is on purpose, as in a "
        f"migration that begins on the replica, the applier has to convert; set that in the configuration file too."
        + (" Negative values are changed without an error: the replica's column is UNSIGNED." if signs else ""),
        (
            sql.convert_types(mariadb=evidence.status.product == "MariaDB"),
            sql.start_replica(evidence.named_channel, receiver=True),
        ),
        LeadsTo.NEXT_TRANSACTION,
        loses=(Loss(None, "negative value", f"{both.name}.{name}"),) if signs else (),
    )


def _typed_by_the_message(
    evidence: Evidence,
    both: BothDefinitions,
    ours: definition_diff.Definition,
    name: str | None,
    found: re.Match[str] | None,
) -> tuple[Remedy, ...]:
    """Return the remedy by the event's type in the server's message, where the source's definition may have changed."""
    wanted = _type(found["theirs"], both, ours) if found is not None and _in_its_place(both, ours) else None
    if name is None or wanted is None or found is None:
        return shown(evidence, "Which definition the failing transaction needs is unknown: nothing can be run here.")
    if key := next((key for key, clause in ours.foreign_keys.items() if sql.identifier(name) in clause), ""):
        words = f"The event has {found['theirs']} in column {name} of {both.name}; the replica has {found['ours']}, and the foreign key {key} there:"
        return shown(evidence, f"{words} no server changes the type of such a column. Copy the table from the source.")
    clause = definition_diff.retyped(ours.columns[name], wanted)
    why = (
        f"The event has {found['theirs']} in column {name} of {both.name}; the replica has {found['ours']}. Later transactions change the "
        f"table, so the source's present definition does not help. This makes the column what the event needs."
    )
    save = definition_diff.may_round(ours.columns[name], clause)
    return (changed(evidence, both, [f"MODIFY COLUMN {definition_diff.as_written(clause)}"], why, save=save),)


def _in_its_place(both: BothDefinitions, ours: definition_diff.Definition) -> bool:
    """Return whether the replica's columns are in the event's order: as on the source now, without later changes.

    Row events go by position.
    """
    now = definition_diff.parsed(both.source) if both.source is not None else None
    if now is None or both.later is None or not definition_diff.in_one_order(now, ours):
        return False
    parts = [clause for text in both.later.statements for clause in clauses(Statement(both.schema, text))]
    renamed = [clause for clause in parts if clause.action in (Action.RENAME_COLUMN, Action.CHANGE_COLUMN)]
    added = {clause.name for clause in parts if clause.action is Action.ADD_COLUMN} | {clause.new for clause in renamed}
    dropped = {clause.name for clause in parts if clause.action is Action.DROP_COLUMN} | {c.name for c in renamed}
    there, here = ({name.lower() for name in definition.columns} for definition in (now, ours))
    return there - here <= added and here - there <= dropped


def _type(theirs: str, both: BothDefinitions, ours: definition_diff.Definition) -> str | None:
    """Return a string's type from the message, which gives its length in bytes. None where the character set is not plain."""
    now = definition_diff.parsed(both.source) if both.source is not None else None
    found = _BYTES.match(theirs)
    if found is None or now is None or definition_diff.default_charset(now) != definition_diff.default_charset(ours):
        return None
    size, left = divmod(
        int(found[2]), definition_diff.BYTES_OF.get(definition_diff.default_charset(ours)[0], 0) or 10**9
    )
    return f"{found[1]}({size})" if size and not left else None


def missing_table(evidence: Evidence, both: BothDefinitions) -> tuple[Remedy, ...]:
    """Return the remedies for row events of a table that is gone, with all of its rows."""
    assert both.table is not None
    name = TableName(both.schema, both.table)
    then = both.source_then
    if then is None:
        return shown(evidence, "Copy the table from the source; its rows are lost on the replica.")
    _, _, rest = then.partition("` (\n")
    words = f"The replica has no table {both.name}, and none of the rows that were in it."
    alone = evidence.changes_only(name)
    copy: tuple[Remedy, ...] = ()
    if alone and both.later is not None and not both.later.rows and (leave_out := skip_alone(evidence)):
        held = f"{words} A copy made now already has what this transaction writes, so that is skipped."
        copy = tuple(copy_table.copied(evidence, both, name, name, held, ending=leave_out, leads_to=LeadsTo.LEFT_OUT))
        words = "Or, where nothing in it mattered,"
    else:
        words += " The safe way is to copy the table from the source, or to rebuild the replica. Where nothing in it mattered,"
    return (
        *copy,
        Remedy(
            f"{words} this creates it empty:",
            by_hand(evidence, f"CREATE TABLE {sql.table_name(name)} (\n{rest}"),
            LeadsTo.NEXT_TRANSACTION,
            loses=(Loss(None, "row", both.name),),
        ),
    )


_OF_NO_COLUMN = (Action.ADD_KEY, Action.DROP_KEY, Action.RENAME_KEY, Action.ADD_CHECK, Action.DROP_CONSTRAINT)


def _columns_then(both: BothDefinitions) -> definition_diff.Definition | None:
    """Return the source's definition, where its columns are those of the failing transaction: later statements change keys at most."""
    if both.source is None or both.later is None:
        return None
    for text in both.later.statements:
        parts = clauses(Statement(both.schema, text))
        if not parts or any(clause.action not in _OF_NO_COLUMN for clause in parts):
            return None
    return definition_diff.parsed(both.source)


def narrower(evidence: Evidence) -> str:
    """Say which is the first column of the transaction's tables that is narrower here than in the event.

    Empty where there is none, or it is unknown.
    """
    for both in evidence.definitions:
        ours = definition_diff.parsed(both.replica) if both.table is not None and both.replica is not None else None
        theirs = _columns_then(both)
        if ours is None or theirs is None:
            continue
        here, there = definition_diff.with_charsets(ours), definition_diff.with_charsets(theirs)
        for name in (name for name in there if name in here):
            if definition_diff.is_narrower(here[name], there[name]):
                return (
                    f"Column {name} of {both.name} is narrower on the replica ({here[name]}) than on the source "
                    f"({there[name]}): the applier would stop on the table's rows next."
                )
    return ""


def not_converted(evidence: Evidence) -> str:
    """Say which is the first column of the transaction's tables with another type here than in the events.

    Empty where there is none, or the applier is set to convert some.
    """
    first = next(iter(evidence.other_types), None)
    if first is None:
        return ""
    name = sql.TYPE_CONVERSIONS[evidence.status.product == "MariaDB"]
    return f"{first.in_words}, and {name} lets the applier convert nothing: it would stop on the table's rows next."


_CHECK = re.compile(r"Check constraint '(.+?)' is violated|CONSTRAINT `(.+?)` failed")


def check_for_rows(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return the remedy that replaces a CHECK of the replica which rejects a row that the source accepted.

    The source's CHECK comes in its place, if it has one.
    """
    found = _CHECK.search(evidence.error.message)
    both = next((b for b in evidence.definitions if b.table is not None and b.replica is not None), None)
    ours = definition_diff.parsed(both.replica) if both is not None and both.replica is not None else None
    name = (found[1] or found[2]).rpartition(".")[2] if found else ""
    if both is None or ours is None or name.lower() not in ours.checks:
        return ()
    theirs = definition_diff.parsed(both.source_then) if both.source_then is not None else None
    instead = theirs.checks.get(name.lower()) if theirs is not None else None
    if instead == ours.checks[name.lower()]:
        return ()
    clauses = [
        f"DROP CONSTRAINT {sql.identifier(name)}",
        *([f"ADD {definition_diff.as_written(instead)}"] if instead else []),
    ]
    why = f"The replica's {both.name} has {ours.checks[name.lower()]}, which rejects a row that the source accepted."
    return (changed(evidence, both, clauses, f"{why} This removes it.", save=False),)


_COLUMN = re.compile(
    r"[Cc]olumn '([^']+)'|for column (?:`[^`]+`\.`[^`]+`\.)?`([^`]+)`|Field '([^']+)' doesn't have a default"
)
ER_NO_DEFAULT_FOR_FIELD = 1364


def column_for_values(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return the remedy for the one column that rejects a value."""
    found = _COLUMN.search(evidence.error.message)
    both = next((b for b in evidence.definitions if b.table is not None and b.replica is not None), None)
    ours = definition_diff.parsed(both.replica) if both is not None and both.replica is not None else None
    name = next(filter(None, found.groups()), "").lower() if found else ""
    if both is None or ours is None or name not in ours.columns:
        return ()
    if evidence.error.errno == ER_NO_DEFAULT_FOR_FIELD:
        clause = ours.columns[name].replace(" NOT NULL", " DEFAULT NULL", 1)
        why = f"The replica's {both.name} has the column {name}, which requires a value ({ours.columns[name]}). This lets it be NULL."
        return (changed(evidence, both, [f"MODIFY COLUMN {definition_diff.as_written(clause)}"], why, save=False),)
    theirs = definition_diff.parsed(both.source_then) if both.source_then is not None else None
    wanted = definition_diff.explicit(theirs, ours).get(name) if theirs is not None else None
    if wanted is None or wanted == definition_diff.explicit(ours, theirs or ours)[name]:
        return ()
    why = f"Column {name} of {both.name} is {ours.columns[name]} on the replica and {wanted} on the source. This makes it the source's."
    save = definition_diff.may_round(ours.columns[name], wanted)
    return (changed(evidence, both, [f"MODIFY COLUMN {definition_diff.as_written(wanted)}"], why, save=save),)


def columns_behind_rows(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return the remedies for a conflict of rows in a table whose columns differ from the source's.

    In another order, narrower, or generated otherwise. The rows that the replica wrote since then may be wrong.
    """
    found: list[Remedy] = []
    for both in evidence.definitions:
        ours = definition_diff.parsed(both.replica) if both.table is not None and both.replica is not None else None
        theirs = definition_diff.parsed(both.source_then) if both.source_then is not None else None
        if ours is None or theirs is None or both.table is None or definition_diff.lacking(theirs, ours):
            continue
        rejected = {
            o.column.name.lower() for o in evidence.other_types if o.table == TableName(both.schema, both.table)
        }
        clauses = [
            clause
            for clause in definition_diff.aligned(theirs, ours)
            if _modified(clause) in rejected or not _only_wider(clause, ours, theirs)
        ]
        if not clauses:
            continue
        name = TableName(both.schema, both.table)
        copy = [sql.copy_table(name, saved_as(name))] if both.rows != 0 else []
        saved = f" Its rows are copied to {saved_as(name)} first." if copy else ""
        statements = (sql.STRICT, *copy, sql.alter_table(name, clauses))
        found.append(
            Remedy(
                f"{in_words(both)} Row events go by position, so rows that were applied since may be wrong: compare the table with the source's. "
                f"This gives the table the source's columns.{saved}",
                by_hand(evidence, *statements),
                LeadsTo.SAME_COLUMNS,
            )
        )
    return tuple(found)


def _modified(clause: str) -> str:
    """Return the column of a MODIFY COLUMN clause, in lower case; empty for another clause."""
    found = re.match(r"MODIFY COLUMN `((?:[^`]|``)+)`", clause)
    return found[1].replace("``", "`").lower() if found is not None else ""


def _only_wider(clause: str, ours: definition_diff.Definition, theirs: definition_diff.Definition) -> bool:
    """Return whether a column takes every value of the source's, in its place: no reason for a conflict."""
    name = _modified(clause)
    if not name or " AFTER `" in clause or clause.endswith(" FIRST"):
        return False
    mine, wanted = _types(name, ours, theirs)
    if mine is None or wanted is None:
        return False
    generated = "GENERATED" in ours.columns[name] or "GENERATED" in theirs.columns[name]
    if generated or (
        definition_diff.not_null(ours.columns[name]) and not definition_diff.not_null(theirs.columns[name])
    ):
        return False
    if mine.name in ("enum", "set"):
        return definition_diff.begins_with_labels(ours.columns[name], theirs.columns[name])
    return mine == wanted or mine.takes_all_of(wanted)


def _types(
    name: str, ours: definition_diff.Definition, theirs: definition_diff.Definition
) -> tuple[definition_diff.Type | None, definition_diff.Type | None]:
    """Return the column's types, on the replica and on the source."""
    here, there = definition_diff.with_charsets(ours), definition_diff.with_charsets(theirs)
    return definition_diff.type_of(here.get(name, "")), definition_diff.type_of(there.get(name, ""))
