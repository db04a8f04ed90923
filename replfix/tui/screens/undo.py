"""A repair on record, to be taken back: what is in the way, or what would change, and the question."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from replfix.core.trail.audit_record import AuditRecord
from replfix.present.page.page_model import Block, Section, Sentence
from replfix.present.page.undo_page import undo_page, undo_question
from replfix.tui.screens.writing import WritingDialog
from replfix.workflow.undo.undo_repair import UndoOutcome, UndoResult


class UndoDialog(WritingDialog[UndoOutcome]):
    """An undo: it is looked at first, in a thread; what is carried out is the very plan that was shown."""

    HELP_TEXT: ClassVar[str] = (
        "A repair is taken back on the replica, all of its rows or none: displaced rows return. What it wrote on the source is "
        "taken back there first, and comes to every replica. It is refused where a key is taken by another row, or a row is not "
        "as the repair left it. The failing transaction itself stays applied."
    )

    def __init__(self, record: AuditRecord) -> None:
        question = f"Undo the repair {record.id} on {record.replica}?"
        super().__init__(record.replica, question, "Undo", "Looking whether it can be undone…")
        self._record = record
        self._looked: UndoOutcome | None = None  # and nothing was in the way

    def on_mount(self) -> None:
        self._undo(None)

    def _undo(self, approved: str | None) -> None:
        record = self._record
        self.work("Undoing on", lambda backend, progress: backend.undo(record, approved, progress))

    def wanted(self) -> None:
        if self._looked is not None:
            self.say_busy("Undoing")
            self._undo(self._looked.plan.digest)

    def named_by(self, _done: UndoOutcome) -> str:
        return _done.plan.named_by if _done.plan.on_source is not None else ""

    def ended(self, done: UndoOutcome) -> tuple[bool, Iterable[Block]]:
        possible = done.result is UndoResult.REHEARSED
        self._looked = done if possible else None
        if not done.dry_run:
            self.replfix.note_action(self.replica, f"undo: {done.result.value}")
        page = undo_question(done.plan) if possible else undo_page("", done)
        return possible, (block for section in page.sections for block in _under_heading(section))


def _under_heading(section: Section) -> tuple[Block, ...]:
    return (*((Sentence(section.heading),) if section.heading else ()), *section.blocks)
