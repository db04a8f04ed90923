"""One record of the audit trail in full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Footer, Header, Static

from replfix.core.trail.audit_record import AuditRecord, RecordKind
from replfix.present.page.record_page import cut, raw_json, record_page, undo_sql
from replfix.present.safe_text import visible
from replfix.tui.screen import ReplfixScreen
from replfix.tui.screens.undo import UndoDialog
from replfix.tui.widgets.points import section_widget

VALUE_LIMIT = 4_000  # characters of one value or statement on the screen
JSON_LIMIT = 60_000


class RecordScreen(ReplfixScreen[None]):
    """``others``: the list that has the record in it, for its neighbours. A record is immutable, so is this screen."""

    HELP_TEXT: ClassVar[str] = (
        "One record as it is stored. 'Deleted row' and 'Changed row' are full copies of rows that the plan deleted or changed: what "
        "is saved here beside what the replica holds since, with ≠ where they differ. 'Undo' is the SQL that takes the "
        "plan back; U carries it out, when nothing is in the way. The raw record, with nothing cut, goes to the clipboard with y, and 'replfix audit show ID --json' "
        "prints it."
    )
    CSS_PATH = "record.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy", id="record.copy", tooltip="Copy the whole record as JSON, nothing cut"),
        Binding("u", "copy_undo", "Copy undo", id="record.copy_undo", tooltip="Copy the SQL that takes the plan back"),
        Binding("U", "undo", "Undo…", id="record.undo", tooltip="Take this repair back on the replica"),
        Binding("j", "raw", "JSON", id="record.raw", tooltip="Show the record as JSON, or as sections again"),
        Binding("n", "step(1)", "Older", id="record.older", tooltip="The next record of the list"),
        Binding("p", "step(-1)", "Newer", id="record.newer", tooltip="The record before it in the list"),
        Binding("escape", "back", "Back", id="record.back", tooltip="Back to the list"),
    ]

    def __init__(self, record: AuditRecord, others: Sequence[AuditRecord] = ()) -> None:
        super().__init__()
        self._record = record
        self._others = tuple(others) or (record,)
        self._raw = False

    def compose(self) -> ComposeResult:
        yield Header()
        yield VerticalScroll(id="record-body")
        yield Footer()

    async def on_mount(self) -> None:
        await self._show()

    async def _show(self) -> None:
        record = self._record
        self.title = f"Record {record.id}"
        body = self.query_one("#record-body", VerticalScroll)
        await body.remove_children()
        await body.mount_all(self._raw_parts() if self._raw else self._parts())
        body.scroll_home(animate=False)
        body.focus()
        self.refresh_bindings()

    def _parts(self) -> Iterator[Widget]:
        for section in record_page(self._record, VALUE_LIMIT).sections:
            yield section_widget([section], classes="section")

    def _raw_parts(self) -> Iterator[Widget]:
        text = raw_json(self._record)
        yield Static(Text(visible(cut(text, JSON_LIMIT))))
        if len(text) > JSON_LIMIT:
            rest = (
                f"The rest is not shown: y copies all of it, 'replfix audit show {self._record.id} --json' prints it."
            )
            yield Static(Text(rest), classes="title")

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "copy_undo":
            return bool(self._undo())
        if action == "undo":
            return self.replfix.unless_read_only(self._record.kind == RecordKind.INTENT and bool(self._undo()))
        if action == "step" and isinstance(by := parameters[0], int):
            return True if self._neighbour(by) is not None else None
        return True

    def _undo(self) -> str:
        try:
            return undo_sql(self._record.content)
        except ValueError:
            return ""

    def _neighbour(self, by: int) -> AuditRecord | None:
        at = self._others.index(self._record) + by
        return self._others[at] if 0 <= at < len(self._others) else None

    async def action_step(self, by: int) -> None:
        neighbour = self._neighbour(by)
        if neighbour is not None:
            self._record = neighbour
            await self._show()

    async def action_raw(self) -> None:
        self._raw = not self._raw
        await self._show()

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(raw_json(self._record))
        self.notify(f"Copied record {self._record.id} as JSON", markup=False)

    def action_copy_undo(self) -> None:
        self.app.copy_to_clipboard(self._undo())
        self.notify("Copied the undo SQL", markup=False)

    def action_undo(self) -> None:
        self.app.push_screen(UndoDialog(self._record))

    def action_back(self) -> None:
        self.dismiss()
