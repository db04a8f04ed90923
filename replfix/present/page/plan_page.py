"""A plan: what it does, its steps, what it leaves out, its preconditions and warnings, and how it is undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from replfix.core.plan.plan import ON_SOURCE, SHOWN_ROWS, LeftOut, Plan, Step, Undoable
from replfix.core.plan.risk import by_concern
from replfix.core.sql import UNDO_SETTINGS
from replfix.core.strategies.row_effects import displaced_risk, effect_of
from replfix.core.words import counted
from replfix.present.left_out import and_more, left_out_lines
from replfix.present.page.detail import WHOLE, Detail, fits
from replfix.present.page.page_model import (
    WARNINGS,
    Block,
    Point,
    Script,
    Section,
    Sentence,
    Statement,
    Steps,
    Symbol,
    Words,
    name,
    points,
    section,
    strong,
    words,
)

LEFT_OUT = "Left out on this replica, for good"
IN_ITS_PLACE = "In the applier's place"
PRECONDITIONS = "Preconditions, checked again before applying"
SOURCE = ON_SOURCE.removesuffix(": ")


def plan_sections(plan: Plan, *, with_undo_sql: bool = False, detail: Detail = WHOLE) -> Iterator[Section]:
    """Yield the plan with its steps, what it leaves out, its preconditions, its warnings and its undo."""
    heading = words("Plan ", name(plan.digest[:12]), ": ", *plan_words(plan))
    yield Section(heading, (*effect_lines(plan), steps(plan, detail)))
    yield from left_out(plan)
    yield from preconditions(plan)
    yield from warnings(plan)
    yield from section("Undo", _undo(plan, with_undo_sql), level=2)


def plan_words(plan: Plan) -> Words:
    """Return the strategy and the transaction of the plan."""
    return words(strong(plan.strategy), " for ", name(plan.covers))


def effect(plan: Plan) -> str:
    """Return what becomes of which rows, as far as no warning describes it."""
    if plan.left_out is not None:
        return left_out_words(plan.left_out)
    source = effect_of(plan.on_source.steps, "source") if plan.on_source is not None else ""
    said = [each for each in (effect_of(plan.steps, "replica"), source) if each]
    if not said:
        return "Changes no row first."
    return " ".join(each for each in said if not any(each in risk for risk in plan.risks))


def whole_effect(plan: Plan) -> str:
    """Return what becomes of which rows, and whether they are saved first."""
    if plan.left_out is not None:
        return left_out_words(plan.left_out)
    source = effect_of(plan.on_source.steps, "source") if plan.on_source is not None else ""
    other = tuple(step for step in plan.steps if step.current is None)
    said = (displaced_risk(plan.steps), effect_of(other, "replica"), source)
    return " ".join(filter(None, said)) or "Changes no row first."


UNDO_IN_SHORT = {
    Undoable.NOTHING: "",
    Undoable.YES: "It can be undone.",
    Undoable.IN_PART: "Only the part on the source can be undone.",
    Undoable.NO: "It cannot be undone.",
}


def undo_in_short(plan: Plan) -> str:
    """Return whether it can be undone, as far as that is known before; empty where there is nothing to undo."""
    return UNDO_IN_SHORT[plan.undoable]


def left_out_words(left_out: LeftOut) -> str:
    """Return what of the transaction this replica never gets, as a sentence."""
    return f"Leaves out {left_out.in_words} of the transaction on this replica, for good."


def effect_lines(plan: Plan, level: int = 0) -> tuple[Sentence, ...]:
    """Return the effect as a sentence; nothing where warnings describe all of it."""
    said = effect(plan)
    return (Sentence(words(said), level),) if said else ()


# --- what is done ---


def items(plan: Plan) -> tuple[Step | str, ...]:
    """Return everything that is done, in its order; sentences and SQL for what is no row."""
    return (*plan.steps, *plan.behind)


def statement(plan: Plan, item: Step | str) -> Statement:
    """Return one of them in words. A sentence about START REPLICA and the like begins with what is run."""
    if isinstance(item, str):
        return Statement(item, is_sql=False)
    if is_on_source(plan, item):
        return Statement(item.sql, SOURCE)
    return Statement(item.sql, IN_ITS_PLACE if _is_of_transaction(plan, item) else "")


def is_on_source(plan: Plan, step: Step) -> bool:
    """Return whether the step is carried out on the source."""
    return plan.on_source is not None and any(step is each for each in plan.on_source.steps)


def row_words(plan: Plan, step: Step) -> Words:
    """Return what becomes of the row of one step."""
    on_source = is_on_source(plan, step)
    if _is_of_transaction(plan, step):
        said = "the transaction's own"
    elif step.current is not None:
        said = f"{'deleted' if step.target is None else 'changed'}; a full copy is saved first"
    else:
        said = "inserted"
    where = " on the source" if on_source else ""
    return words("Row of ", name(step.table), f"{where}: {said}")


def _is_of_transaction(plan: Plan, step: Step) -> bool:
    """Return whether it is carried out in the applier's place."""
    return any(step is each for each in plan.net_rows)


