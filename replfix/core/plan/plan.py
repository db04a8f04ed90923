"""What will be done, as one object: shown, rehearsed, carried out and recorded. Its digest names it."""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from replfix.core import sql
from replfix.core.binlog.row_event import RowChange
from replfix.core.binlog.statement import Statement
from replfix.core.conflicts.foreign_keys.child_rows import Orphan
from replfix.core.plan.guard import Guard
from replfix.core.plan.trigger_reach import Fired
from replfix.core.replication.start_threads import ReceiverFirst
from replfix.core.replication.transaction_id import TransactionId, TransactionRun
from replfix.core.rows.json_values import JsonValue, to_json
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import TableName
from replfix.core.words import counted


class StepKind(enum.StrEnum):
    """What a step does with its row."""

    DELETE = "delete"
    UPDATE = "update"
    INSERT = "insert"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the replica brought from ``current`` to ``target`` (None: no such row).

    The images say what happens; ``sql`` says it as a statement, and ``undo_sql`` how it is taken back. Which of the two
    is carried out is the plan's ``row_events``.
    """

    kind: StepKind
    table: TableName
    columns: tuple[str, ...]
    current: RowImage | None
    target: RowImage | None
    sql: str
    undo_sql: str
    alike: int = 0  # of an inserted row that no key names: how many that are the same the replica has before
    new_key: str = ""  # of a row inserted on the source: the column that gets its value there; NULL in ``target``
    takes: tuple[
        tuple[str, int], ...
    ] = ()  # columns that take the new key of another step there, and its number; as new_key


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of the replica that stays as it is, although the row that it references goes or gets another key.

    It references that row by ``foreign_key``: when the transaction is through, there is a row with that key, or the
    source has none either (``orphans``).
    """

    table: TableName
    columns: tuple[str, ...]
    row: RowImage
    foreign_key: str


class ApplyMode(enum.StrEnum):
    """How the replica gets past the failing transaction."""

    APPLY = "apply"  # it applies the transaction itself
    NET_ROWS = "net-rows"  # what it makes of its rows is carried out for the applier, without foreign key checks, under its GTID
    EMPTY = "empty"  # an empty transaction takes its GTID
    COUNTER = "counter"  # the skip counter passes over it

    @property
    def leaves_out(self) -> bool:
        """Whether the replica passes over the transaction, and never has its rows."""
        return self in (ApplyMode.EMPTY, ApplyMode.COUNTER)


class Undoable(enum.StrEnum):
    """Whether ``undo`` takes the plan back, as far as that is known before it is carried out."""

    NOTHING = "nothing-to-undo"  # it changes no row
    YES = "yes"
    IN_PART = "in-part"  # on the source, not on the replica
    NO = "no"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a replica that passes over the transaction will not have: its rows, and the statements as which it was logged."""

    changes: tuple[RowChange, ...]
    columns: Mapping[TableName, tuple[str, ...]]
    statements: tuple[Statement, ...] = ()
    table: TableName | None = None  # the first that it is about

    @property
    def statement(self) -> str:
        """The first one; empty for none."""
        return self.statements[0].text if self.statements else ""

    @property
    def in_words(self) -> str:
        """How many rows and statements."""
        rows, statements = len(self.changes), len(self.statements)
        parts = (counted(rows, "row") if rows else "", counted(statements, "statement") if statements else "")
        return " and ".join(filter(None, parts)) or "nothing"

    @property
    def in_order(self) -> Iterator[RowChange | Statement]:
        """The rows and statements as the transaction has them, one after the other."""
        statements = list(self.statements)
        for number, change in enumerate(self.changes):
            while statements and statements[0].behind <= number:
                yield statements.pop(0)
            yield change
        yield from statements

    def to_document(self) -> JsonValue:
        """Return every row with its full images, and every statement with what it needs beside its text."""
        return {
            "statement": self.statement,
            "statements": [
                {"schema": each.schema, "text": each.text, "settings": list(each.settings), "behind_rows": each.behind}
                for each in self.statements
            ],
            "rows": [*self.rows_to_document()],
        }

    def rows_to_document(self) -> Iterator[dict[str, JsonValue]]:
        """Yield every row with its full images."""
        for change in self.changes:
            yield {
                "kind": change.kind.value,
                "schema": change.table.schema,
                "table": change.table.name,
                "before": _image(self.columns[change.table], change.before),
                "after": _image(self.columns[change.table], change.after),
            }


ON_SOURCE = "On the source: "
SHOWN_ROWS = 20
"""How many rows of a transaction that is carried out in the applier's place are written out as SQL."""


