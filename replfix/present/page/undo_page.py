"""A repair that is taken back: the rows before and after, what is in the way, and how it ended."""

from __future__ import annotations

from replfix.core.plan.plan import Plan, Step
from replfix.core.strategies.undo_plan import Where, in_order
from replfix.core.words import counted
from replfix.present.page.outcome_page import hint_points, on_record
from replfix.present.page.page_model import (
    Block,
    Page,
    Point,
    Rows,
    Section,
    Statement,
    Steps,
    Symbol,
    name,
    points,
    strong,
    words,
)
from replfix.present.page.plan_page import SOURCE, warning_blocks
from replfix.present.page.row_images import of_step
from replfix.present.remedy_text import in_words, remedy_blocks
from replfix.workflow.undo.undo_repair import UndoOutcome, UndoResult

ROWS_SHOWN = 20


def undo_question(plan: Plan) -> Page:
    """Return each row as it is and as it will be, and what comes with it."""
    steps = tuple(in_order(plan))
    more = f"and {counted(len(steps) - ROWS_SHOWN, 'more row')}"
    return Page(
        (
            *(_row(where, step) for where, step in steps[:ROWS_SHOWN]),
            Section((), points(Symbol.MORE, [more] if len(steps) > ROWS_SHOWN else [])),
            Section((), (*_sets_off(plan), *warning_blocks(plan.risks))),
        )
    )


def undo_page(replica: str, undoing: UndoOutcome) -> Page:
    """Return how it ended, or what a dry run found."""
    done = undoing.result in (UndoResult.UNDONE, UndoResult.NOTHING_TO_DO)
    possible = undoing.result is UndoResult.REHEARSED
    blocks: list[Block] = []
    if done or possible:
        statements = tuple(
            Statement(step.sql, SOURCE if where == "source" else "") for where, step in in_order(undoing.plan)
        )
        blocks += [*([Steps(statements)] if statements else []), *_sets_off(undoing.plan)]
        if undoing.dry_run:
            blocks += warning_blocks(undoing.plan.risks)
    symbol = Symbol.OK if done else Symbol.WAITING if possible else Symbol.ERROR
    blocks.append(Point(symbol, words(strong(replica), ": " if replica else "", *_verdict(undoing))))
    blocks.append(Point(Symbol.ITEM, words("Repair: the ", undoing.undoes.named, ".")))
    blocks += points(Symbol.FACT, undoing.in_the_way, level=1)
    blocks += remedy_blocks(in_words(undoing.remedies, undoing.source))
    blocks += (*hint_points(undoing.hint), *on_record(undoing.audit_ids))
    return Page((Section((), tuple(blocks)),))


def _verdict(undoing: UndoOutcome) -> tuple[str, ...]:
    if undoing.in_the_way:
        rows = len(undoing.in_the_way)
        return (f"Cannot undo: {counted(rows, 'row')} {'is' if rows == 1 else 'are'} in the way.",)
    word = {UndoResult.UNDONE: "Undone", UndoResult.FAILED: "Failed"}.get(undoing.result, "")
    return (word, ": " if word else "", undoing.message)


def _row(where: Where, step: Step) -> Section:
    on = " on the source" if where == "source" else ""
    return Section(words(f"{step.kind.value} in ", name(step.table), on), (undo_rows(where, step),))


def undo_rows(where: Where, step: Step) -> Rows:
    """Return the row of one step on that server, now and after the undo."""
    return of_step(step, None, f"{where}", "after the undo")


def _sets_off(plan: Plan) -> tuple[Point, ...]:
    return points(Symbol.ITEM, plan.on_source.sets_off) if plan.on_source is not None else ()
