"""What is looked up about an error that no row explains: definitions on both servers, duplicates, lock holders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from replfix.core import sql
from replfix.core.binlog.alter_table import clauses, foreign_keys, made_not_null
from replfix.core.binlog.column_mapping import alike, there
from replfix.core.binlog.object_statement import definer_of, needed, object_of
from replfix.core.binlog.row_event import Transaction
from replfix.core.binlog.statement import Statement
from replfix.core.conflicts.blocking_row import blocking, changed_by, row_in_question, tables_in_question
from replfix.core.conflicts.reconcile import Reconciliation
from replfix.core.incident.evidence import (
    BothDefinitions,
    Duplicates,
    Later,
    LockHolder,
    MissingAccount,
    MissingObject,
    Nulls,
    Orphans,
    Settings,
)
from replfix.core.incident.known_error import Family, Kind
from replfix.core.known_errors.families.missing_feature import missing_plugin
from replfix.core.remedies.drift import same
from replfix.core.replication.applier_error import ER_DUP_ENTRY, ER_NO_REFERENCED_ROW_2, ApplierError
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows.lookup import Lookup, by_identity
from replfix.core.rows.row_diff import differing
from replfix.core.rows.row_values import NotRead, RowImage
from replfix.core.schema.table import ForeignKey, KeyPart, Table, TableName, UniqueKey
from replfix.errors import PrivilegeError, ReplicationError, ServerError
from replfix.ports import Replica, Server

NULLS = (1048, 1138, 1263, 1265)
"""The errors of a statement that makes a column NOT NULL, where rows have NULL: MySQL's are 1138 and, where the table is copied, 1265,
which is MariaDB's only one."""
UNSAFE = 1674
"""ER_BINLOG_UNSAFE_SYSTEM_FUNCTION"""
OBJECTS = 10
"""How many tables of a transaction are compared."""
DUPLICATES_SHOWN = 5
ROWS_COUNTED = 1_000_000
BACKLOG_READ = 5_000
"""How many transactions after the failing one are read, to see whether they change definitions too."""
_ANY_SCHEMA = ""  # of a name without one: the log does not show in which schema a later statement ran
REFERENCES = ("foreign-key-definition", "foreign-key")
"""The pages of the errors in which a foreign key keeps a statement from being carried out: MariaDB refuses a DROP TABLE with 1451."""

OF_THE_CHILD = (1216, 1452, 1553, 1828, 1830, 1832, 3780)
"""Errors that a foreign key of the table itself makes, which is there already."""


def tables_of(
    error: ApplierError, transaction: Transaction | None, statement: Statement | None
) -> tuple[TableName, ...]:
    """Return the table that the error names, else those of the transaction."""
    if statement is not None:
        return tables_of_statement(statement)
    touched = _touched(transaction) if transaction is not None else ()
    named = tuple(name for name in touched if str(name) == error.table)
    return (named or touched)[:OBJECTS]


def _touched(transaction: Transaction) -> tuple[TableName, ...]:
    return tuple(dict.fromkeys(change.table for change in transaction.changes))


def tables_of_statement(statement: Statement) -> tuple[TableName, ...]:
    """Return the first tables that the statement names."""
    return statement.tables[:OBJECTS]


def compare_definitions(
    replica: Server,
    source: Server,
    error: ApplierError,
    transaction: Transaction | None,
    statement: Statement | None,
    family: Family | None,
    backlog: ReadBacklog,
    unknowns: list[str],
) -> tuple[BothDefinitions, ...]:
    """Return both servers' definitions, for errors that are about definitions."""
    if family is None or family.kind not in (Kind.SCHEMA_DRIFT, Kind.DATA_REFUSED, Kind.ROW_CONFLICT):
        return ()
    names = tables_of(error, transaction, statement) or _named(error)
    if family.kind is Kind.ROW_CONFLICT and transaction is not None and statement is None:
        names = _touched(transaction)[:OBJECTS]  # the repair is rehearsed with all of its rows
    try:
        found = tuple(dict.fromkeys(_definitions(replica, source, names, statement)))
    except (PrivilegeError, ServerError) as reason:
        unknowns.append(f"The definitions could not be compared: {reason.message}")
        return ()
    if family.kind is Kind.ROW_CONFLICT:
        found = tuple(both for both in found if not same(both))
    if not found:
        return ()
    read = backlog()
    return tuple(replace(both, later=later_of(read, both) if read is not None else None) for both in found)


def _named(error: ApplierError) -> tuple[TableName, ...]:
    """Return the table of the message, where its name can be cut in one way only."""
    schema, dot, name = (error.table or "").partition(".")
    return (TableName(schema, name),) if dot and "." not in name else ()