def in_words(step: Step) -> str:
    """Return what became of one row of the source, with the key that it got."""
    if step.current is None and step.target is not None:
        key = f" with {step.new_key} {to_json(step.target[step.columns.index(step.new_key)])}" if step.new_key else ""
        return f"a new row of {step.table}{key}"
    return f"a row of {step.table} {'deleted' if step.target is None else 'changed'}"


@dataclass(frozen=True, slots=True)
class SourceWrite:
    """What is written on the source, in one logged transaction, once the replica got past the failing one."""

    server_uuid: str
    steps: tuple[Step, ...]
    fires: tuple[Fired, ...] = ()  # every trigger there that the steps can set off, those of triggers included

    @property
    def statements(self) -> tuple[str | Step, ...]:
        """The steps, with what keeps the key that one is given for those that take it, in one session."""
        taken = {number for step in self.steps for _, number in step.takes}
        kept = (((step, sql.keep_key(n)) if n in taken else (step,)) for n, step in enumerate(self.steps, 1))
        return tuple(each for pair in kept for each in pair)

    @property
    def sets_off(self) -> tuple[str, ...]:
        """What fires there, a sentence each, which is a comment of one line where it is copied as SQL."""
        said = (f"-- this can fire the trigger {fired}: {fired.trigger.body}" for fired in self.fires)
        return tuple(f"{ON_SOURCE}{' '.join(each.split())}" for each in said)

    @property
    def writes(self) -> tuple[tuple[TableName, str], ...]:
        """The tables that the steps write, each with INSERT, UPDATE or DELETE."""
        return tuple(dict.fromkeys((step.table, step.kind.value.upper()) for step in self.steps))


