"""The last question before a plan is applied: what it will do, and the name that has to be typed for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from replfix.core.plan.plan import Plan
from replfix.core.words import counted
from replfix.present.page.detail import BRIEF, Detail
from replfix.present.page.page_model import Block, Page, Point, Section, Sentence, Symbol, Words, words
from replfix.present.page.plan_page import left_out_words, plan_words, steps, warning_blocks, whole_effect

REPEATED = replace(BRIEF, statements=5)
"""What is seen again right above the question."""


def question(replica: str) -> str:
    """Return the question that is answered with yes or no."""
    return f"Apply the plan on {replica}?"


def confirmation_blocks(plan: Plan, detail: Detail = REPEATED) -> Iterator[Block]:
    """Yield what is approved: the plan, its effect, its statements, its warnings, and whether it can be undone."""
    yield Point(Symbol.ITEM, plan_words(plan))
    said = whole_effect(plan)
    yield Point(Symbol.WARNING if plan.displaced or plan.by_name_only else Symbol.ITEM, words(said))
    yield steps(plan, detail)
    others = [risk for risk in plan.risks if risk not in said]
    if others:
        yield Sentence(words(f"{counted(len(others), 'warning')}:"))
    yield from warning_blocks(others)
    yield Point(Symbol.ITEM, words(plan.undo_outlook))


def confirmation_page(plan: Plan, detail: Detail = REPEATED) -> Page:
    """Return what is seen right above the question, where the warnings are on the page before it."""
    blocks = tuple(confirmation_blocks(replace(plan, risks=()), detail))
    return Page((Section((), blocks),))


def at_stake(plan: Plan) -> str:
    """Return why a name has to be typed."""
    if plan.left_out is not None:
        return f"{plan.strategy}: {left_out_words(plan.left_out)}"
    tables = list(dict.fromkeys(str(step.table) for step in plan.displaced))
    more = f" and {counted(len(tables) - 1, 'other table')}" if len(tables) > 1 else ""
    rows = f"rows of {tables[0]}{more} are deleted or changed" if tables else ""
    source = "the source is written to" if plan.on_source is not None else ""
    return f"{plan.strategy}: {', and '.join(filter(None, (rows, source)))}."


def type_to_apply(plan: Plan) -> Words:
    """Return the text before the name that has to be typed."""
    return words(f"{at_stake(plan)} To apply, type ")
