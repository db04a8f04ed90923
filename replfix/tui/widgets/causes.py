"""What happened, and why as far as the evidence goes."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text
from textual.widgets import Static

from replfix.core.advisor.pointer import keep_apart
from replfix.core.diagnosis.diagnosis import Confidence, Diagnosis
from replfix.present.remedy_text import TITLE, remedy_lines, remedy_texts
from replfix.present.safe_text import visible
from replfix.tui.widgets.points import plural, point, title, together

MARKS = {Confidence.HIGH: "●", Confidence.MEDIUM: "◐", Confidence.LOW: "○"}


class Headline(Static):
    """What happened in one sentence, and which transaction it was."""

    def __init__(self, name: str, diagnosis: Diagnosis) -> None:
        evidence = diagnosis.evidence
        error, transaction = evidence.error, evidence.transaction
        text = Text.assemble(
            ("✗ ", "bold red"), (visible(name), "bold"), f": {visible(diagnosis.stopped)} by error {error.errno}"
        )
        for before, what in ((" in ", error.event), (" on ", error.table), (", key ", error.key)):
            if what:
                text.append(f"{before}{visible(what, keep_newlines=False)}")
        text.append(".")
        if transaction is not None:
            text.append(
                f"\n  Transaction {transaction.id}, {plural(len(transaction.changes), 'row')}, committed "
                f"{transaction.committed_at:%Y-%m-%d %H:%M:%S} UTC, {visible(transaction.log_file)} "
                f"{transaction.start_pos}–{transaction.end_pos}",
                style="dim",
            )
        super().__init__(text, id="what", markup=False)


class Causes(Static):
    def __init__(self, diagnosis: Diagnosis) -> None:
        super().__init__(together(_why(diagnosis)), id="why", markup=False)


def _why(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    yield title("Why")
    if diagnosis.nature:
        yield point("●", diagnosis.nature, "cyan")
    elif not diagnosis.causes:
        yield point("?", "No cause that replfix knows fits what was found.", "yellow")
    for cause in diagnosis.causes:
        heading = Text.assemble(
            (cause.code, "bold"), f" ({cause.confidence.value} confidence): {visible(cause.summary)}"
        )
        yield point(MARKS[cause.confidence], heading, "cyan")
        for sentence in cause.evidence:
            yield point("-", sentence, indent=2)
    if pointed := keep_apart(cause.code for cause in diagnosis.causes):
        yield point("→", pointed)
    if diagnosis.advice:
        yield Text()
        yield title(TITLE)
        yield from (point(*line) for line in remedy_lines(remedy_texts(diagnosis)))
    if diagnosis.unknowns:
        yield Text()
        yield title("Not known, or to be known")
        for unknown in diagnosis.unknowns:
            yield point("?", unknown, "yellow")