@dataclass(frozen=True, slots=True)
class Backlog:
    """What follows the failing transaction, as far as it concerns definitions."""

    statements: tuple[Statement, ...]
    changed: frozenset[TableName]  # by row events
    unread: bool  # some of it cannot be read


ReadBacklog = Callable[[], Backlog | None]
"""Reads what follows the failing transaction once, when it is first asked for."""


def read_backlog(source: Server, behind: GtidSet | None, unknowns: list[str]) -> Backlog | None:
    """Return what follows the failing transaction; None where that is unknown.

    ``behind``: its GTIDs; None where they cannot be named, without GTIDs.
    """
    if behind is None:
        return None
    statements: list[Statement] = []
    changed: set[TableName] = set()
    unread = False
    try:
        for number, one in enumerate(source.readable(behind) if behind else ()):
            if number == BACKLOG_READ:
                unknowns.append(
                    f"Only {BACKLOG_READ:,} transactions after the failing one were read: whether later ones change the definitions "
                    "is unknown."
                )
                return None
            if isinstance(one, Transaction):
                changed |= {change.table for change in one.changes}
            elif one.statement is None:
                unread = True
            else:
                statements.append(Statement(_ANY_SCHEMA, one.statement))
    except (ReplicationError, ServerError) as reason:
        unknowns.append(f"Whether later transactions change the definitions is unknown: {reason.message}")
        return None
    return Backlog(tuple(statements), frozenset(changed), unread)


def later_of(backlog: Backlog, both: BothDefinitions) -> Later:
    """Return what the backlog does to an object."""

    def about(statement: Statement) -> bool:
        if both.table is None:
            return statement.of_schema == both.schema
        if statement.of_schema == both.schema:
            return True
        return any(
            name.name == both.table and name.schema in (both.schema, _ANY_SCHEMA) for name in statement.mentioned
        )

    found = [statement for statement in backlog.statements if about(statement)]
    rows = both.table is not None and TableName(both.schema, both.table) in backlog.changed
    defining = tuple(statement.text for statement in found if statement.defines)
    by_statement = backlog.unread or len(defining) < len(found)
    return Later(defining, rows or by_statement, by_statement)


def _definitions(
    replica: Server, source: Server, tables: tuple[TableName, ...], statement: Statement | None
) -> Iterator[BothDefinitions]:
    schema = statement.of_schema if statement else None
    if schema is not None:
        yield both_definitions(replica, source, schema, None)
    for name in tables:
        if replica.definition(name.schema, None) is None:  # nothing in it can be there
            yield both_definitions(replica, source, name.schema, None)
        else:
            both = both_definitions(replica, source, name.schema, name.name)
            rows = replica.rows_up_to(name, ROWS_COUNTED) if both.replica is not None else None
            yield replace(both, rows=rows)


def both_definitions(replica: Server, source: Server, schema: str, table: str | None) -> BothDefinitions:
    """Return a table's or schema's definition on both servers."""
    return BothDefinitions(schema, table, source.definition(schema, table), replica.definition(schema, table))


def find_duplicates(
    replica: Replica, source: Server, error: ApplierError, statement: Statement | None, unknowns: list[str]
) -> tuple[Duplicates, ...]:
    """Return rows of the replica that violate a unique key of the source that the replica is about to get."""
    if error.errno != ER_DUP_ENTRY or statement is None:
        return ()
    found: list[Duplicates] = []
    for name in tables_of(error, None, statement):
        theirs, ours = source.table(name), replica.table(name)
        if theirs is None or ours is None:
            continue
        for key in theirs.unique_keys:
            if not _can_come(key, ours):
                continue
            try:
                values = replica.duplicates(ours, key, DUPLICATES_SHOWN)
            except ServerError as reason:
                unknowns.append(f"Duplicates in {name} could not be counted: {reason.message}")
                continue
            if values:
                found.append(Duplicates(name, key.name, key.columns, values))
    return tuple(found)


def find_blocking_row(
    replica: Replica, source: Server, error: ApplierError, statement: Statement | None, unknowns: list[str]
) -> tuple[Table, RowImage] | None:
    """Return the row that the failing statement collides with, where the message names it beyond doubt.

    Not where an UPDATE collides with a row that the source has just so: it changes another row here, and that one
    differs. Nor where it may change several, and collide with itself.
    """
    for name in tables_in_question(error, statement):
        table = replica.table(name)
        if table is not None and (lookup := blocking(error, table)) is not None:
            rows = replica.find({name: table}, (lookup,))[lookup]
            if len(rows) != 1:
                continue
            if statement is not None and statement.updates:
                named = by_identity(table, rows[0])
                if _on_source(source, table, rows[0]):
                    unknowns.append(
                        f"The row {named} of {name} that the statement collides with is the same on the source: it changes another row here, which "
                        "differs from the source's, or which the source does not have. Which one is not in the binlog."
                    )
                    return None
                if (number := _changed_by(replica, statement, table)) != 1:
                    unknowns.append(
                        f"The statement meets the row {named} of {name}, and changes {number or 'an unknown number of'} rows here. Where it gives "
                        "several of them the same value, it is rejected without that row too."
                    )
                    return None
            return table, rows[0]
    return None


