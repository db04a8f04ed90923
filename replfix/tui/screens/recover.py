"""What interrupted runs left unfinished on a replica, to be put right: what is on record, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from replfix.core.trail.audit_record import AuditRecord
from replfix.present.page.page_model import Block
from replfix.present.page.recover_page import left_blocks, recovered_blocks
from replfix.tui.screens.writing import WritingDialog
from replfix.workflow.recover.recovery import Recovered


class RecoverDialog(WritingDialog[tuple[Recovered, ...]]):
    """``left`` is what the trail had when the incident was looked at; what is done is looked up again."""

    HELP_TEXT: ClassVar[str] = (
        "Settings that an interrupted run left changed are put back. What became of its repair is read from the rows and the "
        "replica, and recorded; a channel that it was about to start is started. A run that is still at work is left alone. "
        "Every rehearsal, apply and undo does this first."
    )

    def __init__(self, name: str, left: Sequence[AuditRecord]) -> None:
        super().__init__(name, f"Put right what interrupted runs left behind on {name}?", "Recover")
        self._left = left

    def on_mount(self) -> None:
        self.say(left_blocks(self._left))
        self.query_one("#do").disabled = False

    def wanted(self) -> None:
        self.say_busy("Recovering")
        self.work("Recovering", lambda backend, progress: backend.recover(self.replica, progress))

    def ended(self, done: tuple[Recovered, ...]) -> tuple[bool, Iterable[Block]]:
        self.replfix.note_action(self.replica, f"recover: {len(done)} put right")
        return False, recovered_blocks(done)