@dataclass(frozen=True, slots=True)
class Plan:
    """From diagnosis to a running channel. ``risks`` and ``undo_outlook`` are sentences for people: no part of the digest."""

    strategy: str
    server_uuid: str
    channel: str
    transaction: TransactionId
    errno: int
    steps: tuple[Step, ...]
    guards: tuple[Guard, ...]
    risks: tuple[str, ...]
    row_events: bool = False  # the steps are carried out as row events, which fire no trigger; else as their SQL
    way: ApplyMode = ApplyMode.APPLY
    net_rows: tuple[Step, ...] = ()  # of the way of that name: what the transaction makes of each row that it touches
    left_out: LeftOut | None = None  # of the ways that leave the transaction out
    kept: tuple[Kept, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    on_source: SourceWrite | None = None
    undoable: Undoable = Undoable.NOTHING
    undo_outlook: str = ""  # the same in words, with the reason
    receiver: ReceiverFirst | None = None
    run: TransactionRun | None = (
        None  # of a plan that covers several transactions: ``transaction`` is the first of them
    )

    @property
    def last(self) -> TransactionId:
        """The last transaction that the plan covers: the replica applies up to the end of it, and stops there."""
        return self.run.last if self.run is not None else self.transaction

    @property
    def transactions(self) -> int:
        """How many transactions the plan covers."""
        return self.run.transactions if self.run is not None else 1

    @property
    def covers(self) -> str:
        """The transactions that the plan covers, in words."""
        return covered(self.transaction, self.run)

    @property
    def by_name_only(self) -> bool:
        """Whether it does more than let the replica follow its source: nobody is led to such a plan."""
        return self.left_out is not None or self.on_source is not None

    @property
    def ending(self) -> tuple[str, ...]:
        """What is done after the steps, each in a sentence or as SQL. Of many rows of the transaction the first are there."""
        said = [each if isinstance(each, str) else f"{ON_SOURCE}{each.sql}" for each in self._behind(())]
        if self.net_rows:
            left = len(self.net_rows) - SHOWN_ROWS
            more = [f"… and {left:,} more: the intent in the audit trail has every one"] if left > 0 else []
            said[1:1] = [*(step.sql for step in self.net_rows[:SHOWN_ROWS]), *more]
        return tuple(said)

    @property
    def behind(self) -> tuple[str | Step, ...]:
        """The same with the transaction's rows, and the steps on the source, as what they are."""
        return self._behind(self.net_rows)

    def _behind(self, net_rows: tuple[Step, ...]) -> tuple[str | Step, ...]:
        match self.way:
            case ApplyMode.APPLY:
                if self.run is not None:
                    return (
                        f"START REPLICA UNTIL {self.last}: the replica applies the {self.run.transactions:,} transactions itself",
                        "START REPLICA, when their rows are verified",
                    )
                return ("START REPLICA: the replica applies the transaction itself", *self._source_part())
            case ApplyMode.NET_ROWS:
                rows = counted(len(self.net_rows), "row")
                return (
                    f"{self.transaction} itself, in the applier's place: {rows} as row events, which fire no trigger and check no "
                    "foreign key, in one transaction logged under its GTID",
                    *net_rows,
                    "START REPLICA: the replica continues after it",
                    *self._source_part(),
                )
            case ApplyMode.EMPTY:
                assert self.transaction.gtid is not None
                said = sql.empty_transaction(self.transaction.gtid)
                return (*said, "START REPLICA: the replica continues after the transaction, which it never applies")
            case ApplyMode.COUNTER:
                return (
                    f"The channel's skip counter is set to 1, and the applier started up to {self.transaction.end}: it "
                    "passes over exactly this transaction",
                    "START REPLICA: the replica continues after the transaction, which it never applies",
                )

    def _source_part(self) -> tuple[str | Step, ...]:
        if self.on_source is None:
            return ()
        return (
            *(f"{ON_SOURCE}{each}" if isinstance(each, str) else each for each in self.on_source.statements),
            *self.on_source.sets_off,
            "Those rows are read on the source, and on the replica once they have come there",
        )

    @property
    def rehearsal(self) -> str:
        """What a rehearsal that went well has shown."""
        if self.on_source is not None:
            return "replica and source carried out their parts of the plan, and rolled them back"
        if self.run is not None:
            return f"the replica applied the plan and {self.covers}, and rolled all of it back"
        if not self.way.leaves_out:
            return "the replica carried out the plan and the transaction itself, and rolled both back"
        return "the account is allowed to leave the transaction out; nothing was, and no more than that can be tried"

    @property
    def named_by(self) -> str:
        """What a human types who wants it although it loses something; empty for a plan that takes no row from anybody.

        The first table where rows of the replica are deleted or changed; after the strategy where a write on the source or
        something left out comes to that: nobody types the one and has the other carried out.
        """
        if self.on_source is not None:
            of = (*self.displaced, *self.on_source.steps)
            return f"{self.strategy} {of[0].table}"
        if self.left_out is not None:
            return f"{self.strategy} {self.left_out.table or self.transaction}"
        return str(self.displaced[0].table) if self.displaced else ""

    @property
    def displaced(self) -> tuple[Step, ...]:
        """The steps that take out or change a row which the replica has: those rows are kept in the trail."""
        return tuple(step for step in self.steps if step.current is not None)

    @property
    def shown(self) -> tuple[object, ...]:
        """What somebody who agrees to the plan has seen: what it does, and the sentences about it."""
        return (self.digest, self.risks, self.undo_outlook)

    @property
    def digest(self) -> str:
        """SHA-256 over what the plan does and depends on: two plans with one digest do the same.

        It does not change with the words of the plan.
        """
        data = {name: value for name, value in to_document(self).items() if name not in _FOR_PEOPLE}
        text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def covered(first: TransactionId, run: TransactionRun | None) -> str:
    """Return the transaction, or how many and from which to which, in words."""
    return str(first) if run is None else f"{counted(run.transactions, 'transaction')}, from {first} to {run.last}"


def _image(columns: tuple[str, ...], image: RowImage | None) -> JsonValue:
    if image is None:
        return None
    return {name: to_json(value) for name, value in zip(columns, image, strict=True)}


def step_to_document(step: Step) -> dict[str, JsonValue]:
    """Return the step as JSON values, with full row images."""
    return {
        "kind": step.kind.value,
        "schema": step.table.schema,
        "table": step.table.name,
        "sql": step.sql,
        "undo_sql": step.undo_sql,
        "alike": step.alike,
        **({"new_key": step.new_key} if step.new_key else {}),
        **({"takes": dict(step.takes)} if step.takes else {}),
        "columns": list(step.columns),  # their order: an object's keys have none
        "current": _image(step.columns, step.current),
        "target": _image(step.columns, step.target),
    }


def kept_to_document(kept: Kept) -> dict[str, JsonValue]:
    """Return the kept row as JSON values."""
    return {
        "schema": kept.table.schema,
        "table": kept.table.name,
        "foreign_key": kept.foreign_key,
        "columns": list(kept.columns),
        "row": _image(kept.columns, kept.row),
    }


def orphan_to_document(orphan: Orphan) -> dict[str, JsonValue]:
    """Return the row without a parent as JSON values: its foreign key, and the values of that."""
    return {
        "schema": orphan.child.schema,
        "table": orphan.child.name,
        "foreign_key": orphan.foreign_key,
        "references": str(orphan.parent),
        "values": _image(orphan.columns, orphan.values),
    }


def _named(of: TransactionId) -> dict[str, JsonValue]:
    # Of a transaction with a GTID the positions are no part of the plan: they are others after a failover.
    named: dict[str, JsonValue] = {"gtid": of.gtid}
    if of.gtid is None:
        named["position"] = {"log_file": of.log_file, "start_pos": of.start_pos, "end_pos": of.end_pos}
    return named


VERSION = 2
"""Of the document, and so of its digest.

An older document has none: its guards are sentences, and its digest was taken over all of it.
"""
_FOR_PEOPLE = ("risks", "undo_outlook")


def to_document(plan: Plan) -> dict[str, JsonValue]:
    """Return the plan as JSON values, with full row images.

    The trail keeps all of it; the digest is taken over it but for what is for people.
    """
    return {
        "version": VERSION,
        "strategy": plan.strategy,
        "server_uuid": plan.server_uuid,
        "channel": plan.channel,
        **_named(plan.transaction),
        "errno": plan.errno,
        "steps": [step_to_document(step) for step in plan.steps],
        "guards": [guard.to_document() for guard in plan.guards],
        "risks": list(plan.risks),
        "row_events": plan.row_events,
        **({"kept": [kept_to_document(kept) for kept in plan.kept]} if plan.kept else {}),
        **({"orphans": [orphan_to_document(orphan) for orphan in plan.orphans]} if plan.orphans else {}),
        **({} if plan.way is ApplyMode.APPLY else {"way": plan.way.value}),
        **({"net_rows": [step_to_document(step) for step in plan.net_rows]} if plan.net_rows else {}),
        **({} if plan.left_out is None else {"left_out": plan.left_out.to_document()}),
        **({} if plan.on_source is None else {"on_source": on_source_document(plan.on_source)}),
        "undoable": plan.undoable.value,
        **({"undo_outlook": plan.undo_outlook} if plan.undo_outlook else {}),
        **({} if plan.receiver is None else {"receiver": _receiver_to_document(plan.receiver)}),
        **({} if plan.run is None else {"run": {"transactions": plan.run.transactions, "last": _named(plan.run.last)}}),
    }


def _receiver_to_document(receiver: ReceiverFirst) -> JsonValue:
    return {"fetch_again": receiver.fetch_again, "put_back": receiver.put_back}


def on_source_document(part: SourceWrite) -> dict[str, JsonValue]:
    """Return the part on the source as JSON values, with the triggers that it can set off."""
    return {
        "server_uuid": part.server_uuid,
        "steps": [step_to_document(step) for step in part.steps],
        **({"fires": [fired.to_document() for fired in part.fires]} if part.fires else {}),
    }