def _changed_by(replica: Replica, statement: Statement, table: Table) -> int | None:
    lookup = changed_by(statement, table)
    return replica.count({table.name: table}, (lookup,))[lookup] if lookup is not None else None


def _on_source(source: Server, table: Table, row: RowImage) -> bool:
    """Return whether the source has that row now, as far as it can be asked."""
    named = by_identity(table, row)
    if named is None or not alike(source.table(table.name), table):
        return False
    return any(not differing(table, row, theirs) for theirs in source.find(there({table.name: table}), (named,))[named])


def find_blocking_row_of_event(
    replica: Replica,
    source: Server,
    error: ApplierError,
    transaction: Transaction | None,
    found: Reconciliation | None,
    tables: Mapping[TableName, Table],
) -> tuple[Table, RowImage] | None:
    """Do as ``find_blocking_row`` for a row logged in part; nothing where the source has a row of that name too."""
    name = row_in_question(error, transaction, found)
    table = tables.get(name) if name is not None else None
    if table is None or (lookup := blocking(error, table)) is None:
        return None
    rows = replica.find({table.name: table}, (lookup,))[lookup]
    named = by_identity(table, rows[0]) if len(rows) == 1 else None
    if named is None or not alike(source.table(table.name), table):
        return None
    return None if source.find(there({table.name: table}), (named,))[named] else (table, rows[0])


def find_orphans(
    replica: Replica, error: ApplierError, statement: Statement | None, unknowns: list[str]
) -> tuple[Orphans, ...]:
    """Return rows of the replica that violate a foreign key that it is about to get."""
    if error.errno != ER_NO_REFERENCED_ROW_2 or statement is None:
        return ()
    found: list[Orphans] = []
    for key in foreign_keys(statement):
        try:
            if values := replica.orphans(key, DUPLICATES_SHOWN):
                found.append(Orphans(key, values))
        except ServerError as reason:
            unknowns.append(f"Rows of {key.child} without a parent could not be counted: {reason.message}")
    return tuple(found)


def find_altered(replica: Replica, error: ApplierError, statement: Statement | None) -> Table | None:
    """Return the table of an ALTER TABLE that has another outcome on each server."""
    if error.errno != UNSAFE or statement is None or not clauses(statement) or len(statement.tables) != 1:
        return None
    return replica.table(statement.tables[0])


def find_missing(
    replica: Replica,
    source: Server,
    error: ApplierError,
    statement: Statement | None,
    backlog: ReadBacklog,
    unknowns: list[str],
) -> MissingObject | None:
    """Return the routine, trigger, event or view that the statement needs, as the source has it."""
    about = object_of(statement.schema, statement.text) if statement is not None else None
    wanted = needed(error.errno, error.message, about)
    if wanted is None:
        return None
    kind, name = wanted
    try:
        script = source.script(kind, name)
        definer = definer_of(script[-1]) if script else None
        lacking = find_definers(replica, source, () if definer is None else (definer,), unknowns)
    except (ServerError, PrivilegeError) as reason:
        unknowns.append(f"The source's {kind.lower()} {name} could not be read: {reason.message}")
        return None
    read, later = backlog(), None
    if read is not None and not read.unread:
        each = ((s.text, object_of(name.schema, s.text)) for s in read.statements)
        later = tuple(text for text, of in each if of is not None and (of.kind, of.name) == (kind, name))
    return MissingObject(kind, name, script, later, next(iter(lacking), None))


def find_library(source: Server, error: ApplierError, unknowns: list[str]) -> str | None:
    """Return the library from which the source has the plugin that the replica lacks."""
    plugin = missing_plugin(error)
    try:
        return source.library_of(plugin) if plugin else None
    except (ServerError, PrivilegeError) as reason:
        unknowns.append(f"Where the source has {plugin} from could not be read: {reason.message}")
        return None


def find_definers(
    replica: Replica, source: Server, definers: tuple[tuple[str, str], ...], unknowns: list[str]
) -> tuple[MissingAccount, ...]:
    """Return those of the accounts that the replica lacks, with what they may do on the source."""
    found: list[MissingAccount] = []
    for account in (sql.account(*definer) for definer in definers):
        try:
            if replica.grants_of(account) is None:
                grants = source.grants_of(account)
                roles = any(" ON " not in grant for grant in grants or ())
                found.append(MissingAccount(account, None if roles else grants))
        except (ServerError, PrivilegeError) as reason:
            unknowns.append(f"What {account} may do could not be read: {reason.message}")
            found.append(MissingAccount(account, None))
    return tuple(found)


