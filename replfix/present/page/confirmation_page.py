"""The last question before a plan is applied: what it will do, and the name that has to be typed for it."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.plan.plan import Plan
from replfix.core.words import counted
from replfix.present.page.page_model import Block, Point, Symbol, Words, points, words
from replfix.present.page.plan_page import effect, left_out_words, plan_words


def question(replica: str) -> str:
    """Return the question that is answered with yes or no."""
    return f"Apply the plan on {replica}?"


def confirmation_blocks(plan: Plan) -> Iterator[Block]:
    """Yield what is approved: the plan, its effect, how it ends, its warnings, and whether it can be undone."""
    yield Point(Symbol.ITEM, plan_words(plan))
    yield from points(Symbol.ITEM, filter(None, [effect(plan)]))
    yield from points(Symbol.ITEM, plan.ending)
    yield from points(Symbol.WARNING, plan.risks)
    yield Point(Symbol.ITEM, words(plan.undo_outlook))


def at_stake(plan: Plan) -> str:
    """Return why a name has to be typed."""
    if plan.left_out is not None:
        return left_out_words(plan.left_out)
    tables = list(dict.fromkeys(str(step.table) for step in plan.displaced))
    more = f" and {counted(len(tables) - 1, 'other table')}" if len(tables) > 1 else ""
    rows = f"rows of {tables[0]}{more} are deleted or changed" if tables else ""
    source = "the source is written to" if plan.on_source is not None else ""
    said = ", and ".join(filter(None, (rows, source)))
    return f"{said[:1].upper()}{said[1:]}."


def type_to_apply(plan: Plan) -> Words:
    """Return the text before the name that has to be typed."""
    return words(f"{at_stake(plan)} To apply, type ")
