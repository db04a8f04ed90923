"""A PostgreSQL subscription cannot apply a row: the subscribing server has one with the same key."""

from __future__ import annotations

import re

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain import text_facts
from replfix.core.explain.duplicate import Duplicate, Kind, Product
from replfix.core.explain.explanation import Case
from replfix.core.explain.reasons.postgresql import subscriber_state
from replfix.core.remedies.remedy import Fix
from replfix.core.sql.text_statements import postgresql_rows_with

CODE = "subscription-conflict"
STOPPING = frozenset({"insert_exists", "update_exists", "multiple_unique_conflicts"})

_APPLIED = re.compile(
    r'processing remote data for replication origin "(?P<origin>[^"\n]{1,100})"(?: during (?:message type )?"(?P<message>\w+)")?'
    r'(?: for replication target relation "(?P<relation>[^"\n]{1,300})")?'
)
_FINISHED = re.compile(r"finished at (?P<lsn>[0-9A-F]{1,8}/[0-9A-F]{1,8})")


def applied(duplicate: Duplicate) -> bool:
    """Whether the text is from a subscription's apply worker."""
    return duplicate.kind is Kind.CONFLICT or bool(duplicate.context and _APPLIED.search(duplicate.context))


def examine(case: Case) -> Cause | None:
    duplicate = case.duplicate
    if duplicate.dialect is not Product.POSTGRESQL or not applied(duplicate):
        return None
    if duplicate.conflict is not None and duplicate.conflict not in STOPPING:
        return _logged(duplicate)
    context = duplicate.context or ""
    origin, finished = _APPLIED.search(context), _FINISHED.search(context)
    return Cause(
        CODE,
        Confidence.HIGH,
        "The subscribing server has a row with the key of a row that its source sends: the servers differ, and the subscription does not get past it.",
        (*_evidence(duplicate, origin, finished), *subscriber_state.evidence(case, _origin(origin))),
        tuple(_fixes(case, origin, finished)),
    )


def _evidence(duplicate: Duplicate, origin: re.Match[str] | None, finished: re.Match[str] | None) -> list[str]:
    said = []
    if duplicate.conflict:
        said.append(f"The conflict is {duplicate.conflict}.")
    if origin is not None:
        message = f", message {origin['message']}" if origin["message"] else ""
        relation = f", relation {origin['relation']}" if origin["relation"] else ""
        said.append(f"CONTEXT names the replication origin {origin['origin']}{relation}{message}.")
    if finished is not None:
        said.append(f"The transaction of the source finished at {finished['lsn']}.")
    if duplicate.detail and duplicate.kind is Kind.CONFLICT:
        said.append(f"DETAIL: {' '.join(duplicate.detail.split())}")
    return said


def _origin(found: re.Match[str] | None) -> str | None:
    return found["origin"] if found is not None else None


def _fixes(case: Case, origin: re.Match[str] | None, finished: re.Match[str] | None) -> list[Fix]:
    known = subscriber_state.fixes(case, _origin(origin), finished["lsn"] if finished is not None else None)
    nobody = Fix(
        "Nobody but the subscription should write these tables there; where both servers insert, their sequences need different numbers (INCREMENT BY 2, START 1 and 2)."
    )
    if known:
        return [*known, nobody]
    duplicate = case.duplicate
    values = text_facts.key_values(duplicate)
    schema, table = _relation(duplicate, origin)
    look = (postgresql_rows_with(schema, table, values),) if table and values else ()
    subscription = "Find the subscription by its origin (pg_ and its oid):"
    found = "SELECT oid, subname, subenabled FROM pg_subscription"
    skip = finished["lsn"] if finished is not None else "LSN"
    return [
        Fix("Compare the row on the subscribing server with that of the source:", look),
        Fix(
            "Decide which of the two is right. If the source's is: save a copy of the row of the subscribing server, and change its key or delete it there; the apply worker tries again by itself."
        ),
        Fix(
            "If the row has to stay as it is: leave the source's transaction out. All of its rows are lost here, not only this one. "
            + subscription,
            (found, f"ALTER SUBSCRIPTION name SKIP (lsn = '{skip}')"),
        ),
        nobody,
    ]


def _relation(duplicate: Duplicate, origin: re.Match[str] | None) -> tuple[str | None, str | None]:
    named = origin["relation"] if origin is not None else None
    if named:
        schema, _, table = named.rpartition(".")
        return schema or None, table
    return duplicate.schema, duplicate.table


def _logged(duplicate: Duplicate) -> Cause:
    return Cause(
        CODE,
        Confidence.MEDIUM,
        "A subscription found a row that is not what the source's change expects. It was logged, and the worker goes on.",
        (
            f"The conflict is {duplicate.conflict}.",
            *((f"DETAIL: {' '.join(duplicate.detail.split())}",) if duplicate.detail else ()),
        ),
        (Fix("Compare the table on both servers: they differ already."),),
    )
