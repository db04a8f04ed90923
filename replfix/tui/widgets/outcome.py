"""How a rehearsal or an apply ended, with what was checked."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from replfix.core.advisor.pointer import keep_apart
from replfix.core.plan.outcome import Outcome, Result
from replfix.present.safe_text import visible
from replfix.tui.widgets.points import point

WORDS = {
    Result.RESOLVED: ("✔", "Resolved", "bold green"),
    Result.NOTHING_TO_DO: ("✔", "Nothing to do", "bold green"),
    Result.NEEDS_HUMAN: ("…", "Needs a human", "bold yellow"),
    Result.FAILED: ("✗", "Failed", "bold red"),
}


def outcome_lines(outcome: Outcome) -> Iterator[RenderableType]:
    mark, word, style = WORDS[outcome.result]
    yield point(mark, Text.assemble((word, "bold"), f": {visible(outcome.message)}"), style)
    if outcome.hint:
        yield point("→", outcome.hint, "bold")
    for round_ in outcome.rounds:
        checked = "   ".join(
            f"{'✔' if done else '✘'} {word if done else f'not {word}'}"
            for word, done in (
                ("rehearsed", round_.rehearsed),
                ("applied", round_.applied),
                ("verified", round_.verified),
            )
        )
        yield point("·", f"{round_.plan.transaction}: {checked}")
        if round_.audit_id:
            yield point("·", f"On record: replfix audit show {round_.audit_id}")
    if pointed := keep_apart(outcome.causes):
        yield point("→", pointed)
