"""All conflicts of the transaction, and the rows of the highlighted one side by side."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from replfix.core.incident.evidence import Evidence
from replfix.present.page.incident_page import NO_CONFLICT, conflict_meaning, conflict_words, conflicts_heading
from replfix.present.page.page_model import words
from replfix.present.page.rich_page import block_text, styled
from replfix.present.page.row_images import of_conflict
from replfix.tui.widgets.line_list import LineList
from replfix.tui.widgets.points import title
from replfix.tui.widgets.side_by_side import SideBySide


class Conflicts(Vertical):
    """``evidence`` with a reconciliation."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__(id="conflicts")
        assert evidence.reconciliation is not None
        self._evidence = evidence
        self._conflicts = evidence.reconciliation.conflicts

    def compose(self) -> ComposeResult:
        found = self._conflicts
        yield Static(title(conflicts_heading(self._evidence)), markup=False)
        if not found:
            yield Static(block_text(NO_CONFLICT), markup=False)
            return
        yield LineList(len(found), self._line, id="conflict-list")
        yield Static(id="conflict-meaning", markup=False)
        yield SideBySide(id="conflict-rows")

    def _line(self, n: int) -> Text:
        conflict = self._conflicts[n]
        return styled(conflict_words(n + 1, conflict, self._evidence.tables[conflict.table]))

    def on_mount(self) -> None:
        if self._conflicts:
            self._show(0)

    def on_line_list_highlighted(self, event: LineList.Highlighted) -> None:
        event.stop()
        self._show(event.index)

    def on_line_list_selected(self, event: LineList.Selected) -> None:
        event.stop()
        self.query_one(SideBySide).focus()

    def _show(self, index: int) -> None:
        conflict = self._conflicts[index]
        self.query_one("#conflict-meaning", Static).update(styled(words(conflict_meaning(conflict))))
        table = self._evidence.tables[conflict.table]
        self.query_one(SideBySide).show(of_conflict(conflict, self._evidence.source_rows[index], table))
