"""What interrupted runs left behind on a replica, to be put right: what is on record, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text

from replfix.core.trail.audit_record import AuditRecord, RecordKind
from replfix.present.record_text import when
from replfix.tui.screens.writing import WritingDialog
from replfix.tui.widgets.points import point
from replfix.workflow.recover.recovery import Recovered

_LEFT = {
    RecordKind.SETTINGS.value: "changed settings of the server and did not put them back",
    RecordKind.INTENT.value: "recorded what it was about to do, and not what became of it",
}


class RecoverDialog(WritingDialog[tuple[Recovered, ...]]):
    """``left`` is what the trail told when the incident was looked at; what is done is looked up again."""

    HELP_TEXT: ClassVar[str] = (
        "Settings that an interrupted run left changed are put back. What became of its repair is read from the rows and the "
        "replica, and recorded; a channel that it was about to start is started. A run that is still at work is left alone. "
        "Every rehearsal, apply and undo does this first."
    )

    def __init__(self, name: str, left: Sequence[AuditRecord]) -> None:
        super().__init__(name, f"Put right what interrupted runs left behind on {name}?", "Recover")
        self._left = left

    def on_mount(self) -> None:
        self.say(self._found())
        self.query_one("#do").disabled = False

    def _found(self) -> Iterator[RenderableType]:
        for record in self._left:
            yield point(
                "!", f"{when(record)} UTC, {record.author}: a run {_LEFT[record.kind]} ({record.id}).", "yellow"
            )
        yield Text("It was interrupted, or is still at work.")

    def wanted(self) -> None:
        self.say([Text("Recovering: this is not interrupted…")])
        self.work("Recovering", lambda backend, progress: backend.recover(self.replica, progress))

    def ended(self, done: tuple[Recovered, ...]) -> tuple[bool, Iterable[RenderableType]]:
        self.replfix.note_action(self.replica, f"recover: {len(done)} put right")
        return False, _done(done)


def _done(done: tuple[Recovered, ...]) -> Iterator[RenderableType]:
    if not done:
        yield point("✔", "Nothing is left behind any more.", "bold green")
    for each in done:
        yield point("✔", each.message, "bold green")
        if each.next:
            yield point("→", each.next)
        yield point(" ", f"On record: {each.audit_id}")
