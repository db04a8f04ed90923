"""A remedy as JSON: in ``replfix.diagnosis/1`` and ``replfix.undo/1``."""

from __future__ import annotations

from replfix.cli.documents.base import Part
from replfix.core.remedies.remedy import LeadsTo, Remedy


class LossPart(Part):
    number: int | None  # null: how many is not known
    what: str  # a noun in the singular: row, value, transaction
    of: str  # schema.table, schema.table.column, a GTID set; or empty


class LeadsToPart(Part):
    code: LeadsTo
    text: str


class AdvicePart(Part):
    text: str
    where: str | None  # replica, source, shell (of the replica's machine), or host:port; null with nothing to run
    sql: list[str]  # for a human, in one session of its own: replfix runs none of them
    loses: list[LossPart]
    leads_to: LeadsToPart | None  # null with nothing to run; next-step: the next remedy in the list belongs to this one


def leads_to_part(to: LeadsTo) -> LeadsToPart:
    """Return what a remedy leads to, as a code and in words."""
    return LeadsToPart(code=to, text=to.in_words)


def advice_part(remedy: Remedy) -> AdvicePart:
    """Return the remedy; where nothing is to be run, ``where`` and ``leads_to`` are null."""
    to = remedy.leads_to
    return AdvicePart(
        text=remedy.text,
        where=remedy.where if to is not None else None,
        sql=list(remedy.sql),
        loses=[LossPart(number=loss.number, what=loss.what, of=loss.of) for loss in remedy.loses],
        leads_to=leads_to_part(to) if to is not None else None,
    )
