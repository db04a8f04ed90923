"""A plan: what it does, its steps, what it leaves out, its preconditions and warnings, and how it is undone."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.plan.plan import ON_SOURCE, SHOWN_ROWS, LeftOut, Plan, Step
from replfix.core.sql import UNDO_SETTINGS
from replfix.core.strategies.row_effects import effect_of
from replfix.present.left_out import and_more, left_out_lines
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


def plan_sections(plan: Plan, *, with_undo_sql: bool = False) -> Iterator[Section]:
    """Yield the plan with its steps, what it leaves out, its preconditions, its warnings and its undo."""
    yield Section(words("Plan ", name(plan.digest[:12]), ": ", *plan_words(plan)), (*effect_lines(plan), steps(plan)))
    yield from left_out(plan)
    yield from preconditions(plan)
    yield from warnings(plan)
    yield from section("Undo", _undo(plan, with_undo_sql), level=2)


def plan_words(plan: Plan) -> Words:
    """Return the strategy and the transaction of the plan."""
    return words(strong(plan.strategy), " for ", name(plan.transaction))


def effect(plan: Plan) -> str:
    """Return what becomes of which rows, as far as no warning describes it."""
    if plan.left_out is not None:
        return left_out_words(plan.left_out)
    source = effect_of(plan.on_source.steps, "source") if plan.on_source is not None else ""
    said = [each for each in (effect_of(plan.steps, "replica"), source) if each]
    if not said:
        return "Changes no row first."
    return " ".join(each for each in said if not any(each in risk for risk in plan.risks))


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


def steps(plan: Plan) -> Steps:
    """Return the steps of the plan; of many rows of the transaction itself only the first."""
    unshown = {id(step) for step in plan.net_rows[SHOWN_ROWS:]}
    shown = [item for item in items(plan) if id(item) not in unshown]
    each = [
        Statement(and_more(len(unshown)), IN_ITS_PLACE, is_sql=False)
        if unshown and item is plan.net_rows[SHOWN_ROWS - 1]
        else None
        for item in shown
    ]
    said = (part for item, more in zip(shown, each, strict=True) for part in (statement(plan, item), more))
    return Steps(tuple(part for part in said if part is not None))


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
    return section(WARNINGS, points(Symbol.WARNING, plan.risks), level=2)


def _undo(plan: Plan, with_sql: bool) -> Iterator[Block]:
    yield Sentence(words(plan.undo_outlook))
    undo = [step.undo_sql for step in reversed(plan.steps) if step.undo_sql] if with_sql else []
    if undo:
        yield Sentence(words("Before the transaction is applied, in this order:"))
        yield Script(tuple(f"{sql};" for sql in (*UNDO_SETTINGS, *undo)))
