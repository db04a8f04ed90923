"""``replfix.explanation/1``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import JsonValue

from replfix.cli.documents.base import Document, Part
from replfix.cli.documents.values import RowDocument
from replfix.core.explain.explanation import (
    Asked,
    AskedPostgresql,
    Explanation,
    Guidance,
    KeyLocation,
    PostgresqlLocation,
)
from replfix.core.explain.log.rate import Rate
from replfix.core.remedies.remedy import Fix
from replfix.core.rows.json_values import row_to_json, to_json
from replfix.core.schema.postgresql_sequence import ColumnSequence
from replfix.workflow.explain.explanations import Counted


class FixPart(Part):
    text: str
    sql: list[str]


class ReasonPart(Part):
    code: str
    confidence: Literal["high", "medium", "low"]
    summary: str
    evidence: list[str]
    fixes: list[FixPart]


class ReadingPart(Part):
    values: list[str]
    answer: Literal["found", "no_row", "impossible", "not_asked"]
    rows: list[RowDocument]


class KeyColumnPart(Part):
    """One part of a key: a column, the first ``prefix`` characters (bytes) of one, or an expression."""

    column: str | None
    prefix: int | None
    expression: str | None
    type: str | None
    collation: str | None


class CounterPart(Part):
    column: str
    next_value: int | None
    highest: int | None
    limit: int | None


class SequencePart(Part):
    """The sequence of a column of PostgreSQL. Numbers are null where the account may not read them."""

    schema_name: str
    sequence: str
    use: Literal["identity", "default", "owned"]
    column: str
    next_value: int | None
    highest: int | None
    increment: int
    maximum: int


class SubscriptionPart(Part):
    """A subscription of the PostgreSQL database; ``writes_table``: the key's table is one of its tables."""

    name: str
    enabled: bool
    writes_table: bool
    apply_errors: int | None


class PostgresqlKeyPart(Part):
    """What only a unique key of PostgreSQL has. ``subscriptions`` is null where the account may not see them."""

    kind: Literal["PRIMARY KEY", "UNIQUE constraint", "unique index", "exclusion constraint"]
    definition: str
    predicate: str | None
    deferrable: bool
    initially_deferred: bool
    nulls_not_distinct: bool
    valid: bool
    sequence: SequencePart | None
    subscriptions: list[SubscriptionPart] | None


class PlacePart(Part):
    schema_name: str
    table: str
    key: str
    parts: list[KeyColumnPart]
    readings: list[ReadingPart]
    auto_increment: CounterPart | None
    postgresql: PostgresqlKeyPart | None = None  # of a PostgreSQL server


class ServerPart(Part):
    address: str
    version: str
    replicates: bool
    read_only: bool


class PossibilityPart(Part):
    """A reason that nothing in the text speaks for or against, with how to tell it from the others."""

    code: str
    summary: str
    tell: FixPart


class GuidancePart(Part):
    """What helps whatever the reason is. ``handling`` is in the words of ``framework``; null: in SQL's."""

    meaning: str
    look: list[FixPart]
    possible: list[PossibilityPart]
    handling: list[FixPart]
    framework: str | None


class ExplanationPart(Part):
    dialect: Literal["mysql", "postgresql"]
    kind: Literal["duplicate", "key_build", "exclusion", "conflict", "replica"]
    form: str
    errno: int | None
    sqlstate: str
    table_schema: str | None
    table: str | None
    key: str
    columns: list[str]
    value: str | None
    value_cut: bool
    truncated: bool  # the text ends inside the message
    conflict: str | None  # of a PostgreSQL 18 subscription
    statement: str | None
    gtid: str | None
    places: list[PlacePart]
    reasons: list[ReasonPart]
    guidance: GuidancePart | None
    unknowns: list[str]


class BucketPart(Part):
    at: str  # on the log's own clock
    count: int


class RatePart(Part):
    """The errors whose lines have a time, over time."""

    width_seconds: int
    buckets: list[BucketPart]
    errors: int
    seconds: int
    per_minute: float
    most_per_minute: float
    quiet_seconds: int | None  # from the last error to the end of the log
    goes_on: bool | None


