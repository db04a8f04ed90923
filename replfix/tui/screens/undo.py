"""A repair on record, to be taken back: what stands in the way, or what would change, and the question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text

from replfix.core.strategies.undo_plan import in_order
from replfix.core.trail.audit_record import AuditRecord
from replfix.present.remedy_text import in_words, remedy_lines
from replfix.present.row_values_text import shown
from replfix.present.safe_text import visible
from replfix.tui.screens.writing import WritingDialog
from replfix.tui.widgets.points import plural, point, title
from replfix.workflow.undo.undo_repair import UndoOutcome, UndoResult

VALUE_WIDTH = 60
ROWS_SHOWN = 20


class UndoDialog(WritingDialog[UndoOutcome]):
    """Looks first, in a thread; what is carried out is the very plan that was shown."""

    HELP_TEXT: ClassVar[str] = (
        "A repair is taken back on the replica, all of its rows or none: displaced rows return. What it wrote on the source is "
        "taken back there first, and comes to every replica. It is refused where a key is taken by another row, or a row is not "
        "as the repair left it. The failing transaction itself stays applied."
    )

    def __init__(self, record: AuditRecord) -> None:
        question = f"Undo the repair {record.id} on {record.replica}?"
        super().__init__(record.replica, question, "Undo", "Looking whether it can be undone…")
        self._record = record
        self._looked: UndoOutcome | None = None  # and nothing stood in the way

    def on_mount(self) -> None:
        self._undo(None)

    def _undo(self, approved: str | None) -> None:
        record = self._record
        self.work("Undoing on", lambda backend, progress: backend.undo(record, approved, progress))

    def wanted(self) -> None:
        if self._looked is not None:
            self.say([Text("Undoing: this is not interrupted…")])
            self._undo(self._looked.plan.digest)

    def named_by(self, _done: UndoOutcome) -> str:
        return _done.plan.named_by if _done.plan.on_source is not None else ""

    def ended(self, done: UndoOutcome) -> tuple[bool, Iterable[RenderableType]]:
        possible = done.dry_run and done.result is UndoResult.NEEDS_HUMAN
        self._looked = done if possible else None
        if not done.dry_run:
            self.replfix.note_action(self.replica, f"undo: {done.result.value}")
        return possible, _question(done) if possible else _end(done)


def _question(undoing: UndoOutcome) -> Iterator[RenderableType]:
    steps = tuple(in_order(undoing.plan))
    for where, step in steps[:ROWS_SHOWN]:
        there = " on the source" if where == "source" else ""
        yield title(visible(f"{step.kind} in {step.table}{there}", keep_newlines=False))
        for number, column in enumerate(step.columns):
            now, then = (
                "(no row)" if i is None else shown(i[number], VALUE_WIDTH) for i in (step.current, step.target)
            )
            if now != then:
                yield point(" ", f"{column}: {now} → {then}")
    if len(steps) > ROWS_SHOWN:
        yield point("…", f"and {plural(len(steps) - ROWS_SHOWN, 'more row')}")
    for said in undoing.plan.on_source.sets_off if undoing.plan.on_source is not None else ():
        yield point("·", said)
    for risk in undoing.plan.risks:
        yield point("!", risk, "yellow")


def _end(undoing: UndoOutcome) -> Iterator[RenderableType]:
    done = undoing.result in (UndoResult.UNDONE, UndoResult.NOTHING_TO_DO)
    mark, style = ("✔", "bold green") if done else ("✗", "bold red")
    yield point(mark, f"{undoing.result.value.replace('_', ' ')}: {undoing.message}", style)
    for reason in undoing.in_the_way[3:]:  # the message has the first ones
        yield point("·", reason)
    yield from (point(*line) for line in remedy_lines(in_words(undoing.remedies, undoing.source)))
    if undoing.hint:
        yield point("→", undoing.hint)