def find_nulls(
    replica: Replica, source: Server, error: ApplierError, statement: Statement | None, unknowns: list[str]
) -> Nulls | None:
    """Return rows of the replica that keep an ALTER TABLE from making columns NOT NULL."""
    if error.errno not in NULLS or statement is None or len(statement.tables) != 1:
        return None
    (name,) = statement.tables
    ours, theirs = replica.table(name), source.table(name)
    made = made_not_null(statement)
    if ours is None or theirs is None or not made or not all(column in ours.by_name for column in made):
        return None
    # Rows that have NULL in one of them at least.
    asked = Lookup(name, None, tuple(map(KeyPart, made)), ((None,),) * len(made), least=1)
    try:
        number = replica.count({name: ours}, (asked,))[asked]
        rows = replica.find({name: ours}, (asked,))[asked]
        named = {row: by_identity(ours, row) for row in rows} if _asked_alike(ours, theirs) else {}
        answers = source.find({name: theirs}, tuple(lookup for lookup in named.values() if lookup is not None))
    except ServerError as reason:
        unknowns.append(f"Rows of {name} with NULL could not be looked up: {reason.message}")
        return None
    unnamed = NotRead("no key that both servers have names the row")

    def wanted(row: RowImage) -> RowImage | NotRead | None:
        lookup = named.get(row)
        if lookup is None:
            return unnamed
        found = next(iter(answers[lookup]), None)
        return None if found is None else _without_nulls(row, found, ours, theirs, made)

    return Nulls(ours, tuple(made), number, tuple((row, wanted(row)) for row in rows))


def _asked_alike(ours: Table, theirs: Table) -> bool:
    """Return whether the source can be asked for the replica's rows by their key."""
    key = ours.identity
    return key is not None and any(other.parts == key.parts for other in theirs.unique_keys)


def _without_nulls(
    row: RowImage, answer: RowImage, ours: Table, theirs: Table, made: Mapping[str, str]
) -> RowImage | NotRead:
    values = list(row)
    for column, now in made.items():
        here, other = ours.column(column), theirs.by_name.get(now)
        if values[here.ordinal] is not None:
            continue
        if other is None or other.data_type != here.data_type or answer[other.ordinal] is None:
            return NotRead(f"the source's {now} is of another type now, or NULL")
        values[here.ordinal] = answer[other.ordinal]
    return tuple(values)


def _can_come(key: UniqueKey, table: Table) -> bool:
    """Return whether the replica lacks the key, and has every column of it."""
    there = {column.name.lower() for column in table.columns}
    return (
        key.name not in {k.name for k in table.unique_keys}
        and all(part.column is not None for part in key.parts)
        and all(name.lower() in there for name in key.columns)
    )


def find_lock_holders(
    replica: Replica,
    error: ApplierError,
    transaction: Transaction | None,
    statement: Statement | None,
    family: Family | None,
    unknowns: list[str],
) -> tuple[LockHolder, ...] | None:
    """Return the sessions that may block the applier, for errors that pass; None where the server does not show them."""
    if family is None or family.kind is not Kind.TRANSIENT:
        return ()
    try:
        holders = replica.lock_holders(tables_of(error, transaction, statement))
        if holders is None:
            unknowns.append("Who holds locks is unknown: MariaDB shows them only while somebody waits for them.")
        return holders
    except (PrivilegeError, ServerError) as reason:
        unknowns.append(f"Who holds locks could not be seen: {reason.message}")
        return None


def read_settings(replica: Server, source: Server, family: Family | None) -> Settings | None:
    """Return the variables that the error is about."""
    if family is None or not family.settings:
        return None
    return Settings(replica.variables(family.settings), source.variables(family.settings))


def _keys(table: Table | None, *, own: bool) -> tuple[ForeignKey, ...]:
    if table is None:
        return ()
    return (*table.referenced_by, *(table.foreign_keys if own else ()))


def find_references_only_here(
    replica: Server, source: Server, error: ApplierError, statement: Statement | None, family: Family | None
) -> tuple[ForeignKey, ...]:
    """Return the replica's foreign keys that the source does not have and the failing statement collides with.

    They reference the statement's tables, or the error names them.
    """
    if family is None or family.page not in REFERENCES or statement is None:
        return ()
    found: list[ForeignKey] = []
    for name in tables_of_statement(statement):
        ours, theirs = replica.table(name), source.table(name)
        own = error.errno in OF_THE_CHILD
        known = {(key.child, key.name.lower()) for key in _keys(theirs, own=own)}
        found += [key for key in _keys(ours, own=own) if (key.child, key.name.lower()) not in known]
    return tuple(dict.fromkeys(found))