class GroupPart(Part):
    """The errors on one key. Times are as the log writes them, null where its lines carry none."""

    dialect: Literal["mysql", "postgresql"]
    key: str
    table_schema: str | None
    table: str | None
    count: int
    distinct: int
    distinct_at_least: bool
    first_seen: str | None
    last_seen: str | None
    examples: list[str]
    shape: Literal["single", "repeated", "increasing", "few_repeated", "many_distinct", "at_limit", "empty", "unknown"]
    meaning: str
    unknown: int = 0  # errors whose value the log does not have
    separated: bool = False  # no table is named: the errors whose values go together, a guess
    rate: RatePart | None = None  # of the largest groups


class SurgePart(Part):
    bytes: int
    lines: int
    errors: int
    not_grouped: int
    damaged: str | None
    groups: list[GroupPart]
    repeated_lines: int = 0
    doubtful_repeats: int = 0
    doubtful_errors: int = 0
    interrupted: bool = False
    log_ends: str | None = None
    rate: RatePart | None = None
    followed_quiet_seconds: int | None = None  # with --follow: without an error, before the end


class ExplanationDocument(Document):
    schema_name: Literal["replfix.explanation/1"] = "replfix.explanation/1"
    server: ServerPart | None
    surge: SurgePart | None  # of a log: null otherwise
    explanations: list[ExplanationPart]


def explanation_document(explanations: Iterable[Explanation], counted: Counted | None = None) -> ExplanationDocument:
    """Return the explanations; ``counted``: the surge of a log, None for a single error."""
    explained = list(explanations)
    asked = next((e.case.asked or e.case.postgresql for e in explained if e.case.was_asked), None)
    return ExplanationDocument(
        server=_server(asked),
        surge=None if counted is None else _surge(counted),
        explanations=[_explanation(e) for e in explained],
    )


def _surge(counted: Counted) -> SurgePart:
    return SurgePart(
        bytes=counted.bytes,
        lines=counted.lines,
        errors=counted.errors,
        not_grouped=counted.not_grouped,
        damaged=counted.damaged,
        groups=[
            GroupPart(
                dialect=g.dialect.value,
                key=str(_text(g.key)),
                table_schema=_text(g.schema),
                table=_text(g.table),
                count=g.count,
                distinct=g.distinct,
                distinct_at_least=g.distinct_at_least,
                first_seen=g.first_seen,
                last_seen=g.last_seen,
                examples=[str(_text(example)) for example in g.examples],
                shape=g.shape.value,
                meaning=g.meaning,
                unknown=g.unknown,
                separated=g.separated,
                rate=_rate(g.rate) if number < GROUPS_WITH_RATE else None,
            )
            for number, g in enumerate(counted.groups)
        ],
        repeated_lines=counted.repeated,
        doubtful_repeats=counted.doubtful_repeats,
        doubtful_errors=counted.doubtful_errors,
        interrupted=counted.interrupted,
        log_ends=_text(counted.log_ends),
        rate=_rate(counted.rate),
        followed_quiet_seconds=counted.followed_quiet,
    )


GROUPS_WITH_RATE = 20


def _rate(rate: Rate | None) -> RatePart | None:
    if rate is None:
        return None
    return RatePart(
        width_seconds=rate.width,
        buckets=[BucketPart(at=bucket.at, count=bucket.count) for bucket in rate.buckets],
        errors=rate.timed,
        seconds=rate.seconds,
        per_minute=round(rate.per_minute, 2),
        most_per_minute=round(rate.most_per_minute, 2),
        quiet_seconds=rate.quiet,
        goes_on=rate.goes_on,
    )


def _server(asked: Asked | AskedPostgresql | None) -> ServerPart | None:
    if asked is None:
        return None
    return ServerPart(
        address=asked.address, version=asked.version, replicates=asked.replicates, read_only=asked.read_only
    )