def steps(plan: Plan, detail: Detail = WHOLE) -> Steps:
    """Return the steps of the plan; of many rows of the transaction itself only the first."""
    found: list[Statement] = []
    for place, each in groupby(items(plan), lambda item: _place(plan, item)):
        statements = [statement(plan, item) for item in each]
        most = SHOWN_ROWS if place == IN_ITS_PLACE else detail.statements
        if place is None or fits(len(statements), most):
            found += statements
            continue
        left = len(statements) - (most or 0)
        more = and_more(left) if place == IN_ITS_PLACE else f"and {counted(left, 'more statement')}: {detail.more}"
        found += (*statements[:most], Statement(more, place, is_sql=False))
    return Steps(tuple(found))


def _place(plan: Plan, item: Step | str) -> str | None:
    """Return where it is carried out, of many alike; None for what is always shown."""
    if isinstance(item, Step):
        return SOURCE if is_on_source(plan, item) else IN_ITS_PLACE if _is_of_transaction(plan, item) else ""
    named = item.startswith(ON_SOURCE) and plan.on_source is not None and item not in plan.on_source.sets_off
    return SOURCE if named else None


# --- what has to be known of it ---


def left_out(plan: Plan) -> tuple[Section, ...]:
    """Return the section of rows and statements that this replica never gets, or none."""
    return section(LEFT_OUT, (Point(Symbol.ERROR, words(name(line))) for line in left_out_lines(plan)), level=2)


def preconditions(plan: Plan) -> tuple[Section, ...]:
    """Return the section of what is checked again before applying, or none."""
    return section(PRECONDITIONS, points(Symbol.ITEM, guards(plan)), level=2)


def guards(plan: Plan) -> tuple[str, ...]:
    """Return the plan's preconditions in words."""
    return tuple(guard.in_words for guard in plan.guards)


def warnings(plan: Plan) -> tuple[Section, ...]:
    """Return the section of the plan's risks, or none."""
    return section(WARNINGS, warning_blocks(plan.risks), level=2)


UNGROUPED = 4
"""So many warnings are read without a heading for each subject."""


def warning_blocks(risks: Sequence[str]) -> Iterator[Block]:
    """Yield the warnings; of many, those about the same together."""
    groups = by_concern(risks)
    if len(risks) <= UNGROUPED or len(groups) == 1:
        yield from points(Symbol.WARNING, risks)
        return
    for concern, about in groups.items():
        yield Sentence(words(f"{concern.value}:"))
        yield from points(Symbol.WARNING, about, level=1)


def _undo(plan: Plan, with_sql: bool) -> Iterator[Block]:
    yield Sentence(words(plan.undo_outlook))
    undo = [step.undo_sql for step in reversed(plan.steps) if step.undo_sql] if with_sql else []
    if undo:
        yield Sentence(words("Before the transaction is applied, in this order:"))
        yield Script(tuple(f"{sql};" for sql in (*UNDO_SETTINGS, *undo)))
