"""What differs between two servers' definitions, in words, and the statements that close it."""

from __future__ import annotations

from replfix.core import ddl, sql
from replfix.core.evidence import BothDefinitions, Evidence
from replfix.core.remedy import LeadsTo, Loss, Remedy
from replfix.core.table import TableName

_NOW = "Where a later statement of the backlog makes the same change, the replica stops on that one next: see its diagnosis then."


def by_hand(evidence: Evidence, *statements: str, start: str | None = None) -> tuple[str, ...]:
    """As a human runs them on the replica, and then the channel is started: by ``start``, or not at all when that is empty."""
    status = evidence.status
    return sql.by_hand(statements, evidence.channel.name, super_read_only=status.super_read_only, start=start)


def skip(evidence: Evidence) -> tuple[str, ...]:
    """MariaDB has no empty transactions, and another word for the counter: the command knows it."""
    if evidence.status.product == "MariaDB":
        return ()
    return sql.skip_by_hand(evidence.error.gtid, evidence.channel.name)


def same(both: BothDefinitions) -> bool:
    """Whether both servers have the object, with nothing in it that differs."""
    if both.source is None or both.replica is None:
        return both.source is both.replica
    theirs, ours = ddl.parsed(both.source), ddl.parsed(both.replica)
    if theirs is None or ours is None:
        return both.source == both.replica
    return not ddl.differences(theirs, ours)


def closed(evidence: Evidence) -> tuple[Remedy, ...]:
    """One piece of advice for each object that differs: in what, and how the replica's becomes the source's."""
    return tuple(_closing(evidence, both) for both in evidence.definitions if not same(both))


def _closing(evidence: Evidence, both: BothDefinitions) -> Remedy:
    what = "schema" if both.table is None else "table"
    if both.replica is None:
        assert both.source is not None
        lost = " Its rows are lost too: a copy of the table from the source is safer." if both.table else ""
        return Remedy(
            f"The replica has no {what} {both.name}. This creates it as the source has it now.{lost}",
            by_hand(evidence, _in_schema(both)),
            LeadsTo.NEXT_TRANSACTION,
        )
    if both.source is None:
        return Remedy(f"The source has no {what} {both.name} now; the replica has one.")
    theirs, ours = ddl.parsed(both.source), ddl.parsed(both.replica)
    if theirs is None or ours is None or both.table is None:
        return Remedy(
            f"The {what} {both.name} is not the same. On the source: {both.source} On the replica: {both.replica}"
        )
    words = "; ".join(difference.in_words() for difference in ddl.differences(theirs, ours))
    statement = ddl.alter_table(TableName(both.schema, both.table), theirs, ours)
    if not statement:
        return Remedy(f"{both.name} is not the same on both servers: {words}. That takes a human's statement.")
    return Remedy(
        f"{both.name} is not the same on both servers: {words}. This makes the replica's as the source's is now. {_NOW}",
        by_hand(evidence, statement),
        LeadsTo.NEXT_TRANSACTION,
        loses=tuple(
            Loss(None, "value", f"{both.name}.{column}") for column in ours.columns if column not in theirs.columns
        ),
    )


def _in_schema(both: BothDefinitions) -> str:
    assert both.source is not None
    if both.table is None:
        return both.source
    # SHOW CREATE TABLE prints the name without its schema.
    _, _, rest = both.source.partition("` (\n")
    return f"CREATE TABLE {sql.table_name(TableName(both.schema, both.table))} (\n{rest}"


def the_statement(evidence: Evidence) -> tuple[Remedy, ...]:
    """The failing statement in full."""
    if evidence.statement is None:
        return ()
    where = f" (default schema {evidence.statement.schema})" if evidence.statement.schema else ""
    return (Remedy(f"The transaction is one statement{where}: {evidence.statement.text}"),)


def nothing_left(evidence: Evidence, why: str) -> Remedy:
    statements = skip(evidence)
    return Remedy(
        f"{why} So the statement has nothing left to do on the replica. 'replfix resolve --strategy skip' leaves out exactly "
        "this transaction, and no other; replfix does not do it by itself." + (" By hand:" if statements else ""),
        statements,
        LeadsTo.LEFT_OUT if statements else None,
    )
