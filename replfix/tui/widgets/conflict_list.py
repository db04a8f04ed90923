"""All conflicts of the transaction, and the rows of the highlighted one side by side."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from replfix.core.conflicts.reconcile import Conflict, ConflictKind
from replfix.core.incident.evidence import Evidence
from replfix.present.safe_text import visible
from replfix.tui.widgets.line_list import LineList
from replfix.tui.widgets.points import plural, title
from replfix.tui.widgets.rows import of_conflict
from replfix.tui.widgets.side_by_side import SideBySide

SYMBOLS = {
    ConflictKind.DUPLICATE: "✗",
    ConflictKind.MISSING: "∅",
    ConflictKind.DIFFERENT: "≠",
    ConflictKind.EXTRA: "+",
}


def conflict_line(number: int, conflict: Conflict) -> Text:
    keys = f"key {', '.join(conflict.keys)} ({', '.join(conflict.key_columns)})" if conflict.keys else "whole row"
    return Text.assemble(
        (f"{number}. {SYMBOLS[conflict.kind]} {conflict.kind.value}", "bold"),
        visible(
            f"  {conflict.table}  {keys}  row {conflict.change + 1} of the transaction",
            keep_newlines=False,
        ),
    )


class Conflicts(Vertical):
    """``evidence`` with a reconciliation."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__(id="conflicts")
        assert evidence.reconciliation is not None
        self._evidence = evidence
        self._conflicts = evidence.reconciliation.conflicts

    def compose(self) -> ComposeResult:
        found = self._conflicts
        if not found:
            yield Static(title("In the way"), markup=False)
            yield Static(Text("✔ No row is in the way any more."), markup=False)
            return
        yield Static(title(f"In the way: {plural(len(found), 'conflict')}"), markup=False)
        yield LineList(len(found), lambda n: conflict_line(n + 1, found[n]), id="conflict-list")
        yield Static(id="conflict-meaning", markup=False)
        yield SideBySide(id="conflict-rows")

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
        words = conflict.in_words
        text = Text(visible(f"{words[0].upper()}{words[1:]}.", keep_newlines=False))
        if conflict.identical:
            text.append(" It equals the incoming row.")
        self.query_one("#conflict-meaning", Static).update(text)
        table = self._evidence.tables[conflict.table]
        self.query_one(SideBySide).show(of_conflict(conflict, self._evidence.source_rows[index], table))