def _explanation(explanation: Explanation) -> ExplanationPart:
    case = explanation.case
    duplicate = case.duplicate
    return ExplanationPart(
        dialect=duplicate.dialect.value,
        kind=duplicate.kind.value,
        form=duplicate.form,
        errno=duplicate.errno,
        sqlstate=duplicate.sqlstate,
        table_schema=_text(duplicate.schema),
        table=_text(duplicate.table),
        key=str(_text(duplicate.key)),
        columns=[str(_text(c)) for c in duplicate.columns],
        value=_text(duplicate.value),
        value_cut=duplicate.cut,
        truncated=duplicate.truncated,
        conflict=duplicate.conflict,
        statement=_text(duplicate.statement),
        gtid=_text(duplicate.gtid),
        places=[
            *(_place(place) for place in (case.asked.places if case.asked else ())),
            *(_postgresql_place(place) for place in (case.postgresql.places if case.postgresql else ())),
        ],
        reasons=[
            ReasonPart(
                code=r.code,
                confidence=r.confidence.value,
                summary=str(_text(r.summary)),
                evidence=[str(_text(sentence)) for sentence in r.evidence],
                fixes=[_fix(f) for f in r.fixes],
            )
            for r in explanation.reasons
        ],
        guidance=None if explanation.guidance is None else _guidance(explanation.guidance),
        unknowns=[str(_text(unknown)) for unknown in case.unknowns],
    )


def _fix(fix: Fix) -> FixPart:
    return FixPart(text=str(_text(fix.text)), sql=[str(_text(statement)) for statement in fix.sql])


def _guidance(guidance: Guidance) -> GuidancePart:
    return GuidancePart(
        meaning=str(_text(guidance.meaning)),
        look=[_fix(fix) for fix in guidance.look],
        possible=[
            PossibilityPart(code=p.code, summary=str(_text(p.summary)), tell=_fix(p.tell)) for p in guidance.possible
        ],
        handling=[_fix(fix) for fix in guidance.handling],
        framework=guidance.framework,
    )


def _text(text: str | None) -> str | None:
    """Return ``text`` without lone surrogates.

    Arguments and files that are no UTF-8 bring them, and JSON cannot represent them.
    """
    return None if text is None else text.encode("utf-8", "replace").decode()


def _place(place: KeyLocation) -> PlacePart:
    table = place.table
    parts: list[KeyColumnPart] = []
    for part in place.key.parts:
        column = None if part.column is None else table.column(part.column)
        parts.append(
            KeyColumnPart(
                column=part.column,
                prefix=part.prefix,
                expression=part.expression,
                type=column.column_type if column else None,
                collation=column.collation if column else None,
            )
        )
    counter = place.counter
    return PlacePart(
        schema_name=table.name.schema,
        table=table.name.name,
        key=place.key.name,
        parts=parts,
        readings=[
            ReadingPart(
                values=[str(_text(v)) for v in reading.values],
                answer=reading.answer.value,
                rows=[_row(row_to_json(table, row)) for row in reading.rows],
            )
            for reading in place.readings
        ],
        auto_increment=None
        if counter is None
        else CounterPart(
            column=counter.column.name,
            next_value=counter.next_value,
            highest=counter.highest,
            limit=counter.limit,
        ),
    )


def _postgresql_place(place: PostgresqlLocation) -> PlacePart:
    key = place.key
    return PlacePart(
        schema_name=key.schema,
        table=key.table,
        key=key.name,
        parts=[
            KeyColumnPart(
                column=part.column,
                prefix=None,
                expression=None if part.column is not None else part.expression,
                type=part.type,
                collation=part.collation,
            )
            for part in key.parts
        ],
        readings=[
            ReadingPart(
                values=[str(_text(v)) for v in reading.values],
                answer=reading.answer.value,
                rows=[{cell.column: to_json(cell.value) for cell in row} for row in reading.rows],
            )
            for reading in place.readings
        ],
        auto_increment=None,
        postgresql=PostgresqlKeyPart(
            kind=key.kind.value,
            definition=key.definition,
            predicate=key.predicate,
            deferrable=key.deferrable,
            initially_deferred=key.initially_deferred,
            nulls_not_distinct=key.nulls_not_distinct,
            valid=key.valid,
            sequence=None if place.sequence is None else _sequence(place.sequence),
            subscriptions=None
            if place.subscriptions is None
            else [
                SubscriptionPart(name=s.name, enabled=s.enabled, writes_table=s.has_table, apply_errors=s.apply_errors)
                for s in place.subscriptions
            ],
        ),
    )


def _sequence(sequence: ColumnSequence) -> SequencePart:
    return SequencePart(
        schema_name=sequence.schema,
        sequence=sequence.name,
        use=sequence.use.value,
        column=sequence.column,
        next_value=sequence.next_value,
        highest=sequence.highest,
        increment=sequence.increment,
        maximum=sequence.maximum,
    )


def _row(row: dict[str, JsonValue] | None) -> RowDocument:
    return row or {}
