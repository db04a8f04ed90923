"""How a rehearsal or a resolution ended, with what was checked of each round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from replfix.core.advisor.pointer import keep_apart
from replfix.core.plan.outcome import Outcome, Result, Round
from replfix.present.left_out import and_more, left_out_lines
from replfix.present.page.detail import IN_A_RUN, fits
from replfix.present.page.page_model import (
    Block,
    Page,
    Point,
    Section,
    Statement,
    Steps,
    Symbol,
    Words,
    name,
    section,
    strong,
    words,
)
from replfix.present.page.plan_page import SOURCE, plan_sections

_ENDED = {
    Result.RESOLVED: (Symbol.OK, "Resolved"),
    Result.REHEARSED: (Symbol.WAITING, ""),
    Result.NOTHING_TO_DO: (Symbol.OK, "Nothing to do"),
    Result.NEEDS_HUMAN: (Symbol.WARNING, ""),  # the message names what the human is needed for
    Result.FAILED: (Symbol.ERROR, "Failed"),
}
_WITHOUT_IT = (Symbol.WARNING, "")  # the message reports what was left out


def resolution_page(replica: str, outcome: Outcome) -> Page:
    """Return each round with what it did, or would do, and how it ended."""
    ends = (verdict(outcome, replica), *next_step(outcome), *_records(outcome), *_pointer(outcome))
    return Page((*_rounds(outcome), Section((), ends)))


def outcome_section(outcome: Outcome) -> tuple[Section, ...]:
    """Return the outcome as a section, for a page that shows the plans elsewhere."""
    return section("Outcome", outcome_blocks(outcome))


def outcome_blocks(outcome: Outcome) -> Iterator[Block]:
    """Yield how it ended and what was checked in each round, where the plans are shown elsewhere."""
    yield verdict(outcome)
    yield from next_step(outcome)
    for each in outcome.rounds:
        yield Point(Symbol.ITEM, _round(each, dry_run=outcome.dry_run))
    yield from _records(outcome)
    yield from _pointer(outcome)


def verdict(outcome: Outcome, replica: str = "") -> Point:
    """Return how it ended, in one point; ``replica``: its name, where that is not clear from the page."""
    symbol, word = _ENDED[outcome.result]
    if outcome.result is Result.RESOLVED and outcome.left_out:
        symbol, word = _WITHOUT_IT
    parts = (strong(replica), ": " if replica else "", strong(word), ": " if word else "", outcome.message)
    return Point(symbol, words(*parts))


def next_step(of: Outcome) -> tuple[Point, ...]:
    """Return what to do next, or nothing."""
    return hint_points(of.hint)


def hint_points(hint: str) -> tuple[Point, ...]:
    """Return what to do next, after an error or an end."""
    return (Point(Symbol.NEXT, words("Next: ", hint)),) if hint else ()


def on_record(audit_ids: Iterable[str]) -> Iterator[Point]:
    """Yield for each audit record the command that shows it."""
    for each in audit_ids:
        yield Point(Symbol.ITEM, words("On record: ", name(f"replfix audit show {each}")))


def _rounds(outcome: Outcome) -> Iterator[Section]:
    for number, each in enumerate(outcome.rounds, 1):
        heading = words(f"Round {number}: ", *_round(each, dry_run=outcome.dry_run))
        yield Section(heading, () if outcome.dry_run else _done(each))
        if outcome.dry_run:
            yield from plan_sections(each.plan, detail=IN_A_RUN)


def _round(of: Round, *, dry_run: bool) -> Words:
    """Return what was checked of it."""
    states = ", ".join(_without_it(of, dry_run) if of.plan.left_out is not None else _tried(of, dry_run))
    return words(name(of.plan.covers), ", ", strong(of.plan.strategy), f": {states}")


def _tried(of: Round, dry_run: bool) -> Iterator[str]:
    """Yield how far it came. A dry run does not try the last two: a cross would read like a failure."""
    tried = (("rehearsed", of.rehearsed), ("applied", of.applied), ("verified", of.verified))
    return (f"✔ {word}" if done else f"- {word}" if dry_run else f"✘ not {word}" for word, done in tried)


def _without_it(of: Round, dry_run: bool) -> Iterator[str]:
    """Yield how far a plan came that leaves a transaction out, or a part of it: nothing of that part is ever a success."""
    left_out = of.plan.left_out
    assert left_out is not None
    if of.plan.net_rows:
        yield "✔ other rows rehearsed" if of.rehearsed else "✘ other rows not rehearsed"
    elif dry_run:
        yield "nothing can be rehearsed"
    what = left_out.in_words if of.plan.net_rows else "the transaction"
    if of.applied:
        yield f"! {what} left out"
        if not of.verified:
            yield "✘ not verified"
        elif of.plan.net_rows:
            yield "✔ other rows verified"
    else:
        yield f"- {what} not left out" if dry_run else f"✘ {what} not left out"


def _done(of: Round) -> tuple[Block, ...]:
    """Return the statements that were run on each server, and what was left out."""
    statements = (
        *few(Statement(step.sql) for step in of.plan.steps),
        *few(Statement(step.sql, SOURCE) for step in of.written),
        *(Statement(line, "Left out", is_sql=False) for line in left_out_lines(of.plan)),
    )
    return (Steps(statements),) if statements else ()


def few(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Yield the first statements of one server, and how many follow."""
    found = tuple(statements)
    if fits(len(found), IN_A_RUN.statements):
        yield from found
        return
    yield from found[: IN_A_RUN.statements]
    left = len(found) - (IN_A_RUN.statements or 0)
    yield replace(found[0], text=and_more(left), is_sql=False)


def _records(outcome: Outcome) -> Iterator[Point]:
    intents = [each.audit_id for each in outcome.rounds if each.audit_id]
    yield from on_record(intents)
    others = [each for each in outcome.audit_ids if each not in intents]
    if others:
        yield Point(Symbol.ITEM, words("Settings and outcomes on record: ", name(", ".join(others))))


def _pointer(outcome: Outcome) -> tuple[Point, ...]:
    pointed = keep_apart(outcome.causes)
    return (Point(Symbol.NEXT, words(pointed)),) if pointed else ()
