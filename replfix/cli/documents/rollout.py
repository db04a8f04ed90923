"""The ``plan`` of ``replfix.advise/1``."""

from __future__ import annotations

from replfix.cli.documents.base import Part
from replfix.core.advisor.offsets import WriterSlot
from replfix.core.advisor.rollout import Action, Rollout


class StepPart(Part):
    increment: int
    offset: int


class PlacePart(Part):
    node: str | None  # null: a writer that is not there yet
    now: StepPart | None
    then: StepPart
    option_lines: list[str]

    @classmethod
    def of(cls, place: WriterSlot, lines: dict[str, tuple[str, ...]]) -> PlacePart:
        node = place.node
        return cls(
            node=None if node is None else node.name,
            now=None if node is None else StepPart(increment=node.step.increment, offset=node.step.offset),
            then=StepPart(increment=place.step.increment, offset=place.step.offset),
            option_lines=[] if node is None else list(lines[node.name]),
        )


class ActionPart(Part):
    title: str
    nodes: list[str]
    sql: list[str]
    until: str  # what the last statement has to answer before the next action; "": nothing to wait for
    undo: list[str]

    @classmethod
    def of(cls, action: Action) -> ActionPart:
        return cls(
            title=action.title,
            nodes=list(action.nodes),
            sql=list(action.sql),
            until=action.until,
            undo=list(action.undo),
        )


class NextIdsPart(Part):
    table: str
    node: str
    ids: list[int]


class SimulatedPart(Part):
    table: str
    rows: int  # on each server
    in_flight: int  # of these, on their way to the others at any time
    collisions_now: int
    collisions_after: int


class RolloutPart(Part):
    """Without ``actions`` the servers have these values already. ``holds``: some of the actions stop writes for a while."""

    increment: int
    why: str
    holds: bool
    writers: list[PlacePart]
    actions: list[ActionPart]
    back: list[ActionPart]
    next_ids: list[NextIdsPart]
    simulation: list[SimulatedPart]
    notes: list[str]

    @classmethod
    def of(cls, plan: Rollout) -> RolloutPart:
        lines = dict(plan.option_lines)
        return cls(
            increment=plan.places.increment,
            why=plan.places.why,
            holds=plan.holds,
            writers=[PlacePart.of(place, lines) for place in plan.places.each],
            actions=[ActionPart.of(action) for action in plan.actions],
            back=[ActionPart.of(action) for action in plan.back],
            next_ids=[NextIdsPart(table=str(n.table), node=n.node, ids=list(n.ids)) for n in plan.next_ids],
            simulation=[
                SimulatedPart(
                    table=str(s.table),
                    rows=s.rows,
                    in_flight=s.in_flight,
                    collisions_now=s.collisions_now,
                    collisions_after=s.collisions_after,
                )
                for s in plan.simulated
            ],
            notes=list(plan.notes),
        )
