"""``replfix.forecast/1``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from replfix.cli.documents.base import Document, Part
from replfix.cli.documents.conflict import ConflictPart, TransactionIdPart, conflict_fields, transaction_id_fields
from replfix.core.conflicts.ahead.forecast import Ahead, Effect, Forecast, Group, Scanned, Unscanned
from replfix.core.conflicts.ahead.postgresql_names import postgresql_names
from replfix.core.rows.row_values import NotRead
from replfix.core.schema.table import Table
from replfix.errors import ReplfixError

SOURCE_NOT_READ = NotRead("a forecast does not read the source's rows")


class UnscannedPart(Part):
    replica: str
    what: str  # a table, or transactions, in words
    why: str
    schema_: str | None  # this and the next: the table, where it is about one
    table: str | None
    since: TransactionIdPart | None  # from this transaction on; null: all of the backlog


class ScannedPart(Part):
    transactions: int
    events: int
    rows: int
    seconds: float
    complete: bool  # conflicts were looked for everywhere: only then no conflict means that there is none
    unscanned: list[UnscannedPart]


class AheadTransactionPart(TransactionIdPart):
    committed_at: str  # UTC, ISO 8601
    number: int | None  # among the transactions of the backlog, from 1; null where they were not counted


class AheadPart(ConflictPart):
    replica: str
    channel: str
    errno: int | None  # with which the applier stops; null where it does not stop
    transaction: AheadTransactionPart
    effect: Effect
    proven: bool | None  # the replica's applier met it in a rehearsal; false: went past it; null: was not asked
    alias: str | None  # PostgreSQL 18's name of the conflict type, where it has one for the same thing


class AuthorPart(Part):
    gtid: str | None
    committed_at: str  # UTC, ISO 8601
    thread_id: int | None
    statement: str | None
    own: bool  # written on the replica itself; false: it came from another server


class GroupPart(Part):
    author: AuthorPart | None  # null: unknown
    conflicts: list[int]  # places in conflicts[], from 0


class LookedAtReplicaPart(Part):
    name: str
    channel: str | None  # null where it was not looked at
    complete: bool
    exit_code: int
    error: str | None  # why nothing is known of it
    hint: str | None


class ForecastDocument(Document):
    """Of one replica or several together: each conflict names its replica and channel."""

    schema_name: Literal["replfix.forecast/1"] = "replfix.forecast/1"
    replicas: list[LookedAtReplicaPart]
    scanned: ScannedPart
    conflicts: list[AheadPart]
    groups: list[GroupPart]


def forecast_document(looked_at: Sequence[tuple[str, Forecast | ReplfixError, int]]) -> ForecastDocument:
    """Return the forecasts of replicas, each with its name and exit code; an error in place of one that is not known."""
    conflicts: list[AheadPart] = []
    groups: list[GroupPart] = []
    for name, found, _ in looked_at:
        if isinstance(found, Forecast):
            groups += (_group(group, len(conflicts)) for group in found.groups)
            aliases = postgresql_names(found)
            conflicts += (
                _ahead(name, found, ahead, alias) for ahead, alias in zip(found.conflicts, aliases, strict=True)
            )
    return ForecastDocument(
        replicas=[_replica(name, found, exit_code) for name, found, exit_code in looked_at],
        scanned=_scanned(looked_at),
        conflicts=conflicts,
        groups=groups,
    )


def _replica(name: str, found: Forecast | ReplfixError, exit_code: int) -> LookedAtReplicaPart:
    known = found if isinstance(found, Forecast) else None
    error = found if isinstance(found, ReplfixError) else None
    return LookedAtReplicaPart(
        name=name,
        channel=known.channel if known is not None else None,
        complete=known is not None and known.scanned.complete,
        exit_code=exit_code,
        error=error.message if error is not None else None,
        hint=(error.hint or None) if error is not None else None,
    )


def _scanned(looked_at: Sequence[tuple[str, Forecast | ReplfixError, int]]) -> ScannedPart:
    each: list[tuple[str, Scanned]] = [
        (name, found.scanned) for name, found, _ in looked_at if isinstance(found, Forecast)
    ]
    return ScannedPart(
        transactions=sum(scanned.transactions for _, scanned in each),
        events=sum(scanned.events for _, scanned in each),
        rows=sum(scanned.rows for _, scanned in each),
        seconds=round(sum(scanned.seconds for _, scanned in each), 3),
        complete=len(each) == len(looked_at) and all(scanned.complete for _, scanned in each),
        unscanned=[_unscanned(name, one) for name, scanned in each for one in scanned.unscanned],
    )


def _unscanned(name: str, one: Unscanned) -> UnscannedPart:
    return UnscannedPart(
        replica=name,
        what=one.what,
        why=one.why,
        schema_=one.table.schema if one.table is not None else None,
        table=one.table.name if one.table is not None else None,
        since=TransactionIdPart(**transaction_id_fields(one.since)) if one.since is not None else None,
    )


def _ahead(name: str, found: Forecast, ahead: Ahead, alias: str | None) -> AheadPart:
    table: Table = found.tables[ahead.conflict.table]
    return AheadPart(
        **conflict_fields(table, ahead.conflict, SOURCE_NOT_READ),
        replica=name,
        channel=found.channel,
        errno=ahead.errno,
        transaction=AheadTransactionPart(
            **transaction_id_fields(ahead.transaction),
            committed_at=ahead.committed_at.isoformat(),
            number=ahead.number,
        ),
        effect=ahead.effect,
        proven=ahead.proven,
        alias=alias,
    )


def _group(group: Group, before: int) -> GroupPart:
    author = group.author
    return GroupPart(
        author=None
        if author is None
        else AuthorPart(
            gtid=author.gtid,
            committed_at=author.committed_at.isoformat(),
            thread_id=author.thread_id,
            statement=author.statement,
            own=author.own,
        ),
        conflicts=[before + place for place in group.conflicts],
    )
