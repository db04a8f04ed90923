"""A plan that keeps writers apart, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from replfix.core.advisor.offsets import WriterSlot
from replfix.core.advisor.rollout import Action, Rollout
from replfix.core.words import counted
from replfix.present.safe_text import visible

WIDTH = 120


def rollout_lines(plan: Rollout) -> list[str]:
    """Yield lines that are safe to show on a terminal. Statements and option lines have lines of their own, whole."""
    return [visible(line, keep_newlines=False) for line in _lines(plan)]


def _lines(plan: Rollout) -> Iterator[str]:
    yield f"PLAN for {counted(len(plan.places.each), 'writer')}: auto_increment_increment = {plan.places.increment}"
    yield from _paragraph(plan.places.why)
    yield ""
    yield from _table(plan)
    if plan.next_ids:
        yield ""
        yield "  Next numbers, from the counters of now:"
        yield from _columns(
            [(str(each.table), each.node, ", ".join(map(str, each.ids)) or "none left") for each in plan.next_ids]
        )
    if plan.simulated:
        yield ""
        yield from _paragraph(simulation_sentence(plan))
        yield from _columns(
            [
                (str(each.table), f"now {each.collisions_now:,}", f"with the plan {each.collisions_after:,}")
                for each in plan.simulated
            ]
        )
    yield ""
    if plan.actions:
        yield (
            "  Steps, each when the one before it is done. Some of them hold writes:"
            if plan.holds
            else "  Steps. No server has to stop taking writes:"
        )
        yield from _numbered(plan.actions)
    else:
        yield "  The servers have these values already: nothing to do."
    if plan.option_lines:
        yield ""
        yield "  Option files (my.cnf), for the next restart and for servers that are built anew:"
        for node, lines in plan.option_lines:
            yield f"    {node}"
            yield from (f"      {line}" for line in lines)
    if plan.back:
        yield ""
        yield "  Back, should it have to be:"
        yield from _numbered(plan.back)
    for note in plan.notes:
        yield ""
        yield from _paragraph(f"Note: {note}")


def simulation_sentence(plan: Rollout) -> str:
    """Return the result of the simulation in one sentence."""
    first = plan.simulated[0]
    servers = sum(place.node is not None for place in plan.places.each)
    inserted = first.rows * servers * len(plan.simulated)
    return (
        f"Simulated: each of the {servers} servers inserts {first.rows:,} rows into {counted(len(plan.simulated), 'table')}, "
        f"while {first.in_flight} of them are on their way to the others. Of these {inserted:,} rows "
        f"{_collide(plan.collisions_now)} as the servers are now, and {_collide(plan.collisions_after)} with the plan."
    )


def _collide(rows: int) -> str:
    if rows == 0:
        return "none gets a number that is taken"
    return f"{rows:,} {'gets' if rows == 1 else 'get'} a number that is taken (error 1062)"


def _table(plan: Rollout) -> Iterator[str]:
    rows = [("SERVER", "NOW", "PLAN", "NUMBERS THAT IT GIVES")]
    for place in plan.places.each:
        step = place.step
        rows.append(
            (
                "(to come)" if place.node is None else place.node.name,
                "-" if place.node is None else str(place.node.step),
                f"{step}{_remark(place)}",
                f"{', '.join(str(step.offset + n * step.increment) for n in range(3))}, …",
            )
        )
    yield from _columns(rows, "  ")


def _remark(place: WriterSlot) -> str:
    return " as now" if place.node is not None and not place.changes else ""


def _numbered(actions: Sequence[Action]) -> Iterator[str]:
    for number, action in enumerate(actions, start=1):
        lead = f"  {number:>2}. "
        yield from wrap(action.title, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead))
        yield f"      on {', '.join(action.nodes)}:"
        yield from (f"        {statement};" for statement in action.sql)
        if action.until:
            yield from wrap(f"until: {action.until}", WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 8)
        if action.undo:
            yield f"      undo: {'; '.join(action.undo)};"


def _paragraph(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")


def _columns(rows: Sequence[tuple[str, ...]], indent: str = "    ") -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield (indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
